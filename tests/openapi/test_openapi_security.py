"""Security schemes of documents: how they are read, chosen, kept in files, and told about when refused."""

import asyncio
import json
import threading

import pytest

from toolhaft.agent.opening import load_catalog
from toolhaft.errors import ConfigError, StatusError, UnknownNameError
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.security import SecuritySchemes
from toolhaft.openapi.source import OpenAPISource
from toolhaft.secrets import SecretStore

TOKEN_URL = "https://login.example.com/token"


def read(scheme, *, base="https://api.example.com/v1/openapi.json", served=(), wanted=None, **more):
    root = {"components": {"securitySchemes": {"s": scheme, **more}}}
    schemes = SecuritySchemes(root, Resolver(root), base=base, served=served)
    found, problems = schemes.wanted({"security": wanted or [{"s": ["a", "b"]}]}, "/paths/~1x/get")
    return (found[0][0] if found and found[0] else None), problems


def flows(**named):
    return {"type": "oauth2", "flows": named}


@pytest.mark.parametrize(
    ("scheme", "kind", "fields"),
    [
        ({"type": "apiKey", "in": "query", "name": "k"}, "apiKey", {"place": "query", "name": "k"}),
        ({"type": "apikey", "in": "header", "name": "X-K"}, "apiKey", {"place": "header"}),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, "apiKey", {"place": "cookie"}),
        ({"type": "http", "scheme": "Basic"}, "basic", {}),
        ({"type": "basic"}, "basic", {}),
        ({"type": "http", "scheme": "BEARER"}, "bearer", {"scopes": ()}),
        ({"type": "http", "scheme": "digest"}, "digest", {}),
        ({"type": "http", "scheme": "Token"}, "http", {"prefix": "Token"}),
        ({"type": "mutualTLS"}, "mutualTLS", {}),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://i.example/c"}, "openIdConnect", {}),
        (flows(clientCredentials={"tokenUrl": TOKEN_URL}), "oauth2", {"scopes": ("a", "b")}),
        ({"type": "oauth2"}, "oauth2", {"flows": ()}),
        ({"type": "oauth2", "flows": None}, "oauth2", {"flows": ()}),
        ({"type": "oauth2", "flows": {"clientCredentials": None, "x": 7}}, "oauth2", {"flows": ()}),
    ],
    ids=str,
)
def test_every_kind_is_read(scheme, kind, fields):
    use, problems = read(scheme)
    assert use.kind == kind
    assert {name: getattr(use, name) for name in fields} == fields
    assert problems == []


@pytest.mark.parametrize(
    ("scheme", "kept"),
    [
        ({"type": "dsn"}, True),
        ({"type": "http", "scheme": "two words"}, True),
        ({"type": "http"}, True),
        ({"type": "apiKey", "in": "body", "name": "k"}, True),
        ({"type": "apiKey", "in": "header", "name": "X K"}, True),
        ({"type": "apiKey", "in": "header"}, True),
        ({}, True),
        (7, True),
        ({"$ref": "#/nowhere"}, False),
        ({"$ref": "#/components/securitySchemes/s"}, False),
    ],
    ids=str,
)
def test_what_is_unknown_degrades_and_may_be_served_by_the_caller(scheme, kept):
    use, problems = read(scheme)
    assert (use is not None) == kept
    assert [problem.severity for problem in problems] == ["degraded"]
    assert "'s'" in problems[0].message
    _, served = read(scheme, served=["S"])
    assert served == [] or not kept


def test_a_scheme_may_be_named_by_its_pointer():
    more = {"a/b": {"type": "http", "scheme": "bearer"}}
    use, problems = read({"type": "mutualTLS"}, wanted=[{"#/components/securitySchemes/a~1b": []}], **more)
    assert (use.scheme, use.kind, problems) == ("a/b", "bearer", [])


def test_more_alternatives_than_anybody_reads_are_told():
    _, problems = read({"type": "mutualTLS"}, wanted=[{"s": []}] * 5000)
    assert [(problem.code, problem.severity) for problem in problems] == [("security-many", "warning")]


