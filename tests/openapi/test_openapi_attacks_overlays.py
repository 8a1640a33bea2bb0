"""Overlays and projections that would grow or search without end."""

from __future__ import annotations

import time

import pytest

from toolhaft import open_catalog
from toolhaft.curation.projection import project
from toolhaft.curation.rules import Changes
from toolhaft.curation.tool import CuratedTool
from toolhaft.errors import FormatError, SpecError
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.json_path import Path

pytestmark = pytest.mark.slow

ITEMS = {"items": [{"id": n, "more": {"a": [1, 2, 3]}, "text": "a" * 30 + "!"} for n in range(3000)]}


def document():
    operation = {"operationId": "listPets", "responses": {"200": {"description": "ok"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/pets": {"get": operation}},
    }


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def opened(*actions):
    return open_catalog(document(), overlays=[{"overlay": "1.1.0", "info": {}, "actions": list(actions)}])


LIST = {"target": "$", "update": {"x-a": ["b"] * 1000}}
OBJECT = {"target": "$", "update": {"x-a": {"b": {}}}}
MANY = {"target": "$", "update": {"x-a": [{} for _ in range(5000)]}}


@pytest.mark.parametrize(
    "actions",
    [
        (LIST, *[{"target": "$.x-a", "copy": "$.x-a"}] * 40),
        (OBJECT, *[{"target": "$.x-a..*", "copy": "$.x-a"}] * 40),
        (MANY, {"target": "$.x-a[*]", "update": {"z": ["y"] * 5000}}),
        ({"target": "$.info", "update": nested(20_000)},),
    ],
    ids=["list-doubles", "object-into-itself", "many-times-much", "deep"],
)
def test_an_overlay_that_would_not_end_is_one_error(actions):
    began = time.perf_counter()
    with pytest.raises((SpecError, FormatError)):
        opened(*actions)
    assert time.perf_counter() - began < 30


def test_an_overlay_of_honest_size_is_applied():
    catalog = opened(MANY, {"target": "$.paths..get", "update": {"summary": "All pets"}})
    assert catalog.spec("listPets").description == "All pets"


@pytest.mark.parametrize("path", ["$..[?count($..*) > 100000000]", "$[?" + "(" * 3000, "$.a" * 3000])
def test_a_path_that_would_not_end_is_one_error(path):
    began = time.perf_counter()
    with pytest.raises(FormatError, match="JSONPath"):
        project(ITEMS, path)
    assert time.perf_counter() - began < 20


def test_what_stands_deep_is_found_all_the_same():
    assert [node.value for node in Path("$..x").select(nested(300) | {"b": nested(10) | {"x": 5}})] == [5]
    assert len(project(ITEMS, "$.items[?@.more.a[0] == 1].id")) == 3000
    assert len(project(ITEMS, "$..a[*]")) == 9000
    assert project(ITEMS, "$.items[?search(@.text, '(a+)+$')]") == []


def test_a_result_that_cannot_be_chosen_from_stays_whole():
    inner = CannedTool(tool_spec("pets"), [])
    tool = CuratedTool(inner, Changes(result="$..[?count($..*) > 100000000]"))
    made = tool._chosen(ITEMS)
    assert made.value == ITEMS
    assert "The result is whole: the JSONPath" in made.notes[0]
