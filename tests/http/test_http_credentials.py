"""Twenty canary secrets, twelve places where none of them may ever show."""

import asyncio
import base64
import html
import json
import logging
import traceback
from urllib.parse import quote, quote_plus, unquote

import orjson
import pytest

from toolhaft.errors import ConfigError, EgressError, HTTPError
from toolhaft.http import Cassette, Credential, Egress, Request, origin_of
from toolhaft.report.html import render_html
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import RawTool, ToolResult
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.execute import execute
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import SecretRef, Step, Task, ToolCall, ToolSpec, Trajectory, to_json

CANARIES = {
    "letters": ("canaryAbCdEfGhIjKlMnOp", "header"),
    "provider": ("sk-proj-canary0123456789_abcdefghijklmnopqrstuvwxyz", "header"),
    "rapidapi": ("0a1b2c3d4emshcanary5f6a7b8cjsn9d0e1f2a3b4c", "rapidapi"),
    "hex": ("deadbeefcafe0123456789abcdef0011", "query"),
    "uuid": ("c0ffee00-ca4a-4a4a-8bad-f00dfeedface", "query"),
    "base64": ("Y2FuYXJ5/secret+value/with+signs==", "header"),
    "base64 in a query": ("Q0FOQVJZ/secret+value/and=more==", "query"),
    "jwt": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl", "header"),
    "quotes": ("canary\"double'single`back", "header"),
    "backslash": ("canary\\n\\back\\slash", "query"),
    "markup": ("<canary>&amp;\"'</canary>", "header"),
    "spaces": ("canary with some spaces", "query"),
    "percent": ("canary%20%2F%zz100%", "query"),
    "unicode": ("канарейка-ключ-ü-密钥", "query"),
    "password": ("canary:p@ss/w0rd?&=#", "basic"),
    "long": ("canary-" + "longsecret" * 60, "header"),
    "short": ("ca7y", "rapidapi"),
    "cookie": ("canarySessionCookie42", "cookie"),
    "beginning": ("canarybeginning", "header"),
    "beginning of another": ("canarybeginning-and-end", "query"),
}
SINKS = (
    "log",
    "trace",
    "exception",
    "cassette",
    "journal",
    "report",
    "jsonl",
    "repr",
    "crash",
    "prompt",
    "other origin",
    "simulator",
)


def spellings(value):
    """Return how a value may be written, worked out apart from the filter under test."""
    raw = value.encode()
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value)}
    found |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    for text in (raw, b"Bearer " + raw, b"user:" + raw):
        found |= {base64.b64encode(text).decode(), base64.urlsafe_b64encode(text).decode().rstrip("=")}
    return {form for form in found if len(form) >= 4}


def echo(server, kind):
    """Answer with everything that was sent, in every spelling, in body and headers."""

    async def handler(reader, writer, seen):
        line, headers, _ = server.requests[-1]
        value, _ = CANARIES[kind]
        said = {
            "line": line,
            "decoded": unquote(line),
            "headers": headers,
            "nested": json.dumps({"again": json.dumps(headers)}),
            "spellings": sorted(spellings(value)),
        }
        body = json.dumps(said).encode() + value.encode() + quote(value).encode()
        extra = [("X-Echo", quote(value)), ("X-Raw", headers.get("authorization", "none"))]
        extra += [("Set-Cookie", f"session={quote(value)}"), ("Content-Type", "text/plain; charset=utf-8")]
        return await server.proper(200, body, extra)(reader, writer, seen)

    return handler


def credential_for(kind, *origins):
    reference = SecretRef(f"memory:{kind.replace(' ', '-')}")
    place = CANARIES[kind][1]
    if place == "header":
        return Credential(secret=reference, origins=origins, prefix="Bearer ")
    if place == "rapidapi":
        return Credential(secret=reference, origins=origins, name="X-RapidAPI-Key")
    if place == "basic":
        return Credential(secret=reference, origins=origins, basic_user="user")
    return Credential(secret=reference, origins=origins, place=place, name="api_key")


def store_of(*kinds):
    return SecretStore({kind.replace(" ", "-"): CANARIES[kind][0] for kind in kinds})


