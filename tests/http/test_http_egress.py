"""The address guard: what is not public, or allowed by the user, is never connected to."""

import asyncio
import itertools
import random
import socket

import pytest

from toolhaft.errors import ConfigError, EgressError, HTTPError, LimitError, UnreachableError
from toolhaft.http import Egress, Limits, Request, Retry, origin_of
from toolhaft.http.addresses import is_public

LITERALS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0127.0.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "127.0.0.1..",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "10.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "168.63.129.16",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "256.1.1.1",
    "1.2.3.4.5",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "localhost%00.example.com",
    "%31%32%37.0.0.1",
    "127.0.0.1%20",
    "user@127.0.0.1",
    "user:pass@127.0.0.1",
    "example.com@127.0.0.1",
    "example.com:80@127.0.0.1",
    "127.0.0.1\\@example.com",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[5f00::1]",
    "[3fff::1]",
    "[2001:db8::1]",
    "[::1",
    "::1",
]
REDIRECTED = [
    "http://127.0.0.2:{port}/",
    "http://2130706434:{port}/",
    "http://0x7f.0.0.2:{port}/",
    "http://[::ffff:127.0.0.2]:{port}/",
    "http://user@127.0.0.2:{port}/",
    "//127.0.0.2:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[64:ff9b::7f00:1]/",
    "http://１２７.0.0.2:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.2:{port}/",
    "data:text/plain,hello",
]


@pytest.mark.anyio
@pytest.mark.parametrize("host", LITERALS)
async def test_hostile_literal_is_refused(quick, connects, host):
    client = quick(egress=Egress())
    for scheme, port in (("http", ""), ("https", ":8443")):
        with pytest.raises(EgressError) as caught:
            await client.send(Request(method="GET", url=f"{scheme}://{host}{port}/"))
        assert "pass@" not in str(caught.value)
    assert connects == []
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", REDIRECTED)
async def test_hostile_target_behind_redirects_is_refused(server, new_server, quick, connects, status, where):
    """Twelve targets behind five statuses and one to five hops: three hundred cases."""
    async with new_server() as forbidden:
        target = where.format(port=forbidden.port)
        server.answer("/5", status, headers=[("Location", target.encode().decode("latin-1"))])
        for hop in range(1, 5):
            server.answer(f"/{hop}", status, headers=[("Location", f"/{hop + 1}")])
        client = quick()
        for start in range(1, 6):
            seen = len(server.requests)
            with pytest.raises(EgressError) as caught:
                await client.send(Request(method="GET", url=f"{server.url}/{start}"))
            assert len(server.requests) - seen == 6 - start
            assert len(caught.value.exchanges) == 6 - start
        await client.close()
        assert forbidden.connections == 0
    assert {address[0] for address in connects} == {"127.0.0.1"}


class Names:
    """A resolver with answers to hand out in turn, the last for ever."""

    def __init__(self, *answers, delay=0.0):
        self.answers = list(answers)
        self.delay = delay
        self.asked = 0

    async def __call__(self, host, port):
        self.asked += 1
        await asyncio.sleep(self.delay)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Dialled:
    """Connects to a loopback server in place of a public address, and notes which was asked for."""

    def __init__(self, port):
        self.port = port
        self.addresses = []

    async def __call__(self, address, port):
        self.addresses.append(address)
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return sock


PRIVATE_ANSWERS = [
    ["127.0.0.1"],
    ["10.0.0.1"],
    ["192.168.1.1"],
    ["169.254.169.254"],
    ["172.20.0.1"],
    ["100.64.1.1"],
    ["0.0.0.0"],
    ["::1"],
    ["fe80::1%eth0"],
    ["fc00::1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::1"],
    ["168.63.129.16"],
    ["192.0.0.192"],
    ["93.184.216.34", "127.0.0.1"],
    ["127.0.0.1", "93.184.216.34"],
    ["93.184.216.34", "1.1.1.1", "10.0.0.1"],
    ["2606:4700::1111", "::1"],
    ["2606:4700::1111", "fd00::1"],
    ["93.184.216.34", "nonsense"],
    [],
    ["not an address"],
    [""],
]


