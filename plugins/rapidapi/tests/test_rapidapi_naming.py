"""Names: legal, readable, stable, never shared."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.tools.base import NAME
from toolhaft_rapidapi.naming import tool_names
from toolhaft_rapidapi.record import APIRecord
from toolhaft_rapidapi.standard import function_name, standard_category, standard_name, standard_word


def record(tool, api, category="Data", url=""):
    return APIRecord(category=category, tool=tool, api=api, url=url)


@pytest.mark.parametrize(
    ("tool", "api", "name"),
    [
        ("TheClique", "Transfermarkt search", "transfermarkt_search_for_theclique"),
        ("100% Free", "id", "is_id_for_get_100_free"),
        ("SQUAKE", "Checkhealth", "checkhealth_for_squake"),
        ("a" * 40, "b" * 40, ("b" * 40 + "_for_" + "a" * 40)[-64:]),
        ("--x--", "/v1/{id}", "v1_id_for_x"),
        ("Tool", "from", "is_from_for_tool"),
    ],
)
def test_toolbench_names(tool, api, name):
    assert function_name(tool, api) == name
    assert tool_names([record(tool, api)], "toolbench") == [name]


@pytest.mark.parametrize("text", ["Video, Images", "from", "3D models", "a__b", "名前 x"])
def test_the_standard_spelling_is_its_own(text):
    for spell in (standard_name, standard_word, standard_category):
        assert spell(spell(text)) == spell(text)


def test_readable_names_say_tool_and_api():
    assert tool_names([record("Sky Watch", "Get Forecast (v2)")]) == ["sky_watch_get_forecast_v2"]
    assert tool_names([record("Café Finder", "Menü")]) == ["cafe_finder_menu"]


def test_those_that_want_one_name_are_told_apart_and_none_takes_it():
    """A smaller import then knows no name that stood for another API in the larger."""
    names = tool_names([record("C", "x"), record("C++", "x"), record("D", "x")])
    assert names[2] == "d_x"
    assert names[0] != names[1]
    assert all(name.startswith("c_x_") and len(name) == len("c_x_") + 8 for name in names[:2])
    assert tool_names([record("C", "x")]) == ["c_x"]


def test_colliding_toolbench_names_are_resolved_the_same_in_any_order():
    records = [record("Sky", "Find", category) for category in ("B", "A", "C")]
    names = tool_names(records, "toolbench")
    assert names[1] == "find_for_sky"
    assert len(set(names)) == 3
    assert tool_names(records[::-1], "toolbench") == names[::-1]
    assert all(name.endswith("find_for_sky") for name in names)


texts = st.text(max_size=80)


@pytest.mark.slow  # hundreds of imports
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(texts, texts, st.sampled_from(["A", "B"]), st.sampled_from(["", "u", "v"])), max_size=12
    ),
    st.sampled_from(["readable", "toolbench"]),
    st.randoms(use_true_random=False),
)
def test_names_are_legal_different_and_independent_of_order(rows, naming, source):
    records = [record(tool, api, category, url) for tool, api, category, url in dict.fromkeys(rows)]
    names = tool_names(records, naming)
    assert all(NAME.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)
    shuffled = list(range(len(records)))
    random.Random(source.random()).shuffle(shuffled)
    assert tool_names([records[i] for i in shuffled], naming) == [names[i] for i in shuffled]
