"""What documents of vendors do that the specification does not foresee, in small."""

import json

import pytest

from toolhaft.openapi.requests.request import build_request


def size_of(schema):
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")))


def test_hundreds_of_parameters_keep_their_names_rather_than_their_descriptions(built, document):
    names = [f"filter_{number:03}_contains_part_of_the_text" for number in range(500)]
    listed = [
        {"name": name, "in": "query", "description": f"Only what has {name}", "schema": {"type": "string"}}
        for name in names
    ]
    spec, _ = built(document({"parameters": listed}))
    assert list(spec.parameters["properties"]) == names
    assert size_of(spec.parameters) <= 32_000


def test_the_query_as_a_whole_needs_no_name(imported, document):
    content = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    found = imported(document({"parameters": [{"in": "querystring", "content": content}]}, version="3.2.0"))
    spec, wire = found.build("thing")
    assert list(spec.parameters["properties"]) == ["querystring"]
    request = build_request(wire, {"querystring": {"status": "a b"}})
    assert request.url.endswith("/things?status=a+b")


@pytest.mark.parametrize(
    ("parameter", "outcome", "arguments"),
    [
        ({"name": "", "in": "query"}, "imported", []),
        ({"name": "", "in": "header"}, "imported", []),
        ({"name": "", "in": "query", "required": True}, "skipped", None),
        ({"in": "query"}, "skipped", None),
        ({"name": "X Sp", "in": "header"}, "degraded", []),
        ({"name": "X-Näme", "in": "header", "required": True}, "skipped", None),
        ({"name": "a b", "in": "cookie"}, "degraded", []),
        ({"name": "a;b", "in": "cookie", "required": True}, "skipped", None),
        ({"name": "a=b", "in": "cookie"}, "degraded", []),
        ({"name": "a[b]", "in": "cookie"}, "imported", ["a_b"]),
    ],
    ids=range(10),
)
def test_a_name_that_cannot_be_sent_costs_the_operation_only_where_it_must_be(
    imported, document, parameter, outcome, arguments
):
    other = {"get": {"operationId": "other", "responses": {}}}
    thing = {"get": {"operationId": "thing", "parameters": [parameter], "responses": {}}}
    found = imported(document(paths={"/a": thing, "/b": other}))
    assert found.report.operations[0].outcome == outcome
    if arguments is not None:
        spec, _ = found.build("thing")
        assert list(spec.parameters["properties"]) == arguments


def test_cookies_keep_the_brackets_of_their_names(built, document):
    listed = [{"name": "ids[]", "in": "cookie", "schema": {"type": "array", "items": {"type": "string"}}}]
    _, wire = built(document({"parameters": listed}))
    request = build_request(wire, {"ids": ["a b", "c"]})
    assert dict(request.headers)["cookie"] == "ids[]=a%20b; ids[]=c"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("//api.example.com/v1/", "https://api.example.com/v1"),
        ("//{region}.example.com", "https://eu.example.com"),
        ("api.example.com", "https://api.example.com"),
        ("api.example.com:8443/v1", ""),
        ("/v1", ""),
        ("", ""),
        ("v1/", ""),
        ("///v1", ""),
        (",", ""),
        ("//", ""),
        ("//user@", ""),
    ],
    ids=range(11),
)
def test_a_server_without_a_scheme_is_spoken_to_safely(built, document, written, url):
    servers = [{"url": written, "variables": {"region": {"default": "eu"}}}]
    _, wire = built({**document(), "servers": servers})
    assert wire.server == url
    assert bool(wire.server_problem) == (not url)


@pytest.mark.parametrize(
    ("names", "fields", "expected"),
    [
        ({"limit": "string", "offset": "string"}, {"result": "array"}, ("offset", "offset", "limit")),
        (
            {"display_size": "string", "page": "string"},
            {"results": "array"},
            ("page", "page", "display_size"),
        ),
        ({"limit": "integer", "offset": "string"}, {"result": "array"}, None),
        (
            {"limit": "string", "offset": "string"},
            {"rows": "array", "offset": "string"},
            ("cursor", "offset", "limit"),
        ),
        ({"size": "string", "from": "string"}, {"id": "string"}, None),
    ],
    ids=range(5),
)
def test_a_document_that_calls_numbers_texts_has_pages_too(built, document, names, fields, expected):
    listed = [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in names.items()]
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
    answer = {"200": {"content": {"application/json": {"schema": schema}}}}
    _, wire = built(document({"parameters": listed, "responses": answer}))
    found = wire.paging
    assert (found and (found.kind, found.argument, found.size)) == expected


@pytest.mark.parametrize("media", ["*/*", "application/*", "*/*; charset=utf-8"])
def test_an_answer_of_any_type_is_read_as_json(built, document, media):
    schema = {"type": "object", "properties": {"items": {"type": "array"}, "total": {"type": "integer"}}}
    answer = {"200": {"content": {media: {"schema": schema}}}}
    listed = [{"name": "page", "in": "query", "schema": {"type": "integer"}}]
    spec, wire = built(document({"parameters": listed, "responses": answer}))
    assert wire.paging.items == "/items"
    assert set(spec.returns["properties"]) == {"items", "total"}


def test_lists_of_errors_are_no_pages(built, document):
    link = {"type": "object", "properties": {"next": {"type": "string", "format": "uri"}}}
    record = {"data": {"type": "object"}, "errors": {"type": "array"}, "links": link}
    answer = {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": record}}}}}
    _, wire = built(document({"responses": answer}))
    assert wire.paging is None


@pytest.mark.parametrize(
    ("media", "sent"),
    [
        ("application/form-data", "multipart/form-data"),
        ("form-data", "multipart/form-data"),
        ("applicationjson;version=2", "application/json"),
        ("application/json", ""),
        ("", ""),
    ],
    ids=range(5),
)
def test_a_body_whose_type_is_misspelt_is_sent_as_what_is_meant(built, document, imported, media, sent):
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    value = document({"requestBody": {"content": {media: {"schema": schema}}}}, method="post")
    _, wire = built(value)
    request = build_request(wire, {"text": "a"})
    assert dict(request.headers)["content-type"].startswith(sent or "application/json")
    codes = [problem.code for problem in imported(value).report.operations[0].problems]
    assert codes == (["body-media-type"] if sent else [])
