"""Specs as a sequence: the same as a list of them to whoever reads, and never held."""

import gc
import threading
import tracemalloc
from contextlib import closing
from dataclasses import replace

import pytest

from toolhaft.errors import FormatError
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_database import CatalogDatabase
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft.tools.file_specs import FileSpecs
from toolhaft.tools.specs import HeldSpecs, as_specs
from toolhaft.tools.wrappers import Cached


class Kept(CannedTool):
    """A tool that can be kept in a file."""

    def binding(self):
        return {"kind": "kept"}


def bind(spec, binding):
    return Kept(spec, "answer")


def refuse(spec, binding):
    raise AssertionError(f"{spec.name} was made")


def listed(*names):
    return [tool_spec(name, description=f"What {name} does.") for name in names]


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "pets.catalog"
    Catalog([Kept(spec) for spec in listed("a", "b", "c", "d")], name="pets").save(path)
    return path


def held(place):
    return Catalog([Kept(spec) for spec in listed("a", "b", "c", "d")])


def of_file(place):
    return open_catalog_file(place, refuse)


@pytest.mark.parametrize("opened", [held, of_file], ids=["held", "file"])
@pytest.mark.parametrize(
    ("view", "names"),
    [
        (lambda catalog: catalog, "abcd"),
        (lambda catalog: catalog.select("d", "b"), "db"),
        (lambda catalog: catalog.select(), ""),
        (lambda catalog: catalog.rename({"b": "e"}), "aecd"),
        (lambda catalog: catalog.select("a", "b").rename({"b": "e"}), "ae"),
        (lambda catalog: Catalog.merge(catalog, Catalog([Kept(*listed("z"))])), "abcdz"),
    ],
    ids=["all", "some", "none", "renamed", "some renamed", "merged"],
)
def test_specs_are_a_sequence_and_no_tool_is_made(place, opened, view, names):
    specs = view(opened(place)).specs()
    expected = [replace(listed(n.replace("e", "b"))[0], name=n) for n in names]
    assert specs == expected
    assert expected == specs
    assert list(specs) == expected
    assert list(specs.names()) == list(names)
    assert len(specs) == len(names)
    assert [specs[n] for n in range(len(names))] == expected
    assert [specs[n] for n in range(-len(names), 0)] == expected
    for part in (slice(1, 3), slice(None, None, 2), slice(None, None, -1), slice(3, 0, -2), slice(9, 12)):
        assert list(specs[part]) == expected[part]
    assert list(map(specs.named, names)) == expected
    assert specs.several([*names, "nobody", "\ud800", *names]) == expected * 2
    for wrong in (len(names), -len(names) - 1):
        with pytest.raises(IndexError):
            specs[wrong]
    with pytest.raises(KeyError):
        specs.named("nobody")
    assert all(spec in specs for spec in expected)
    assert tool_spec("nobody") not in specs
    assert specs != expected[1:] + expected[:1] or len(expected) < 2
    assert specs != [*expected, tool_spec("more")]


def test_several_specs_of_a_file_are_read_by_one_statement(place):
    statements = []
    with closing(CatalogDatabase(place)) as file:
        file._file.set_trace_callback(statements.append)
        assert [spec.name for spec in FileSpecs(file).several(["c", "a", "b"])] == ["c", "a", "b"]
    assert len([each for each in statements if each.startswith("SELECT")]) == 1


def test_only_the_file_itself_has_a_place(place):
    with open_catalog_file(place, bind) as catalog:
        assert catalog.specs().place == place
        for view in (catalog.prefix("x_"), catalog.select("a"), catalog.wrap(Cached), Catalog.merge(catalog)):
            specs = view.specs()
            assert specs.place is None
            assert specs.version == ""
            assert specs.changes("") is None


def test_a_wrapped_tools_spec_is_its_own(place):
    class Loud(Cached):
        @property
        def spec(self):
            return tool_spec(self.inner.spec.name, description="LOUD")

    with open_catalog_file(place, bind) as catalog:
        assert [spec.description for spec in catalog.wrap(Loud).specs()] == ["LOUD"] * 4
        assert catalog.wrap(Loud).prefix("x_").specs().named("x_a").description == "LOUD"