@pytest.mark.anyio
@pytest.mark.parametrize("answer", PRIVATE_ANSWERS, ids=str)
async def test_name_with_a_private_address_is_refused(server, quick, connects, answer):
    dialled = Dialled(server.port)
    client = quick(egress=Egress(resolver=Names(answer), dial=dialled))
    with pytest.raises(EgressError):
        await client.send(Request(method="GET", url="http://api.example.com/"))
    assert connects == []
    assert dialled.addresses == []
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("failure", "retries"),
    [(socket.gaierror(socket.EAI_NONAME, "no"), 1), (socket.gaierror(socket.EAI_AGAIN, "later"), 3)],
    ids=["unknown", "temporary"],
)
async def test_name_without_an_answer(quick, connects, failure, retries):
    names = Names(failure)
    client = quick(egress=Egress(resolver=names))
    with pytest.raises(UnreachableError) as caught:
        await client.send(Request(method="POST", url="http://api.example.com/", effect="write"))
    assert caught.value.effect == "none"
    assert len(caught.value.exchanges) == retries
    assert names.asked == 1  # failures are remembered for a moment
    assert connects == []
    await client.close()


@pytest.mark.anyio
async def test_slow_resolver_is_inside_the_deadline(quick, connects):
    client = quick(egress=Egress(resolver=Names(["1.1.1.1"], delay=30)), limits=Limits(seconds=0.2))
    started = asyncio.get_running_loop().time()
    with pytest.raises(LimitError):
        await client.send(Request(method="GET", url="http://api.example.com/"))
    assert asyncio.get_running_loop().time() - started < 1
    assert connects == []
    await client.close()


@pytest.mark.anyio
async def test_rebinding_name_is_pinned_and_then_refused(server, quick, monkeypatch):
    server.raw("/x", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    names, dialled = Names(["93.184.216.34"], ["127.0.0.1"]), Dialled(server.port)
    client = quick(egress=Egress(resolver=names, dial=dialled))
    request = Request(method="GET", url="http://api.example.com/x")
    for _ in range(5):  # a new connection each time, to the address that was checked first
        assert (await client.send(request)).body == b"ok"
    assert (names.asked, set(dialled.addresses)) == (1, {"93.184.216.34"})
    assert server.requests[0][1]["host"] == "api.example.com"
    monkeypatch.setattr("toolhaft.http.resolver._KEPT_SECONDS", 0.0)
    client._transport._resolver._kept.clear()
    names.answers.insert(0, ["93.184.216.34"])
    assert (await client.send(request)).body == b"ok"
    with pytest.raises(EgressError):
        await client.send(request)
    assert set(dialled.addresses) == {"93.184.216.34"}
    await client.close()


@pytest.mark.anyio
async def test_many_tasks_wait_for_one_look_up(server, quick):
    server.answer("/x", body=b"ok")
    names = Names(["93.184.216.34"], delay=0.02)
    client = quick(egress=Egress(resolver=names, dial=Dialled(server.port)))
    request = Request(method="GET", url="http://api.example.com/x")
    await asyncio.gather(*[client.send(request) for _ in range(60)])
    assert names.asked == 1
    await client.close()


@pytest.mark.anyio
async def test_next_address_is_tried_when_one_does_not_answer(server, quick):
    server.answer("/x", body=b"ok")

    async def dial(address, port):
        if address == "2606:4700::1111":
            raise OSError(101, "Network is unreachable")
        return await Dialled(server.port)(address, port)

    client = quick(egress=Egress(resolver=Names(["2606:4700::1111", "93.184.216.34"]), dial=dial))
    assert (await client.send(Request(method="GET", url="http://api.example.com/x"))).body == b"ok"
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("allowed", "url", "works"),
    [
        (("127.0.0.1",), "http://127.0.0.1:{port}/x", True),
        (("127.0.0.1:{port}",), "http://127.0.0.1:{port}/x", True),
        (("http://127.0.0.1:{port}",), "http://127.0.0.1:{port}/x", True),
        (("localhost",), "http://localhost:{port}/x", True),
        (("LOCALHOST:{port}",), "http://localhost.:{port}/x", True),
        (("api.internal",), "http://api.internal:{port}/x", True),
        (("127.0.0.1:1",), "http://127.0.0.1:{port}/x", False),
        (("https://127.0.0.1:{port}",), "http://127.0.0.1:{port}/x", False),
        (("127.0.0.1",), "http://127.0.0.2:{port}/x", False),
        (("127.0.0.1",), "http://localhost:{port}/x", False),
        (("localhost",), "http://127.0.0.1:{port}/x", False),
        (("api.internal",), "http://other.internal:{port}/x", False),
        (("internal",), "http://api.internal:{port}/x", False),
    ],
)
async def test_allowed_host_works_under_its_own_name(library, server, quick, allowed, url, works):
    server.answer("/x", body=b"ok")
    hosts = tuple(entry.format(port=server.port) for entry in allowed)
    client = quick(library, egress=Egress(allow_hosts=hosts, resolver=Names(["127.0.0.1"])))
    request = Request(method="GET", url=url.format(port=server.port))
    if works:
        assert (await client.send(request)).body == b"ok"
    else:
        with pytest.raises(EgressError):
            await client.send(request)
        assert server.connections == 0
    await client.close()


