"""Bodies become values by their content type, and by what they are where that lies."""

import json

import pytest

from toolhaft.http.message import Response
from toolhaft.openapi.responses.events import read_pieces
from toolhaft.openapi.responses.filenames import file_name
from toolhaft.openapi.responses.parsing import parse_body
from toolhaft.openapi.responses.xml_values import XMLProblem, read_xml
from toolhaft.tools.artifacts import ArtifactStore


def answer(media, body, **headers):
    data = body if isinstance(body, bytes) else body.encode()
    listed = [("content-type", media)] if media else []
    listed += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status=200, url="http://x/y", headers=tuple(listed), body=data)


MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="meta"\r\n'
    b'Content-Type: application/json\r\n\r\n{"a": 1}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="../x.bin"\r\n'
    b"Content-Type: image/x-thing\r\n\r\n\x00\x01--b\x02\r\n--b--\r\n"
)

TABLE = [
    ("application/json", '{"a": [1, 2.5, null]}', "json", {"a": [1, 2.5, None]}),
    ("application/vnd.api+json; charset=utf-8", "[1]", "json", [1]),
    ("text/json", "\ufeff[1]", "json", [1]),
    ("application/json", "  \r\n", "empty", None),
    ("application/json", ")]}',\n[1]", "json", [1]),
    ("application/json; charset=latin-1", b'{"a": "caf\xe9"}', "json", {"a": "café"}),
    ("application/json", '{"a": NaN, "b": -Infinity}', "json", {"a": None, "b": None}),
    ("application/json", '"text"', "json", "text"),
    ("application/octet-stream", '{"a": 1}', "json", {"a": 1}),
    ("text/html", '{"a": 1}', "json", {"a": 1}),
    ("text/plain", "[1, 2]", "json", [1, 2]),
    ("text/plain", "[not json", "text", "[not json"),
    ("", "plain", "text", "plain"),
    ("text/csv", "a,b\n1,2\n", "text", "a,b\n1,2\n"),
    ("application/yaml", "a: 1", "text", "a: 1"),
    ("application/x-www-form-urlencoded", "a=1&b=x+y&a=2&c=", "form", {"a": ["1", "2"], "b": "x y", "c": ""}),
    ("application/x-ndjson", '{"a":1}\n\n{"a":2}\n', "lines", [{"a": 1}, {"a": 2}]),
    ("application/json-seq", '\x1e{"a":\n1}\n\x1e2\n', "lines", [{"a": 1}, 2]),
    ("application/jsonl", '1\nbad line\n"x"', "lines", [1, "bad line", "x"]),
    (
        "text/event-stream",
        'data: {"a":1}\n\n: c\n\ndata: two\ndata: lines\n\n',
        "events",
        [{"a": 1}, "two\nlines"],
    ),
    ("application/xml", "<a x='1'><b>t</b><b/></a>", "xml", {"a": {"@x": "1", "b": ["t", None]}}),
    ("text/xml; charset=iso-8859-1", b"<n:a xmlns:n='u'>caf\xe9</n:a>", "xml", {"a": "café"}),
    ("application/atom+xml", "<f><e>1</e>tail</f>", "xml", {"f": {"e": "1", "#text": "tail"}}),
    ("application/xml", '{"a": 1}', "json", {"a": 1}),
]


@pytest.mark.parametrize(("media", "body", "kind", "value"), TABLE, ids=range(len(TABLE)))
def test_bodies_become_values(media, body, kind, value):
    parsed = parse_body(answer(media, body), None)
    assert (parsed.kind, parsed.value) == (kind, value)


