"""Our own reading of version specifiers, against the reference implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from toolhaft.hooks.version import parse_version, satisfies

numbers = st.integers(0, 3)
suffixes = st.sampled_from(
    ["", "", "a1", "b2", "rc1", ".dev0", ".dev3", ".post1", "a1.dev2", "rc1.post2", "+local.1", "-1", "c1"]
)
versions = st.builds(
    lambda epoch, parts, suffix: epoch + ".".join(map(str, parts)) + suffix,
    st.sampled_from(["", "", "", "1!", "v"]),
    st.lists(numbers, min_size=1, max_size=4),
    suffixes,
)


@given(versions, versions)
def test_versions_are_ordered_as_the_reference_orders_them(first, second):
    ours = (parse_version(first) < parse_version(second), parse_version(first) == parse_version(second))
    assert ours == (Version(first) < Version(second), Version(first) == Version(second))


@st.composite
def clauses(draw):
    operator = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "===", "==*", "!=*"]))
    version = draw(versions)
    if operator.endswith("*"):
        parts = draw(st.lists(numbers, min_size=1, max_size=3))
        return f"{operator[:2]}{'.'.join(map(str, parts))}.*"
    if operator not in ("==", "!=", "==="):
        version = version.partition("+")[0]
    if operator == "~=" and "." not in version.split("!")[-1].split("a")[0].split("r")[0].split("-")[0]:
        version = "1.2"
    return operator + version


@given(versions, st.lists(clauses(), min_size=1, max_size=3))
def test_clauses_hold_as_the_reference_says(version, chosen):
    specifier = ",".join(chosen)
    try:
        reference = SpecifierSet(specifier)
    except ValueError:
        return
    expected = all(each.contains(version, prereleases=True) for each in reference)
    assert satisfies(version, specifier) == expected


@pytest.mark.parametrize(
    ("version", "specifier", "fits"),
    [
        ("0.1.0", "==0.1.*", True),
        ("0.1.0", "==0.1", True),
        ("0.2.0.dev1", "==0.1.*", False),
        ("0.2.0rc1", "<0.2", False),
        ("0.2.0rc1", ">=0.1", True),
        ("0.1.5", "~=0.1.2", True),
        ("0.2", "~=0.1.2", False),
        ("0.1", "", True),
        ("0.1", " >= 0.1 , < 0.2 ", True),
    ],
)
def test_what_plugins_write(version, specifier, fits):
    assert satisfies(version, specifier) == fits


@pytest.mark.parametrize(
    "text", ["next", "1.", "=>1", ">=", "~=1", "1.0", "==1.*.2", "x" * 10_000, ">=1" * 99]
)
def test_what_is_no_specifier_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a version|needs a version"):
        satisfies("0.1", text)
