"""From documents to specs: what becomes of operations, parameters, bodies and schemas."""

import json

import pytest

from toolhaft.openapi.requests.request import build_request
from toolhaft.tools.schema import compile_schema


def parameter(name, place="query", schema=None, **more):
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "schema": schema or {"type": "string"}, **required, **more}


def json_body(schema, required=True):
    return {"required": required, "content": {"application/json": {"schema": schema}}}


@pytest.mark.parametrize(
    ("method", "effect", "repeatable"),
    [
        ("get", "read", True),
        ("head", "read", True),
        ("options", "read", True),
        ("trace", "read", True),
        ("put", "write", True),
        ("delete", "write", True),
        ("post", "write", False),
        ("patch", "write", False),
    ],
)
def test_the_method_tells_the_effect(built, document, method, effect, repeatable):
    spec, _ = built(document(method=method))
    assert (spec.effect, spec.repeatable) == (effect, repeatable)


def test_a_spec_says_where_it_comes_from(built, document):
    operation = {
        "summary": "One thing.",
        "description": "In\u200b full\u202e.",
        "tags": ["a"],
        "deprecated": True,
    }
    spec, _ = built(document(operation))
    assert spec.description == "Deprecated. One thing. In full."
    assert spec.tags == ("a",)
    assert spec.parent == "Things"
    assert spec.source == "openapi:<document>#/paths/~1things/get"
    assert spec.hosts == ("https://api.example.com:443",)
    assert spec.untrusted
    assert spec.metadata == {"method": "GET", "path": "/things", "operation_id": "thing", "deprecated": True}


def test_a_long_description_is_cut(built, document):
    spec, _ = built(document({"description": "word " * 5000}))
    assert len(spec.description) <= 1024
    assert spec.description.endswith("\N{HORIZONTAL ELLIPSIS}")


def test_path_level_parameters_are_merged_and_the_operation_wins(built, document):
    paths = {
        "/t/{id}": {
            "parameters": [parameter("id", "path"), parameter("q"), parameter("X-A", "header")],
            "get": {
                "operationId": "thing",
                "parameters": [parameter("q", schema={"type": "integer"}), parameter("x-a", "header")],
            },
        }
    }
    spec, wire = built(document(paths=paths))
    assert spec.properties == {"id": {"type": "string"}, "q": {"type": "integer"}, "x-a": {"type": "string"}}
    assert spec.required == ("id",)
    assert len(wire.parameters) == 3


def test_headers_that_are_set_by_other_means_are_no_arguments(built, document):
    names = ["Accept", "content-type", "Authorization", "Host", "Cookie", "X-Trace"]
    spec, _ = built(document({"parameters": [parameter(name, "header") for name in names]}))
    assert list(spec.properties) == ["X-Trace"]


def test_the_template_decides_which_path_parameters_there_are(imported, document):
    found = imported(document({"parameters": [parameter("ghost", "path")]}, path="/t/{real}"))
    spec, _ = found.build("thing")
    assert spec.properties == {"real": {"type": "string"}}
    assert spec.required == ("real",)
    assert [p.code for p in found.report.operations[0].problems] == [
        "parameter-ghost",
        "parameter-undeclared",
    ]
    assert found.report.imported == 1


def test_properties_of_an_object_body_become_arguments(built, document):
    schema = {
        "type": "object",
        "required": ["name", "id"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "name": {"type": "string"},
            "t": {"type": "null"},
        },
    }
    spec, wire = built(document({"requestBody": json_body(schema)}, method="post", version="3.1.0"))
    assert spec.properties == {"name": {"type": "string"}, "t": {"type": "null"}}
    assert spec.required == ("name",)
    assert spec.parameters["additionalProperties"] is False
    assert build_request(wire, {"name": "x", "t": None}).body == b'{"name":"x","t":null}'


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "integer"}},
        {"type": "string"},
        {"oneOf": [{"type": "object", "properties": {"a": {}}}, {"type": "string"}]},
        {"type": "object"},
        {"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]},
        {"type": "object", "properties": {f"p{n}": {} for n in range(200)}},
        {},
    ],
)
def test_any_other_body_is_one_argument(built, document, schema):
    spec, wire = built(document({"requestBody": json_body(schema)}, method="post"))
    assert list(spec.properties) == ["body"]
    assert spec.required == ("body",)
    assert build_request(wire, {"body": [1]}).body == b"[1]"