def test_an_alternative_that_can_be_satisfied_makes_it_a_warning():
    _, problems = read({"type": "dsn"}, key={"type": "mutualTLS"}, wanted=[{"s": []}, {"key": []}])
    assert [problem.severity for problem in problems] == ["warning"]


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        (TOKEN_URL, "https://api.example.com/v1", TOKEN_URL),
        ("/token", "https://api.example.com/v1/openapi.json", "https://api.example.com/token"),
        ("token", "https://api.example.com/v1/openapi.json", "https://api.example.com/v1/token"),
        ("//evil.example/token", "https://api.example.com/v1", "https://evil.example/token"),
        ("/token", "", ""),
        ("file:///etc/passwd", "https://api.example.com", ""),
        ("javascript://x/%0a", "https://api.example.com", ""),
        ("https://user:pw@login.example.com/token", "", ""),
        ("https://[::1", "", ""),
        (7, "", ""),
        ("x" * 5000, "https://api.example.com", ""),
    ],
    ids=str,
)
def test_addresses_are_absolute_or_nothing(url, base, expected):
    use, _ = read(flows(clientCredentials={"tokenUrl": url}), base=base)
    assert use.flows[0].token_url == expected


def test_flows_of_every_version_are_known():
    flow = {"tokenUrl": TOKEN_URL, "authorizationUrl": TOKEN_URL, "deviceAuthorizationUrl": TOKEN_URL}
    names = ("clientCredentials", "application", "accessCode", "deviceAuthorization", "implicit", "strange")
    use, _ = read(flows(**dict.fromkeys(names, flow)))
    grants = [found.grant for found in use.flows]
    assert grants == [
        "clientCredentials",
        "clientCredentials",
        "authorizationCode",
        "deviceAuthorization",
        "implicit",
    ]
    assert use.flows[0].device_url == TOKEN_URL


@pytest.mark.parametrize(
    "scopes", [None, "read", [7, "", "a b", "x" * 900, "é"], {"a": 1}, ["ok"] * 3], ids=str
)
def test_scopes_that_make_no_sense_are_left_out(scopes):
    use, _ = read(flows(), wanted=[{"s": scopes}])
    assert set(use.scopes) <= {"ok"}


SCHEMES = {
    "shop": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": {}}}},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "dsn": {"type": "dsn"},
}


@pytest.fixture
def secured(document):
    def make(security, **root):
        return document({"security": security}, components={"securitySchemes": SCHEMES}, **root)

    return make


CLIENT = {"shop.client_id": "app", "shop.client_secret": "env:SHOP"}


@pytest.mark.anyio
async def test_a_token_server_elsewhere_must_be_confirmed_when_the_catalog_is_opened(secured):
    value = secured([{"shop": []}])
    with pytest.raises(ConfigError, match=r"auth_hosts=\['login.example.com'\]"):
        await load_catalog(value, auth=CLIENT)
    for confirmed in ({"auth_hosts": ["login.example.com"]}, {"allow_hosts": ["login.example.com"]}):
        catalog = await load_catalog(value, auth=CLIENT, **confirmed)
        (credential,) = catalog["thing"].request({}).credentials
        assert str(credential.secret).startswith("token:shop-")
        assert credential.origins == ("https://api.example.com:443",)
        await catalog.close()
    own = await load_catalog(value, auth={**CLIENT, "shop.token_url": "https://mine.example/token"})
    await own.close()


@pytest.mark.anyio
async def test_a_scheme_that_nobody_uses_needs_no_confirmation(secured):
    catalog = await load_catalog(secured([{"key": []}]), auth={"key": "env:K"})
    await catalog.close()


