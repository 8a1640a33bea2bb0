"""Arguments: that they fit, and that identifiers are those that exist."""

from random import Random

import pytest

from toolhaft.generators.harvest import harvest
from toolhaft.generators.pattern import text_of
from toolhaft.generators.pool import ValuePool
from toolhaft.generators.sampling import find_pairs
from toolhaft.generators.schemas import fields_of, is_identifier, resolve, singular
from toolhaft.generators.values import Chosen, ValueChooser
from toolhaft.testing import tool_spec
from toolhaft.tools.schema import check_arguments


def takes(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


SCHEMAS = {
    "enum": {"enum": ["a", "b", None]},
    "const": {"const": 7},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 3, "maximum": 5},
    "integer without bounds": {"type": "integer"},
    "multiple": {"type": "integer", "minimum": 10, "maximum": 90, "multipleOf": 5},
    "number": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "negative": {"type": "number", "maximum": -5},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$", "format": "date-time"},
    "email": {"type": "string", "format": "email"},
    "uri": {"type": "string", "format": "uri"},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "harder pattern": {"type": "string", "pattern": r"^(?:\+47|0047) ?\d{8}$"},
    "long": {"type": "string", "minLength": 70, "maxLength": 90},
    "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True},
    "object": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    "reference": {"$ref": "#/$defs/Thing"},
    "one of": {"oneOf": [{"type": "null"}, {"type": "integer"}]},
    "all of": {"allOf": [{"type": "string"}, {"enum": ["x"]}]},
    "nullable": {"type": ["string", "null"], "maxLength": 30},
    "example": {"type": "string", "pattern": "^(?!)x|special-42$", "examples": ["special-42"]},
    "nothing said": {},
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("seed", range(3))
def test_values_fit_their_schema(name, seed):
    parameters = takes(value=SCHEMAS[name])
    parameters["$defs"] = {"Thing": {"type": "string", "enum": ["thing"]}}
    spec = tool_spec(parameters=parameters)
    chosen = ValueChooser(ValuePool()).choose(spec, Random(seed))
    assert isinstance(chosen, Chosen)
    check_arguments(spec, chosen.arguments)
    assert "value" in chosen.sources


IMPOSSIBLE = {
    "an endless pattern": {"type": "string", "pattern": "^(a{200}){50}$"},
    "a pattern nothing fits": {"type": "string", "pattern": "^x$", "minLength": 3},
    "no pattern at all": {"type": "string", "pattern": "^(["},
    "more than the most": {"type": "integer", "minimum": 9, "maximum": 3},
    "a reference to nowhere": {"$ref": "#/$defs/Gone"},
    "a reference to itself": {"$ref": "#/properties/value"},
    "an image": {"type": "string", "format": "artifact", "contentMediaType": "image/*"},
    "false": {"not": {}},
    "an object of its own": {"type": "object", "properties": {"x": {"not": {}}}, "required": ["x"]},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_has_no_value_is_said(name):
    spec = tool_spec(parameters=takes(value=IMPOSSIBLE[name]))
    found = ValueChooser(ValuePool()).choose(spec, Random(0))
    assert isinstance(found, str)
    assert found


@pytest.mark.anyio
async def test_identifiers_exist(shop):
    found = await harvest(await shop.catalog("values"))
    assert found.calls > 2
    assert {name for _, name in shop.calls} == {"listOrders", "getOrder"}
    spec = (await shop.catalog("x")).spec("reviewOrder")
    for seed in range(10):
        chosen = ValueChooser(found.pool).choose(spec, Random(seed))
        assert chosen.arguments["order_id"] in ("ORD-1", "ORD-2", "ORD-3")
        assert chosen.sources["order_id"].startswith("tool:")


@pytest.mark.anyio
async def test_a_harvest_keeps_to_its_bounds(shop):
    assert (await harvest(await shop.catalog("v"), most=2)).calls == 2
    nothing = await harvest(await shop.catalog("v"), most=0)
    assert (nothing.calls, len(nothing.pool)) == (0, 0)


@pytest.mark.anyio
async def test_pairs_are_producers_and_consumers(shop):
    pool = (await harvest(await shop.catalog("v"))).pool
    pairs = find_pairs((await shop.catalog("v")).specs(), pool)
    found = {(pair.producer.name, pair.consumer.name) for pair in pairs}
    assert found == {
        (producer, consumer)
        for producer in ("listOrders", "createOrder")
        for consumer in ("getOrder", "cancelOrder", "purgeOrder", "reviewOrder")
    }
    listed = {pair.producer.name: pair.link for pair in pairs}
    assert listed["listOrders"].path == ("orders", "*", "order_id")
    assert listed["listOrders"].listed
    assert not listed["createOrder"].listed


def test_what_was_observed_stands_in_for_a_schema():
    maker = tool_spec("make", effect="write", returns=None, parent="p")
    taker = tool_spec("take", parent="p", parameters=takes(thing_id={"type": "string"}))
    pool = ValuePool()
    assert find_pairs([maker, taker], pool) == []
    pool.add(maker, {"thing": {"id": "T-1"}})
    [pair] = find_pairs([maker, taker], pool)
    assert pair.link.path == ("thing", "id")


@pytest.mark.parametrize(
    ("pattern", "least"),
    [("^ORD-[0-9]{4}$", 8), (r"^\d+\.\d{2}$", 4), ("^(red|blue)$", 3), ("[^a-z]{3}", 3), (r"^\w{2,5}$", 2)],
)
def test_texts_of_patterns(pattern, least):
    import re

    for seed in range(5):
        made = text_of(pattern, Random(seed))
        assert re.search(pattern, made)
        assert len(made) >= least


@pytest.mark.parametrize("pattern", ["(" * 400, "a{999999999}", "([", "(a{50}){50}", r"(?P<x>a)(?P=x)"])
def test_patterns_that_are_too_hard(pattern):
    assert text_of(pattern, Random(0)) is None


def test_schemas_that_go_round_in_circles_end():
    schema = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}, "id": {"type": "string"}},
    }
    assert len(list(fields_of(schema))) < 20
    assert resolve({"$ref": "#/a"}, {"a": {"$ref": "#/a"}}) is not None


def test_names():
    assert [singular(word) for word in ("orders", "status", "boxes", "cities", "address", "bus")] == [
        "order",
        "status",
        "box",
        "city",
        "address",
        "bus",
    ]
    assert is_identifier("order_id", {"type": "string"})
    assert is_identifier("into", {"type": "string", "pattern": "^TCK-[0-9]+$"})
    assert not is_identifier("city", {"type": "string"})
