"""Bodies on the wire: JSON, forms, text, bytes and sequences; which media type is chosen, and by whom."""

import json

import pytest

from toolhaft.errors import InvalidArgumentsError, UsageError
from toolhaft.openapi.requests.request import argument_names, build_request, media_types

TEXT = {"type": "string"}
ADDRESS = {"streetAddress": "123 Example Dr.", "zip": "99999+1234"}


def body(media, schema=None, *, required=True, **entry):
    described = {**({} if schema is None else {"schema": schema}), **entry}
    return {"requestBody": {"required": required, "content": {media: described}}}


def many(*media_types, schema=None, **entry):
    content = {
        media: {"schema": schema or {"type": "object", "properties": {"a": {}}}} for media in media_types
    }
    return {"requestBody": {"required": True, "content": content, **entry}}


@pytest.fixture
def sent(built, document):
    """Return content type and body of a call of an operation."""

    def make(operation, arguments, *, version="3.1.1", method="post", media_type=""):
        _, wire = built(document(operation, method=method, version=version))
        request = build_request(wire, arguments, media_type=media_type)
        return dict(request.headers).get("content-type", ""), request.body

    return make


OBJECT = {"type": "object", "properties": {"a": {}, "b": {}}}
JSON = [
    ("application/json", OBJECT, {"a": "é", "b": None}, '{"a":"é","b":null}'),
    ("application/json; charset=utf-8", OBJECT, {"a": 1}, '{"a":1}'),
    ("application/merge-patch+json", OBJECT, {"a": None}, '{"a":null}'),
    ("application/vnd.acme.v3+json", OBJECT, {"b": []}, '{"b":[]}'),
    ("application/json", {"type": "array", "items": {}}, {"body": [1, 2.5]}, "[1,2.5]"),
    ("application/json", TEXT, {"body": "x"}, '"x"'),
    ("application/json", {"oneOf": [OBJECT, TEXT]}, {"body": {"a": 1}}, '{"a":1}'),
    ("application/json", {"type": "object", "additionalProperties": True}, {"body": {"k": 1}}, '{"k":1}'),
    ("application/json", OBJECT, {"a": 1, "further": {"x": 2}}, '{"a":1,"further":{"x":2}}'),
    ("application/json", OBJECT, {}, "{}"),
    ("application/x-ndjson", {"type": "array", "items": {}}, {"body": [{"a": 1}, 2]}, '{"a":1}\n2\n'),
    ("application/jsonl", OBJECT, {"body": [{"a": "é"}]}, '{"a":"é"}\n'),
    ("application/x-ndjson", TEXT, {"body": "{}\n"}, "{}\n"),
    ("application/json-seq", None, {"body": [{"a": 1}, 2]}, '\x1e{"a":1}\n\x1e2\n'),
    ("application/geo+json-seq", None, {"body": [1]}, "\x1e1\n"),
    ("text/plain", TEXT, {"body": "hé\n"}, "hé\n"),
    ("text/plain", {"type": "integer"}, {"body": 5}, "5"),
    ("application/yaml", None, {"body": "a: 1\n"}, "a: 1\n"),
    ("application/sdp", OBJECT, {"a": 1}, '{"a":1}'),
    ("text/event-stream", None, {"body": [{"event": "e", "data": "a\nb"}]}, "event: e\ndata: a\ndata: b\n\n"),
]


@pytest.mark.parametrize(("media", "schema", "arguments", "expected"), JSON)
def test_bodies_of_text(sent, media, schema, arguments, expected):
    assert sent(body(media, schema), arguments) == (media, expected.encode())


@pytest.mark.parametrize(
    ("media", "data"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9"),
        ('text/plain; charset="UTF-8"', "café".encode()),
        ("text/plain; charset=utf-16le", "café".encode("utf-16le")),
        ("text/plain; charset=rot13", "café".encode()),
    ],
)
def test_text_is_in_the_charset_of_its_type(sent, media, data):
    assert sent(body(media, TEXT), {"body": "café"}) == (media, data)
    if data == b"caf\xe9":
        with pytest.raises(InvalidArgumentsError, match="iso-8859-1"):
            sent(body(media, TEXT), {"body": "€"})


