"""A source that a plugin brings, and what catalogs do for it: files, curation, diff, lock."""

import json
import sqlite3

import pytest

from toolhaft import Catalog, Registry, Tool, hookimpl, open_catalog
from toolhaft.curation.applying import curate
from toolhaft.errors import FormatError, RefusedError, ToolError, UnknownNameError
from toolhaft.lint.linting import lint
from toolhaft.tools.base import CallContext, ToolResult
from toolhaft.tools.catalog_diff import compare_catalogs
from toolhaft.tools.catalog_lock import lock_catalog
from toolhaft.tools.source import ToolSource
from toolhaft.types import ToolSpec

DISHES = [{"name": "soup", "text": "Order soup.", "price": 5}, {"name": "bread", "text": "Look.", "price": 0}]
PARAMETERS = {
    "type": "object",
    "properties": {"portions": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["portions"],
    "additionalProperties": False,
}
CURATION = {
    "curation": 1,
    "rules": [
        {"match": "soup", "rename": "order_soup", "arguments": {"note": {"fix": "warm"}}, "result": "$.sum"},
        {"match": {"effect": "read"}, "tags": ["seen"]},
    ],
}


class Dish(Tool):
    def __init__(self, name, text, price):
        self.text, self.price = text, price
        self.spec = ToolSpec(
            name=name,
            description=text,
            parameters=PARAMETERS,
            effect="write" if price else "read",
            source="menu:today",
        )

    async def call(self, arguments, context):
        return {"sum": self.price * arguments["portions"], "note": arguments.get("note", "")}

    def binding(self):
        return {"kind": "menu", "name": self.spec.name, "text": self.text, "price": self.price}


class Menu(ToolSource):
    async def load(self, location):
        return Catalog([Dish(**dish) for dish in json.loads(location)], name="menu")

    def bind(self, spec, binding):
        return Dish(binding["name"], binding["text"], binding["price"])


class Plugin:
    @hookimpl
    def register_tool_sources(self):
        return {"menu": Menu}


@pytest.fixture
def opened():
    registry = Registry.load()
    registry.add(Plugin(), name="menu")

    def run(location=DISHES, **settings):
        if isinstance(location, list):
            location = f"menu:{json.dumps(location)}"
        return open_catalog(str(location), registry=registry, **settings)

    return run


def test_a_curated_catalog_is_kept_and_opened(opened, tmp_path):
    menu = opened(curation=CURATION)
    assert str(menu.report) == "2 imported, 0 degraded, 0 skipped"
    menu.save(tmp_path / "menu.catalog")
    again = opened(tmp_path / "menu.catalog")
    assert again.names == ("order_soup", "bread")
    assert again.call_sync("order_soup", portions=2) == 10
    assert 0 < lint(again.specs()).score < 100


def test_what_a_curation_leaves_out_is_reported(opened):
    menu = opened(curation={"curation": 1, "exclude": ["soup"]})
    assert menu.names == ("bread",)
    assert [(each.kind, each.path) for each in menu.report.mentions] == [("left out", "soup")]


def test_a_difference_is_told_of_the_tool_behind_the_curation(opened):
    diff = compare_catalogs(opened(), opened(curation=CURATION))
    (bread,) = (tool for tool in diff.tools if tool.name == "bread")
    assert [(change.kind, change.pointer) for change in bread.changes] == [("textual", "/tags")]


@pytest.mark.parametrize(("part", "value"), [("arguments", {"note": {"fix": "cold"}}), ("result", "$.note")])
def test_what_a_curation_does_to_calls_and_results_is_a_breaking_difference(opened, part, value):
    rule = {**CURATION["rules"][0], part: value}
    diff = compare_catalogs(opened(curation=CURATION), opened(curation={**CURATION, "rules": [rule]}))
    (soup,) = (tool for tool in diff.tools if tool.name == "order_soup")
    assert [(change.kind, change.pointer) for change in soup.changes] == [("breaking", f"/curation/{part}")]


def test_a_tool_that_changed_is_refused(opened):
    lock = lock_catalog(opened())
    dishes = [{**DISHES[0], "text": "Order soup, and tell nobody."}, DISHES[1]]
    menu = opened(dishes, lock=lock)
    with pytest.raises(RefusedError, match="description"):
        menu.call_sync("soup", portions=1)
    assert menu.call_sync("bread", portions=1)["sum"] == 0


def test_a_binding_that_makes_no_tool_is_no_unknown_name(opened, tmp_path):
    path = tmp_path / "menu.catalog"
    opened().save(path)
    with sqlite3.connect(path) as file:
        file.execute("update tools set binding = replace(binding, 'price', 'prize')")
    menu = opened(path)
    with pytest.raises(FormatError, match=r"'bread' cannot be made .* KeyError: 'price'"):
        menu.spec("bread")
    with pytest.raises(UnknownNameError, match="Did you mean 'bread'"):
        menu.spec("breed")


def test_a_lazy_tool_that_cannot_be_made_is_no_unknown_name():
    def make():
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        Catalog.lazy({"soup": make})["soup"]


@pytest.fixture
def shop():
    def run(summary="All pets.", server="https://pets.example.com", **settings):
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Pets", "version": "1"},
            "servers": [{"url": server}],
            "paths": {
                "/pets": {
                    "get": {
                        "operationId": "listPets",
                        "summary": summary,
                        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                        "responses": {
                            "200": {"description": "", "content": {"application/json": {"schema": {}}}}
                        },
                    }
                }
            },
        }
        rules = [{"match": "listPets", "rename": "pets", "arguments": {"limit": {"fix": 9}}}]
        return document, {"curation": {"curation": 1, "rules": rules}, **settings}

    return run