async def all_sinks(kind, library, server, other, quick, folder, caplog):
    """Make real calls with a canary and return what each sink holds, as text."""
    store = store_of(kind)
    held = dict.fromkeys(SINKS, "")
    server.route("/echo", echo(server, kind))
    value = CANARIES[kind][0]
    other.answer("/landed", body=b"ok")
    for status in (301, 302, 303, 307, 308):
        server.answer(f"/away-{status}", status, headers=[("Location", f"{other.url}/landed?x=1")])
        leaky = f"{other.url}/landed?key={quote(value, safe='')}"
        server.answer(f"/leak-{status}", status, headers=[("Location", leaky)])
    server.raw("/broken", b"HTTP/1.1 200 OK\r\nX: " + value.encode() + b"\0\r\n\r\n")
    credential = credential_for(kind, server.url)
    cassette = Cassette.open(folder / "tape.jsonl", "record")
    client = quick(library, secrets=store, cassette=cassette)

    def request(path, **fields):
        fields.setdefault("credentials", (credential,))
        return Request(method="GET", url=server.url + path, **fields)

    formatter = logging.Formatter("%(name)s %(message)s")
    handler = logging.StreamHandler()
    lines = []
    handler.emit = lambda record: lines.append(formatter.format(record))
    handler.addFilter(store.logging_filter())
    own = logging.getLogger("embedder")
    own.addHandler(handler)
    with caplog.at_level(logging.DEBUG):
        response = await client.send(request("/echo"))
        own.warning("headers %s and body %s", response.headers, response.text())
        try:
            raise RuntimeError(f"crashed over {response.text()}")
        except RuntimeError:
            own.exception("a tool crashed")
        libraries = [formatter.format(record) for record in caplog.records if record.name.startswith("http")]
    own.removeHandler(handler)
    held["log"] = "\n".join([*lines, *libraries])
    held["crash"] = lines[-1]
    assert libraries, "the library's own log was not seen"

    errors, exchanges = [], [*response.exchanges]
    for path in ("/broken", *(f"/leak-{status}" for status in (301, 302, 303, 307, 308))):
        with pytest.raises(HTTPError) as caught:
            await client.send(request(path))
        shown = "".join(traceback.format_exception(caught.value))
        errors += [str(caught.value), repr(caught.value), json.dumps(caught.value.to_dict()), shown]
        exchanges += caught.value.exchanges
    for status in (301, 302, 303, 307, 308):
        exchanges += (await client.send(request(f"/away-{status}"))).exchanges
    held["exception"] = "\n".join(errors)
    held["trace"] = b"\n".join(to_json(exchange) for exchange in exchanges).decode()
    held["repr"] = (
        f"{response!r} {response} {request('/echo')!r} {store!r} {client!r} {credential!r} {cassette!r}"
    )
    held["cassette"] = cassette.path.read_text()

    async def fetch():
        """Fetch."""
        answer = await client.send(request("/echo"))
        return ToolResult(value=answer.text(), exchanges=answer.exchanges)

    spec = ToolSpec(name="fetch", effect="read")
    context = RunContext(id="r", secrets=store)
    call = ToolCall(id="c1", name="fetch")
    observation = await execute(call, ToolSet(Catalog([RawTool(spec, fetch)])), context)
    assert not observation.failed
    held["prompt"] = observation.text()
    trajectory = Trajectory(
        id="t",
        task=Task(id="t", instruction="fetch it"),
        steps=(Step(id=0, calls=(call,), observations=(observation,), status="answered"),),
        answer_step=0,
    )
    held["journal"] = to_json(trajectory).decode()
    held["report"] = render_html([trajectory], redact=store.redact)
    row = {"messages": [{"role": "tool", "content": response.text()}], "nested": [{value: [value]}]}
    held["jsonl"] = orjson.dumps(store.redact_value(row)).decode()
    held["simulator"] = store.redact(f"You are an API. Answer this request: {json.dumps(row)}")
    arrived = [(line, sorted(headers.items()), body) for line, headers, body in other.requests]
    assert len(arrived) == 5
    held["other origin"] = "\n".join(
        f"{line} {headers} {body.decode('latin-1')}" for line, headers, body in arrived
    )
    await client.close()
    return held


@pytest.mark.anyio
@pytest.mark.parametrize("kind", CANARIES)
async def test_no_sink_holds_a_canary(library, server, new_server, quick, tmp_path, caplog, kind):
    """Twelve sinks for each of twenty secrets: two hundred and forty checks, for each library."""
    value = CANARIES[kind][0]
    async with new_server() as other:
        held = await all_sinks(kind, library, server, other, quick, tmp_path, caplog)
    line, headers, _ = next(entry for entry in server.requests if "/echo" in entry[0])
    sent = json.dumps([unquote(line), headers], ensure_ascii=False)
    assert any(form in sent for form in spellings(value)), "the origin itself did not get the secret"
    assert tuple(held) == SINKS
    leaks = [(sink, form) for sink, text in held.items() for form in spellings(value) if form in text]
    assert leaks == []
    assert all(held.values())
    for sink in ("trace", "cassette", "prompt", "journal", "jsonl", "simulator", "log"):
        assert "[secret memory:" in held[sink], sink


