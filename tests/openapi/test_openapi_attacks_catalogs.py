"""Catalog files, locks and curations that would fetch, hide a change, or pass one tool off as another."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from toolhaft import open_catalog
from toolhaft.curation.changing import change
from toolhaft.curation.rules import ArgumentChange, Changes
from toolhaft.errors import FormatError, InvalidArgumentsError, UsageError
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.requests.wire import Wire, WireBody, WireField, WireParameter, wire_value
from toolhaft.openapi.source import check_binding
from toolhaft.tools.catalog_hash import hash_tool
from toolhaft.tools.profiles.acceptance import accepts
from toolhaft.types import ToolSpec


@pytest.fixture
def listener():
    """A port on loopback, and whether anyone has come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def came() -> bool:
            try:
                server.accept()[0].close()
            except TimeoutError:
                return False
            return True

        yield f"http://127.0.0.1:{server.getsockname()[1]}/schema", came


@pytest.mark.parametrize("keyword", ["$ref", "$schema", "$dynamicRef"])
@pytest.mark.parametrize("where", ["top", "argument", "named"])
def test_no_schema_of_a_file_is_fetched(listener, keyword, where):
    url, came = listener
    argument = {"argument": {keyword: url}, "named": {keyword: url, "$id": "urn:x"}, "top": {}}[where]
    top = {keyword: url} if where == "top" else {}
    spec = ToolSpec(name="pets", parameters={**top, "type": "object", "properties": {"q": argument}})
    change(spec, Changes(arguments={"q": ArgumentChange(default=5, choices=(1, 2), fix=None)}))
    change(spec, Changes(arguments={"q": ArgumentChange(fix=5)}))
    accepts(spec.parameters, "openai")
    assert not came()


WIRE = Wire(
    method="POST",
    server="https://api.example.com",
    path="/pets",
    parameters=(WireParameter(key="q", name="q", place="query", style="form", explode=True),),
    body=WireBody(media_type="multipart/form-data", form="multipart", fields=(WireField(key="a", name="a"),)),
)


def changed(**fields):
    return {**wire_value(WIRE), **fields}


def with_field(**fields):
    value = wire_value(WIRE)
    value["body"]["fields"][0].update(fields)
    return value


@pytest.mark.parametrize(
    "value",
    [
        changed(trusted=False),
        changed(repeatable=True),
        changed(method="DELETE"),
        changed(path="/pets/all"),
        changed(server="https://api.example.com/v2"),
        changed(key_header="X-Key"),
        changed(secret_parameters=[["header", "X-Key"]]),
        changed(accept="text/html"),
        with_field(explode=False),
        with_field(each=False),
        with_field(file=True),
        with_field(name="b"),
    ],
    ids=str,
)
def test_every_change_of_the_wire_changes_its_hash(value):
    spec = ToolSpec(name="pets", parameters={"type": "object"})
    binding = {"kind": "openapi", "format": 1}
    before = hash_tool(spec, {**binding, "wire": wire_value(WIRE)})
    assert hash_tool(spec, {**binding, "wire": value}).whole != before.whole


def paths_wire(path, *, reserved=True):
    parameter = WireParameter(
        key="id", name="id", place="path", style="simple", explode=False, reserved=reserved
    )
    return Wire(method="GET", server="https://api.example.com", path=path, parameters=(parameter,))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/pets/{id}/toys", ".."),
        ("/pets/{id}/toys", "..;"),
        ("/pets/{id}/toys", "..;a=1"),
        ("/pets/{id}/toys", ".;x"),
        ("/pets/.{id}/toys", "."),
        ("/pets/%2e{id}/toys", "."),
        ("/pets/%2E{id}/toys", ".;"),
    ],
)
def test_no_value_leads_out_of_its_segment(path, value):
    with pytest.raises(InvalidArgumentsError):
        build_request(paths_wire(path), {"id": value})


@pytest.mark.parametrize("value", ["...", "a;b=..", ".hidden", "..a", "%2e%2e", "%2F..", "a/../b", "\\..\\"])
def test_what_stays_in_its_segment_is_sent(value):
    url = build_request(paths_wire("/pets/{id}/toys"), {"id": value}).url
    assert url.startswith("https://api.example.com/pets/")
    assert url.count("/") == 5
    assert url.endswith("/toys")


def document(*names):
    answers = {"200": {"description": "ok"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {f"/{name}": {"get": {"operationId": name, "responses": answers}} for name in names},
    }


def test_a_curation_names_no_two_tools_alike():
    rules = [{"match": "other", "rename": "Listpets"}]
    with pytest.raises(UsageError, match="nobody can tell"):
        open_catalog(document("listPets", "other"), curation={"curation": 1, "rules": rules})


def overriding(name, place="header", **schema):
    made = document("listPets")
    parameter = {"name": name, "in": place, "schema": {"type": "string", **schema}}
    made["paths"]["/listPets"]["get"]["parameters"] = [parameter]
    return made


@pytest.mark.parametrize(
    ("name", "place", "schema", "effect"),
    [
        ("X-HTTP-Method-Override", "header", {}, "write"),
        ("x-http-method-override", "header", {"enum": ["GET", "DELETE"]}, "write"),
        ("X-HTTP-Method", "header", {"default": "GET"}, "write"),
        ("_method", "query", {}, "write"),
        ("X-Original-URL", "header", {"const": "/admin"}, "write"),
        ("X-HTTP-Method-Override", "header", {"enum": ["GET"]}, "read"),
        ("X-HTTP-Method-Override", "header", {"const": "get"}, "read"),
        ("X-Method", "header", {}, "read"),
    ],
)
def test_a_read_that_may_ask_for_another_method_is_none(tmp_path, name, place, schema, effect):
    catalog = open_catalog(overriding(name, place, **schema))
    assert catalog.spec("listPets").effect == effect
    told = [problem.code for entry in catalog.report.operations for problem in entry.problems]
    assert ("effect-act" in told) is (effect == "write")
    catalog.save(tmp_path / "pets.catalog")
    assert open_catalog(tmp_path / "pets.catalog")["listPets"].wire.effect == effect


def test_a_catalog_file_calls_no_such_tool_a_read():
    tool = open_catalog(overriding("X-HTTP-Method-Override"))["listPets"]
    with pytest.raises(FormatError, match="may ask for another method"):
        check_binding(replace(tool.spec, effect="read"), replace(tool.wire, effect="read"))


@pytest.mark.parametrize(
    "changes",
    [
        {"path": ".evil.example/pets"},
        {"path": "@evil.example/pets"},
        {"path": ":8443/pets"},
        {"path": "pets"},
        {"server": "https://api.example.com?x="},
        {"server": "https://api.example.com/#"},
    ],
    ids=str,
)
def test_a_catalog_file_leads_to_no_other_host(changes):
    tool = open_catalog(document("listPets"))["listPets"]
    check_binding(tool.spec, tool.wire)
    with pytest.raises(FormatError):
        check_binding(tool.spec, replace(tool.wire, **changes))


@pytest.mark.parametrize("style", [{"a": 1}, ["form"], 7, None, True])
def test_a_style_that_is_none_harms_nothing(style):
    made = document("listPets")
    body = {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "array"},
                "encoding": {"a": {"style": style}},
            }
        }
    }
    made["paths"]["/listPets"]["post"] = {"requestBody": body, "responses": {}, "operationId": "addPet"}
    catalog = open_catalog(made)
    assert [catalog[name].wire.method for name in catalog] == ["GET", "POST"]
