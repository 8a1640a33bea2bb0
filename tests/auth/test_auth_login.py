"""Logins: a real authorisation server, a browser that is a thread, and the file that keeps the token."""

import asyncio
import json
import os
import stat
import threading
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from toolhaft.auth.entries import Entries
from toolhaft.auth.login import log_in
from toolhaft.auth.schemes import Flow, SchemeUse
from toolhaft.auth.session import Auth
from toolhaft.auth.storage import StoredToken, TokenFile
from toolhaft.errors import AuthError, ConfigError, FormatError, UsageError
from toolhaft.http import Request, origin_of
from toolhaft.http.callback import CallbackServer
from toolhaft.secrets import SecretStore

pytestmark = pytest.mark.slow
PUBLIC = {"o.client_id": "public"}


def visit(url):
    """Open a URL as a browser does, redirects included; return status and text."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Browser:
    """Opens what it is shown, in a thread; ``change`` rewrites the fields of the redirect first."""

    def __init__(self, change=None):
        self.shown, self.pages, self.change, self.threads = [], [], change, []

    def __call__(self, line):
        self.shown.append(line)
        self.threads.append(threading.Thread(target=self.open, args=(line,)))
        self.threads[-1].start()

    def open(self, url):
        if self.change is None:
            self.pages.append(visit(url))
            return
        asked = dict(parse_qsl(urlsplit(url).query))
        for fields in self.change(asked):
            self.pages.append(visit(f"{asked['redirect_uri']}?{urlencode(fields)}"))


@pytest.fixture
def use(issuer):
    flows = (
        Flow(
            grant="authorizationCode",
            token_url=f"{issuer.url}/token",
            authorization_url=f"{issuer.url}/authorize",
        ),
        Flow(grant="deviceAuthorization", token_url=f"{issuer.url}/token", device_url=f"{issuer.url}/device"),
    )
    return SchemeUse(scheme="o", kind="oauth2", flows=flows, scopes=("read",))


@pytest.fixture
def session(api, issuer, connect):
    def make(entries=PUBLIC, hosts=None, stored=None):
        secrets = SecretStore({"secret": "app-secret-1"})
        return Auth(
            entries,
            secrets=secrets,
            connect=connect(secrets),
            auth_hosts=[issuer.url] if hosts is None else hosts,
            stored=stored,
        )

    return make


async def login(auth, use, api, show, **options):
    options.setdefault("seconds", 5)
    return await log_in(use, auth.entries, [origin_of(api.url)], auth.around, show, **options)


async def send(auth, use, api, client):
    choice = auth.choose(((use,),), (origin_of(api.url),))
    request = Request(method="GET", url=f"{api.url}/secret", credentials=choice.credentials)
    return await auth.sender(client, choice).send(request)


@pytest.mark.anyio
async def test_a_login_in_the_browser_gives_a_token_that_refreshes(
    session, use, api, issuer, tmp_path, connect
):
    issuer.rotates = True
    auth, browser = session(), Browser()
    kept = await login(auth, use, api, browser)
    assert browser.pages[0][0] == 200
    assert "close this page" in browser.pages[0][1]
    asked = dict(parse_qsl(urlsplit(browser.shown[0]).query))
    assert asked["scope"] == "read"
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert "canary" not in repr(kept)
    file = TokenFile(tmp_path / "data" / "tokens.json")
    file.put(kept)
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600
    later = session({"o": "login"}, hosts=[], stored=file)
    client = connect(later.secrets)()
    assert (await send(later, use, api, client)).status == 200
    issuer.live.clear()
    assert (await send(later, use, api, client)).status == 200
    assert file.find("o", kept.origins).refresh_token != kept.refresh_token
    another = session({"o": "login"}, stored=file)
    assert (await send(another, use, api, connect(another.secrets)())).status == 200
    assert not issuer.reused


@pytest.mark.anyio
async def test_a_confidential_client_gives_its_secret_and_keeps_the_reference(session, use, api, issuer):
    auth = session({"o.client_id": "app", "o.client_secret": "memory:secret"})
    kept = await login(auth, use, api, Browser())
    assert kept.client_secret == "memory:secret"
    assert issuer.asked[-1]["authorization"].startswith("Basic ")


@pytest.mark.anyio
async def test_a_device_login_waits_and_slows_down(session, use, api, issuer):
    lines = []
    kept = await login(session(), use, api, lines.append, how="device")
    assert lines == [f"Open {issuer.url}/activate and type WDJB-MJHT"]
    assert kept.access_token in issuer.live
    assert [form["grant_type"][-11:] for form in issuer.asked] == ["device_code"] * 2


@pytest.mark.anyio
async def test_a_device_login_ends_when_nobody_types(session, use, api, issuer):
    issuer.pending = 10**6
    with pytest.raises(AuthError, match="nobody typed"):
        await login(session(), use, api, lambda line: None, how="device", seconds=0.2)


@pytest.mark.anyio
async def test_metadata_name_the_issuer_and_the_answer_must_be_its(session, api, issuer):
    issuer.metadata = {}
    use = SchemeUse(
        scheme="o", kind="openIdConnect", discovery=f"{issuer.url}/.well-known/openid-configuration"
    )
    kept = await login(session(), use, api, Browser())
    assert kept.access_token in issuer.live
    for change in ({"iss": "https://evil.example"}, {}):  # mixed up, or stripped

        def answer(asked, change=change):
            yield {"code": "code-of-another", "state": asked["state"], **change}

        with pytest.raises(AuthError, match="of another server"):
            await login(session(), use, api, Browser(answer))
    assert len(issuer.asked) == 1
    issuer.metadata = {"code_challenge_methods_supported": ["plain"]}
    with pytest.raises(AuthError, match="PKCE"):
        await login(session(), use, api, Browser())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": "access_denied", "error_description": "No!"}, "access_denied: No!"),
        ({}, "no code"),
        ({"code": ""}, "no code"),
        ({"code": "abcd", "access_token": "implicit-token"}, "no code"),
        ({"code": "x" * 5000}, "no code"),
        ({"code": "made-up-code"}, "invalid_grant"),
    ],
    ids=str,
)
async def test_answers_that_give_no_token(session, use, api, answer, says):
    with pytest.raises(AuthError, match=says):
        await login(session(), use, api, Browser(lambda asked: [{"state": asked["state"], **answer}]))


@pytest.mark.anyio
async def test_an_answer_without_our_state_is_passed_over(session, use, api, issuer):
    def attack(asked):
        yield {"code": "stolen-code", "state": "guessed"}
        yield {"code": "stolen-code"}
        yield {"error": "access_denied", "state": ""}

    browser = Browser(attack)
    with pytest.raises(AuthError, match="nobody agreed"):
        await login(session(), use, api, browser, seconds=0.5)
    assert [status for status, _ in browser.pages] == [404] * 3
    assert issuer.asked == []


@pytest.mark.anyio
async def test_login_servers_must_be_confirmed(session, use, api):
    with pytest.raises(AuthError, match="login address"):
        await login(session(hosts=[]), use, api, Browser())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("entries", "fields", "how", "says"),
    [
        ({}, {}, None, "needs a client"),
        (
            PUBLIC,
            {"flows": (Flow(grant="implicit", authorization_url="https://a.example"),)},
            None,
            "no login",
        ),
        (
            PUBLIC,
            {"flows": (Flow(grant="authorizationCode", authorization_url="https://a.example"),)},
            "device",
            "by device",
        ),
    ],
)
async def test_schemes_that_know_no_login(session, api, entries, fields, how, says):
    use = SchemeUse(scheme="o", kind="oauth2", **fields)
    with pytest.raises(UsageError, match=says):
        await login(session(entries), use, api, Browser(), how=how)


@pytest.mark.anyio
async def test_the_callback_server_takes_nothing_but_the_redirect():
    seen = []
    async with CallbackServer(lambda fields: seen.append(dict(fields)) or "ok" in fields) as callback:
        base = callback.url.removesuffix("/callback")
        port = int(base.rpartition(":")[2])
        raw = [
            b"POST /callback?ok=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port,
            b"GET /other?ok=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port,
            b"GET /callback?ok=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"GET /callback?ok=1 HTTP/1.1\r\n\r\n",
            b"GET /callback?ok=1&ok=2 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port,
            b"GET /callback?" + b"a=1&" * 100 + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port,
            b"\x16\x03\x01\x00\r\n\r\n",
        ]
        for data in raw:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            assert b"404" in await reader.read(100), data
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /callback?" + b"a" * 100_000)
        assert await reader.read(100) == b""
        writer.close()
        assert seen == []
        status, page = await asyncio.to_thread(visit, f"{callback.url}?ok=1&x=%3Cscript%3E")
        assert (status, "<script>" in page) == (200, False)
        assert await callback.wait(1) == {"ok": "1", "x": "<script>"}
    with pytest.raises(ConfigError, match="cannot be used"):
        async with CallbackServer(bool, port=1 << 20):
            pass


def token(**fields):
    sound = {"scheme": "o", "origins": ("https://a:443",), "token_url": "https://l.example/t"}
    return StoredToken(**{**sound, "access_token": "canary-value", **fields})


def test_the_file_keeps_one_token_for_each_scheme_and_api(tmp_path):
    file = TokenFile(tmp_path / "tokens.json")
    file.put(token())
    file.put(token(access_token="newer-value"))
    file.put(token(origins=("https://b:443",)))
    file.put(token(scheme="p"))
    assert len(file.all()) == 3
    assert file.find("o", ["https://a:443"]).access_token == "newer-value"
    assert file.find("o", ["https://a:443", "https://evil:443"]) is None
    assert file.forget("o", ["https://a:443"]) == 1
    assert file.forget("o") == 1
    assert [kept.scheme for kept in file.all()] == ["p"]
    assert file.forget("nobody") == 0


@pytest.mark.parametrize(
    ("content", "mode", "kind", "says"),
    [
        ("{}", 0o600, FormatError, "damaged"),
        ("nonsense canary-value", 0o600, FormatError, "damaged"),
        ('{"format": 2, "tokens": []}', 0o600, FormatError, "newer"),
        ('{"format": 1, "tokens": [7]}', 0o600, FormatError, "damaged"),
        ('{"format": 1, "tokens": [{"scheme": 7}]}', 0o600, FormatError, "damaged"),
        ('{"format": 1, "tokens": [{"expires": true}]}', 0o600, FormatError, "damaged"),
        ("[" * 100_000, 0o600, FormatError, "damaged"),
        (json.dumps({"format": 1, "tokens": []}), 0o644, ConfigError, "others may read"),
        (json.dumps({"format": 1, "tokens": []}), 0o640, ConfigError, "others may read"),
        (" " * 5_000_000, 0o600, FormatError, "too large"),
    ],
    ids=range(10),
)
def test_files_that_are_not_ours(tmp_path, content, mode, kind, says):
    path = tmp_path / "tokens.json"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(kind, match=says) as raised:
        TokenFile(path).all()
    assert "canary-value" not in str(raised.value)


@pytest.mark.anyio
async def test_two_processes_refresh_a_login_once(session, use, api, issuer, tmp_path, connect):
    issuer.rotates, issuer.delay = True, 0.2
    kept = await login(session(), use, api, Browser())
    path = tmp_path / "tokens.json"
    TokenFile(path).put(kept)
    issuer.live.clear()
    issuer.asked.clear()
    callers = [session({"o": "login"}, stored=TokenFile(path)) for _ in range(4)]
    answers = await asyncio.gather(*(send(auth, use, api, connect(auth.secrets)()) for auth in callers))
    assert {answer.status for answer in answers} == {200}
    assert len(issuer.asked) == 1
    assert not issuer.reused


@pytest.mark.anyio
async def test_nobody_has_logged_in(session, use, api, connect, tmp_path):
    auth = session({"o": "login"}, stored=TokenFile(tmp_path / "none.json"))
    with pytest.raises(AuthError, match="toolhaft auth login"):
        await send(auth, use, api, connect(auth.secrets)())


def test_login_is_no_secret_reference():
    assert Entries({"o": "login"}).secret("o") is None
