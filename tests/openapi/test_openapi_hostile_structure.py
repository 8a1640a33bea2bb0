"""Documents whose values are not what they should be: every operation has its entry, good ones work."""

import json
import time

import pytest

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.load import read_path, read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.tools.schema import compile_schema

pytestmark = pytest.mark.slow
ODD = [None, True, 0, -1.5, "text", "", [], [None], {}, {"$ref": 5}, {"$ref": "#/nowhere"}, {"x": {"y": []}}]
PLACES = {
    "info": ("info",),
    "servers": ("servers",),
    "a server": ("servers", 0),
    "a server's URL": ("servers", 0, "url"),
    "tags": ("tags",),
    "components": ("components",),
    "schemas": ("components", "schemas"),
    "a schema": ("components", "schemas", "Pet"),
    "properties": ("components", "schemas", "Pet", "properties"),
    "a property": ("components", "schemas", "Pet", "properties", "name"),
    "required": ("components", "schemas", "Pet", "required"),
    "a type": ("components", "schemas", "Pet", "type"),
    "all of": ("components", "schemas", "Pet", "allOf"),
    "an enum": ("components", "schemas", "Pet", "enum"),
    "a discriminator": ("components", "schemas", "Pet", "discriminator"),
    "security schemes": ("components", "securitySchemes"),
    "a security scheme": ("components", "securitySchemes", "key"),
    "security": ("security",),
    "a path": ("paths", "/bad"),
    "an operation": ("paths", "/bad", "post"),
    "an operation's name": ("paths", "/bad", "post", "operationId"),
    "an operation's tags": ("paths", "/bad", "post", "tags"),
    "an operation's security": ("paths", "/bad", "post", "security"),
    "parameters": ("paths", "/bad", "post", "parameters"),
    "a parameter": ("paths", "/bad", "post", "parameters", 0),
    "a parameter's name": ("paths", "/bad", "post", "parameters", 0, "name"),
    "a parameter's place": ("paths", "/bad", "post", "parameters", 0, "in"),
    "a parameter's style": ("paths", "/bad", "post", "parameters", 0, "style"),
    "a parameter's schema": ("paths", "/bad", "post", "parameters", 0, "schema"),
    "a body": ("paths", "/bad", "post", "requestBody"),
    "content": ("paths", "/bad", "post", "requestBody", "content"),
    "a media type": ("paths", "/bad", "post", "requestBody", "content", "application/json"),
    "encoding": ("paths", "/bad", "post", "requestBody", "content", "application/json", "encoding"),
    "responses": ("paths", "/bad", "post", "responses"),
    "a response": ("paths", "/bad", "post", "responses", "200"),
    "callbacks": ("paths", "/bad", "post", "callbacks"),
    "webhooks": ("webhooks",),
}


