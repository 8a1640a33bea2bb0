"""Schemas whose check would not end, and names that no request can hold."""

from __future__ import annotations

import time

import pytest

from toolhaft import open_catalog
from toolhaft.errors import ConfigError, InvalidArgumentsError, SpecError
from toolhaft.testing import tool_spec
from toolhaft.tools.schema import check_arguments, compile_schema
from toolhaft.tools.schema_cost import branches


def fan(keyword, depth, width=2):
    last = {f"A{depth}": {"type": "string"}}
    chain = {f"A{n}": {keyword: [{"$ref": f"#/$defs/A{n + 1}"}] * width} for n in range(depth)}
    return {"$defs": chain | last, "$ref": "#/$defs/A0"}


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_countless_branches_are_not_gone_through(keyword):
    began = time.perf_counter()
    with pytest.raises(SpecError, match="alternatives"):
        compile_schema(fan(keyword, 40), bounded=True)
    spec = tool_spec(
        "pets",
        parameters={
            **fan(keyword, 40),
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A0"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    )
    check_arguments(spec, {"a": 1})
    for wrong in ({}, {"a": 1, "b": 2}):
        with pytest.raises(InvalidArgumentsError):
            check_arguments(spec, wrong)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({}, 1),
        ({"anyOf": [{}, {}]}, 3),
        (fan("anyOf", 3), 8 + 4 + 2 + 1 + 2 + 4 + 8),
        ({"allOf": [{"$ref": "#"}]}, 3),
        ({"properties": {"a": {"anyOf": [{}] * 5}}}, 6),
    ],
    ids=str,
)
def test_branches_are_counted_once_for_each_way(schema, count):
    assert branches(schema) == pytest.approx(count, abs=1)


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"}],
    ids=str,
)
def test_a_schema_that_is_itself_ends(schema):
    check_arguments(tool_spec("pets", parameters=schema), {"a": 1})


def test_a_name_that_no_request_can_hold_is_one_error():
    parameters = [{"name": "a\ud800", "in": "query", "schema": {"type": "string"}}]
    answers = {"200": {"description": "ok"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/pets": {"get": {"operationId": "pets", "parameters": parameters, "responses": answers}}},
    }
    tool = open_catalog(document)["pets"]
    with pytest.raises(ConfigError, match="half a character"):
        tool.request({})
