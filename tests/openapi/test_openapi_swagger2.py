"""Swagger 2.0: converted one operation at a time, with pointers that stay true to the user's file."""

import json
from dataclasses import replace

import pytest

from toolhaft.openapi.documents.load import read_path, read_value
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.documents.swagger2 import convert_root, servers
from toolhaft.openapi.documents.swagger2_operations import form_type, original
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.operations import list_operations
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.requests.request import build_request


def swagger(operation=None, *, path="/things", method="post", item=None, **root):
    operation = {"operationId": "thing", "responses": {}, **(operation or {})}
    return {
        "swagger": "2.0",
        "info": {"title": "Things", "version": "1"},
        "host": "api.example.com",
        "basePath": "/v1",
        "schemes": ["https"],
        "paths": {path: {method: operation, **(item or {})}},
        **root,
    }


def operation_of(value):
    document = read_value(value)
    (found,), _ = list_operations(document, Resolver(document.root))
    return found


@pytest.mark.parametrize(
    ("root", "schemes", "urls"),
    [
        ({"host": "h.com", "basePath": "/v1"}, ["http", "https"], ["https://h.com/v1", "http://h.com/v1"]),
        ({"host": "h.com"}, ["http"], ["http://h.com"]),
        ({"host": "h.com:8080", "basePath": "v1/"}, "https", ["https://h.com:8080/v1"]),
        ({"host": "h.com", "basePath": "/"}, ["HTTPS"], ["https://h.com"]),
        ({"host": "h.com"}, None, ["//h.com", "https://h.com"]),
        ({"host": "http://h.com/a", "basePath": "/b"}, None, ["http://h.com/a/b"]),
        ({"host": "http://h.com"}, ["https"], ["https://h.com"]),
        ({"basePath": "https://h.com/a"}, None, ["https://h.com/a"]),
        ({"basePath": "/v1"}, ["https"], ["/v1"]),
        ({}, None, ["/"]),
        ({"host": "h.com"}, ["wss"], ["wss://h.com"]),
        ({"host": None, "basePath": None}, [None, 3], ["/"]),
    ],
)
def test_servers_come_from_host_base_path_and_schemes(root, schemes, urls):
    assert [server["url"] for server in servers(root, schemes)] == urls


def test_an_operation_has_schemes_of_its_own(built):
    _, wire = built(swagger({"schemes": ["http"]}))
    assert wire.server == "http://api.example.com/v1"
    _, wire = built(swagger(schemes=None))
    assert wire.server == "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("scheme", "made"),
    [
        ({"type": "basic"}, {"type": "http", "scheme": "basic"}),
        ({"type": "apiKey", "in": "query", "name": "key"}, {"type": "apiKey", "in": "query", "name": "key"}),
        (
            {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://a",
                "tokenUrl": "https://t",
            },
            {"authorizationCode": {"authorizationUrl": "https://a", "tokenUrl": "https://t", "scopes": {}}},
        ),
        (
            {"type": "oauth2", "flow": "application", "tokenUrl": "https://t", "scopes": {"r": "Read"}},
            {"clientCredentials": {"tokenUrl": "https://t", "scopes": {"r": "Read"}}},
        ),
        (
            {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://a"},
            {"implicit": {"authorizationUrl": "https://a", "scopes": {}}},
        ),
        ({"type": "oauth2", "flow": "password"}, {"password": {"scopes": {}}}),
        ({"type": "oauth2", "flow": "dance"}, {}),
    ],
)
def test_security_definitions_become_schemes(scheme, made):
    root = convert_root({"swagger": "2.0", "securityDefinitions": {"it": scheme}})
    found = root["components"]["securitySchemes"]["it"]
    assert (found["flows"] if scheme["type"] == "oauth2" else found) == made


def test_nothing_of_the_root_is_copied_or_moved():
    root = {"swagger": "2.0", "definitions": {"A": {}}, "paths": {"/a": {}}, "responses": {}}
    made = convert_root(root)
    assert all(made[key] is root[key] for key in ("definitions", "paths", "responses"))
    assert "servers" not in root