@pytest.mark.anyio
async def test_one_secret_may_be_the_beginning_of_another(server, quick):
    store = store_of("beginning", "beginning of another")
    assert "and-end" not in store.redact("x canarybeginning-and-end y canarybeginning z")
    reverse = store_of("beginning of another", "beginning")
    assert "and-end" not in reverse.redact("x canarybeginning-and-end y canarybeginning z")


@pytest.mark.anyio
async def test_record_is_redacted_before_it_is_cut(server, quick):
    value = CANARIES["provider"][0]
    client = quick(secrets=store_of("provider"))
    for shift in range(0, 80, 3):
        server.answer("/x", body=b"-" * (4000 - shift) + value.encode())
        credential = credential_for("provider", server.url)
        response = await client.send(Request(method="GET", url=f"{server.url}/x", credentials=(credential,)))
        shown = response.exchanges[0].response_body
        assert len(shown) <= 4000
        assert "sk-p" not in shown
    await client.close()


PLACES = [
    (
        Credential(secret=SecretRef("memory:k"), origins=("*",), prefix="Bearer "),
        "authorization",
        "Bearer {}",
    ),
    (Credential(secret=SecretRef("memory:k"), origins=("*",), name="X-Key"), "x-key", "{}"),
    (
        Credential(secret=SecretRef("memory:k"), origins=("*",), place="cookie", name="sid"),
        "cookie",
        "sid={}",
    ),
    (Credential(secret=SecretRef("memory:k"), origins=("*",), basic_user="me"), "authorization", "basic"),
    (
        Credential(secret=SecretRef("memory:k"), origins=("*",), basic_user=SecretRef("memory:u")),
        "authorization",
        "basic",
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("credential", "header", "form"), PLACES, ids=range(len(PLACES)))
async def test_secret_goes_where_it_should(library, server, new_server, quick, credential, header, form):
    from dataclasses import replace

    server.answer("/x")
    store = SecretStore({"k": "key-value-1", "u": "me-myself"})
    client = quick(library, secrets=store)
    bound = replace(credential, origins=(origin_of(server.url),))
    await client.send(Request(method="GET", url=f"{server.url}/x", credentials=(bound,)))
    wanted = form.format("key-value-1")
    if form == "basic":
        user = "me" if credential.basic_user == "me" else "me-myself"
        wanted = "Basic " + base64.b64encode(f"{user}:key-value-1".encode()).decode()
    assert server.requests[0][1][header] == wanted
    async with new_server() as other:
        other.answer("/x")
        await client.send(Request(method="GET", url=f"{other.url}/x", credentials=(bound,)))
        assert header not in other.requests[0][1]
    await client.close()


@pytest.mark.anyio
async def test_query_secrets_are_appended_and_never_recorded(server, quick):
    server.answer("/x")
    client = quick(secrets=SecretStore({"k": "a b&c=d"}))
    credential = Credential(
        secret=SecretRef("memory:k"), origins=(server.url,), place="query", name="api key"
    )
    for url, line in (("/x", "/x?api%20key=a%20b%26c%3Dd"), ("/x?q=1", "/x?q=1&api%20key=a%20b%26c%3Dd")):
        response = await client.send(Request(method="GET", url=server.url + url, credentials=(credential,)))
        assert server.requests[-1][0] == f"GET {line} HTTP/1.1"
        assert response.url == response.exchanges[0].url == server.url + url
    await client.close()


@pytest.mark.anyio
async def test_callers_own_keys_stay_with_their_origin(library, server, new_server, quick):
    async with new_server() as other:
        other.answer("/x")
        server.answer("/away", 307, headers=[("Location", f"{other.url}/x")])
        client = quick(library)
        headers = (("Authorization", "Bearer by-hand"), ("X-RapidAPI-Key", "by-hand"), ("Cookie", "a=b"))
        await client.send(
            Request(method="GET", url=f"{server.url}/away", headers=(*headers, ("Accept", "text/x")))
        )
        assert "by-hand" in str(server.requests)
        assert "by-hand" not in str(other.requests)
        assert "cookie" not in other.requests[0][1]
        assert other.requests[0][1]["accept"] == "text/x"
        await client.close()


@pytest.mark.anyio
async def test_body_with_a_secret_is_not_taken_elsewhere(server, new_server, quick):
    async with new_server() as other:
        server.answer("/away", 307, headers=[("Location", f"{other.url}/x")])
        client = quick(secrets=SecretStore({"k": "body-secret-1"}))
        with pytest.raises(EgressError, match="take a secret"):
            await client.send(
                Request(
                    method="POST", url=f"{server.url}/away", body=b'{"k": "body-secret-1"}', effect="write"
                )
            )
        assert other.connections == 0
        await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["", "abc", "two\nlines", "tab\there", "nul\0nul"])
