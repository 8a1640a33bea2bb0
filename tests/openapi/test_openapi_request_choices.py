"""What a caller chooses about requests, and what a catalog file keeps of them."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from toolhaft.errors import InvalidArgumentsError, UsageError
from toolhaft.openapi.options import CallOptions
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.requests.wire import Wire, WireBody, wire_value
from toolhaft.openapi.source import OpenAPISource
from toolhaft.types import from_value, to_value

ROOT = Path(__file__).resolve().parent.parent.parent
SERVERS = [
    {"url": "https://api.example.com/v1", "description": "Production"},
    {"url": "https://sandbox.example.com/v1", "description": "For tests", "name": "trial"},
    {"url": "https://{region}.example.com", "variables": {"region": {"enum": ["eu", "us"]}}},
    {"url": "https://{r}.example.com", "variables": {"r": {"default": "mars", "enum": ["eu"]}}},
]
CHOICES = [
    (None, "https://api.example.com/v1"),
    (1, "https://sandbox.example.com/v1"),
    ("1", "https://sandbox.example.com/v1"),
    ("trial", "https://sandbox.example.com/v1"),
    ("for tests", "https://sandbox.example.com/v1"),
    ("sandbox", "https://sandbox.example.com/v1"),
    ("PRODUCTION", "https://api.example.com/v1"),
    (2, "https://eu.example.com"),
    ("https://other.example.com/x/", "https://other.example.com/x"),
]


@pytest.mark.parametrize(("server", "url"), CHOICES)
def test_a_server_is_chosen_by_place_name_word_or_url(built, document, server, url):
    _, wire = built(document(servers=SERVERS), server=server)
    assert wire.server == url


@pytest.mark.parametrize("server", [9, "staging", "ftp://x.example"])
def test_a_server_that_is_not_there_is_an_error(imported, document, server):
    with pytest.raises(UsageError, match="server"):
        imported(document(servers=SERVERS), server=server)


def test_a_server_of_an_operation_stays_unless_it_has_the_one_that_was_chosen(built, document):
    own = [{"url": "https://upload.example.com"}, {"url": "https://sandbox-upload.example.com"}]
    _, wire = built(document({"servers": own}, servers=SERVERS), server="sandbox")
    assert wire.server == "https://sandbox-upload.example.com"
    _, wire = built(document({"servers": own}, servers=SERVERS), server="trial")
    assert wire.server == "https://upload.example.com"


def test_an_odd_default_of_a_server_is_told(imported, document):
    report = imported(document(servers=SERVERS), server=3).report
    assert [(p.code, p.pointer) for p in report.problems] == [("server-variable", "/servers/3/variables/r")]


BOTH = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
            for media in ("application/json", "application/xml")
        },
    }
}


@pytest.mark.anyio
async def test_the_media_type_of_a_call(document):
    value = document(BOTH, method="post")
    catalog = await OpenAPISource().load(value)
    tool = catalog["thing"]
    assert tool.media_types == ("application/json", "application/xml")
    assert tool.request({"a": "x"}).body == b'{"a":"x"}'
    assert tool.request({"a": "x"}, media_type="application/xml").body == b"<root><a>x</a></root>"
    tool.options = CallOptions(media_types=("text/csv", "application/xml"))
    assert tool.request({"a": "x"}).body == b"<root><a>x</a></root>"
    assert tool.request({"a": "x"}, media_type="application/json").body == b'{"a":"x"}'
    preferring = await OpenAPISource(media_types=["application/xml"]).load(value)
    assert preferring["thing"].media_types == ("application/xml", "application/json")


@pytest.mark.anyio
async def test_names_on_the_wire_lead_to_arguments(document):
    parameters = [
        {"name": "filter[x]", "in": "query", "schema": {}},
        {"name": "X-A", "in": "header", "schema": {}},
    ]
    catalog = await OpenAPISource().load(document({**BOTH, "parameters": parameters}, method="post"))
    assert catalog["thing"].argument_names == {
        ("query", "filter[x]"): "filter_x",
        ("header", "X-A"): "X-A",
        ("body", "a"): "a",
    }


@pytest.mark.anyio
async def test_a_binding_leaves_out_what_is_as_usual_and_comes_back_whole(document):
    schema = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/T"}, "f": {}}}
    components = {"schemas": {"T": {"type": "array", "items": {"type": "string"}, "xml": {"wrapped": True}}}}
    for media in ("application/xml", "multipart/form-data", "application/json"):
        operation = {"requestBody": {"content": {media: {"schema": schema}}}}
        catalog = await OpenAPISource().load(document(operation, method="post", components=components))
        tool = catalog["thing"]
        kept = json.loads(json.dumps(tool.binding()))
        assert from_value(Wire, kept["wire"]) == tool.wire
        assert len(json.dumps(kept)) < len(json.dumps(to_value(tool.wire)))
        again = OpenAPISource().bind(tool.spec, kept)
        assert again.request({"a": ["x"]}) == tool.request({"a": ["x"]})


def test_a_file_that_an_older_catalog_takes_as_base64_still_is_one():
    body = {"media_type": "application/octet-stream", "form": "bytes", "required": True, "key": "body"}
    wire = from_value(Wire, {"method": "PUT", "server": "https://a.example", "path": "/f", "body": body})
    assert build_request(wire, {"body": "AAE="}).body == b"\0\1"
    with pytest.raises(InvalidArgumentsError, match="base64"):
        build_request(wire, {"body": "%"})
    assert from_value(Wire, wire_value(wire)) == wire
    assert isinstance(wire.body, WireBody)


def test_what_is_measured_gives_the_bytes_that_are_written_by_hand():
    path = ROOT / "benchmarks" / "openapi_request.py"
    spec = importlib.util.spec_from_file_location("benchmark_openapi_request", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    kinds = module.kinds()
    assert len(kinds) == 4
    for kind in kinds:
        module.check(kind)
