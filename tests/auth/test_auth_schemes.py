"""Digest, certificates, other HTTP schemes and the caller's own code, over real connections."""

import asyncio
import json
import ssl

import pytest

from toolhaft.auth.digest import read_challenge
from toolhaft.auth.schemes import SchemeUse, describe
from toolhaft.auth.session import Auth
from toolhaft.errors import ConfigError, HTTPError
from toolhaft.http import Cassette, Egress, HTTPClient, Request, origin_of
from toolhaft.secrets import SecretStore

pytestmark = pytest.mark.slow
MEMORY = {"password": "digest-password-1", "wrong": "wrong-password-2", "key": "key-value-1"}
DIGEST = SchemeUse(scheme="d", kind="digest")
USER = {"d.username": "ann", "d.password": "memory:password"}


@pytest.fixture
def call(api, connect):
    """Send a request with a scheme; return the answer and what may send more."""

    def make(use, entries, *, secrets=None, cassette=None):
        secrets = secrets or SecretStore(MEMORY)
        auth = Auth(entries, secrets=secrets)
        choice = auth.choose(((use,),), (origin_of(api.url),))
        sender = auth.sender(connect(secrets, cassette=cassette)(), choice)

        async def send(path, method="GET", body=None):
            request = Request(
                method=method,
                url=f"{api.url}{path}",
                body=body,
                effect="read" if method == "GET" else "write",
                credentials=choice.credentials,
            )
            return await sender.send(request)

        return send

    return make


@pytest.mark.anyio
@pytest.mark.parametrize("quality", ["auth", "auth-int", ""])
@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"])
async def test_digest_challenges_are_answered(call, api, algorithm, quality):
    if algorithm.endswith("-sess") and not quality:
        pytest.skip("without qop there is no client nonce")
    api.algorithm, api.quality = algorithm, quality
    send = call(DIGEST, USER)
    for path in ("/digest/a?x=%20y", "/digest/b", "/digest/c"):
        if not quality:
            api.uses.clear()  # without a count every use is the first
        assert (await send(path, "POST", b"body")).status == 200
    with_nonce = [headers for _, _, headers in api.seen if "authorization" in headers]
    assert len(api.seen) == len(with_nonce) + 1  # one challenge for three calls
    assert "digest-password-1" not in str(api.seen)


@pytest.mark.anyio
async def test_a_nonce_that_is_too_old_is_replaced_and_a_wrong_password_is_not_tried_again(call, api):
    api.stale_after = 1
    send = call(DIGEST, USER)
    assert [(await send("/digest")).status for _ in range(3)] == [200, 200, 200]
    api.seen.clear()
    wrong = call(DIGEST, {**USER, "d.password": "memory:wrong"})
    assert (await wrong("/digest")).status == 401
    assert len(api.seen) == 2


