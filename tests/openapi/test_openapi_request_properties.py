"""Whatever a model gives becomes a request or one clear error, and nothing leaves its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.requests.request import RequestBuilder

pytestmark = pytest.mark.slow

STYLES = {
    "path": ["simple", "label", "matrix"],
    "query": ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
    "header": ["simple"],
    "cookie": ["form", "cookie"],
}
PARAMETERS = [
    {"name": f"{place}-{style}-{explode}", "in": place, "style": style, "explode": explode, "schema": {}}
    for place, listed in STYLES.items()
    for style in listed
    for explode in (True, False)
]
MEDIA = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/mixed",
    "application/xml",
    "text/plain",
    "application/octet-stream",
    "application/x-ndjson",
    "application/json-seq",
    "text/event-stream",
]
SCHEMAS = [{}, {"type": "object", "properties": {"a": {"type": "string", "format": "binary"}, "b": {}}}]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(codec=None), max_size=12),
        st.sampled_from(["..", "/", "%2F", "\r\nX: 1", "a;b", "", "\ud800", 10**400]),
        st.fixed_dictionaries({"base64": st.text(max_size=8)}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def builder(operation, path="/s", version="3.2.0"):
    document = {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {path: {"post": {"operationId": "one", "responses": {}, **operation}}},
    }
    _, wire = import_document(read_value(document), ImportOptions()).build("one")
    return RequestBuilder(wire), wire


PLACED = {
    one["name"]: builder({"parameters": [one]}, f"/s/{{{one['name']}}}/t" if one["in"] == "path" else "/s")
    for one in PARAMETERS
}
BODIES = {
    f"{media} {n}": builder({"requestBody": {"required": True, "content": {media: {"schema": schema}}}})
    for media in MEDIA
    for n, schema in enumerate(SCHEMAS)
}


@pytest.mark.parametrize("name", PLACED)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(value=VALUES)
def test_a_value_stays_in_its_place(name, value):
    made, wire = PLACED[name]
    try:
        request = made.build({wire.parameters[0].key: value})
    except InvalidArgumentsError:
        return
    assert request.url.isascii()
    assert request.url.isprintable()
    assert " " not in request.url
    assert "#" not in request.url
    path, _, query = request.url.removeprefix("https://api.example.com/v1/").partition("?")
    parts = path.split("/")
    assert len(parts) == (3 if name.startswith("path") else 1)
    assert not {"", ".", ".."} & {*parts}
    assert not (query and not name.startswith("query"))
    for _, text in request.headers:
        assert text.replace("\t", " ").isprintable()
        assert text.isascii()
    assert len(request.headers) <= 2


@pytest.mark.parametrize("name", [*PLACED, *BODIES])
@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"a": one}])
def test_a_number_of_more_digits_than_python_writes_is_an_error(name, wrap):
    made, wire = {**PLACED, **BODIES}[name]
    key = wire.parameters[0].key if wire.parameters else wire.body.key or "a"
    with pytest.raises(InvalidArgumentsError):
        made.build({key: wrap(10**5000)})


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(value=VALUES, other=VALUES)
def test_a_body_is_bytes_or_an_error(name, value, other):
    made, wire = BODIES[name]
    arguments = {wire.body.key: value} if wire.body.key else {"a": value, "b": other}
    try:
        request = made.build(arguments)
    except InvalidArgumentsError:
        return
    assert isinstance(request.body, bytes)
    assert request == made.build(arguments)
