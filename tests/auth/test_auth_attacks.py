"""What a hostile document, server or network may try: each ends in one clear error, and no secret moves."""

import json
import logging

import pytest

from toolhaft.auth.confirmation import Confirmed
from toolhaft.auth.schemes import Flow, SchemeUse
from toolhaft.auth.session import Auth
from toolhaft.errors import AuthError, ConfigError, HTTPError, UnknownNameError, UsageError
from toolhaft.http import Cassette, Request, origin_of
from toolhaft.secrets import SecretStore

MEMORY = {"secret": "app-secret-1", "password": "ann-password-1"}
CLIENT = {"o.client_id": "app", "o.client_secret": "memory:secret"}


def use_of(url, grant="clientCredentials", **fields):
    return SchemeUse(scheme="o", kind="oauth2", flows=(Flow(grant=grant, token_url=url),), **fields)


@pytest.fixture
def call(api, issuer, connect):
    """Call the API with a scheme; return the answer, and the secret store that was used."""

    async def make(use, entries=CLIENT, hosts=None, path="/secret", secrets=None, cassette=None):
        secrets = secrets or SecretStore(MEMORY)
        client = connect(secrets, cassette=cassette)()
        auth = Auth(
            entries,
            secrets=secrets,
            connect=connect(secrets, cassette=cassette),
            auth_hosts=[issuer.url] if hosts is None else hosts,
        )
        choice = auth.choose(((use,),), (origin_of(api.url),))
        request = Request(method="GET", url=f"{api.url}{path}", credentials=choice.credentials)
        return await auth.sender(client, choice).send(request), secrets

    return make


def text(body, status=200, media="application/json", headers=None):
    from starlette.responses import Response

    return lambda form: Response(body, status, headers, media)


def answer(**fields):
    sound = {"access_token": "canary-token-1", "token_type": "Bearer", "expires_in": 60}
    return text(json.dumps({key: value for key, value in {**sound, **fields}.items() if value is not None}))


BAD_ANSWERS = {
    "html": (text("<html>login</html>", media="text/html"), "no JSON object"),
    "empty": (text(""), "no JSON object"),
    "a list": (text("[1]"), "no JSON object"),
    "deep": (text("[" * 100_000), "no JSON object"),
    "huge": (text('{"access_token": "' + "x" * 400_000 + '"}'), "262144"),
    "no token": (answer(access_token=None), "usable access_token"),
    "token is a number": (answer(access_token=7), "usable access_token"),
    "token with a line end": (answer(access_token="abcdef\r\nX-Evil: 1"), "usable access_token"),
    "token with a space": (answer(access_token="abc def"), "usable access_token"),
    "token that is not ASCII": (answer(access_token="abcdéf"), "usable access_token"),
    "token of 40 kB": (answer(access_token="x" * 40_000), "usable access_token"),
    "tokens of another type": (answer(token_type="mac"), "'mac'"),
    "an error with status 200": (text('{"error": "access_denied"}'), "access_denied"),
    "an error with terminal codes": (
        text('{"error": "x", "error_description": "\\u001b[31mred"}', 400),
        "x: red",
    ),
    "a redirect": (text("", 307, headers={"location": "https://evil.example/token"}), "https://evil.example"),
    "a redirect to itself": (text("", 302, headers={"location": "/token"}), "redirects, which"),
    "not found": (text("gone", 404, media="text/plain"), "404"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_bad_answers_of_a_token_endpoint(call, issuer, api, name):
    issuer.twist, says = BAD_ANSWERS[name]
    with pytest.raises(AuthError, match=says) as raised:
        await call(use_of(f"{issuer.url}/token"))
    assert "'o'" in str(raised.value)
    assert "app-secret-1" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert api.seen == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "life", [None, 0, -5, "soon", "3600", 1e300, 10**400, True, [], float("inf"), float("nan")], ids=repr
)
async def test_a_life_that_is_a_lie_harms_nothing(call, issuer, life):
    issuer.live["canary-token-1"] = []
    issuer.twist = text(json.dumps({"access_token": "canary-token-1", "expires_in": life}))
    response, _ = await call(use_of(f"{issuer.url}/token"))
    assert response.status == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://evil.example/token", "another host than the API: https://evil.example:443"),
        ("http://evil.example/token", "another host"),
        ("https://evil.example:8443/token", "8443"),
        ("ftp://evil.example/token", "scheme is not http"),
        ("https://user:pw@evil.example/token", "user name or password"),
        ("https://0x7f.1/token", "unusual spelling"),
        ("https://login.example.com/token#x", "fragment"),
        ("http://login.example.com/token", "not encrypted"),
        ("https://login.example.com.evil.example/token", "another host"),
        ("", "no address for tokens"),
    ],
)
async def test_client_secrets_go_to_confirmed_hosts_alone(call, api, issuer, url, says):
    with pytest.raises(AuthError, match=says) as raised:
        await call(use_of(url), hosts=["login.example.com"])
    assert "pw" not in str(raised.value)
    assert issuer.asked == api.seen == []


