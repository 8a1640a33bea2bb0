"""From servers and secrets to the calls of a source's tools."""

import json

import pytest

from toolhaft.errors import ConfigError, InvalidArgumentsError, SpecError, UnknownNameError, UsageError
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.source import OpenAPISource
from toolhaft.tools.artifact_places import takes_artifacts


def parameter(name, place="query", schema=None, **more):
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "schema": schema or {"type": "string"}, **required, **more}


def json_body(schema, required=True):
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def test_servers_by_level_with_variables(imported, document):
    paths = {
        "/root": {"get": {"operationId": "root"}},
        "/path": {
            "servers": [{"url": "https://path.example.com/p/"}],
            "get": {"operationId": "path"},
            "post": {"operationId": "op", "servers": [{"url": "https://op.example.com:8443"}]},
        },
        "/rel": {"get": {"operationId": "rel", "servers": [{"url": "../up/"}]}},
    }
    servers = [
        {
            "url": "https://{region}.example.com/{v}/",
            "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "v": {"default": 2}},
        }
    ]
    value = document(paths=paths, servers=servers)
    found = imported(value, server_variables={"region": "us"})
    urls = {name: build_request(found.build(name)[1], {}).url for name in ("root", "path", "op")}
    assert urls == {
        "root": "https://us.example.com/2/root",
        "path": "https://path.example.com/p/path",
        "op": "https://op.example.com:8443/path",
    }
    with pytest.raises(ConfigError, match="relative"):
        build_request(found.build("rel")[1], {})
    with pytest.raises(UsageError, match="cannot be 'mars'"):
        imported(value, server_variables={"region": "mars"})
    local = imported(value, server="http://127.0.0.1:8000/base/")
    assert build_request(local.build("op")[1], {}).url == "http://127.0.0.1:8000/base/path"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc",
        "ftp://x",
        "https://{v}.example.com",
        "https://a b",
        "https://x\r\ny",
    ],
)
def test_a_server_that_cannot_be_used_is_an_error_only_when_called(imported, document, url):
    found = imported(document(servers=[{"url": url}]))
    assert found.report.imported == 1
    spec, wire = found.build("thing")
    assert spec.hosts == ()
    assert found.report.warnings
    with pytest.raises(ConfigError, match="server"):
        build_request(wire, {})


def test_user_and_password_in_a_server_are_dropped(built, document):
    _, wire = built(document(servers=[{"url": "https://user:secret@api.example.com/v1"}]))
    assert wire.server == "https://api.example.com/v1"


SCHEMES = {
    "securitySchemes": {
        "query": {"type": "apiKey", "in": "query", "name": "api_key"},
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "Bearer"},
        "oauth": {"type": "oauth2", "flows": {}},
        "digest": {"type": "http", "scheme": "digest"},
    }
}


async def credentials(value, auth, **options):
    catalog = await OpenAPISource(auth=auth, **options).load(value)
    return [(c.place, c.name, c.prefix, str(c.secret), c.origins) for c in catalog["thing"].credentials()]


ORIGIN = ("https://api.example.com:443",)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("security", "auth", "sent"),
    [
        ([{"query": []}], {"query": "env:K"}, [("query", "api_key", "", "env:K")]),
        ([{"header": []}], {"x-key": "env:K"}, [("header", "X-Key", "", "env:K")]),
        ([{"cookie": []}], {"cookie": "env:K"}, [("cookie", "sid", "", "env:K")]),
        ([{"bearer": []}], {"bearer": "env:K"}, [("header", "Authorization", "Bearer ", "env:K")]),
        ([{"oauth": ["read"]}], {"oauth": "env:K"}, [("header", "Authorization", "Bearer ", "env:K")]),
        ([{"basic": []}], {"basic": "env:K"}, [("header", "Authorization", "Basic ", "env:K")]),
        (
            [{"basic": []}],
            {"basic.username": "me", "basic.password": "env:P"},
            [("header", "Authorization", "Basic ", "env:P")],
        ),
        ([{"header": [], "cookie": []}], {"header": "env:K"}, []),
        (
            [{"header": [], "cookie": []}],
            {"header": "env:K", "cookie": "env:C"},
            [("header", "X-Key", "", "env:K"), ("cookie", "sid", "", "env:C")],
        ),
        (
            [{"query": []}, {"bearer": []}],
            {"bearer": "env:K"},
            [("header", "Authorization", "Bearer ", "env:K")],
        ),
        ([{}, {"header": []}], {"header": "env:K"}, [("header", "X-Key", "", "env:K")]),
        ([{}, {"header": []}], {}, []),
        ([], {"header": "env:K"}, []),
        (None, {"bearer": "env:K"}, [("header", "Authorization", "Bearer ", "env:K")]),
    ],
)
async def test_security_is_an_or_of_ands(document, security, auth, sent):
    operation = {} if security is None else {"security": security}
    value = document(operation, components=SCHEMES, security=[{"bearer": []}])
    assert await credentials(value, auth) == [(*entry, ORIGIN) for entry in sent]