def test_items_of_a_sequence_are_a_list_of_what_the_document_says(built, document):
    content = {"application/jsonl": {"itemSchema": {"type": "object", "properties": {"t": TEXT}}}}
    spec, wire = built(document({"requestBody": {"content": content}}, method="post", version="3.2.0"))
    assert spec.parameters["properties"]["body"]["type"] == "array"
    assert spec.parameters["properties"]["body"]["items"]["properties"] == {"t": TEXT}
    assert build_request(wire, {"body": [{"t": "x"}]}).body == b'{"t":"x"}\n'


FORM = "application/x-www-form-urlencoded"
FORMS = [
    ({}, {"s": "a&b é~*", "n": 1, "b": True}, "s=a%26b+%C3%A9%7E*&n=1&b=true"),
    ({}, {"l": ["x", "y"]}, "l=x&l=y"),
    ({}, {"l": [["x"], {"k": 1}]}, "l=%5B%22x%22%5D&l=%7B%22k%22%3A1%7D"),
    (
        {},
        {"address": ADDRESS},
        "address=%7B%22streetAddress%22%3A%22123+Example+Dr.%22%2C%22zip%22%3A%2299999%2B1234%22%7D",
    ),
    ({}, {"s": None, "l": []}, ""),
    ({"s": {"contentType": "application/json"}}, {"s": "f8"}, "s=%22f8%22"),
    ({"l": {"contentType": "application/json"}}, {"l": ["x", "y"]}, "l=%5B%22x%22%2C%22y%22%5D"),
    ({"l": {"style": "form", "explode": False}}, {"l": ["x y", "a,b"]}, "l=x%20y,a%2Cb"),
    ({"l": {"style": "pipeDelimited"}}, {"l": ["x", "y"]}, "l=x%7Cy"),
    ({"l": {"style": "spaceDelimited"}}, {"l": ["x", "y"]}, "l=x%20y"),
    ({"o": {"style": "deepObject"}}, {"o": {"x": {"y": [1]}}}, "o%5Bx%5D%5By%5D%5B0%5D=1"),
    ({"o": {"explode": True}}, {"o": {"x": 1, "y": 2}}, "x=1&y=2"),
    ({"s": {"allowReserved": True}}, {"s": "a/b?c&d=e%20"}, "s=a/b?c%26d%3De%20"),
    ({"o": {"style": "form", "explode": False}}, {"o": {"x": 1}}, "o=x,1"),
]


@pytest.mark.parametrize(("encoding", "arguments", "expected"), FORMS)
def test_forms(sent, encoding, arguments, expected):
    listed = {"type": "array", "items": {}}
    properties = {"s": TEXT, "n": {}, "b": {}, "l": listed, "o": {"type": "object"}, "address": {}}
    operation = body(FORM, {"type": "object", "properties": properties}, encoding=encoding)
    assert sent(operation, arguments) == (FORM, expected.encode())


def test_lists_of_json_are_one_value_each_since_3_2(sent):
    schema = {"type": "object", "properties": {"l": {"type": "array", "items": {}}}}
    operation = body(FORM, schema, encoding={"l": {"contentType": "application/json"}})
    assert sent(operation, {"l": ["x", "y"]}, version="3.2.0")[1] == b"l=%22x%22&l=%22y%22"


@pytest.mark.parametrize("media", ["application/json", FORM, "multipart/form-data", "application/xml"])
def test_an_optional_body_without_arguments_is_not_sent(sent, media):
    operation = body(media, {**OBJECT, "required": ["a"]}, required=False)
    assert sent(operation, {}) == ("", None)


@pytest.mark.parametrize("method", ["get", "delete", "head", "options"])
def test_bodies_are_sent_wherever_they_are_declared(sent, method):
    assert sent(body("application/json", OBJECT), {"a": 1}, method=method)[1] == b'{"a":1}'


def test_a_required_body_that_is_missing_is_an_error(sent):
    with pytest.raises(InvalidArgumentsError, match="body"):
        sent(body("application/json", TEXT), {})


ORDER = [
    ("application/json", "application/xml"),
    ("application/json", "application/hal+json"),
    ("application/vnd.a+json", FORM),
    (FORM, "multipart/form-data"),
    ("multipart/form-data", "text/plain"),
    ("text/plain", "application/octet-stream"),
    ("application/octet-stream", "application/xml"),
    ("application/xml", "*/*"),
    ("application/json", "application/*"),
]


