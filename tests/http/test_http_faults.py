"""A hostile server: whatever it does, the answer is bounded, in time, and an error says what was wrong."""

import asyncio
import contextlib
import gzip
import random
import shutil
import ssl
import subprocess
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from toolhaft.errors import BrokenAnswerError, HTTPError, LimitError, RateLimitedError, UnreachableError
from toolhaft.http import Limits, Request, Retry
from toolhaft.http.retry import read_retry_after

pytestmark = pytest.mark.slow  # waits for limits to be reached

SMALL = Limits(seconds=0.5, raw_bytes=100_000, decoded_bytes=100_000)
OK = b"HTTP/1.1 200 OK\r\n"


def get(server, path="/x", **fields):
    return Request(method="GET", url=server.url + path, **fields)


def post(server, path="/x", **fields):
    fields.setdefault("effect", "write")
    return Request(method="POST", url=server.url + path, body=b"{}", **fields)


async def failure(client, request):
    with pytest.raises(HTTPError) as caught:
        await client.send(request)
    return caught.value


# --- Retry-After


def soon(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


OBEYED = [
    "0",
    "0.0x",
    "garbage",
    "-5",
    "",
    " ",
    "1e9",
    "0 ",
    "٣",
    "Fri, 99 Foo 2026 10:00:00 GMT",
    pytest.param(soon(-60), id="a minute ago"),
    "+0",
]
TOO_LONG = ["3", "86400", "9" * 30, "9" * 5000, soon(3600), soon(10**8), "Fri, 31 Dec 9999 23:59:59 GMT"]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", OBEYED)
async def test_short_or_senseless_retry_after(server, quick, status, value):
    server.answer("/x", status, b"busy", headers=[("Retry-After", value.encode().decode("latin-1"))])
    client = quick()
    response = await client.send(get(server))
    assert (response.status, len(server.requests), len(response.exchanges)) == (status, 3, 3)
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", TOO_LONG, ids=range(len(TOO_LONG)))
async def test_long_retry_after_is_told(server, quick, status, value):
    server.answer("/x", status, b"busy", headers=[("Retry-After", value)])
    client = quick()
    error = await failure(client, get(server))
    assert isinstance(error, RateLimitedError)
    assert 2 < error.details["retry_after"] <= 1e9
    assert error.details["status"] == status
    assert len(server.requests) == 1
    assert (await client.send(post(server))).status == status  # a write is not tried again: an answer
    await client.close()


@pytest.mark.anyio
async def test_retry_after_is_obeyed_by_everyone(server, quick):
    times = []

    async def busy_once(reader, writer, seen):
        times.append(time.monotonic())
        headers = [("Retry-After", "1")] if len(times) == 1 else []
        return await server.proper(429 if headers else 200, b"", headers)(reader, writer, seen)

    server.route("/x", busy_once)
    client = quick()
    first = asyncio.create_task(client.send(get(server)))
    await asyncio.sleep(0.1)
    responses = [await first, await client.send(get(server))]
    assert [response.status for response in responses] == [200, 200]
    assert times[1] - times[0] >= 0.99
    await client.close()


def test_retry_after_is_read_as_written():
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert read_retry_after("120") == 120
    assert read_retry_after("Fri, 20 Nov 2026 10:01:00 GMT", now) == 60
    assert read_retry_after("Fri, 20 Nov 2026 09:01:00 GMT", now) == 0
    assert read_retry_after("soon") is None
    assert read_retry_after("-1") is None


# --- statuses

REPEATED = [408, 425, 429, 500, 502, 503, 504, 507, 520, 599]
FINAL = [400, 401, 403, 404, 405, 409, 410, 413, 415, 418, 422, 451, 499, 501, 505, 511]
BODIES = [b"", b'{"error": "no"}', b"<html>no</html>"]


@pytest.mark.anyio
@pytest.mark.parametrize("status", REPEATED)
async def test_passing_failures_are_repeated_for_reads_and_keyed_writes(server, quick, status):
    for body in BODIES:
        server.answer("/x", status, body)
        client = quick()
        for request, tries in (
            (get(server), 3),
            (post(server), 1),
            (post(server, effect="irreversible"), 1),
            (post(server, repeatable=True), 3),
        ):
            before = len(server.requests)
            response = await client.send(request)
            assert (response.status, response.body) == (status, body)
            assert len(server.requests) - before == tries == len(response.exchanges)
        await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("status", FINAL)
async def test_final_failures_are_not_repeated(server, quick, status):
    for body in BODIES:
        server.answer("/x", status, body)
        client = quick()
        assert (await client.send(get(server))).body == body
        await client.close()
    assert len(server.requests) == len(BODIES)


@pytest.mark.anyio
async def test_second_try_may_succeed(library, server, quick):
    async def flaky(reader, writer, seen):
        return await server.proper(200 if seen == 3 else 503, b"ok")(reader, writer, seen)

    server.route("/x", flaky)
    client = quick(library)
    response = await client.send(get(server))
    assert [exchange.status for exchange in response.exchanges] == [503, 503, 200]
    await client.close()


# --- connections


@pytest.mark.anyio
async def test_refused_connection(library, new_server, quick):
    async with new_server() as gone:
        pass
    client = quick(library)
    for request in (get(gone), post(gone)):
        error = await failure(client, request)
        assert isinstance(error, UnreachableError)
        assert error.effect == "none"  # so even a plain write is tried again
        assert len(error.exchanges) == 3
    await client.close()


def closing(data=b"", *, abort=False):
    """Make a handler that writes something and hangs up."""

    async def handler(reader, writer, seen):
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        if abort:
            writer.transport.abort()
        return False

    return handler


BROKEN_OFF = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "half the headers": OK + b"Content-Le",
    "no body": OK + b"Content-Length: 5\r\n\r\n",
    "half the body": OK + b"Content-Length: 5\r\n\r\nab",
    "no chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "half a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    "1xx alone": b"HTTP/1.1 100 Continue\r\n\r\n",
    "truncated gzip": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1000)[:-9],
}