@pytest.mark.anyio
async def test_secrets_go_to_the_documents_own_servers_alone(document):
    operation = {"security": [{"header": []}], "servers": [{"url": "https://elsewhere.example.net"}]}
    value = document(operation, components=SCHEMES)
    assert await credentials(value, {"header": "env:K"}) == []
    named = await credentials(value, {"header": "env:K"}, allow_hosts=["elsewhere.example.net"])
    assert named[0][-1] == ("https://elsewhere.example.net:443",)


@pytest.mark.anyio
async def test_a_parameter_that_auth_fills_is_no_argument(document):
    value = document({"parameters": [parameter("appid"), parameter("q")]})
    catalog = await OpenAPISource(auth={"appid": "env:K"}).load(value)
    assert list(catalog.spec("thing").properties) == ["q"]
    assert await credentials(value, {"appid": "env:K"}) == [("query", "appid", "", "env:K", ORIGIN)]


@pytest.mark.anyio
async def test_a_misspelt_scheme_is_told(document):
    with pytest.raises(UnknownNameError, match="'header'"):
        await OpenAPISource(auth={"haeder": "env:K"}).load(document(components=SCHEMES))
    with pytest.raises(ConfigError, match="by reference") as raised:
        OpenAPISource(auth={"header": "sk-live-123456"})
    assert "sk-live" not in str(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize("paths", [{}, None, {"/a": {"get": "x"}}, {"x-ext": {}}])
async def test_no_tools_at_all_is_an_error(document, paths):
    value = document()
    value["paths"] = paths
    with pytest.raises(SpecError, match="operations"):
        await OpenAPISource().load(value)


@pytest.mark.anyio
async def test_nothing_is_built_before_it_is_used(document, monkeypatch):
    calls = []
    from toolhaft.openapi import importing

    original = importing.build
    monkeypatch.setattr(importing, "build", lambda *a: calls.append(a[1]) or original(*a))
    catalog = await OpenAPISource().load(document(paths={f"/p{n}": {"get": {}} for n in range(50)}))
    assert len(catalog) == 50
    assert calls == []
    catalog.spec("get_p7")
    assert calls == ["get_p7"]


@pytest.mark.anyio
async def test_a_catalog_file_brings_the_same_tool_back(document, tmp_path):
    operation = {
        "parameters": [parameter("q", style="pipeDelimited", explode=False, schema={"type": "array"})],
        "requestBody": json_body({"type": "object", "properties": {"a": {}}}),
    }
    catalog = await OpenAPISource(auth={"bearer": "env:K"}).load(
        document(operation, method="post", components=SCHEMES, security=[{"bearer": []}])
    )
    tool = catalog["thing"]
    kept = json.loads(json.dumps(tool.binding()))
    assert "env:K" not in json.dumps(kept)
    again = OpenAPISource(auth={"bearer": "env:K"}).bind(tool.spec, kept)
    arguments = {"q": ["a|b", "c"], "a": 1}
    assert again.request(arguments) == tool.request(arguments)
    assert tool.request(arguments).url.endswith("?q=a%7Cb%7Cc")
    assert again.credentials() == tool.credentials()


@pytest.mark.parametrize("value", ["..", ".", "", None])
def test_a_path_argument_never_reaches_another_path(built, document, value):
    _, wire = built(document({"parameters": [parameter("id", "path")]}, path="/t/{id}/x"))
    with pytest.raises(InvalidArgumentsError):
        build_request(wire, {"id": value})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "caf\u00e9", "\x00"])
def test_a_header_argument_is_one_line_of_ascii(built, document, value):
    _, wire = built(document({"parameters": [parameter("X-A", "header")]}))
    with pytest.raises(InvalidArgumentsError, match="header"):
        build_request(wire, {"X-A": value})


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
def test_what_cannot_be_written_is_an_argument_error(built, document, value):
    _, wire = built(
        document({"requestBody": json_body({"type": "object", "properties": {"a": {}}})}, method="post")
    )
    with pytest.raises(InvalidArgumentsError):
        build_request(wire, {"a": value})


def test_the_import_is_deterministic(imported, document):
    paths = {f"/p/{n}/{{id}}": {"get": {"operationId": "same"}, "post": {}} for n in range(6)}
    one, two = imported(document(paths=paths)), imported(document(paths=paths))
    assert list(one.plans) == list(two.plans)
    for name in one.plans:
        assert one.build(name) == two.build(name)


def test_a_document_asks_for_no_image_of_the_rollout(built, document):
    schema = {"type": "string", "format": "artifact", "description": "Of a build."}
    spec, _ = built(document({"parameters": [parameter("id", schema=schema)]}))
    assert spec.parameters["properties"]["id"] == {"type": "string", "description": "Of a build."}
    assert not takes_artifacts(spec.parameters)
