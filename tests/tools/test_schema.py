"""Checking arguments: what is wrong, where, and what would be right; and schemas from strangers."""

import math
import socket
import threading
import time

import pytest

from toolhaft.errors import InvalidArgumentsError, SpecError
from toolhaft.tools.schema import ArgumentChecker, check_arguments, compile_schema, nesting
from toolhaft.types import ToolSpec

ORDER = {
    "type": "object",
    "properties": {
        "size": {"enum": ["small", "large"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "note": {"type": "string", "minLength": 2, "maxLength": 5},
        "gift": {"type": "boolean"},
        "kind": {"const": "order"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        "to": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "a/b~c": {"type": "integer"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "when": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "either": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    },
    "required": ["count"],
    "additionalProperties": False,
    "$defs": {
        "item": {
            "type": "object",
            "properties": {"color": {"$ref": "#/$defs/color"}, "part": {"$ref": "#/$defs/item"}},
            "required": ["color"],
        },
        "color": {"type": "string", "enum": ["red", "blue"]},
    },
}
CASES = [
    ({}, "", '"count" is a required property', "Required: count"),
    ({"count": "3"}, "/count", "is not of type", "Give a JSON integer"),
    ({"count": 3.5}, "/count", "is not of type", "Give a JSON integer"),
    ({"count": True}, "/count", "is not of type", "Give a JSON integer"),
    ({"count": None}, "/count", "is not of type", "Give a JSON integer"),
    ({"count": 0}, "/count", "less than the minimum", '"minimum": 1'),
    ({"count": 10}, "/count", "greater than the maximum", '"maximum": 9'),
    ({"count": 1, "cont": 2}, "", "'cont' was unexpected", "Did you mean 'count'?"),
    ({"count": 1, "zzz": 2}, "", "'zzz' was unexpected", "Known arguments: size, count, price"),
    ({"count": 1, "size": "huge"}, "/size", "is not one of", 'Use one of ["small", "large"]'),
    ({"count": 1, "size": "Small"}, "/size", "is not one of", 'Use one of ["small", "large"]'),
    ({"count": 1, "price": 0}, "/price", "less than or equal to the minimum", "exclusiveMinimum"),
    ({"count": 1, "code": "abc"}, "/code", "does not match", "^[A-Z]{3}$"),
    ({"count": 1, "note": "a"}, "/note", "is shorter than 2", "minLength"),
    ({"count": 1, "note": "abcdef"}, "/note", "is longer than 5", "maxLength"),
    ({"count": 1, "gift": "yes"}, "/gift", "is not of type", "Give a JSON boolean"),
    ({"count": 1, "kind": "gift"}, "/kind", '"order" was expected', '"const": "order"'),
    ({"count": 1, "tags": "a"}, "/tags", "is not of type", "Give a JSON array"),
    ({"count": 1, "tags": ["a", 2]}, "/tags/1", "is not of type", "Give a JSON string"),
    ({"count": 1, "tags": ["a", "b", "c"]}, "/tags", "more than 2 items", "maxItems"),
    ({"count": 1, "tags": ["a", "a"]}, "/tags", "non-unique", "uniqueItems"),
    ({"count": 1, "to": {}}, "/to", '"city" is a required property', "Required: city"),
    ({"count": 1, "to": {"city": 5}}, "/to/city", "is not of type", "Give a JSON string"),
    ({"count": 1, "to": {"city": "A", "citty": 1}}, "/to", "was unexpected", "Did you mean 'city'?"),
    ({"count": 1, "to": {"city": "A", "a/b~c": "x"}}, "/to/a~1b~0c", "is not of type", "Give a JSON integer"),
    (
        {"count": 1, "items": [{"color": "green"}]},
        "/items/0/color",
        "is not one of",
        'Use one of ["red", "blue"]',
    ),
    ({"count": 1, "items": [{}]}, "/items/0", '"color" is a required property', "Required: color"),
    (
        {"count": 1, "items": [{"color": "red", "part": {"color": "red", "part": {"color": 1}}}]},
        "/items/0/part/part/color",
        "is not",
        'Use one of ["red", "blue"]',
    ),
    ({"count": 1, "when": 5}, "/when", "not valid under any", "anyOf"),
    ({"count": 1, "either": 5}, "/either", "more than one", "oneOf"),
]


def spec(parameters):
    return ToolSpec(name="order", parameters=parameters)


@pytest.mark.parametrize(("arguments", "pointer", "what", "hint"), CASES, ids=lambda case: str(case)[:40])
def test_what_is_wrong_and_what_would_be_right(arguments, pointer, what, hint):
    with pytest.raises(InvalidArgumentsError) as caught:
        check_arguments(spec(ORDER), arguments)
    error = caught.value
    assert error.details["pointer"] == pointer
    assert error.where == (f"order#{pointer}" if pointer else "order")
    assert what in error.what
    assert hint in error.hint


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 1},
        {"count": 3.0},
        {"count": 9, "size": "large", "price": 0.01, "code": "ABC", "tags": [], "when": None},
        {"count": 1, "to": {"city": "Oslo", "a/b~c": 2}},
        {"count": 1, "items": [{"color": "red", "part": {"color": "blue"}}]},
    ],
)
def test_what_is_right_passes(arguments):
    check_arguments(spec(ORDER), arguments)


def test_a_long_value_or_schema_is_not_repeated_whole():
    long = {"type": "object", "properties": {"a": {"enum": [f"value{n}" for n in range(10_000)]}}}
    with pytest.raises(InvalidArgumentsError) as caught:
        check_arguments(spec(long), {"a": "x" * 1_000_000})
    assert len(str(caught.value)) < 2000
    assert len(caught.value.details["schema"]) < 1000


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 5000 + "!"),
        ("^(a|aa)+$", "a" * 5000 + "!"),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5000),
        (r"(?=(a+))a*b\1", "a" * 5000),
        (r"^(\w+\s?)*$", "word " * 500 + "!"),
    ],
)
def test_patterns_that_backtrack_are_bounded(pattern, text):
    started = time.perf_counter()
    with pytest.raises(InvalidArgumentsError):
        check_arguments(spec({"type": "object", "properties": {"a": {"pattern": pattern}}}), {"a": text})
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("depth", [201, 5_000, pytest.param(200_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["list", "object"])
def test_arguments_nested_too_deeply_are_refused(depth, kind):
    value = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    with pytest.raises(InvalidArgumentsError, match="nested deeper than 200"):
        check_arguments(spec({"type": "object"}), {"a": value})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "string"}}, list(range(100_000))),
        ({"type": "string"}, list(range(100_000))),
        ({"uniqueItems": True, "maxItems": 5}, [[n] for n in range(50_000)]),
        ({"additionalProperties": False}, {f"a{n}": n for n in range(50_000)}),
    ],
)
def test_huge_arguments_are_answered_in_time(schema, value):
    started = time.perf_counter()
    with pytest.raises(InvalidArgumentsError) as caught:
        check_arguments(spec({"type": "object", "properties": {"a": schema}}), {"a": value})
    assert time.perf_counter() - started < 2
    assert len(str(caught.value)) < 2500


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {1}, object(), b"x", "\ud800"], ids=lambda value: type(value).__name__
)
def test_values_that_json_has_not_are_refused(value):
    with pytest.raises(InvalidArgumentsError):
        check_arguments(spec({"type": "object", "properties": {"a": {"type": "number"}}}), {"a": value})