@pytest.mark.anyio
async def test_many_digest_calls_at_once_count_their_nonce(call, api):
    send = call(DIGEST, USER)
    assert (await send("/digest")).status == 200
    answers = await asyncio.gather(*(send("/digest") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.anyio
async def test_digest_answers_stand_in_no_record_and_replay(call, api, tmp_path):
    path = tmp_path / "digest.jsonl"
    send = call(DIGEST, USER, cassette=Cassette.open(path, "record"))
    live = await send("/digest")
    assert "response=" not in path.read_text() + repr(live.exchanges)
    again = call(DIGEST, USER, secrets=SecretStore(), cassette=Cassette.open(path, "replay"))
    assert (await again("/digest")).status == live.status == 200


@pytest.mark.parametrize(
    ("value", "algorithm"),
    [
        ('Digest realm="a", nonce="n", algorithm=MD5, qop="auth"', "MD5"),
        (
            'Digest realm="a", nonce="n", qop="auth", Digest realm="a", nonce="m", algorithm=SHA-256',
            "SHA-256",
        ),
        ('Negotiate, Digest realm="a, b", nonce="n"', "MD5"),
        ('Bearer realm="Digest nonce=1", Digest nonce=n , realm=a', "MD5"),
        ('Digest realm="a \\" b", nonce="n", stale=TRUE', "MD5"),
        ('Digest realm="a", nonce="n", algorithm=SHA-512', None),
        ('Digest realm="a", nonce="n", qop="auth-conf"', None),
        ('Digest realm="a"', None),
        ("Digest", None),
        ("Basic realm=x", None),
        ("", None),
        ("Digest " + "a=b," * 5000, None),
        ('Digest realm="' + "\\" * 8000, None),
    ],
    ids=range(13),
)
def test_challenges_are_read(value, algorithm):
    found = read_challenge([("www-authenticate", value)])
    assert (found.algorithm if found else None) == algorithm


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("use", "entries", "sent"),
    [
        (SchemeUse(scheme="s", kind="bearer"), {"s": "memory:key"}, "Bearer key-value-1"),
        (SchemeUse(scheme="s", kind="bearer"), {"s.token": "memory:key"}, "Bearer key-value-1"),
        (SchemeUse(scheme="s", kind="http", prefix="Token"), {"s": "memory:key"}, "Token key-value-1"),
        (SchemeUse(scheme="s", kind="http", prefix="HOBA"), {"S": "memory:key"}, "HOBA key-value-1"),
        (SchemeUse(scheme="s", kind="oauth2"), {"s": "memory:key"}, "Bearer key-value-1"),
        (SchemeUse(scheme="s", kind="openIdConnect"), {"s.token": "memory:key"}, "Bearer key-value-1"),
        (SchemeUse(scheme="s", kind="basic"), {"s": "memory:key"}, "Basic key-value-1"),
        (
            SchemeUse(scheme="s", kind="basic"),
            {"s.username": "ann", "s.password": "memory:key"},
            "Basic YW5uOmtleS12YWx1ZS0x",
        ),
        (
            SchemeUse(scheme="s", kind="custom"),
            {"s": lambda request: {"Authorization": "own-value"}},
            "own-value",
        ),
        (SchemeUse(scheme="s", kind="bearer"), {"s": lambda scopes: "made-value"}, "Bearer made-value"),
    ],
    ids=range(10),
)
async def test_what_stands_in_the_header(call, api, use, entries, sent):
    await call(use, entries)("/open")
    assert api.seen[-1][2]["authorization"] == sent


class Signer:
    """Signs requests as an object that changes them."""

    def __init__(self, move_to=""):
        self.move_to = move_to

    async def authorize(self, request):
        from dataclasses import replace

        signature = f"signed-{request.method}-{len(request.body or b'')}"
        url = self.move_to or request.url
        return replace(request, url=url, headers=(*request.headers, ("x-signature", signature)))


@pytest.mark.anyio
async def test_the_callers_own_code_sees_the_request_and_may_not_move_it(call, api):
    use = SchemeUse(scheme="s", kind="custom")
    response = await call(use, {"s": Signer()})("/open", "POST", b"abc")
    assert api.seen[-1][2]["x-signature"] == "signed-POST-3"
    assert "signed-POST-3" not in response.body.decode()
    with pytest.raises(ConfigError, match="another origin"):
        await call(use, {"s": Signer("https://evil.example/")})("/open")
    with pytest.raises(ConfigError, match="returned a int"):
        await call(use, {"s": lambda request: 7})("/open")


def test_alternatives_are_told_to_a_person():
    key, user, other = (SchemeUse(scheme=name, kind="apiKey") for name in ("key", "user", "other"))
    assert describe(((key,), (user, other), ())) == "key or (user and other)"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Certificates of an authority of our own: a server's, a client's, and the client's with a passphrase."""
    trustme = pytest.importorskip("trustme", reason="pip install trustme")
    folder = tmp_path_factory.mktemp("certificates")
    made = trustme.CA()
    client = made.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "key.pem")
    for number, blob in enumerate(client.cert_chain_pems):
        blob.write_to_path(folder / "chain.pem", append=number > 0)
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    (folder / "locked.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"pass-phrase-1"),
        )
    )
    made.folder = folder
    return made


@pytest.fixture
async def tls_server(authority):
    """A TLS server that wants a client certificate, and tells whose it got."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            names = writer.get_extra_info("peercert")["subjectAltName"]
            body = json.dumps(names).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def reach(url, authority, entries, hosts=None, **settings):
    secrets = SecretStore({"phrase": "pass-phrase-1", "path": str(authority.folder / "client.pem")})
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with HTTPClient(
        egress=Egress(allow_hosts=("127.0.0.1",)), secrets=secrets, verify=context, **settings
    ) as client:
        auth = Auth(entries, secrets=secrets)
        use = SchemeUse(scheme="m", kind="mutualTLS")
        choice = auth.choose(((use,),), hosts or (origin_of(url),))
        return await auth.sender(client, choice).send(Request(method="GET", url=f"{url}/"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "entries",
    [
        {"m.certificate": "{0}/client.pem"},
        {"m.certificate": "{0}/chain.pem", "m.key": "{0}/key.pem"},
        {"m.certificate": "{0}/chain.pem", "m.key": "{0}/locked.pem", "m.passphrase": "memory:phrase"},
        {"m.certificate": "memory:path"},
    ],
    ids=["one file", "two files", "passphrase", "reference"],
)
async def test_a_client_certificate_is_shown(tls_server, authority, entries):
    filled = {name: value.format(authority.folder) for name, value in entries.items()}
    response = await reach(tls_server, authority, filled)
    assert json.loads(response.body) == [["email", "client@example.org"]]


@pytest.mark.anyio
async def test_a_certificate_is_shown_to_its_origin_alone(tls_server, authority):
    given = {"m.certificate": str(authority.folder / "client.pem")}
    with pytest.raises(HTTPError, match="closed the connection"):
        await reach(tls_server, authority, given, hosts=("https://other.example:443",))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"m.certificate": "{0}/nowhere.pem"}, "no such file"),
        ({"m.certificate": "{0}"}, "no such file"),
        ({"m.certificate": "{0}/chain.pem"}, "cannot be used"),
        ({"m.certificate": "{0}/chain.pem", "m.key": "{0}/locked.pem"}, "cannot be used"),
        ({"m.certificate": "{0}/key.pem"}, "cannot be used"),
    ],
    ids=range(5),
)
async def test_certificates_that_cannot_be_used(tls_server, authority, entries, says):
    filled = {name: value.format(authority.folder) for name, value in entries.items()}
    with pytest.raises(ConfigError, match=says):
        await reach(tls_server, authority, filled)