@pytest.mark.anyio
@pytest.mark.parametrize("abort", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", BROKEN_OFF)
async def test_answer_that_breaks_off(library, server, quick, kind, abort):
    if kind == "truncated gzip" and abort:
        pytest.skip("a reset may lose the length that says that it is truncated")
    server.route("/x", closing(BROKEN_OFF[kind], abort=abort))
    client = quick(library)
    for request, tries, effect in (
        (get(server), 3, "none"),
        (post(server), 1, ("uncertain", "done")),
        (post(server, repeatable=True), 3, ("uncertain", "done")),
    ):
        before = len(server.requests)
        error = await failure(client, request)
        assert isinstance(error, BrokenAnswerError), error
        assert len(server.requests) - before == tries == len(error.exchanges)
        assert error.effect in effect
        assert all(exchange.problem for exchange in error.exchanges)
    assert client.open_connections == 0
    await client.close()


NOT_HTTP = {
    "text": b"hello there, this is not HTTP\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bad status": b"HTTP/1.1 abc OK\r\n\r\n",
    "status 99": b"HTTP/1.1 099 OK\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 OK\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "list of lengths": OK + b"Content-Length: 5, 6\r\n\r\nabcdef",
    "negative length": OK + b"Content-Length: -5\r\n\r\nabcdef",
    "hex length": OK + b"Content-Length: 0x5\r\n\r\nabcdef",
    "bad chunk size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "negative chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
    "huge chunk size": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nab",
    "unknown coding": OK + b"Transfer-Encoding: gzip\r\n\r\nab",
    "colonless header": OK + b"Nonsense\r\n\r\n",
    "space in name": OK + b"Bad Name: x\r\n\r\n",
    "NUL in a header": OK + b"X: a\0b\r\n\r\n",
    "binary": bytes(range(256)) * 4 + b"\r\n\r\n",
    "not gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "not deflate": OK + b"Content-Encoding: deflate\r\nContent-Length: 5\r\n\r\nhello",
    "br": OK + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
    "zstd": OK + b"Content-Encoding: zstd\r\nContent-Length: 5\r\n\r\nhello",
    "50 encodings": OK + b"Content-Encoding: " + b", ".join([b"gzip"] * 50) + b"\r\n\r\nhello",
    "3 encodings": OK + b"Content-Encoding: gzip\r\n" * 3 + b"\r\nhello",
    "gzip, then junk": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x") + b"junk",
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", NOT_HTTP)
async def test_answer_that_is_not_one(library, server, quick, kind):
    server.raw("/x", NOT_HTTP[kind])
    client = quick(library, limits=SMALL)
    for request in (get(server), post(server)):
        error = await failure(client, request)
        assert isinstance(error, BrokenAnswerError), error
        assert len(error.exchanges) == 1  # the same again would be no better
        assert error.effect in (("none",) if request.method == "GET" else ("uncertain", "done"))
        assert len(str(error)) < 500
    assert client.open_connections == 0
    await client.close()


# --- size and time


def flood(head, piece, pause=0.0):
    async def handler(reader, writer, seen):
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def bomb(levels, size=100_000_000):
    """Return a body that decodes to very much."""
    engine = zlib.compressobj(9, wbits=31)
    piece = b"\0" * 1_000_000
    body = b"".join(engine.compress(piece) for _ in range(size // len(piece))) + engine.flush()
    for _ in range(levels - 1):
        body = gzip.compress(body, 9)
    return body


def encoded(names, body):
    head = OK + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (names, len(body))
    return head + body


TOO_LARGE = {
    "endless body": flood(OK + b"\r\n", b"x" * 50_000),
    "endless chunks": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    "endless chunk extensions": flood(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 9_000 + b"\r\nx\r\n", 0.001
    ),
    "announced length": closing(OK + b"Content-Length: 99999999\r\n\r\nab"),
    "length beyond integers": closing(OK + b"Content-Length: 9999999999999999999\r\n\r\nab"),
    "5 MB header": closing(OK + b"X: " + b"x" * 5_000_000 + b"\r\n\r\n"),
    "5 MB of headers": closing(OK + (b"X: " + b"x" * 1000 + b"\r\n") * 5000 + b"\r\n"),
    "3,000 headers": closing(OK + b"X: 1\r\n" * 3000 + b"Content-Length: 0\r\n\r\n"),
    "201 headers": closing(OK + b"X: 1\r\n" * 200 + b"Content-Length: 0\r\n\r\n"),
    "70 kB of headers": closing(OK + (b"X: " + b"x" * 700 + b"\r\n") * 100 + b"Content-Length: 0\r\n\r\n"),
    "endless header": flood(OK + b"X: ", b"x" * 50_000),
    "endless status line": flood(b"HTTP/1.1 200 ", b"x" * 50_000),
    "5,000 x 100": closing(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + OK + b"Content-Length: 0\r\n\r\n"),
    "21 x 103": closing(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 21 + OK + b"Content-Length: 0\r\n\r\n"),
    "endless 100": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "endless trailers": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: 1\r\n" * 1000),
    "gzip bomb": closing(encoded(b"gzip", bomb(1))),
    "double gzip bomb": closing(encoded(b"gzip, gzip", bomb(2))),
    "deflate bomb": closing(encoded(b"deflate", zlib.compress(b"\0" * 50_000_000, 9))),
    "bare deflate bomb": closing(encoded(b"deflate", zlib.compress(b"\0" * 50_000_000, 9)[2:-4])),
    "many gzip members": closing(encoded(b"gzip", gzip.compress(b"x" * 300) * 1000)),
    "x-gzip bomb": closing(encoded(b"x-gzip", bomb(1))),
}
SLOW = {
    "silence": flood(b"", b"", 0.05),
    "a header byte now and then": flood(OK + b"X: ", b"x", 0.02),
    "a header now and then": flood(OK, b"X: 1\r\n", 0.02),
    "a body byte now and then": flood(OK + b"\r\n", b"x", 0.02),
    "an announced byte now and then": flood(OK + b"Content-Length: 90000\r\n\r\n", b"x", 0.02),
    "a chunk now and then": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02),
    "a chunk that never ends": flood(OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n", b"x", 0.02),
    "a 1xx now and then": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.03),
    "headers and silence": flood(OK + b"Content-Length: 5\r\n\r\n", b"", 0.05),
    "gzip header and silence": flood(OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", b"", 0.05),
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", TOO_LARGE)
async def test_answer_that_is_too_large(library, server, quick, kind):
    server.route("/x", TOO_LARGE[kind])
    client = quick(library, limits=SMALL)
    for request in (get(server), post(server)):
        tracemalloc.start()
        error = await failure(client, request)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(error, LimitError) or kind in ("endless trailers", "length beyond integers")
        assert len(error.exchanges) == 1
        assert error.effect in (("none",) if request.method == "GET" else ("uncertain", "done"))
        # The server runs in this process too, so what it sends counts.
        assert peak < 20_000_000
    assert client.open_connections == 0
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", SLOW)
async def test_answer_that_never_ends(library, server, quick, kind):
    server.route("/x", SLOW[kind])
    client = quick(library, limits=Limits(seconds=0.15, informational=100))
    loop = asyncio.get_running_loop()
    for request, effect in ((get(server), "none"), (post(server), "uncertain")):
        started = loop.time()
        error = await failure(client, request)
        assert 0.14 <= loop.time() - started < 0.6
        assert isinstance(error, LimitError)
        assert "within 0.15 s" in str(error)
        assert error.effect == effect
        assert error.exchanges[-1].problem
    error = await failure(client, get(server, timeout=0.05))
    assert "0.05 s" in str(error)
    assert client.open_connections == 0
    await client.close()


@pytest.mark.anyio
async def test_largest_answers_within_the_limits(library, server, quick):
    body = random.Random(3).randbytes(100_000)
    client = quick(library, limits=SMALL)
    for encoding, data in (
        ("identity", body),
        ("gzip", gzip.compress(body[:99_000])),
        ("deflate", zlib.compress(body[:99_000])),
        ("deflate", zlib.compress(b"ab" * 50_000)[2:-4]),
        ("gzip, gzip", gzip.compress(gzip.compress(b"z" * 100_000))),
        ("deflate, x-gzip", gzip.compress(zlib.compress(b"z" * 65_536))),
        ("gzip", gzip.compress(b"a" * 65_536) + gzip.compress(b"b") + b"\0" * 20),
        ("gzip", gzip.compress(b"")),
        ("", b""),
    ):
        server.answer("/x", 200, data, headers=[("Content-Encoding", encoding)])
        response = await client.send(get(server))
        assert response.status == 200
        assert len(response.body) in (100_000, 99_000, 65_536, 65_537, 0)
    assert (await client.send(get(server, max_bytes=1))).body == b""
    await client.close()


# --- text

TEXTS = {
    "invalid UTF-8": ("text/plain; charset=utf-8", b"caf\xe9 \xff", "caf\ufffd \ufffd"),
    "Latin-1": ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
    "UTF-16": ("text/plain; charset=utf-16", "café".encode("utf-16"), "café"),
    "odd UTF-16": ("text/plain; charset=utf-16-le", b"a\0b", "a\ufffd"),
    "unknown charset": ("text/plain; charset=nonsense", b"ok", "ok"),
    "codec that is no charset": ("text/plain; charset=zlib", b"ok", "ok"),
    "hex codec": ("text/plain; charset=hex", b"zz", "zz"),
    "rot13": ("text/plain; charset=rot13", b"ok", "ok"),
    "NUL in charset": ("text/plain; charset=utf-8\tx", b"ok", "ok"),
    "quoted": ('text/html; charset="utf-8"', "ü".encode(), "ü"),
    "no type": ("", b"ok", "ok"),
    "JSON that is HTML": ("application/json", b"<html>", "<html>"),
    "empty": ("application/json", b"", ""),
    "surrogates": ("text/plain", b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", TEXTS)
async def test_text_never_fails_to_decode(server, quick, kind):
    media_type, body, text = TEXTS[kind]
    server.answer("/x", 200, body, headers=[("Content-Type", media_type)])
    client = quick()
    response = await client.send(get(server))
    assert response.text() == text
    assert response.exchanges[0].response_body == body.decode("utf-8", "replace")
    await client.close()


# --- TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Self-signed certificates: for localhost, for another name, and one that has expired."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "index").touch()
    (folder / "ca.conf").write_text(
        f"[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index\nnew_certs_dir = {folder}\n"
        "rand_serial = yes\nunique_subject = no\ndefault_md = sha256\npolicy = p\n"
        "copy_extensions = copy\n[p]\ncommonName = supplied\n"
    )
    for name, subject, end in (
        ("good", "localhost", "20491231235959Z"),
        ("other", "other.example", "20491231235959Z"),
        ("old", "localhost", "20200102000000Z"),
    ):
        key, asked, made = f"{folder}/{name}.key", f"{folder}/{name}.csr", f"{folder}/{name}.pem"
        ask = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        ask += ["-keyout", key, "-out", asked, "-subj", f"/CN={subject}"]
        ask += ["-addext", f"subjectAltName=DNS:{subject}"]
        sign = ["ca", "-batch", "-selfsign", "-notext", "-config", f"{folder}/ca.conf", "-keyfile", key]
        sign += ["-in", asked, "-out", made, "-startdate", "20200101000000Z", "-enddate", end]
        for command in (ask, sign):
            subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=60)
    return folder


@contextlib.asynccontextmanager
async def tls_server(folder, name, handler=None, **settings):
    async def serve(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(OK + b"Content-Length: 200000\r\n\r\n" + b"t" * 200_000)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    for setting, value in settings.items():
        setattr(context, setting, value)
    listening = await asyncio.start_server(handler or serve, "127.0.0.1", 0, ssl=None if handler else context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()
        await asyncio.sleep(0.02)


async def to_loopback(host, port):
    return ["127.0.0.1"]


def trusting(folder, name="good"):
    return ssl.create_default_context(cafile=folder / f"{name}.pem")


@pytest.fixture
def secure(quick):
    from toolhaft.http import Egress

    def make(library, verify):
        hosts = ("localhost", "127.0.0.1")
        return quick(library, verify=verify, egress=Egress(allow_hosts=hosts, resolver=to_loopback))

    return make


@pytest.mark.anyio
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_trusted_certificate(library, secure, certificates, version):
    async with tls_server(certificates, "good", maximum_version=version) as port:
        client = secure(library, trusting(certificates))
        for _ in range(3):
            body = b"u" * 100_000
            response = await client.send(
                Request(method="POST", url=f"https://localhost:{port}/", body=b"", effect="write")
            )
            assert response.body == b"t" * 200_000
        assert client.open_connections == 1
        del body
        await client.close()
        assert client.open_connections == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("served", "host", "trusted"),
    [
        ("good", "localhost", None),
        ("good", "127.0.0.1", "good"),
        ("other", "localhost", "other"),
        ("other", "localhost", "good"),
        ("old", "localhost", "old"),
    ],
)
async def test_certificate_that_is_not_accepted(library, secure, certificates, served, host, trusted):
    async with tls_server(certificates, served) as port:
        client = secure(library, trusting(certificates, trusted) if trusted else True)
        error = await failure(
            client, Request(method="POST", url=f"https://{host}:{port}/", body=b"", effect="write")
        )
        assert isinstance(error, UnreachableError)
        assert "certificate" in str(error)
        assert (error.effect, len(error.exchanges)) == ("none", 1)
        assert client.open_connections == 0
        await client.close()


@pytest.mark.anyio
async def test_verification_can_be_switched_off(library, secure, certificates):
    async with tls_server(certificates, "other") as port:
        client = secure(library, False)
        assert (await client.send(Request(method="GET", url=f"https://localhost:{port}/"))).status == 200
        await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x01"]
)
async def test_server_that_speaks_no_tls(library, secure, certificates, data):
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(data)
        writer.close()

    async with tls_server(certificates, "good", handler=plain) as port:
        client = secure(library, trusting(certificates))
        error = await failure(client, Request(method="GET", url=f"https://localhost:{port}/"))
        assert isinstance(error, UnreachableError)
        assert client.open_connections == 0
        await client.close()


# --- the breaker, the rate, and being cancelled


@pytest.mark.anyio
async def test_breaker_opens_and_closes_again(server, quick, new_server):
    async with new_server() as gone:
        pass
    client = quick(retry=Retry(attempts=1, breaker=5, breaker_rest=0.15))
    for _ in range(5):
        await failure(client, get(gone))
    error = await failure(client, get(gone))
    assert isinstance(error, UnreachableError)
    assert "left alone" in error.what
    assert "the last failure: no connection: " in error.what
    assert error.exchanges == ()
    assert error.details["retry_after"] == 1
    server.answer("/x")
    assert (await client.send(get(server))).status == 200  # another origin is another matter
    await asyncio.sleep(0.16)
    assert len((await failure(client, get(gone))).exchanges) == 1
    server.answer("/bad", 503)
    for _ in range(5):
        await client.send(get(server, "/bad"))
    assert (await failure(client, get(server))).what.endswith("the last failure: the server answered 503")
    await asyncio.sleep(0.16)
    for _ in range(3):
        assert (await client.send(get(server))).status == 200
    await client.close()


@pytest.mark.anyio
async def test_rate_is_kept(server, quick):
    server.answer("/x")
    client = quick(limits=Limits(rate=50))
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*[client.send(get(server)) for _ in range(65)])
    assert 0.28 < asyncio.get_running_loop().time() - started < 1.5
    await client.close()


@pytest.mark.anyio
async def test_random_cancellations_leak_nothing(library, server, quick):
    async def slow(reader, writer, seen):
        await asyncio.sleep(random.random() * 0.004)
        writer.write(OK + b"Content-Length: 20000\r\n\r\n" + b"x" * 10_000)
        await writer.drain()
        await asyncio.sleep(random.random() * 0.004)
        writer.write(b"x" * 10_000)
        return True

    server.route("/x", slow)
    client = quick(library, limits=Limits(connections=5, seconds=10))
    draw = random.Random(11)
    before = len(asyncio.all_tasks())
    cancelled = 0
    for _ in range(10):
        tasks = [asyncio.create_task(client.send(get(server))) for _ in range(30)]
        for task in tasks:
            asyncio.get_running_loop().call_later(draw.random() * 0.03, task.cancel)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError) or outcome.status == 200
            cancelled += isinstance(outcome, asyncio.CancelledError)
    assert cancelled > 100
    async with asyncio.timeout(5):
        responses = await asyncio.gather(*[client.send(get(server)) for _ in range(20)])
    assert {len(response.body) for response in responses} == {20_000}
    assert client.open_connections <= 5
    [pool] = client._transport.pools.of_running_loop().values()
    assert (pool.active, pool.turn._value) == (0, 5)
    await client.close()
    await asyncio.sleep(0.05)
    assert len(asyncio.all_tasks()) - before <= len(server.tasks)
    assert client.open_connections == 0


@pytest.mark.anyio
async def test_closing_wakes_who_waits(library, server, quick):
    server.route("/x", SLOW["silence"])
    client = quick(library, retry=Retry(attempts=1))
    waiting = asyncio.create_task(failure(client, get(server)))
    await asyncio.sleep(0.05)
    await client.close()
    async with asyncio.timeout(1):
        assert isinstance(await waiting, BrokenAnswerError)
    assert client.open_connections == 0


@pytest.mark.anyio
@pytest.mark.parametrize("fault", [OSError(5, "I/O error"), TimeoutError(), ConnectionResetError()], ids=repr)
async def test_every_operation_may_fail(library, server, quick, monkeypatch, fault):
    """Each connect, send and receive of a good call is made to fail in turn."""
    from toolhaft.http import backend
    from toolhaft.http.connection import Connection

    server.answer("/x", body=b"y" * 50_000)
    countdown = [0]

    def failing(function):
        async def wrapped(*arguments):
            countdown[0] -= 1
            if countdown[0] == 0:
                raise fault
            return await function(*arguments)

        return wrapped

    monkeypatch.setattr(backend, "dial_directly", failing(backend.dial_directly))
    monkeypatch.setattr(Connection, "_send", failing(Connection._send))
    monkeypatch.setattr(Connection, "_receive", failing(Connection._receive))
    outcomes = []
    for position in range(1, 12):
        client = quick(library, retry=Retry(attempts=1))
        countdown[0] = position
        try:
            response = await client.send(post(server))
            outcomes.append((response.status, ""))
        except (UnreachableError, BrokenAnswerError) as error:
            outcomes.append((error.code, error.effect))
        assert client.open_connections <= 1
        await client.close()
        assert client.open_connections == 0
    assert set(outcomes) == {
        ("E-HTTP-UNREACHABLE", "none"),
        ("E-HTTP-BROKEN", "uncertain"),
        (200, ""),
    }
    assert outcomes[-1] == (200, "")