@pytest.mark.anyio
async def test_the_api_itself_needs_no_confirmation(call, api, issuer):
    with pytest.raises(AuthError, match="answered 401"):
        await call(use_of(f"{api.url}/token"), hosts=[])
    assert [path for _, path, _ in api.seen] == ["/token"] * 2  # the secret in the header, then in the form


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("login.example.com", "https://login.example.com/t", True),
        ("login.example.com", "https://LOGIN.example.com:8443/t", True),
        ("login.example.com:443", "https://login.example.com:8443/t", False),
        ("https://login.example.com", "https://login.example.com/t", True),
        ("https://login.example.com", "http://login.example.com/t", False),
        ("http://login.example.com", "http://login.example.com/t", True),
        ("http://login.example.com", "https://login.example.com/t", False),
        ("example.com", "https://login.example.com/t", False),
        ("127.0.0.1", "http://127.0.0.1:9/t", True),
        ("localhost", "http://localhost:9/t", True),
        ("10.0.0.1", "http://10.0.0.1/t", False),
        ("::1", "http://[::1]:9/t", True),
    ],
)
def test_what_a_confirmation_means(entry, url, allowed):
    confirmed = Confirmed([entry])
    if allowed:
        assert confirmed.check(url, scheme="o", origins=(), what="address") == origin_of(url)
    else:
        with pytest.raises(AuthError, match=r"auth_hosts=\["):
            confirmed.check(url, scheme="o", origins=(), what="address")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"issuer": "https://accounts.example.com"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"token_endpoint": "https://evil.example/token"}, "https://evil.example:443"),
        ({"token_endpoint": None}, "no token address"),
        ({"token_endpoint": 7}, "no token address"),
    ],
    ids=str,
)
async def test_metadata_that_would_lead_elsewhere(call, issuer, api, metadata, says):
    issuer.metadata = metadata
    use = SchemeUse(
        scheme="o", kind="openIdConnect", discovery=f"{issuer.url}/.well-known/openid-configuration"
    )
    with pytest.raises(AuthError, match=says):
        await call(use)
    assert issuer.asked == api.seen == []


@pytest.mark.anyio
async def test_sound_metadata_lead_to_a_token(call, issuer):
    use = SchemeUse(
        scheme="o",
        kind="openIdConnect",
        discovery=f"{issuer.url}/.well-known/openid-configuration",
        scopes=("openid",),
    )
    response, _ = await call(use)
    assert (response.status, issuer.asked[0]["scope"]) == (200, "openid")


@pytest.mark.anyio
async def test_a_token_is_not_taken_to_another_origin(call, issuer, api, connect):
    api.wants = ()
    secrets = SecretStore(MEMORY)
    client = connect(secrets)()
    auth = Auth(CLIENT, secrets=secrets, connect=connect(secrets), auth_hosts=[issuer.url])
    choice = auth.choose(((use_of(f"{issuer.url}/token"),),), ("https://api.example.com:443",))
    request = Request(method="GET", url=f"{api.url}/open", credentials=choice.credentials)
    response = await auth.sender(client, choice).send(request)
    assert "authorization" not in json.loads(response.body)["echo"]
    assert issuer.asked == []