def test_all_of_objects_is_one_object(built, document):
    schemas = {
        "A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
        "B": {
            "allOf": [
                {"$ref": "#/components/schemas/A"},
                {"properties": {"b": {"type": "string"}}, "required": ["b"]},
            ]
        },
    }
    body = json_body({"$ref": "#/components/schemas/B"})
    spec, _ = built(document({"requestBody": body}, method="post", components={"schemas": schemas}))
    assert spec.properties == {"a": {"type": "integer"}, "b": {"type": "string"}}
    assert spec.required == ("a", "b")


def test_further_properties_stay_possible_where_the_document_allows_them(built, document):
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}}
    spec, wire = built(
        document({"parameters": [parameter("q")], "requestBody": json_body(schema)}, method="post")
    )
    assert spec.parameters["additionalProperties"] == {"type": "integer"}
    request = build_request(wire, {"q": "x", "a": 1, "more": 2})
    assert (request.url, request.body) == ("https://api.example.com/v1/things?q=x", b'{"a":1,"more":2}')


def test_an_optional_body_is_left_out_when_nothing_is_given(built, document):
    schema = {"type": "object", "required": ["a"], "properties": {"a": {}}}
    spec, wire = built(document({"requestBody": json_body(schema, required=False)}, method="post"))
    assert spec.required == ()
    request = build_request(wire, {})
    assert request.body is None
    assert "content-type" not in dict(request.headers)