NESTED = {
    "type": "array",
    "items": {"type": "array", "collectionFormat": "pipes", "items": {"type": "string"}},
}
LIST = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("place", "parameter", "value", "sent"),
    [
        ("query", LIST, ["a,b", "c"], "t=a%2Cb,c"),
        ("query", {**LIST, "collectionFormat": "ssv"}, ["a", "b"], "t=a%20b"),
        ("query", {**LIST, "collectionFormat": "tsv"}, ["a", "b"], "t=a%09b"),
        ("query", {**LIST, "collectionFormat": "pipes"}, ["a", "b"], "t=a%7Cb"),
        ("query", {**LIST, "collectionFormat": "multi"}, ["a", "b"], "t=a&t=b"),
        ("query", {**LIST, "collectionFormat": "unheard"}, ["a", "b"], "t=a,b"),
        ("query", NESTED, [["a", "b"], ["c"]], "t=a%7Cb,c"),
        ("query", {**NESTED, "collectionFormat": "multi"}, [["a", "b"], ["c"]], "t=a%7Cb&t=c"),
        ("query", LIST, [], ""),
        ("query", {**LIST, "allowEmptyValue": True}, [], "t="),
        ("query", {"type": "boolean"}, True, "t=true"),
        ("path", LIST, ["a", "b/c"], "/a,b%2Fc"),
        ("path", {**LIST, "collectionFormat": "pipes"}, ["a", "b"], "/a%7Cb"),
        ("path", {**LIST, "collectionFormat": "tsv"}, ["a", "b"], "/a%09b"),
        ("path", {**LIST, "collectionFormat": "multi"}, ["a", "b"], "/a,b"),
        ("header", {**LIST, "collectionFormat": "ssv"}, ["a", "b"], "a b"),
        ("header", {**LIST, "collectionFormat": "pipes"}, ["a", "b"], "a|b"),
        ("header", NESTED, [["a", "b"], ["c"]], "a|b,c"),
        ("formData", {**LIST, "collectionFormat": "pipes"}, ["a", "b"], "t=a%7Cb"),
        ("formData", {**LIST, "collectionFormat": "multi"}, ["a", "b"], "t=a&t=b"),
        ("formData", LIST, ["a", "b"], "t=a%2Cb"),
    ],
)
def test_lists_are_joined_as_the_collection_format_says(built, place, parameter, value, sent):
    path = "/things/{t}" if place == "path" else "/things"
    given = {"name": "t", "in": place, **parameter, **({"required": True} if place == "path" else {})}
    _, wire = built(swagger({"parameters": [given]}, path=path))
    request = build_request(wire, {"t": value})
    found = {
        "query": request.url.partition("?")[2],
        "path": request.url.removeprefix("https://api.example.com/v1/things"),
        "header": dict(request.headers).get("t"),
        "formData": (request.body or b"").decode(),
    }
    assert found[place] == sent


def test_delimiters_outlast_a_catalog_file(built):
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.types import from_value, to_value

    _, wire = built(
        swagger({"parameters": [{"name": "t", "in": "query", **LIST, "collectionFormat": "tsv"}]})
    )
    again = from_value(Wire, json.loads(json.dumps(to_value(wire))), where="")
    assert again == wire
    assert again.parameters[0].delimiters == ("\t",)


BODY = {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}
PET = {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}}


@pytest.mark.parametrize(
    "value",
    [
        swagger({"parameters": [BODY]}, definitions=PET),
        swagger({}, item={"parameters": [BODY]}, definitions=PET),
        swagger({"parameters": [{"$ref": "#/parameters/P"}]}, parameters={"P": BODY}, definitions=PET),
        swagger(
            {}, item={"parameters": [{"$ref": "#/parameters/P"}]}, parameters={"P": BODY}, definitions=PET
        ),
        swagger({"parameters": [{**BODY, "name": "other", "schema": {}}, BODY]}, definitions=PET),
    ],
    ids=["own", "path", "shared", "path-shared", "last"],
)
def test_a_body_is_found_wherever_it_stands(built, value):
    spec, wire = built(value)
    assert set(spec.properties) == {"name"}
    assert build_request(wire, {"name": "Rex"}).body == b'{"name":"Rex"}'


@pytest.mark.parametrize(
    ("own", "root", "media"),
    [
        (None, None, ["application/json"]),
        (["application/xml", "application/json"], None, ["application/xml", "application/json"]),
        (None, ["text/plain"], ["text/plain"]),
        ([], ["text/plain"], ["application/json"]),
        ("text/plain", None, ["text/plain"]),
        ([3, None, ""], None, ["application/json"]),
    ],
)
def test_a_body_is_of_the_types_that_are_consumed(own, root, media):
    value = swagger({"parameters": [BODY], **({"consumes": own} if own is not None else {})}, definitions=PET)
    operation = operation_of({**value, **({"consumes": root} if root is not None else {})})
    assert list(operation.fields["requestBody"]["content"]) == media