LIES = [
    ("application/json", "<html><body>Gateway</body></html>", "application/json"),
    ("application/json", "[" * 200_000, "nested too deeply"),
    ("application/json", '{"a": ' + "9" * 5000 + "}", "application/json"),
    ("application/xml", "<a><b></a>", "not well-formed"),
    ("application/xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares entities"),
    ("application/xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "entities"),
    ("application/xml", "<a>" * 150 + "</a>" * 150, "nested deeper"),
    ("multipart/form-data", "no boundary", "boundary"),
    ("multipart/mixed; boundary=zz", "nothing of it", "no part"),
    ("application/x-www-form-urlencoded", "&".join("a=1" for _ in range(10_001)), "form"),
]


@pytest.mark.parametrize(("media", "body", "says"), LIES, ids=range(len(LIES)))
def test_what_cannot_be_read_is_text_with_a_note(media, body, says):
    parsed = parse_body(answer(media, body), None)
    assert parsed.kind == "text"
    assert parsed.value == body
    assert says in parsed.note
    assert len(parsed.note) < 300


def test_an_entity_bomb_costs_nothing():
    bomb = '<!DOCTYPE l [<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    with pytest.raises(XMLProblem, match="entities"):
        read_xml((bomb + "]><l>&j;</l>").encode())
    with pytest.raises(XMLProblem, match="elements"):
        read_xml(b"<a>" + b"<b/>" * 200_001 + b"</a>")


def test_parts_of_a_body_are_read_each_by_its_type():
    store = ArtifactStore()
    parsed = parse_body(answer('multipart/form-data; boundary="b"', MULTIPART), store)
    first, second = parsed.value
    assert first == {"name": "meta", "media_type": "application/json", "value": {"a": 1}}
    assert (second["value"].name, second["value"].media_type) == ("x.bin", "image/x-thing")
    assert store.get(second["value"]) == b"\x00\x01--b\x02"


NAMES = [
    ('attachment; filename="report.pdf"', "report.pdf"),
    ('attachment; filename="../../etc/passwd"', "passwd"),
    (r'attachment; filename="C:\\temp\\a.txt"', "a.txt"),
    ("attachment; filename=plain name.txt; size=3", "plain name.txt"),
    ("attachment; filename=\"old.txt\"; filename*=UTF-8''caf%C3%A9%0d%0a.txt", "café.txt"),
    ('attachment; filename=""', "get.pdf"),
    ('attachment; filename=".."', "get.pdf"),
    ('attachment; filename="CON.txt"', "get.pdf"),
    ('attachment; filename="a\x00b\u202e.txt"', "ab.txt"),
    ("", "get.pdf"),
    ('inline; filename="' + "x" * 300 + '.html"', "x" * 108 + ".html"),
]


@pytest.mark.parametrize(("header", "name"), NAMES, ids=range(len(NAMES)))
def test_files_have_safe_names(header, name):
    assert file_name(header, "application/pdf", "get") == name


def test_bytes_become_an_artifact_or_are_told():
    store = ArtifactStore()
    response = answer("application/pdf", b"%PDF\x00", content_disposition='attachment; filename="/a/b.pdf"')
    assert parse_body(response, store).value.name == "b.pdf"
    assert parse_body(response, None).value == {"media_type": "application/pdf", "bytes": 5, "name": "b.pdf"}
    download = answer("application/octet-stream", "[1]", content_disposition="attachment; filename=a.json")
    assert parse_body(download, store).value.name == "a.json"


def test_events_keep_their_names_and_end_where_they_say():
    text = "event: delta\nid: 7\ndata: 1\n\ndata: [DONE]\n\ndata: after\n\n"
    assert read_pieces(text, events=True) == [{"event": "delta", "id": "7", "data": 1}]
    assert read_pieces("data: a\r\ndata: b\r\rdata: unfinished", events=True) == ["a\nb", "unfinished"]
    assert read_pieces("x" * 100, events=True) == []


@pytest.mark.parametrize("seed", range(30))
def test_no_body_raises(seed):
    import random

    chance = random.Random(seed)
    media = chance.choice([row[0] for row in TABLE + LIES] + ["multipart/mixed; boundary=b", "image/png"])
    body = bytearray(
        chance.choice([row[1].encode() if isinstance(row[1], str) else row[1] for row in TABLE] + [MULTIPART])
    )
    for _ in range(chance.randrange(1, 9)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    parsed = parse_body(answer(media, bytes(body)), ArtifactStore())
    json.dumps(parsed.value, default=str)