@pytest.mark.anyio
async def test_files_keep_schemes_and_no_secret_and_old_files_open(secured, tmp_path):
    path = tmp_path / "shop.catalog"
    hosts = {"auth_hosts": ["login.example.com"]}
    catalog = await load_catalog(secured([{"shop": ["read"]}, {"key": []}]), auth=CLIENT, **hosts)
    catalog.save(path)
    await catalog.close()
    assert b"env:SHOP" not in path.read_bytes()
    again = await load_catalog(path, auth={"key": "env:K"})
    assert [str(c.secret) for c in again["thing"].request({}).credentials] == ["env:K"]
    kept = again["thing"].binding()
    assert kept["wire"]["security"][0][0]["flows"][0]["token_url"] == TOKEN_URL
    spec = again["thing"].spec
    old = [[{"scheme": "shop", "kind": "bearer", "place": "header", "name": "Authorization", "note": ""}]]
    kept["wire"]["security"] = old
    tool = OpenAPISource(auth={"shop": "env:T"}).bind(spec, kept)
    assert [c.prefix for c in tool.credentials()] == ["Bearer "]
    with pytest.raises(UnknownNameError, match="'shop'"):
        await load_catalog(path, auth={"shp.client_id": "app"})
    await again.close()


class Refusing:
    """An API that refuses with a status and a header."""

    def __init__(self, status, header=""):
        self.status, self.header, self.seen = status, header, []

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen.append(head.decode())
        extra = f"WWW-Authenticate: {self.header}\r\n" if self.header else ""
        writer.write(f"HTTP/1.1 {self.status} X\r\n{extra}Content-Length: 2\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "header", "auth", "says"),
    [
        (401, "", {}, ["wants shop or key", "auth={'shop': 'env:NAME'}", "--auth"]),
        (401, "", {"shop": "memory:token"}, ["not accepted", "auth={'shop': 'memory:token'}"]),
        (403, "", {"shop": "memory:token"}, ["'shop' lacks scopes: read"]),
        (403, 'Bearer scope="admin all"', {"shop": "memory:token"}, ["lacks scopes: admin all"]),
        (403, "", {"key": "memory:token"}, ["do not suffice", "'key': 'memory:token'"]),
    ],
)
async def test_a_refusal_names_the_scheme_and_what_to_set(secured, status, header, auth, says):
    async with Refusing(status, header) as api:
        secrets = SecretStore({"token": "canary-token-1"})
        value = secured([{"shop": ["read"]}, {"key": []}], servers=[{"url": api.url}])
        source = OpenAPISource(auth=auth, secrets=secrets, allow_hosts=["127.0.0.1"])
        catalog = await source.load(value)
        with pytest.raises(StatusError) as raised:
            await catalog.call("thing")
        await catalog.close()
    assert all(text in str(raised.value) for text in says)
    assert "canary" not in str(raised.value)
    assert len(api.seen) == 1


@pytest.mark.anyio
async def test_the_callers_own_code_serves_an_unknown_scheme(secured):
    async with Refusing(200) as api:
        value = secured([{"dsn": []}], servers=[{"url": api.url}])
        without = await OpenAPISource().load(value)
        assert without.report.degraded == 1
        source = OpenAPISource(auth={"dsn": lambda request: {"X-Dsn": "made-1"}}, allow_hosts=["127.0.0.1"])
        catalog = await source.load(value)
        assert catalog.report.imported == 1
        await catalog.call("thing")
        await catalog.close()
        await without.close()
    assert "X-Dsn: made-1" in api.seen[0]


@pytest.mark.anyio
async def test_a_server_of_one_operation_gets_nothing_unless_it_is_named(document):
    async with Refusing(200) as api:
        operation = {"security": [{"key": []}], "servers": [{"url": api.url}]}
        value = document(operation, components={"securitySchemes": SCHEMES})
        for hosts, sent in (([], False), (["127.0.0.1"], True)):
            secrets = SecretStore({"k": "canary-key-1"})
            client = None
            if not hosts:  # may reach it, and still gives it nothing
                from toolhaft.http import Egress, HTTPClient

                client = HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",)), secrets=secrets)
            source = OpenAPISource(
                auth={"key": "memory:k"}, secrets=secrets, allow_hosts=hosts, client=client
            )
            catalog = await source.load(value)
            await catalog.call("thing")
            await catalog.close()
            assert ("canary-key-1" in api.seen[-1]) == sent
            if client is not None:
                await client.close()


def test_reading_schemes_is_safe_from_several_threads(secured):
    value, found = secured([{"shop": ["read"]}]), []

    def work():
        found.append(asyncio.run(load_catalog(json.loads(json.dumps(value)), auth={"shop": "env:T"})))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(catalog["thing"].credentials()) for catalog in found}) == 1