FILE = {"name": "f", "in": "formData", "type": "file"}
TEXT = {"name": "s", "in": "formData", "type": "string"}
MULTIPART, FORM = "multipart/form-data", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("fields", "consumes", "media"),
    [
        ([TEXT], [], FORM),
        ([TEXT], [MULTIPART], MULTIPART),
        ([TEXT], [MULTIPART, FORM], FORM),
        ([TEXT], ["application/json"], FORM),
        ([TEXT, FILE], [FORM], MULTIPART),
        ([FILE], [], MULTIPART),
        ([TEXT], [f"{FORM}; charset=utf-8"], f"{FORM}; charset=utf-8"),
    ],
)
def test_forms_with_files_are_multipart(fields, consumes, media):
    assert form_type(fields, consumes) == media


def test_the_body_of_an_operation_replaces_that_of_its_path(imported):
    other = {**BODY, "schema": {"type": "string"}}
    value = swagger({"parameters": [BODY]}, item={"parameters": [other]}, definitions=PET)
    found = imported(value)
    assert set(found.build("thing")[0].properties) == {"name"}
    assert found.report.operations[0].problems == ()
    twice = swagger({"parameters": [{**other, "name": "first"}, BODY]}, definitions=PET)
    (entry,) = imported(twice).report.operations
    assert [problem.code for problem in entry.problems] == ["body-duplicate"]


@pytest.mark.parametrize(
    ("root", "url", "server"),
    [
        ({"host": None, "schemes": None}, "http://docs.example.com/a/b.json", "http://docs.example.com/v1"),
        ({"schemes": None}, "http://api.example.com/b.json", "http://api.example.com/v1"),
        ({"schemes": None}, "", "https://api.example.com/v1"),
        ({"schemes": ["http", "https"]}, "https://api.example.com/b.json", "https://api.example.com/v1"),
        ({"host": None}, "", ""),
    ],
)
def test_what_is_not_said_of_the_server_is_that_of_the_document(root, url, server):
    document = replace(read_value(swagger({}, **root)), url=url)
    _, wire = import_document(document, ImportOptions()).build("thing")
    assert wire.server == server


def test_lists_in_parts_are_joined_too(built):
    fields = [
        {"name": "a", "in": "formData", **LIST},
        {"name": "b", "in": "formData", **LIST, "collectionFormat": "multi"},
    ]
    _, wire = built(swagger({"parameters": fields, "consumes": [MULTIPART]}))
    body = build_request(wire, {"a": ["x", "y"], "b": ["1", "2"]}).body
    assert body.count(b'name="a"') == 1
    assert body.count(b'name="b"') == 2
    assert b"x,y" in body


def test_form_fields_become_one_body():
    shared = {"F": {**FILE, "required": True, "description": "A picture."}}
    value = swagger({"parameters": [TEXT, {"$ref": "#/parameters/F"}]}, parameters=shared)
    body = operation_of(value).fields["requestBody"]
    schema = body["content"][MULTIPART]["schema"]
    assert body["required"] is True
    assert schema["required"] == ["f"]
    assert schema["properties"] == {
        "s": {"type": "string"},
        "f": {"type": "string", "format": "binary", "description": "A picture."},
    }


def test_problems_point_into_the_users_own_file(imported):
    value = swagger(
        {
            "parameters": [
                {"name": "q", "in": "query", "type": "string"},
                {"$ref": "#/parameters/Body"},
                {"$ref": "#/parameters/Missing"},
                {"name": "q2", "in": "formData", "type": "string"},
            ],
            "security": [{"odd": []}],
        },
        parameters={"Body": {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/No"}}},
        securityDefinitions={"odd": {"type": "strange"}},
        host="api.example.com/{region}",
    )
    (entry,) = imported(value).report.operations
    pointers = {problem.code: problem.pointer for problem in entry.problems}
    assert pointers["reference-dangling"] in ("/paths/~1things/post/parameters/2", "/parameters/Body")
    assert pointers["body-and-form"] == "/paths/~1things/post/parameters/3"
    assert all(not p.startswith(("/components", "/servers")) for p in pointers.values())
    assert not any("requestBody" in pointer for pointer in pointers.values())
    assert any(problem.pointer == "/host" for problem in imported(value).report.problems)


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/a/requestBody/content/x/schema/properties/n", "/a/parameters/1/schema/properties/n"),
        ("/a/requestBody", "/a/parameters/1"),
        ("/b/c", "/b/c"),
        ("", ""),
    ],
)
def test_a_moved_pointer_keeps_its_tail(pointer, found):
    moved = {"/a/requestBody": "/a/parameters/1", "/a/requestBody/content/x": "/a/parameters/1"}
    assert original(pointer, moved) == found