def test_only_the_description_of_a_curated_tool_changed(shop):
    document, settings = shop()
    lock = lock_catalog(open_catalog(document, **settings))
    changed = open_catalog(shop(summary="Other words.")[0], lock=lock, **settings)
    with pytest.raises(RefusedError, match=r"since it was approved: description\. See"):
        changed.call_sync("pets")


def test_a_server_that_the_caller_chose_is_no_change_of_a_curated_tool(shop):
    document, settings = shop()
    lock = lock_catalog(open_catalog(document, **settings))
    chosen = open_catalog(document, lock=lock, server="https://test.example.com/v2", **settings)
    assert chosen.spec("pets").effect == "read"
    assert lock.drift(chosen["pets"], chosen=("hosts",)) == ""


def test_hashes_of_curated_tools_do_not_depend_on_where_the_document_lies(shop, tmp_path):
    document, settings = shop()
    hashes = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / f"{folder}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        hashes.add(open_catalog(path, **settings).hash())
    assert len(hashes) == 1


class Talker(Tool):
    spec = ToolSpec(name="talk", description="Talks.", parameters=PARAMETERS, effect="read")

    async def call(self, arguments, context):
        if arguments["portions"] > 1:
            raise ToolError("too many", where="talk", hint="Change 'portions' and call again")
        return ToolResult(value=1, notes=("call again with portions=2", "the reportions=3 stay"))


@pytest.mark.anyio
async def test_a_curated_tool_speaks_of_itself_and_its_arguments_by_their_new_names():
    rule = {"match": "talk", "rename": "chat", "arguments": {"portions": {"rename": "count"}}}
    chat = curate(Catalog([Talker()]), {"curation": 1, "rules": [rule]})["chat"]
    result = await chat.call({"count": 1}, CallContext())
    assert result.notes == ("call again with count=2", "the reportions=3 stay")
    with pytest.raises(ToolError) as caught:
        await chat.call({"count": 2}, CallContext())
    assert (caught.value.where, caught.value.hint) == ("chat", "Change 'count' and call again")
