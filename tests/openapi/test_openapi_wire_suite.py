"""Golden vectors for parameters: exact bytes, written down from the specification's style table."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from toolhaft.errors import ToolhaftError
from toolhaft.openapi.source import OpenAPISource

pytestmark = pytest.mark.slow  # three hundred documents
FOLDER = Path(__file__).parent
BASE = "https://api.example.com"


def load_roundtrip():
    """The independent reader, which is no package of the test suite."""
    if "openapi_roundtrip" not in sys.modules:
        folder = FOLDER / "roundtrip"
        spec = importlib.util.spec_from_file_location(
            "openapi_roundtrip", folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules["openapi_roundtrip"] = module
        spec.loader.exec_module(module)
    return sys.modules["openapi_roundtrip"]


load_roundtrip()
from openapi_roundtrip.calls import Names  # noqa: E402
from openapi_roundtrip.generating import ABSENT, Given  # noqa: E402


def table(name):
    return yaml.safe_load((FOLDER / "wire_suite" / f"{name}.yaml").read_text(encoding="utf-8"))


STYLES = table("styles")
OPERATIONS = table("operations")
"""Operations with everything that they need."""


def schema_of(value):
    """The schema of a value's own type."""
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[0]) if value else {"type": "string"}}
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: schema_of(item) for name, item in value.items()}}
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {"type": names.get(type(value), "string")}


def document_of(path, method, operation, *, version="3.1.1", item=None, **root):
    node = {"operationId": "op", "responses": {"200": {"description": "ok"}}, **operation}
    standard = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
    methods = {method: node} if method in standard else {"additionalOperations": {method: node}}
    return {
        "openapi": version,
        "info": {"title": "suite", "version": "1"},
        "servers": [{"url": BASE}],
        "paths": {path: {**(item or {}), **methods}},
        **root,
    }


def request_of(document, given, body=ABSENT):
    """The request that the tool makes of arguments by place and wire name."""
    catalog = asyncio.run(OpenAPISource().load(document))
    tool = catalog["op"]
    fields = {(place, name): value for place, values in given.items() for name, value in values.items()}
    arguments, unknown = Names(tool).arguments(Given(fields, body), tool.spec.parameters)
    assert not unknown
    return tool.request(arguments)


def header(request, name):
    return next((value for key, value in request.headers if key.lower() == name), None)


def target(request):
    """Path and query, as they are sent."""
    assert request.url.startswith(BASE)
    return request.url.removeprefix(BASE)


def style_rows():
    for place in ("path", "query", "reserved", "header", "cookie", "cookie_3_2"):
        for number, row in enumerate(STYLES[place]):
            yield pytest.param(place, *row, id=f"{place}-{row[0]}-{number}")


def one_parameter(place, value, *, name="color", version="3.1.1", **said):
    parameter = {"name": name, "in": place, "schema": schema_of(value), **said}
    if place == "path":
        parameter["required"] = True
    path = f"/s/{{{name}}}" if place == "path" else "/s"
    return document_of(path, "get", {"parameters": [parameter]}, version=version)


def sent(place, request):
    """What a request carries in one place; None for nothing."""
    path, mark, query = target(request).partition("?")
    if place == "path":
        return path.removeprefix("/s/")
    if place == "query":
        return query if mark else None
    return header(request, "color" if place == "header" else "cookie")


@pytest.mark.parametrize(("table", "style", "explode", "value", "expected"), list(style_rows()))
def test_every_cell_of_the_style_table(table, style, explode, value, expected):
    place = {"reserved": "query", "cookie_3_2": "cookie"}.get(table, table)
    said = {"style": style, "explode": explode, **({"allowReserved": True} if table == "reserved" else {})}
    version = "3.2.0" if table == "cookie_3_2" else "3.1.1"
    request = request_of(one_parameter(place, value, version=version, **said), {place: {"color": value}})
    allowed = expected if isinstance(expected, list) else [expected]
    assert sent(place, request) in allowed


@pytest.mark.parametrize(("place", "value", "expected"), STYLES["defaults"])
def test_styles_that_are_not_said(place, value, expected):
    request = request_of(one_parameter(place, value), {place: {"color": value}})
    assert sent(place, request) == expected


@pytest.mark.parametrize(("version", "value", "allowed"), STYLES["old_labels"])
def test_labels_of_every_version(version, value, allowed):
    document = one_parameter("path", value, version=version, style="label", explode=False)
    assert sent("path", request_of(document, {"path": {"color": value}})) in allowed


@pytest.mark.parametrize(("place", "delimited", "value", "expected"), STYLES["swagger"])
def test_collection_formats(place, delimited, value, expected):
    parameter = {"name": "color", "in": place, **schema_of(value)}
    if delimited:
        parameter["collectionFormat"] = delimited
    if place == "path":
        parameter["required"] = True
    path = "/s/{color}" if place == "path" else "/s"
    document = {
        "swagger": "2.0",
        "info": {"title": "suite", "version": "1"},
        "host": "api.example.com",
        "schemes": ["https"],
        "paths": {path: {"get": {"operationId": "op", "parameters": [parameter], "responses": {}}}},
    }
    request = request_of(document, {place: {"color": value}})
    assert sent(place, request) in (expected if isinstance(expected, list) else [expected])


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in OPERATIONS])
def test_whole_operations(case):
    operation = {"parameters": case.get("parameters", [])}
    if "body" in case:
        operation["requestBody"] = {"content": case["body"], "required": True}
    document = document_of(
        case.get("path", "/s"),
        case.get("method", "get"),
        operation,
        version=case.get("version", "3.1.1"),
        item={"parameters": case.get("shared", [])},
    )
    given = dict(case["given"])
    body = given.pop("body", ABSENT)
    try:
        request = request_of(document, given, body)
    except ToolhaftError:
        assert case.get("refused"), "refused"
        return
    assert not case.get("refused") or {"url", "headers"} & set(case), "not refused"
    compare(case, request)


def compare(case, request):
    import json

    if "url" in case:
        assert target(request) in case["url"]
    for name, value in case.get("headers", {}).items():
        assert header(request, name) == value
    for name in case.get("absent", []):
        assert header(request, name) is None
    assert request.method == case.get("sent_method", case.get("method", "get").upper())
    if "json" in case:
        assert json.loads(request.body) == case["json"]
    elif "body" not in case:
        assert request.body is None


def test_there_are_enough_vectors():
    rows = sum(len(rows) for rows in STYLES.values())
    bodies = sum(len(rows) for rows in table("bodies").values())
    others = sum(len(rows) for rows in table("servers").values())
    assert rows + len(OPERATIONS) + bodies + others >= 250