def test_responses_have_content_and_examples():
    responses = {
        "200": {
            "description": "ok",
            "schema": {"$ref": "#/definitions/Pet"},
            "examples": {"application/json": {"name": "Rex"}},
            "headers": {"X-Left": {"type": "integer", "description": "Calls left."}},
        },
        "404": {"$ref": "#/responses/Gone"},
        "201": {"description": "a file", "schema": {"type": "file"}},
        "204": {"description": "nothing"},
        "500": {"$ref": "#/responses/Missing"},
    }
    shared = {"Gone": {"description": "gone", "schema": {"type": "string"}}}
    value = swagger({"responses": responses}, responses=shared, produces=["application/json"])
    found = operation_of(value).fields["responses"]
    json_content = found["200"]["content"]["application/json"]
    assert json_content == {"schema": {"$ref": "#/definitions/Pet"}, "example": {"name": "Rex"}}
    assert found["200"]["headers"]["X-Left"]["schema"] == {"type": "integer"}
    assert found["404"]["content"]["application/json"]["schema"] == {"type": "string"}
    assert found["201"]["content"]["application/json"]["schema"]["format"] == "binary"
    assert found["204"]["content"] == {}
    assert found["500"] == {"$ref": "#/responses/Missing"}


def test_values_may_be_null_and_have_examples(built):
    parameters = [
        {"name": "n", "in": "query", "type": "integer", "x-nullable": True, "x-example": 3, "maximum": 9}
    ]
    spec, _ = built(swagger({"parameters": parameters}))
    schema = spec.properties["n"]
    assert sorted(schema["type"]) == ["integer", "null"]
    assert schema["maximum"] == 9
    assert spec.examples == ({"n": 3},)


def test_files_of_parameters_are_of_version_2_too(tmp_path):
    (tmp_path / "params.yaml").write_text(
        "Body: {name: pet, in: body, schema: {$ref: 'pet.yaml#/Pet'}}\n"
        "Tags: {name: tags, in: query, type: array, items: {type: string}, collectionFormat: pipes}\n"
        "Gone: {description: gone, schema: {type: string}}\n"
    )
    (tmp_path / "pet.yaml").write_text("Pet: {type: object, properties: {name: {type: string}}}\n")
    refs = ["params.yaml#/Body", "params.yaml#/Tags"]
    value = swagger({"parameters": [{"$ref": ref} for ref in refs]})
    (tmp_path / "root.json").write_text(json.dumps(value))
    found = import_document(read_path(tmp_path / "root.json"), ImportOptions())
    spec, wire = found.build("thing")
    assert set(spec.properties) == {"name", "tags"}
    assert build_request(wire, {"tags": ["a", "b"]}).url.endswith("?tags=a%7Cb")


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": {"name": "x"}},
        {"parameters": [None, 3, "x", [], {}]},
        {"parameters": [{"in": "body"}]},
        {"parameters": [{"in": "body", "schema": 3}]},
        {"parameters": [{"in": "formData"}]},
        {"parameters": [{"name": 3, "in": "formData", "type": "string"}]},
        {"parameters": [{"name": "x", "in": "formData", "type": ["string"]}]},
        {"parameters": [{"name": "x", "in": "query", "type": "array", "collectionFormat": ["csv"]}]},
        {"parameters": [{"name": "x", "in": "query", "x-toolhaft-collection": [[1]]}]},
        {"parameters": [{"$ref": "#/parameters/x"}], "consumes": {"a": 1}},
        {"responses": [1]},
        {"responses": {"200": 3, "201": {"schema": [], "examples": 3, "headers": {"a": 3}}}},
        {"schemes": {"a": 1}, "produces": 3, "requestBody": {"content": {}}},
        {"schemes": [{"a": 1}]},
    ],
)
def test_malformed_operations_are_reported_and_never_raise(imported, operation):
    value = swagger(operation, host=["x"], basePath=3, securityDefinitions=[1], parameters=[2], responses=7)
    found = imported({**value, "paths": {**value["paths"], "/good": {"get": {"operationId": "good"}}}})
    assert "good" in found.plans
    for name in found.plans:
        found.build(name)