def test_recursion_is_kept_with_only_what_is_reached(built, document):
    schemas = {
        "Tree": {
            "type": "object",
            "properties": {
                "v": {"type": "integer"},
                "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            },
        },
        "Other": {"type": "object", "properties": {"x": {}}},
    }
    body = json_body({"type": "object", "properties": {"root": {"$ref": "#/components/schemas/Tree"}}})
    spec, _ = built(document({"requestBody": body}, method="post", components={"schemas": schemas}))
    assert list(spec.parameters["$defs"]) == ["Tree"]
    assert spec.properties["root"] == {"$ref": "#/$defs/Tree"}
    validator = compile_schema(spec.parameters)
    assert validator.is_valid({"root": {"v": 1, "kids": [{"v": 2, "kids": []}]}})
    assert not validator.is_valid({"root": {"kids": [{"v": "two"}]}})


@pytest.mark.parametrize(
    ("version", "schema", "made"),
    [
        (
            "3.0.3",
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            "3.0.3",
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        ("3.1.0", {"type": "integer", "exclusiveMinimum": 1}, {"type": "integer", "exclusiveMinimum": 1}),
        ("3.0.3", {"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}),
        ("3.0.3", {"type": "file"}, {"type": "string", "format": "binary"}),
        ("3.0.3", {"type": "wibble"}, {}),
        ("3.0.3", {"type": "array"}, {"type": "array", "items": {}}),
        ("3.0.3", {"type": "string", "enum": []}, {"type": "string"}),
        (
            "3.0.3",
            {"type": "string", "enum": [1.5, "b", True]},
            {"type": "string", "enum": ["1.5", "b", "true"]},
        ),
        ("3.0.3", {"type": "integer", "default": "x"}, {"type": "integer"}),
        (
            "3.0.3",
            {"type": "integer", "default": 3, "x-internal": 1, "xml": {}},
            {"type": "integer", "default": 3},
        ),
        ("3.0.3", {"type": "string", "minLength": -1, "maxLength": 2.0}, {"type": "string", "maxLength": 2}),
        (
            "3.0.3",
            {"type": "object", "properties": {"a": {"required": True}}},
            {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        ),
        (
            "3.0.3",
            {"nullable": True, "allOf": [{"type": "string"}]},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ("3.0.3", {"$ref": "#/components/schemas/S", "maxLength": 1}, {"type": "string"}),
        ("3.1.0", {"$ref": "#/components/schemas/S", "maxLength": 1}, {"type": "string", "maxLength": 1}),
        (
            "3.0.3",
            {"$ref": "#/components/schemas/O", "description": "d"},
            {"$ref": "#/$defs/O", "description": "d"},
        ),
        (
            "3.0.3",
            {"type": "array", "items": [{"type": "string"}]},
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {}},
        ),
        ("3.1.0", {"const": "a", "type": "string"}, {"type": "string", "const": "a"}),
        (
            "3.1.0",
            {"type": "object", "properties": {"$ref": {"type": "string"}, "enum": {"type": "null"}}},
            {"type": "object", "properties": {"$ref": {"type": "string"}, "enum": {"type": "null"}}},
        ),
    ],
)
def test_schemas_become_json_schema_2020(built, document, version, schema, made):
    components = {"schemas": {"S": {"type": "string"}, "O": {"type": "object", "properties": {"x": {}}}}}
    value = document({"parameters": [parameter("p", schema=schema)]}, version=version, components=components)
    spec, _ = built(value)
    assert spec.properties["p"] == made
    compile_schema(spec.parameters)


def test_a_pattern_that_no_engine_takes_becomes_a_note(built, document):
    schema = {"type": "string", "pattern": "(?P<x"}
    spec, _ = built(document({"parameters": [parameter("p", schema=schema)]}))
    assert spec.properties["p"] == {"type": "string", "description": "Pattern: (?P<x"}


def test_an_enum_beyond_reason_becomes_a_note(built, document):
    schema = {"type": "string", "enum": [f"v{n}" for n in range(5000)]}
    spec, _ = built(document({"parameters": [parameter("p", schema=schema)]}))
    assert "enum" not in spec.properties["p"]
    assert "One of 5000 values" in spec.properties["p"]["description"]


BROKEN = {
    "dangling body": (
        {"requestBody": json_body({"$ref": "#/components/schemas/No"})},
        "degraded",
        "reference-dangling",
    ),
    "looping body": (
        {"requestBody": json_body({"$ref": "#/components/schemas/L"})},
        "degraded",
        "reference-loop",
    ),
    "external body": (
        {"requestBody": json_body({"$ref": "http://127.0.0.1:9/x#/A"})},
        "skipped",
        "reference-external",
    ),
    "file body": (
        {"requestBody": json_body({"properties": {"a": {"$ref": "file:///etc/passwd"}}})},
        "skipped",
        "reference-external",
    ),
    "deep external": (
        {"requestBody": json_body({"$ref": "#/components/schemas/Deep"})},
        "degraded",
        "reference-external",
    ),
    "dangling parameter": (
        {"parameters": [{"$ref": "#/components/parameters/No"}]},
        "skipped",
        "reference-dangling",
    ),
    "parameters no list": ({"parameters": "a"}, "skipped", "parameters-malformed"),
    "nameless parameter": ({"parameters": [{"in": "query"}]}, "skipped", "parameter-malformed"),
    "header with line break": (
        {"parameters": [parameter("X\r\nY", "header", required=True)]},
        "skipped",
        "parameter-name",
    ),
    "optional header with line break": (
        {"parameters": [parameter("X\r\nY", "header")]},
        "degraded",
        "parameter-name",
    ),
    "odd style": ({"parameters": [parameter("a", style="wild")]}, "degraded", "parameter-style"),
    "undefined security": ({"security": [{"nope": []}]}, "degraded", "security-unsupported"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_bad_operation_is_reported_and_harms_no_other(imported, document, case):
    operation, outcome, code = BROKEN[case]
    paths = {
        "/bad": {"post": {"operationId": "bad", **operation}},
        "/good": {"get": {"operationId": "good"}},
        "/text": {"get": "not an operation"},
    }
    schemas = {
        "L": {"$ref": "#/components/schemas/L"},
        "Deep": {"type": "object", "properties": {"x": {"items": {"$ref": "other.yaml#/X"}}}},
    }
    found = imported(document(paths=paths, components={"schemas": schemas}))
    bad, good, text = found.report.operations
    assert (bad.outcome, [p.code for p in bad.problems]) == (outcome, [code])
    assert bad.pointer == "/paths/~1bad/post"
    assert good.outcome == "imported"
    assert text.outcome == "skipped"
    assert found.report.imported + found.report.degraded + found.report.skipped == 3
    assert set(found.plans) == {"good"} | ({"bad"} if outcome == "degraded" else set())
    for name in found.plans:
        compile_schema(found.build(name)[0].parameters)


def test_references_in_examples_are_no_references(imported, document):
    schema = {
        "type": "object",
        "properties": {"a": {"example": {"$ref": "http://x/y"}}, "$ref": {"type": "string"}},
    }
    assert imported(document({"requestBody": json_body(schema)}, method="post")).report.imported == 1


def test_the_report_prints_and_serialises(imported, document):
    report = imported(document()).report
    assert str(report) == "1 imported, 0 degraded, 0 skipped"
    assert json.loads(json.dumps(report.to_dict()))["operations"][0]["name"] == "thing"