async def test_what_is_no_secret_is_refused(server, quick, monkeypatch, value):
    monkeypatch.setattr("toolhaft.secrets.environment_secret", lambda name: value or None)
    client = quick()
    credential = Credential(secret=SecretRef("env:KEY"), origins=(server.url,))
    with pytest.raises(ConfigError) as caught:
        await client.send(Request(method="GET", url=f"{server.url}/x", credentials=(credential,)))
    assert "env:KEY" in str(caught.value)
    assert not value or value not in str(caught.value)
    assert server.connections == 0
    await client.close()


@pytest.mark.anyio
async def test_value_that_no_header_can_hold_is_refused(server, quick):
    client = quick(secrets=SecretStore({"k": "schlüssel"}))
    credential = Credential(secret=SecretRef("memory:k"), origins=(server.url,))
    with pytest.raises(ConfigError) as caught:
        await client.send(Request(method="GET", url=f"{server.url}/x", credentials=(credential,)))
    assert "schlüssel" not in str(caught.value)
    await client.close()


@pytest.mark.anyio
async def test_library_logs_are_redacted_only_while_a_client_lives(server, quick, caplog):
    logger = logging.getLogger("httpcore.http11")
    before = list(logger.filters)
    server.answer("/x")
    client = quick(secrets=store_of("letters"))
    for _ in range(2):  # one that is used again after it was closed is no worse
        await client.send(Request(method="GET", url=f"{server.url}/x"))
        assert len(logger.filters) == len(before) + 1
        await client.close()
        assert logger.filters == before


@pytest.mark.anyio
async def test_fifty_pairs_of_tenants_get_their_own_answers(server, quick, tmp_path):
    async def whose(reader, writer, seen):
        key = server.requests[-1][1]["x-key"]
        await asyncio.sleep(0)
        return await server.proper(body=key.encode())(reader, writer, seen)

    server.route("/x", whose)
    store = SecretStore({f"t{n}": f"tenant-value-{n:03}" for n in range(100)})
    cassette = Cassette.open(tmp_path / "tape", "record")
    client = quick(secrets=store, cassette=cassette, egress=Egress(allow_hosts=("127.0.0.1",)))

    def request(n):
        credential = Credential(secret=SecretRef(f"memory:t{n}"), origins=(server.url,), name="X-Key")
        return Request(method="GET", url=f"{server.url}/x", credentials=(credential,))

    responses = await asyncio.gather(*[client.send(request(n)) for n in range(100)])
    assert [response.text() for response in responses] == [f"[secret memory:t{n}]" for n in range(100)]
    await client.close()
    replaying = quick(secrets=store, cassette=Cassette.open(tmp_path / "tape"))
    for n in range(100):
        assert (await replaying.send(request(n))).text() == f"[secret memory:t{n}]"


@pytest.mark.anyio
async def test_a_secret_cookie_stands_beside_the_requests_own(server, quick):
    server.answer("/", body=b"{}")
    secrets = SecretStore({"sid": "sid-value-1"})
    credential = Credential(secret=SecretRef("memory:sid"), origins=(server.url,), place="cookie", name="sid")
    async with quick(secrets=secrets) as client:
        headers = (("cookie", "theme=dark"),)
        response = await client.send(
            Request(method="GET", url=f"{server.url}/", headers=headers, credentials=(credential,))
        )
    _, received, _ = server.requests[0]
    assert received["cookie"] == "theme=dark; sid=sid-value-1"
    shown = dict(response.exchanges[0].request_headers)
    assert shown["Cookie"] == "theme=dark; sid=[secret memory:sid]"