DEEP = {"type": "object"}
for _ in range(3000):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": "frog"},
        {"properties": {"a": {"minimum": "x"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(a{1000}){1000}"}}},
        {"$ref": "#/nowhere"},
        {"$ref": "#/$defs/a", "$defs": {}},
        {"required": "a"},
        [],
        None,
        5,
        "text",
        DEEP,
    ],
    ids=lambda schema: "deep" if schema is DEEP else str(schema)[:40],
)
def test_broken_schemas_are_the_tools_fault(schema):
    with pytest.raises(SpecError, match="order: not a JSON Schema") as caught:
        check_arguments(spec(schema), {"a": "x"})
    assert caught.value.code == "E-SCHEMA"
    assert len(str(caught.value)) < 1000


@pytest.fixture
def trap():
    """A server that notes who knocks."""
    knocks = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def listen():
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    continue
                knocks.append(connection.recv(100))
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", knocks
        stop.set()
        thread.join()


@pytest.mark.parametrize("where", ["$ref", "$dynamicRef", "nested", "$id"])
def test_references_to_elsewhere_are_never_followed(where, trap, tmp_path):
    address, knocks = trap
    secret = tmp_path / "schema.json"
    secret.write_text('{"type": "string"}')
    for target in (f"{address}/schema.json", secret.as_uri()):
        schema = {
            "$ref": {"$ref": target},
            "$dynamicRef": {"$dynamicRef": target},
            "nested": {"properties": {"a": {"allOf": [{"$ref": target}]}}},
            "$id": {"$id": f"{address}/base.json", "properties": {"a": {"$ref": "other.json"}}},
        }[where]
        with pytest.raises(SpecError):
            check_arguments(spec(schema), {"a": 1})
    time.sleep(0.15)
    assert knocks == []


def test_an_unknown_dialect_is_not_fetched(trap):
    address, knocks = trap
    check_arguments(spec({"$schema": f"{address}/dialect", "type": "object"}), {})
    time.sleep(0.15)
    assert knocks == []


def test_compiled_schemas_are_kept_and_bounded(monkeypatch):
    import toolhaft.tools.schema as module

    monkeypatch.setattr(module, "_KEPT", 3)
    compiled = []
    monkeypatch.setattr(
        module, "compile_schema", lambda schema, where="": compiled.append(where) or compile_schema(schema)
    )
    checker = ArgumentChecker()
    specs = [ToolSpec(name=f"t{n}", parameters={"type": "object", "title": str(n)}) for n in range(4)]
    for made in specs[:3] * 3:
        checker.check(made, {})
    assert compiled == ["t0", "t1", "t2"]
    checker.check(specs[3], {})
    checker.check(specs[3], {})
    checker.check(specs[0], {})
    assert compiled == ["t0", "t1", "t2", "t3", "t0"]


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 1), ([], 1), ([[]], 2), ({"a": [{"b": 1}]}, 3), ([1, [2, [3]]], 3), (([],), 2)]
)
def test_nesting(value, depth):
    assert nesting(value, 10) == depth
    assert nesting(value, 1) <= 2