def whole():
    """Return a small document in which everything is right."""
    pet = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "mate": {"$ref": "#/components/schemas/Pet"}},
        "allOf": [],
        "discriminator": {"propertyName": "name", "mapping": {"a": "Pet"}},
    }
    media = {"schema": {"$ref": "#/components/schemas/Pet"}, "encoding": {"name": {"style": "form"}}}
    bad = {
        "operationId": "bad",
        "tags": ["a"],
        "security": [{"key": []}],
        "parameters": [{"name": "q", "in": "query", "style": "form", "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": media}},
        "responses": {"200": {"description": "ok", "content": {"application/json": media}}},
        "callbacks": {"done": {"{$url}": {"post": {}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "tags": [{"name": "a"}],
        "paths": {"/bad": {"post": bad}, "/good": {"get": {"operationId": "good", "security": []}}},
        "components": {
            "schemas": {"Pet": pet},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        },
        "security": [],
        "webhooks": {"new": {"post": {}}},
    }


def put(document, place, value):
    """Put a value at a place of the document."""
    node = document
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return document


def check_import(document):
    """Import and build everything; return the report."""
    found = import_document(read_value(document), ImportOptions())
    report = found.report
    assert report.imported + report.degraded + report.skipped == len(report.operations)
    for name in found.plans:
        spec, _ = found.build(name)
        compile_schema(spec.parameters)
        json.dumps(spec.parameters).encode()
    json.dumps(report.to_dict()).encode()
    return found


@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_value_harms_nothing_but_its_own_operation(place):
    for value in ODD:
        document = put(whole(), PLACES[place], value)
        found = check_import(document)
        assert "good" in found.plans, value
        if place not in ("a path", "an operation"):
            assert len(found.report.operations) == 2, value


def test_null_anywhere_is_absent():
    def nulls(value, path=()):
        if isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield (*path, key)
                yield from nulls(item, (*path, key))

    for place in nulls(whole()):
        if place[0] not in ("openapi", "paths"):
            check_import(put(whole(), place, None))


def schema_case(schema, **schemas):
    body = {"content": {"application/json": {"schema": schema}}}
    document = whole()
    document["paths"]["/bad"]["post"]["requestBody"] = body
    document["components"]["schemas"].update(schemas)
    return document


def chain(count):
    found = {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(count)}
    return schema_case({"$ref": "#/components/schemas/S0"}, **found, **{f"S{count}": {"type": "object"}})


def fan(width, depth, keyword):
    found = {f"F{n}": {keyword: [{"$ref": f"#/components/schemas/F{n + 1}"}] * width} for n in range(depth)}
    return schema_case({"$ref": "#/components/schemas/F0"}, **found, **{f"F{depth}": {"type": "object"}})


def nested(depth):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"next": schema}}
    return schema_case(schema)


def many(count):
    return {**whole(), "paths": {f"/p{n}": {"get": {"parameters": []}} for n in range(count)}}


LARGE = {
    "a chain of references": lambda: chain(60),
    "a chain that is too long": lambda: chain(5000),
    "one of one of": lambda: fan(10, 12, "oneOf"),
    "all of all of": lambda: fan(10, 12, "allOf"),
    "any of any of": lambda: fan(10, 12, "anyOf"),
    "a schema 200 deep": lambda: nested(200),
    "an enum of 50000": lambda: schema_case({"enum": [f"value {n}" for n in range(50_000)]}),
    "5000 properties": lambda: schema_case(
        {"properties": {f"p{n}": {"type": "string"} for n in range(5000)}}
    ),
    "3000 parameters": lambda: put(
        whole(), PLACES["parameters"], [{"name": f"p{n}", "in": "query"} for n in range(3000)]
    ),
    "2000 operations": lambda: many(2000),
    "a name of a million characters": lambda: put(whole(), PLACES["an operation's name"], "n" * 1_000_000),
    "a path of 100000 characters": lambda: {
        **whole(),
        "paths": {"/" + "a/" * 50_000: {"get": {}}, "/g": {"get": {}}},
    },
    "5000 servers": lambda: put(
        whole(), PLACES["servers"], [{"url": f"https://s{n}.example"} for n in range(5000)]
    ),
    "a pattern that runs away": lambda: schema_case(
        {"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    ),
    "a pattern of 100000 characters": lambda: schema_case(
        {"properties": {"a": {"pattern": "(a|b)" * 20_000}}}
    ),
    "numbers beyond all bounds": lambda: schema_case(
        {"properties": {"a": {"maximum": 10**400, "multipleOf": 1e-320}}}
    ),
}


@pytest.mark.parametrize("case", LARGE)
def test_large_things_end_soon(case):
    document = LARGE[case]()
    started = time.process_time()
    found = check_import(document)
    assert time.process_time() - started < 8
    assert found.plans


def cycles(tmp_path):
    """Write a description of several files in which everything refers to everything."""
    names = [f"f{n}.json" for n in range(6)]
    for name in names:
        links = {other: {"$ref": f"{other}#/properties/{name}"} for other in names}
        value = {
            "properties": {**links, "me": {"$ref": "#"}},
            "get": {"$ref": "f0.json#/get"},
            "allOf": [{"$ref": name}],
        }
        (tmp_path / name).write_text(json.dumps(value))
    document = whole()
    document["paths"]["/loop"] = {"$ref": "f1.json"}
    document["paths"]["/self"] = {"$ref": "#/paths/~1self"}
    document["paths"]["/pair"] = {"$ref": "#/paths/~1riap"}
    document["paths"]["/riap"] = {"$ref": "#/paths/~1pair"}
    document["components"]["schemas"]["Pet"]["properties"].update({name: {"$ref": name} for name in names})
    document["components"]["parameters"] = {"$ref": "#/components/parameters"}
    document["components"]["responses"] = {"$ref": "root.json#/components/responses"}
    (tmp_path / "root.json").write_text(json.dumps(document))
    return tmp_path / "root.json"


def test_every_kind_of_circle_over_several_files_ends(tmp_path):
    started = time.process_time()
    found = import_document(read_path(cycles(tmp_path)), ImportOptions())
    for name in found.plans:
        compile_schema(found.build(name)[0].parameters)
    assert {"good", "bad"} <= set(found.plans)
    loop = next(entry for entry in found.report.operations if entry.path == "/loop")
    assert loop.outcome == "skipped"
    assert time.process_time() - started < 5


ODD_REFERENCES = [
    "",
    "#",
    "#/",
    "#//",
    "#/paths",
    "#/paths/~1bad/post",
    "#/components/schemas/Pet/properties/name/type",
    "#/components/schemas/Pet/required/0",
    "#/components/schemas/Pet/required/99999999999",
    "#%",
    "#/%zz",
    "#/~2",
    "#/" + "a/" * 5000,
    "#" * 100,
    "?",
    "?a=b#/x",
    ".",
    "..",
    "./",
    "/",
    "~",
    "%",
    "%00",
    "a\nb",
    "a b",
    "\\",
    "\ud800",
    "#/components/schemas/\ud800",
    "root.json",
    "http:",
    "http://",
    "//",
    "urn:",
    "urn:x",
    ":",
    "::",
    "a:b:c",
    "#a#b",
    "file:",
    "x" * 100_000,
]


@pytest.mark.parametrize("index", range(len(ODD_REFERENCES)))
def test_odd_references_everywhere(tmp_path, index):
    reference = {"$ref": ODD_REFERENCES[index]}
    for place, path in PLACES.items():
        document = put(whole(), path, reference)
        found = check_import(document)
        assert "good" in found.plans, place
    (tmp_path / "root.json").write_text(json.dumps(put(whole(), PLACES["a property"], reference)))
    found = import_document(read_path(tmp_path / "root.json"), ImportOptions())
    assert "good" in found.plans
    for name in found.plans:
        compile_schema(found.build(name)[0].parameters)


@pytest.mark.parametrize("version", ["2.0", "3.0.0", "3.1.0", "3.2.0"])
@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_paths_that_are_none(version, value):
    key = "swagger" if version == "2.0" else "openapi"
    document = read_value({key: version, "paths": value})
    if value is None or isinstance(value, dict):
        assert not import_document(document, ImportOptions()).plans
        return
    with pytest.raises(SpecError, match="paths") as raised:
        import_document(document, ImportOptions())
    assert raised.value.where == "<document>#/paths"