def test_what_is_known_to_become_of_specs_has_a_version_of_its_own(place):
    def loud(tool):
        return Kept(replace(tool.spec, description=tool.spec.description.upper()))

    with open_catalog_file(place, bind) as catalog:
        plain = catalog.specs()
        once, twice = catalog.wrap(loud, version="1").specs(), catalog.wrap(loud, version="2").specs()
        assert once.place == place
        assert len({plain.version, once.version, twice.version}) == 3
        assert once.named("b").description == "WHAT B DOES."
        before = once.version
        Catalog.update_file(place, [Kept(tool_spec("e"))], remove=["a"])
        assert (once.changes(before).put, once.changes(before).removed) == (("e",), ("a",))
        assert once.changes(plain.version) is None
        assert twice.changes(before) is None
        assert plain.changes(before) is None
        assert (once.version != before, [spec.name for spec in once]) == (True, ["b", "c", "d", "e"])


def test_a_wrapper_that_keeps_specs_is_not_asked_for_them(place):
    with open_catalog_file(place, refuse) as catalog:
        specs = catalog.wrap(Cached, keeps_specs=True).specs()
        assert (specs.place, specs.version, len(list(specs))) == (place, catalog.specs().version, 4)


def test_names_that_stand_twice_are_found_by_the_first():
    specs = as_specs([tool_spec("a", description="1"), tool_spec("a", description="2")])
    assert isinstance(specs, HeldSpecs)
    assert specs.named("a").description == "1"
    assert len(specs) == 2
    assert as_specs(specs) is specs


def test_reading_all_specs_and_making_all_tools_holds_few(tmp_path):
    path = tmp_path / "large.catalog"
    text = "Find what there is. " * 50
    Catalog([Kept(tool_spec(f"tool{n}", description=text)) for n in range(4_000)]).save(path)
    with open_catalog_file(path, bind) as catalog:
        gc.collect()
        tracemalloc.start()
        assert sum(len(spec.description) for spec in catalog.specs()) == 4_000 * len(text)
        read = tracemalloc.get_traced_memory()[1]
        for name in catalog:
            assert catalog[name].spec.name == name
        made = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        first = catalog["tool0"]
        assert catalog["tool0"] is first
    assert read < 2_000_000  # all of them are 4 MB of text alone
    assert made < 4_000_000


def test_a_tool_that_somebody_holds_or_that_is_to_be_closed_stays_the_same(tmp_path):
    class Closing(Kept):
        closed = 0

        async def close(self):
            Closing.closed += 1

    path = tmp_path / "large.catalog"
    Catalog([Kept(tool_spec(f"tool{n}")) for n in range(1_500)]).save(path)
    kinds = {"tool0": Closing, "tool1": Closing}
    with open_catalog_file(path, lambda spec, binding: kinds.get(spec.name, Kept)(spec, "x")) as catalog:
        number = id(catalog["tool0"])
        held = catalog["tool2"]
        for name in catalog:
            assert catalog[name].spec.name == name
        assert id(catalog["tool0"]) == number
        assert catalog["tool2"] is held
    assert Closing.closed == 2


def test_many_threads_read_one_file(tmp_path):
    path = tmp_path / "large.catalog"
    Catalog([Kept(tool_spec(f"tool{n}")) for n in range(600)]).save(path)
    with open_catalog_file(path, bind) as catalog:
        found, made = [], []

        def read():
            found.append([spec.name for spec in catalog.specs()])
            made.append([catalog[f"tool{n}"] for n in range(20)])

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [[f"tool{n}" for n in range(600)]] * 8
    assert all(tool is first for tools in made for tool, first in zip(tools, made[0], strict=True))


def test_specs_of_a_closed_file_are_an_error(place):
    with open_catalog_file(place, bind) as catalog:
        specs = catalog.specs()
    with pytest.raises(FormatError, match="closed"):
        list(specs)
