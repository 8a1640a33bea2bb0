"""Golden vectors for bodies: every media type, written down from the specification."""

import asyncio
import base64
import importlib.util
import json
import sys
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest
import yaml

from toolhaft.openapi.source import OpenAPISource

pytestmark = pytest.mark.slow  # a hundred documents
FOLDER = Path(__file__).parent
if "openapi_roundtrip" not in sys.modules:
    SPEC = importlib.util.spec_from_file_location(
        "openapi_roundtrip",
        FOLDER / "roundtrip" / "__init__.py",
        submodule_search_locations=[str(FOLDER / "roundtrip")],
    )
    sys.modules["openapi_roundtrip"] = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(sys.modules["openapi_roundtrip"])
from openapi_roundtrip.bodies import split_parts  # noqa: E402
from openapi_roundtrip.calls import Names  # noqa: E402
from openapi_roundtrip.generating import ABSENT, Given  # noqa: E402

BODIES = yaml.safe_load((FOLDER / "wire_suite" / "bodies.yaml").read_text(encoding="utf-8"))
MEDIA = {
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "xml": "application/xml",
}


def cases(group):
    return [pytest.param(case, id=f"{group}-{case['id']}") for case in BODIES[group]]


def bytes_in(value):
    """Bytes stand in the tables as base64, with a file name where the case needs one."""
    if isinstance(value, dict):
        if "$base64" in value and len(value) == 1:
            return base64.b64decode(value["$base64"])
        if "$base64" in value:
            return {"base64": value["$base64"], "filename": value["filename"]}
        return {name: bytes_in(item) for name, item in value.items()}
    return [bytes_in(item) for item in value] if isinstance(value, list) else value


def request_of(case, media):
    node = {key: case[key] for key in ("schema", "encoding") if key in case}
    if "item_schema" in case:
        node["itemSchema"] = case["item_schema"]
    components = {"schemas": dict(case.get("schemas", {}))}
    if "component" in case:
        components["schemas"][case["component"]] = case["schema"]
        node["schema"] = {"$ref": f"#/components/schemas/{case['component']}"}
    body = {"content": {media: node}, "required": case.get("required", False)}
    document = {
        "openapi": case.get("version", "3.1.1"),
        "info": {"title": "suite", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/s": {"post": {"operationId": "op", "requestBody": body, "responses": {}}}},
        "components": components,
    }
    catalog = asyncio.run(OpenAPISource().load(document))
    tool = catalog["op"]
    given = Given({}, bytes_in(case["given"]) if "given" in case else ABSENT)
    arguments, unknown = Names(tool).arguments(given, tool.spec.parameters)
    assert not unknown
    return tool.request(arguments)


def content_type(request):
    return next((value for name, value in request.headers if name.lower() == "content-type"), None)


@pytest.mark.parametrize("case", [*cases("json"), *cases("text"), *cases("bytes"), *cases("lines")])
def test_one_value(case):
    request = request_of(case, case["media"])
    if case.get("nothing"):
        assert (request.body, content_type(request)) == (None, None)
        return
    wanted = case.get("type", case["media"])
    assert content_type(request).replace(" ", "").startswith(wanted.replace(" ", ""))
    if "json" in case:
        found = json.loads(request.body)
        assert found == case["json"]
        assert json.dumps(found, sort_keys=True) == json.dumps(case["json"], sort_keys=True)
    elif "text" in case:
        assert request.body == case["text"].encode()
    else:
        assert request.body == base64.b64decode(case["base64"])


@pytest.mark.parametrize("case", cases("form"))
def test_forms(case):
    request = request_of(case, MEDIA["form"])
    if case.get("nothing"):
        assert (request.body, content_type(request)) == (None, None)
        return
    assert content_type(request) == MEDIA["form"]
    assert request.body.decode() in case["form"]


@pytest.mark.parametrize("case", cases("multipart"))
def test_parts(case):
    request = request_of(case, MEDIA["multipart"])
    assert content_type(request).startswith("multipart/form-data; boundary=")
    parts = split_parts(content_type(request), request.body)
    assert [part.name for part in parts] == [wanted["name"] for wanted in case["parts"]]
    for part, wanted in zip(parts, case["parts"], strict=True):
        assert part.headers["content-disposition"].startswith("form-data; ")
        if "json" in wanted:
            assert json.loads(part.content) == wanted["json"]
        elif "text" in wanted:
            assert part.content == wanted["text"].encode()
        else:
            assert part.content == base64.b64decode(wanted["base64"])
        if "type" in wanted:
            assert part.media in wanted["type"]
        if wanted.get("file"):
            assert part.filename
        elif "filename" in wanted:
            assert part.filename == wanted["filename"]
        else:
            assert part.filename is None


@pytest.mark.parametrize("case", cases("xml"))
def test_xml(case):
    request = request_of(case, MEDIA["xml"])
    assert content_type(request).startswith("application/xml")
    assert canonicalize(request.body.decode()) == canonicalize(case["xml"])


SEVERAL = {
    "application/json": b'{"a":1,"b":"x y"}',
    "application/x-www-form-urlencoded": b"a=1&b=x+y",
    "application/xml": b"<Thing><a>1</a><b>x y</b></Thing>",
    "application/vnd.acme+json": b'{"a":1,"b":"x y"}',
}


@pytest.mark.parametrize("media", list(SEVERAL))
def test_the_caller_chooses_among_content_types(media):
    thing = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    content = {name: {"schema": {"$ref": "#/components/schemas/Thing"}} for name in SEVERAL}
    document = {
        "openapi": "3.1.1",
        "info": {"title": "suite", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/s": {"post": {"operationId": "op", "requestBody": {"content": content}}}},
        "components": {"schemas": {"Thing": thing}},
    }
    tool = asyncio.run(OpenAPISource().load(document))["op"]
    assert tool.media_types[0] == "application/json"
    assert set(tool.media_types) == set(SEVERAL)
    request = tool.request({"a": 1, "b": "x y"}, media_type=media)
    assert content_type(request) == media
    assert request.body == SEVERAL[media]