@pytest.mark.anyio
async def test_allowed_host_over_ip_6(library, quick):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    try:
        listening = await asyncio.start_server(serve, "::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    port = listening.sockets[0].getsockname()[1]
    client = quick(library, egress=Egress(allow_hosts=("::1",)))
    assert (await client.send(Request(method="GET", url=f"http://[0:0::1]:{port}/"))).body == b"ok"
    await client.close()
    listening.close()
    await listening.wait_closed()


@pytest.mark.anyio
async def test_only_the_named_origins_are_spoken_to(library, server, new_server, quick):
    async with new_server() as other:
        other.answer("/x", body=b"other")
        server.answer("/x", body=b"ok")
        server.answer("/away", 307, headers=[("Location", f"{other.url}/x")])
        client = quick(library, egress=Egress(allow_hosts=("127.0.0.1",), origins=(server.url,)))
        assert (await client.send(Request(method="GET", url=f"{server.url}/x"))).body == b"ok"
        for url in (f"{other.url}/x", f"{server.url}/away", "https://example.com/"):
            with pytest.raises(EgressError, match="not one that the tool may speak to"):
                await client.send(Request(method="POST", url=url, effect="write"))
        assert other.connections == 0
        await client.close()


@pytest.mark.parametrize("entry", ["", "http://", "a b", "user@host", "ftp://x", "host:99999", "[::1"])
def test_senseless_allowed_host_is_refused(quick, entry):
    with pytest.raises(ConfigError):
        quick(egress=Egress(allow_hosts=(entry,)))


PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "172.15.0.1",
    "172.32.0.1",
    "223.255.255.255",
]
PUBLIC += ["2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "2001:200::1"]
SPECIAL = ["192.0.0.192", "224.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::"]
SPECIAL += [
    "fec0::1",
    "5f00::1",
    "3fff::1",
    "100.64.0.1",
    "168.63.129.16",
    "2001:db8::1",
    "::",
    "ff02::1",
    "x",
    "",
]
SPECIAL += ["::ffff:8.8.8.8", "2001::1", "4000::1", "1fff::1", "255.255.255.255", "fe80::1%1", "2606::1%eth0"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses(address):
    assert not is_public(address)


def test_every_sampled_private_address_is_special():
    import ipaddress

    draw = random.Random(7)
    for _ in range(20_000):
        address = ipaddress.IPv4Address(draw.getrandbits(32))
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_public(address), address


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example.com", "https://api.example.com:443"),
        ("HTTP://example.com:/x", "http://example.com:80"),
        ("http://example.com.:8080?x", "http://example.com:8080"),
        ("https://bücher.example/ü"[:-1], "https://xn--bcher-kva.example:443"),
        ("https://[2606:4700::0:1111]:8443/", "https://[2606:4700::1111]:8443"),
        ("http://1.1.1.1", "http://1.1.1.1:80"),
        ("http://a_b.example-x.com#frag", "http://a_b.example-x.com:80"),
    ],
)
def test_origin_is_canonical(url, origin):
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


