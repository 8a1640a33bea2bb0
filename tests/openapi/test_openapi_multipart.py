"""Bodies of several parts, and files from every hand that may give one."""

import pytest

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.multipart import boundary_of
from toolhaft.openapi.requests.request import RequestBuilder, build_request
from toolhaft.openapi.source import OpenAPISource
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.handles import Handles

TEXT, FILE = {"type": "string"}, {"type": "string", "format": "binary"}
FORM = "multipart/form-data"
ZERO = {"base64": "AAE="}


def body(media, schema=None, **entry):
    described = {**({} if schema is None else {"schema": schema}), **entry}
    return {"requestBody": {"required": True, "content": {media: described}}}


def form(properties, **entry):
    return body(FORM, {"type": "object", "properties": properties}, **entry)


@pytest.fixture
def sent(built, document):
    """Return the parts of a call, each as its headers and content, with the content type first."""

    def make(operation, arguments, *, version="3.1.1", artifacts=None):
        _, wire = built(document(operation, method="post", version=version))
        request = RequestBuilder(wire, boundary=lambda _: "B").build(arguments, artifacts=artifacts)
        pieces = (b"\r\n" + request.body).split(b"\r\n--B")
        assert (pieces[0], pieces[-1]) == (b"", b"--\r\n")
        parts = [piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")[::2] for piece in pieces[1:-1]]
        return dict(request.headers)["content-type"], *[(h.decode().split("\r\n"), data) for h, data in parts]

    return make


def disposition(name, file_name=""):
    shown = f'Content-Disposition: form-data; name="{name}"'
    return f'{shown}; filename="{file_name}"' if file_name else shown


def test_a_form_byte_for_byte(built, document):
    operation = form({"s": TEXT, "n": {"type": "integer"}, "f": FILE})
    _, wire = built(document(operation, method="post"))
    made = RequestBuilder(wire, boundary=lambda _: "B").build({"f": ZERO, "s": "v\r\n", "n": 1})
    assert dict(made.headers)["content-type"] == "multipart/form-data; boundary=B"
    assert made.body == (
        b'--B\r\nContent-Disposition: form-data; name="s"\r\n\r\nv\r\n\r\n'
        b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\x01\r\n"
        b"--B--\r\n"
    )


LISTED = {"type": "array", "items": TEXT}
PARTS = [
    (TEXT, {}, "é", [([disposition("p")], "é".encode())]),
    ({"type": "boolean"}, {}, True, [([disposition("p")], b"true")]),
    (LISTED, {}, ["a", "b"], [([disposition("p")], b"a"), ([disposition("p")], b"b")]),
    (
        {"type": "object"},
        {},
        {"k": "v"},
        [([disposition("p"), "Content-Type: application/json"], b'{"k":"v"}')],
    ),
    (
        {"type": "array", "items": {"type": "object"}},
        {},
        [{"k": 1}, {"k": 2}],
        [([disposition("p"), "Content-Type: application/json"], b'{"k":%d}' % n) for n in (1, 2)],
    ),
    (
        TEXT,
        {"contentType": "text/markdown; charset=utf-8"},
        "# a",
        [([disposition("p"), "Content-Type: text/markdown; charset=utf-8"], b"# a")],
    ),
    (
        TEXT,
        {"contentType": "application/json"},
        "a",
        [([disposition("p"), "Content-Type: application/json"], b'"a"')],
    ),
    (
        {"type": "object"},
        {"contentType": "application/vnd.a+json"},
        {"k": 1},
        [([disposition("p"), "Content-Type: application/vnd.a+json"], b'{"k":1}')],
    ),
    (
        LISTED,
        {"contentType": "application/json"},
        ["a", "b"],
        [([disposition("p"), "Content-Type: application/json"], b'["a","b"]')],
    ),
    (LISTED, {"style": "form", "explode": False}, ["a", "b c"], [([disposition("p")], b"a,b c")]),
    (LISTED, {"style": "pipeDelimited"}, ["a", "b"], [([disposition("p")], b"a|b")]),
    ({"type": "object"}, {"style": "deepObject"}, {"x": 1}, [([disposition("p[x]")], b"1")]),
    (
        {"type": "string", "contentEncoding": "base64"},
        {},
        "AAE=",
        [
            (
                [
                    disposition("p"),
                    "Content-Type: application/octet-stream",
                    "Content-Transfer-Encoding: base64",
                ],
                b"AAE=",
            )
        ],
    ),
    (
        TEXT,
        {"headers": {"X-A": {"schema": {"const": "1"}}, "Content-Type": {"schema": {"const": "no"}}}},
        "a",
        [([disposition("p"), "X-A: 1"], b"a")],
    ),
]


@pytest.mark.parametrize(("schema", "encoding", "value", "expected"), PARTS)
def test_parts_of_forms(sent, schema, encoding, value, expected):
    assert [*sent(form({"p": schema}, encoding={"p": encoding}), {"p": value})[1:]] == expected


def test_styles_of_parts_are_of_no_account_up_to_3_0(sent):
    operation = form({"p": LISTED}, encoding={"p": {"style": "form", "explode": False}})
    assert [data for _, data in sent(operation, {"p": ["a", "b"]}, version="3.0.3")[1:]] == [b"a", b"b"]


def test_a_json_list_is_a_part_for_each_entry_since_3_2(sent):
    operation = form({"p": LISTED}, encoding={"p": {"contentType": "application/json"}})
    assert [data for _, data in sent(operation, {"p": ["a", "b"]}, version="3.2.0")[1:]] == [b'"a"', b'"b"']


def test_names_cannot_end_their_quotes(sent):
    name = 'a"\r\nX: 1'
    operation = form({"f": FILE, name: TEXT})
    _, file, field = sent(operation, {"f": {"text": "x", "filename": name}, "a_X_1": "v"})
    assert file[0][0] == disposition("f", "a%22%0D%0AX: 1")
    assert field[0] == [disposition("a%22%0D%0AX: 1")]


FILES = [
    ({}, ZERO, "f", "application/octet-stream", b"\0\1"),
    ({}, {"text": "é", "filename": "a.txt", "media_type": "text/plain"}, "a.txt", "text/plain", "é".encode()),
    ({"contentType": "image/png"}, ZERO, "f", "image/png", b"\0\1"),
    ({"contentType": "image/png, image/jpeg"}, ZERO, "f", "image/png", b"\0\1"),
    (
        {"contentType": "image/png, image/jpeg"},
        {**ZERO, "media_type": "image/jpeg"},
        "f",
        "image/jpeg",
        b"\0\1",
    ),
    ({"contentType": "image/*"}, {**ZERO, "media_type": "image/webp"}, "f", "image/webp", b"\0\1"),
    ({}, b"\0", "f", "application/octet-stream", b"\0"),
]


@pytest.mark.parametrize(("encoding", "value", "file_name", "media", "data"), FILES)
def test_files_in_forms(sent, encoding, value, file_name, media, data):
    _, part = sent(form({"f": FILE}, encoding={"f": encoding}), {"f": value})
    assert part == ([disposition("f", file_name), f"Content-Type: {media}"], data)


def test_files_have_no_style(sent):
    schema = {"f": {"type": "array", "items": FILE}}
    operation = form(schema, encoding={"f": {"style": "form", "explode": False}})
    assert [data for _, data in sent(operation, {"f": [ZERO, ZERO]})[1:]] == [b"\0\1"] * 2


@pytest.mark.parametrize(
    ("version", "schema", "encoding"),
    [
        ("3.0.3", FILE, {}),
        ("3.0.3", {"allOf": [FILE], "description": "x"}, {}),
        ("3.1.1", {"type": ["string", "null"], "format": "binary"}, {}),
        ("3.1.1", {"type": "string", "contentMediaType": "image/png"}, {}),
        ("3.1.1", {"contentMediaType": "application/pdf"}, {}),
        ("3.1.1", {}, {"contentType": "image/png, image/jpeg"}),
        ("3.1.1", TEXT, {"contentType": "application/octet-stream"}),
    ],
)
def test_what_is_a_file(built, document, version, schema, encoding):
    operation = form({"f": schema, "many": {"type": "array", "items": FILE}}, encoding={"f": encoding})
    spec, _ = built(document(operation, method="post", version=version))
    handle, inline = spec.parameters["properties"]["f"]["anyOf"]
    assert handle["format"] == "artifact"
    assert sorted(inline["properties"]) == ["base64", "filename", "media_type", "text"]
    assert spec.parameters["properties"]["many"]["items"]["anyOf"][0]["format"] == "artifact"


@pytest.mark.parametrize(
    "schema", [TEXT, {"type": "string", "contentEncoding": "base64"}, {"type": "object"}]
)
def test_what_is_no_file(built, document, schema):
    spec, _ = built(document(form({"f": schema}), method="post"))
    assert "anyOf" not in spec.parameters["properties"]["f"]


def test_what_has_no_type_may_be_a_file_or_anything(sent):
    _, file, text, data = sent(form({"a": {}, "b": {}, "c": {}}), {"a": ZERO, "b": "plain", "c": {"k": 1}})
    assert file == ([disposition("a", "a"), "Content-Type: application/octet-stream"], b"\0\1")
    assert text == ([disposition("b")], b"plain")
    assert data == ([disposition("c"), "Content-Type: application/json"], b'{"k":1}')


def test_headers_of_a_part_that_only_the_caller_knows_are_an_argument(built, document):
    headers = {
        "X-Rate": {"required": True, "schema": {"type": "integer"}},
        "X-Fix": {"schema": {"default": "d"}},
    }
    operation = form({"f": FILE}, encoding={"f": {"headers": headers}})
    spec, wire = built(document(operation, method="post"))
    assert spec.parameters["properties"]["f_headers"]["required"] == ["X-Rate"]
    made = build_request(wire, {"f": ZERO, "f_headers": {"X-Rate": 5}}).body
    assert b"\r\nX-Rate: 5\r\nX-Fix: d\r\n\r\n" in made
    with pytest.raises(InvalidArgumentsError, match="X-Rate"):
        build_request(wire, {"f": ZERO, "f_headers": {"X-Rate": "1\r\nX: 2"}})


POSITIONS = [
    (
        {
            "schema": {"type": "array", "prefixItems": [{"type": "object"}, {}]},
            "prefixEncoding": [{}, {"contentType": "image/*"}],
        },
        [{"author": "A"}, {**ZERO, "media_type": "image/png", "filename": "a.png"}],
        [
            (["Content-Type: application/json"], b'{"author":"A"}'),
            (["Content-Type: image/png", 'Content-Disposition: attachment; filename="a.png"'], b"\0\1"),
        ],
    ),
    (
        {"itemSchema": {}, "itemEncoding": {"contentType": "image/jpg"}},
        [ZERO, ZERO],
        [(["Content-Type: image/jpg"], b"\0\1")] * 2,
    ),
    (
        {"schema": {"type": "array", "items": TEXT}, "itemEncoding": {"contentType": "text/css"}},
        ["a", "b"],
        [(["Content-Type: text/css"], b"a"), (["Content-Type: text/css"], b"b")],
    ),
]


@pytest.mark.parametrize(("entry", "values", "expected"), POSITIONS)
def test_parts_without_names(sent, entry, values, expected):
    media, *parts = sent(body("multipart/mixed", **entry), {"body": values}, version="3.2.0")
    assert (media, parts) == ("multipart/mixed; boundary=B", expected)


def test_parts_of_parts(built, document):
    inner = {"type": "array", "prefixItems": [{"type": "object"}, TEXT]}
    entry = {
        "schema": {"type": "array", "prefixItems": [{"type": "array"}, inner]},
        "prefixEncoding": [{}, {"contentType": "multipart/mixed", "prefixEncoding": [{}, {}]}],
    }
    _, wire = built(document(body("multipart/mixed", **entry), method="post", version="3.2.0"))
    made = build_request(wire, {"body": [[1, 2], [{"a": 1}, "t"]]}).body
    assert b"Content-Type: application/json\r\n\r\n[1,2]\r\n" in made
    assert b"Content-Type: multipart/mixed; boundary=toolhaft-" in made
    assert b'Content-Type: application/json\r\n\r\n{"a":1}\r\n' in made
    ends = {line for line in made.split(b"\r\n") if line.startswith(b"--") and line.endswith(b"--")}
    assert len(ends) == 2


@pytest.mark.parametrize(
    "schema", [None, {}, {"type": "object"}, {"type": "object", "additionalProperties": FILE}]
)
def test_a_form_of_unknown_fields_takes_texts_and_files(sent, schema):
    value = {"f": ZERO} if schema and "additionalProperties" in schema else {"f": ZERO, "s": "x"}
    _, file, *rest = sent(body(FORM, schema), {"body": value})
    assert file == ([disposition("f", "f"), "Content-Type: application/octet-stream"], b"\0\1")
    assert [data for _, data in rest] == [b"x"] * len(rest)


def test_further_files_of_a_form_are_files(built, document):
    schema = {"type": "object", "properties": {"s": TEXT}, "additionalProperties": FILE}
    spec, wire = built(document(body(FORM, schema), method="post"))
    assert spec.parameters["additionalProperties"]["anyOf"][0]["format"] == "artifact"
    assert b'name="more"; filename="more"' in build_request(wire, {"more": ZERO}).body


def test_a_form_that_is_a_list_keeps_its_order(sent):
    operation = body(FORM, {"type": "array", "items": {"type": "object"}})
    _, *parts = sent(operation, {"body": [{"b": "1"}, {"a": "2"}, {"b": "3"}]}, version="3.2.0")
    assert [(head, data) for (head,), data in parts] == [
        (disposition("b"), b"1"),
        (disposition("a"), b"2"),
        (disposition("b"), b"3"),
    ]


def test_related_parts_say_what_the_first_is(sent):
    operation = body(
        "multipart/related", {"type": "object", "properties": {"meta": {"type": "object"}, "f": FILE}}
    )
    media, *_ = sent(operation, {"meta": {"a": 1}, "f": ZERO})
    assert media == 'multipart/related; boundary=B; type="application/json"'


def test_a_form_without_parts_is_an_error(sent):
    with pytest.raises(InvalidArgumentsError, match="one part"):
        sent(form({"a": TEXT}), {})


def test_files_inside_a_polymorphic_form_are_files(built, document):
    branch = {"type": "object", "properties": {"f": FILE}}
    spec, wire = built(document(body(FORM, {"oneOf": [branch, {"type": "object"}]}), method="post"))
    assert spec.parameters["properties"]["body"]["oneOf"][0]["properties"]["f"]["anyOf"]
    assert b'filename="f"' in build_request(wire, {"body": {"f": ZERO}}).body


def test_no_content_holds_its_boundary_and_the_same_content_has_the_same():
    usual = boundary_of([b"a"])
    other = boundary_of([b"--" + usual.encode()])
    assert usual == boundary_of([b"b"])
    assert other != usual
    assert other == boundary_of([b"--" + usual.encode()])


NO_FILES = ["img-1", "AAE=", {"base64": "%"}, {"text": "a", "base64": "AAE="}, {"filename": "a"}, 5]


@pytest.mark.parametrize("value", NO_FILES)
@pytest.mark.parametrize("operation", [form({"f": FILE}), body("image/png", FILE)], ids=["part", "whole"])
def test_what_cannot_be_a_file(built, document, operation, value):
    _, wire = built(document(operation, method="post"))
    if isinstance(value, str) and wire.body.form == "bytes":
        value = value.replace("AAE=", "AAE%")  # base64 alone is what older catalog files say
    with pytest.raises(InvalidArgumentsError, match=r"file|base64"):
        build_request(wire, {wire.body.key or "f": value})


@pytest.fixture
def upload(document):
    """A document with a form and a whole body that take a file."""
    paths = {
        "/form": {"post": {"operationId": "form", "responses": {}, **form({"f": FILE, "s": TEXT})}},
        "/raw": {"post": {"operationId": "raw", "responses": {}, **body("application/octet-stream", FILE)}},
    }
    return lambda base: document(paths=paths, servers=[{"url": base}])


@pytest.mark.anyio
async def test_a_path_an_artifact_and_bytes_are_sent_as_files(upload, echo, wire, tmp_path):
    path = tmp_path / "note.txt"
    path.write_bytes(b"hello")
    catalog = await OpenAPISource(allow_hosts=["127.0.0.1"]).load(upload(echo.base))
    artifact = catalog.artifacts.put(b"\0\1", media_type="image/png", name="a.png")
    await catalog.call("form", f=path, s="x")
    await catalog.call("form", f=artifact)
    await catalog.call("raw", body=b"raw")
    await catalog.call("raw", body={"text": "é"})
    await catalog.close()
    first, second, third, fourth = echo.received
    assert wire.parts_of(first) == [
        ("f", "note.txt", "text/plain", b"hello"),
        ("s", "", "", b"x"),
    ]
    assert wire.parts_of(second) == [("f", "a.png", "image/png", b"\0\1")]
    assert (third.body, third.headers["content-type"]) == (b"raw", "application/octet-stream")
    assert fourth.body == "é".encode()


@pytest.mark.anyio
async def test_a_model_gives_a_handle_and_a_wrong_one_is_told(upload):
    catalog = await OpenAPISource().load(upload("https://api.example.com"))
    store, handles = ArtifactStore(), Handles()
    handle = handles.name(store.put(b"\0\1", media_type="application/pdf", name="a.pdf")).handle
    spec, tool = catalog.spec("form"), catalog["form"]
    catalog.check(spec, {"f": handle})
    request = tool.request(handles.resolve(spec, {"f": handle}), artifacts=store)
    assert b'filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n\0\1' in request.body
    with pytest.raises(InvalidArgumentsError, match="file-9"):
        handles.resolve(spec, {"f": "file-9"})
    await catalog.close()