@pytest.mark.anyio
async def test_no_canary_is_left_anywhere(call, issuer, api, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    entries = {**CLIENT, "o.username": "ann", "o.password": "memory:password"}
    path = tmp_path / "calls.jsonl"
    issuer.rotates = True
    use = use_of(f"{issuer.url}/token", "password")
    secrets = SecretStore(MEMORY)
    response, _ = await call(
        use, entries, path="/open", secrets=secrets, cassette=Cassette.open(path, "record")
    )
    shown = [
        path.read_text(),
        repr(response),
        repr(response.exchanges),
        response.body.decode(),  # the API repeats the headers it got
        caplog.text,
        repr(use),
    ]
    issuer.twist = lambda form: text(json.dumps({"error": "bad", "error_description": str(form)}), 400)(form)
    with pytest.raises(AuthError) as raised:
        await call(use, entries, secrets=secrets)
    shown += [str(raised.value), repr(raised.value.to_dict()), repr(raised.value.exchanges)]
    for canary in ("app-secret-1", "ann-password-1", "canary-access", "canary-refresh"):
        assert [text for text in shown if canary in text] == []
    assert "Bearer [secret" in shown[3]


@pytest.mark.anyio
async def test_a_cassette_gives_its_answers_without_a_token(call, issuer, api, tmp_path):
    path = tmp_path / "calls.jsonl"
    use = use_of(f"{issuer.url}/token")
    live, _ = await call(use, cassette=Cassette.open(path, "record"))
    asked = len(issuer.asked)
    again, _ = await call(
        use,
        {"o.client_id": "app", "o.client_secret": "memory:secret"},
        secrets=SecretStore(),
        cassette=Cassette.open(path, "replay"),
    )
    assert (again.status, again.body, again.provenance) == (live.status, live.body, "replayed")
    assert len(issuer.asked) == asked


@pytest.mark.parametrize(
    ("entries", "kind", "says"),
    [
        ({"o": "sk-live-123456"}, ConfigError, "by reference"),
        ({"o.client_secret": "plain text"}, ConfigError, "by reference"),
        ({"o.password": "hunter2"}, ConfigError, "by reference"),
        ({"o.refresh_token": "1//abcdef"}, ConfigError, "by reference"),
        ({"o.passphrase": "hunter2"}, ConfigError, "by reference"),
        ({"o": "token:o-123"}, ConfigError, "another session"),
        ({"o": 7}, ConfigError, "type int"),
        ({"o.username": "ann"}, UsageError, "no password"),
        ({"o.key": "-----BEGIN PRIVATE KEY-----\nMII"}, ConfigError, "by their path"),
    ],
    ids=str,
)
def test_entries_that_make_no_sense(entries, kind, says):
    with pytest.raises(kind, match=says) as raised:
        Auth(entries)
    for value in entries.values():
        if isinstance(value, str) and ":" not in value and value != "ann":
            assert value not in str(raised.value)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("petstor_auth", "'petstore_auth'"),
        ("petstor_auth.client_id", "'petstore_auth'"),
        ("petstore_auth.client_ids", "'client_id'"),
        ("petstore_auth.pass", "'passphrase'|'password'|Known"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(entry, says):
    with pytest.raises(UnknownNameError, match=says):
        Auth({entry: "env:K"}).check_names(["petstore_auth", "api_key"])


@pytest.mark.parametrize("host", ["", "a b", "http://", "x" * 600, "user@host", "https://h:99999"])
def test_confirmations_that_are_no_hosts(host):
    with pytest.raises(ConfigError, match="not a host"):
        Confirmed([host])


@pytest.mark.anyio
async def test_a_token_endpoint_that_never_answers_is_given_up(call, issuer, monkeypatch):
    from toolhaft.auth import endpoint

    monkeypatch.setattr(endpoint, "SECONDS", 0.2)
    issuer.delay = 1
    with pytest.raises((AuthError, HTTPError), match=r"0\.2 s"):
        await call(use_of(f"{issuer.url}/token"))