MALFORMED = [
    "",
    "example.com",
    "//example.com",
    "http:/example.com",
    "http://",
    "http:///x",
    "http://:80/",
    "ftp://x/",
]
MALFORMED += [
    "javascript://x/",
    "file:///etc/passwd",
    "http://a b/",
    "http://a/b c",
    "http://a/\n",
    "http://a\r\n.com/",
]
MALFORMED += [
    "http://a/\\b",
    "http://a\\b/",
    "http://a:0/",
    "http://a:65536/",
    "http://a:-1/",
    "http://a:1e3/",
]
MALFORMED += [
    "http://a:80:80/",
    "http://-a.com/",
    "http://a..b/",
    "http://.a/",
    "http://a/ü",
    "http://[1.2.3.4]/",
]
MALFORMED += [
    "http://[::1]x/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 200 + "com/",
    "http://a/" + "x" * 70_000,
]
MALFORMED += ["http://a:٨٠/", "http://xn--\udcff/", "http://a\0b/", "http://a*b/", "http://a,b/"]


@pytest.mark.parametrize("url", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_url_is_refused(url):
    with pytest.raises(EgressError) as caught:
        origin_of(url)
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 400


@pytest.mark.anyio
async def test_downgrade_and_other_schemes_are_not_followed():
    from toolhaft.http.origin import parse_url
    from toolhaft.http.redirects import follow
    from toolhaft.secrets import SecretStore

    target = parse_url("https://api.example.com/v1/x")
    request = Request(method="GET", url=target.url)
    for location in (
        "http://api.example.com/v1/x",
        "http://api.example.com:443/",
        "ftp://x/",
        "file:/etc",
        "http:",
        "http://[",
    ):
        with pytest.raises(EgressError):
            follow(request, target, 302, location, SecretStore())
    for location, url in {
        "y?q=1": "https://api.example.com/v1/y?q=1",
        "/caf\xc3\xa9 au lait": "https://api.example.com/caf%C3%A9%20au%20lait",
        "//b.example/%2F": "https://b.example/%2F",
        "?z": "https://api.example.com/v1/x?z",
        "../up#part": "https://api.example.com/up",
    }.items():
        assert follow(request, target, 307, location, SecretStore()).url == url


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "method"), list(itertools.product([301, 302, 303, 307, 308], METHODS)))
async def test_redirects_change_the_method_as_browsers_do(server, quick, status, method):
    server.answer("/a", status, headers=[("Location", "/b")])
    server.answer("/b")
    client = quick(retry=Retry(attempts=1))
    headers = (("Content-Type", "text/plain"), ("X-Kept", "1"))
    body = b"body" if method in ("POST", "PUT", "PATCH") else None
    await client.send(
        Request(method=method, url=f"{server.url}/a", headers=headers, body=body, effect="write")
    )
    becomes_get = (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST")
    line, received, content = server.requests[1]
    assert line.split()[0] == ("GET" if becomes_get else method)
    assert content == (b"" if becomes_get or body is None else body)
    assert ("content-type" in received) == (not becomes_get)
    assert received["x-kept"] == "1"
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("loop", ["/self", "/a"])
async def test_redirect_loops_end(library, server, quick, loop):
    server.answer("/self", 302, headers=[("Location", "/self")])
    server.answer("/a", 307, headers=[("Location", "/b")])
    server.answer("/b", 307, headers=[("Location", "/a")])
    client = quick(library)
    with pytest.raises(LimitError, match="more than 5 redirects"):
        await client.send(Request(method="GET", url=server.url + loop))
    assert len(server.requests) == 6
    await client.close()


@pytest.mark.anyio
async def test_refusal_is_never_tried_again(quick):
    client = quick(egress=Egress())
    with pytest.raises(HTTPError) as caught:
        await client.send(Request(method="GET", url="http://10.0.0.1/"))
    assert caught.value.exchanges == ()
    assert not caught.value.retryable
    assert "allow_hosts" in caught.value.hint
    await client.close()