@pytest.mark.parametrize("pair", ORDER)
def test_the_media_type_that_is_sent_depends_on_no_order(built, document, pair):
    for listed in (pair, pair[::-1]):
        _, wire = built(document(many(*listed), method="post"))
        assert wire.body.media_type == pair[0]


def test_a_range_is_sent_as_a_type(sent):
    assert sent(body("*/*", OBJECT), {"a": 1}) == ("application/json", b'{"a":1}')
    assert sent(body("application/*", OBJECT), {"a": 1}) == ("application/json", b'{"a":1}')
    assert sent(body("text/*", TEXT), {"body": "x"}) == ("text/plain", b"x")
    png = {"body": {"base64": "AAE=", "media_type": "image/png"}}
    assert sent(body("image/*"), png) == ("image/png", b"\0\1")
    assert sent(body("image/*"), {"body": {"base64": "AAE="}}) == ("application/octet-stream", b"\0\1")


def test_a_form_with_files_gives_way_to_parts(built, document):
    schema = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}
    _, wire = built(document(many(FORM, "multipart/form-data", schema=schema), method="post"))
    assert wire.body.media_type == "multipart/form-data"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(["application/xml"], "application/xml"), (["text/csv", "multipart/*"], "multipart/form-data")],
)
def test_the_caller_chooses_at_the_import(built, document, wanted, chosen):
    value = document(many("application/json", "application/xml", "multipart/form-data"), method="post")
    spec, wire = built(value, media_types=wanted)
    assert media_types(wire)[0] == chosen
    assert sorted(spec.metadata["media_types"]) == sorted(media_types(wire))


def test_the_caller_chooses_for_one_call(sent):
    operation = many("application/json", "application/xml", FORM)
    assert sent(operation, {"a": "x"}, media_type=FORM) == (FORM, b"a=x")
    assert sent(operation, {"a": "x"}, media_type="application/xml")[1] == b"<root><a>x</a></root>"
    with pytest.raises(UsageError, match="text/csv"):
        sent(operation, {"a": "x"}, media_type="text/csv")


def test_a_media_type_of_other_arguments_cannot_be_chosen_for_a_call(built, document):
    content = {
        "application/json": {"schema": {"type": "object", "properties": {"a": {}}}},
        "text/csv": {"schema": {"type": "string", "format": "binary"}},
        FORM: {"schema": {"type": "object", "properties": {"other": {}}}},
    }
    _, wire = built(document({"requestBody": {"content": content}}, method="post"))
    assert media_types(wire) == ("application/json",)


def test_names_that_stand_in_two_places_are_told_in_the_report(imported, document):
    operation = {
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": TEXT},
            {"name": "id", "in": "query", "schema": TEXT},
        ],
        **body("application/json", {"type": "object", "properties": {"id": TEXT, "n": {}}}),
    }
    found = imported(document(operation, path="/s/{id}", method="post"))
    (entry,) = found.report.operations
    assert [p.message.partition(" is ")[2].split(",")[0] for p in entry.problems] == [
        "the argument 'id_query'",
        "the argument 'id_body'",
    ]
    spec, wire = found.build("thing")
    assert argument_names(wire)["body", "id"] == "id_body"
    assert "body property id" in spec.parameters["properties"]["id_body"]["description"]
    request = build_request(wire, {"id": "p", "id_query": "q", "id_body": "b"})
    assert request.url.endswith("/s/p?id=q")
    assert json.loads(request.body) == {"id": "b"}


def test_a_body_of_many_properties_is_one_argument(built, document):
    schema = {"type": "object", "properties": {f"p{n}": {} for n in range(101)}}
    spec, _ = built(document(body("application/json", schema), method="post"))
    assert list(spec.parameters["properties"]) == ["body"]


def test_a_closed_body_takes_no_further_arguments(built, document):
    schema = {**OBJECT, "additionalProperties": False}
    _, wire = built(document(body("application/json", schema), method="post"))
    with pytest.raises(InvalidArgumentsError, match="no argument 'c'"):
        build_request(wire, {"a": 1, "c": 2})


def test_null_is_a_body_and_an_empty_name_a_property(sent):
    assert sent(body("application/json", {}), {"body": None}) == ("application/json", b"null")
    assert sent(body("application/json", OBJECT), {"": 1, "a": 2})[1] == b'{"a":2,"":1}'
    assert sent(body(FORM, OBJECT), {"": 1, "a": 2})[1] == b"a=2&=1"
