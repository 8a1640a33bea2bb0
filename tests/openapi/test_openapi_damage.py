"""Random damage to valid documents: never an untyped error, never another operation's loss."""

import copy
import json
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.errors import SpecError, ToolhaftError
from toolhaft.openapi.documents.document import Limits
from toolhaft.openapi.documents.json_text import read_json
from toolhaft.openapi.documents.load import read_bytes, read_value
from toolhaft.openapi.documents.yaml12 import read_yaml
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.tools.schema import compile_schema
from toolhaft.types import to_value

pytestmark = pytest.mark.slow
KEYWORDS = [
    "$ref",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$defs",
    "type",
    "properties",
    "items",
    "allOf",
    "oneOf",
    "enum",
    "discriminator",
    "mapping",
    "schema",
    "content",
    "parameters",
    "name",
    "in",
    "style",
    "explode",
    "get",
    "post",
    "requestBody",
    "responses",
    "servers",
    "url",
    "security",
    "default",
    "required",
    "x-any",
    "format",
]
TEXTS = [
    "#",
    "#/",
    "#/components/schemas/Node",
    "#/paths/~1a~1{id}/get",
    "a.yaml#/b",
    "http://127.0.0.1:9/x",
    "object",
    "string",
    "array",
    "query",
    "path",
    "body",
    "{id}",
    "https://{a}.example.com",
    "\ud800",
    "\r\n",
    "",
]
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.sampled_from(TEXTS)
values = st.recursive(
    scalars | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYWORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def operation(name, schema):
    """Return an operation that uses most of what there is."""
    return {
        "operationId": name,
        "summary": f"Do {name}",
        "tags": ["t"],
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {
                "name": "tags",
                "in": "query",
                "style": "form",
                "explode": False,
                "schema": {"type": "array", "items": {"type": "string"}},
            },
            {
                "name": "filter",
                "in": "query",
                "style": "deepObject",
                "schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
            },
            {
                "name": "X-Trace",
                "in": "header",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": schema}, "example": {"name": "n"}}},
        },
        "responses": {
            "200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": schema}}}}
        },
        "security": [{"key": []}, {}],
    }


@lru_cache(maxsize=4)
def valid(version):
    """Return a document of two operations that share nothing but the root."""
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "enum": ["n", "m"], "default": "n", "pattern": "^[a-z]+$"},
            "next": {"$ref": "#/components/schemas/Node"},
            "kind": {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]},
            "many": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Node"}]}},
        },
    }
    good = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "self": {"$ref": "#/components/schemas/Good"}},
    }
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {
            "/a/{id}": {"put": operation("bad", "#/components/schemas/Node")},
            "/b/{id}": {"post": operation("good", "#/components/schemas/Good")},
        },
        "components": {
            "schemas": {"Node": node, "Good": good},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        },
    }


def places(value, path=()):
    """Yield the path of every value."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


OWN = [
    path
    for path in places(valid("3.1.0"))
    if path[:2] in (("paths", "/a/{id}"), ("components", "schemas"))
    and "Good" not in path[:3]
    and len(path) > 2
]
ANYWHERE = [path for path in places(valid("3.1.0")) if path]


@st.composite
def damaged(draw, wanted):
    """Return a document in which some values were replaced, renamed or removed."""
    document = copy.deepcopy(valid(draw(st.sampled_from(["3.0.3", "3.1.0", "3.2.0"]))))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(wanted))
        node = document
        for key in path[:-1]:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            key = path[-1]
            if isinstance(node, dict):
                act = draw(st.sampled_from(["replace", "remove", "add"]))
                if act == "remove":
                    node.pop(key, None)
                else:
                    node[key if act == "replace" else draw(st.sampled_from(KEYWORDS))] = draw(values)
            elif isinstance(node, list) and isinstance(key, int) and key < len(node):
                node[key] = draw(values)
    return document


def built(document):
    """Import and build everything; return outcomes and tools."""
    found = import_document(read_value(document), ImportOptions())
    tools = {}
    for name in found.plans:
        spec, wire = found.build(name)
        compile_schema(spec.parameters)
        tools[name] = (json.dumps(to_value(spec), sort_keys=True), json.dumps(to_value(wire), sort_keys=True))
    report = found.report
    json.dumps(report.to_dict()).encode()
    assert report.imported + report.degraded + report.skipped == len(report.operations)
    return report, tools


slow_ones = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow_ones
@given(damaged(OWN))
def test_damage_in_one_operation_never_changes_another(document):
    _, before = built(valid(document["openapi"]))
    _, after = built(document)
    assert after["good"] == before["good"]


@slow_ones
@given(damaged(ANYWHERE))
def test_damage_anywhere_is_told_or_is_a_typed_error(document):
    try:
        built(document)
    except ToolhaftError as error:
        assert str(error)  # noqa: PT017


@slow_ones
@given(values)
def test_no_value_is_an_untyped_error(value):
    for document in (
        value,
        {"openapi": "3.1.0", "paths": value},
        {"openapi": "3.0.0", "paths": {"/a": value}},
        {"swagger": "2.0", "paths": {"/a": {"get": value}}},
    ):
        if isinstance(document, dict):
            try:
                built(document)
            except ToolhaftError as error:
                assert str(error)  # noqa: PT017


@slow_ones
@given(st.data())
def test_no_bytes_are_an_untyped_error(data):
    text = json.dumps(valid("3.1.0")).encode()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.binary(max_size=6)) + text[at + data.draw(st.integers(0, 6)) :]
    try:
        found = import_document(read_bytes(text, "d"), ImportOptions())
    except SpecError as error:
        assert error.where.startswith("d")  # noqa: PT017
    else:
        assert json.dumps(found.report.to_dict())


@slow_ones
@given(st.text(alphabet=st.sampled_from("{}[]:,-?&*!|>'\"%@`# \n\tab01.~<=$é\u2028\ud800"), max_size=60))
def test_no_text_is_an_untyped_error(text):
    limits = Limits(depth=50, nodes=1000)
    for read in (read_json, read_yaml):
        try:
            value = read(text, limits).value
        except SpecError as error:
            assert error.what  # noqa: PT017
        else:
            assert value is None or json.dumps(value) is not None
