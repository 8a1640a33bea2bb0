"""Names: looked up off the loop's thread, once for everybody who waits, and never to a private address."""

import asyncio
import itertools
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from toolhaft.errors import EgressError, LimitError, UnreachableError
from toolhaft.http import Egress, Limits, Request, Retry
from toolhaft.http import resolver as resolver_module
from toolhaft.http.egress import Guard
from toolhaft.http.resolver import CheckedResolver

PUBLIC = "93.184.216.34"
NAMES = 100
SENDS = 1_000


def check_of(ask, **egress):
    return CheckedResolver(Guard(Egress(**egress)), ask)


def dial_to(port, seen=None):
    """Connect to a loopback port in place of the address, and note which was asked for."""

    async def dial(address, _):
        if seen is not None:
            seen.append(address)
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return sock

    return dial


class Clock:
    """The time, moved by hand."""

    def __init__(self, monkeypatch):
        self.now = 1_000.0
        monkeypatch.setattr(resolver_module, "time", SimpleNamespace(monotonic=lambda: self.now))


class SystemNames:
    """Stands for the system's resolver: slow, blocking, and it needs the loop to go on meanwhile.

    Every call blocks until the loop has ticked three more times; on the loop's own thread that never
    happens, so it would give up after a while and be counted as starved.
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self.ticks = 0
        self.lags = []
        self.calls = []
        self.threads = set()
        self.starved = 0
        self._ticked = threading.Condition()

    def getaddrinfo(self, host, port, *_, **__):
        self.calls.append(host)
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        with self._ticked:
            goal = self.ticks + 3
            # Once is enough to fail.
            if not self.starved and not self._ticked.wait_for(lambda: self.ticks >= goal, timeout=5):
                self.starved += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, port))]

    async def tick(self, every=0.005):
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            await asyncio.sleep(every)
            self.lags.append(max(0.0, clock() - started - every))
            with self._ticked:
                self.ticks += 1
                self._ticked.notify_all()


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_thousand_agents_wait_for_slow_names_off_the_loop(server, quick, monkeypatch):
    server.answer("/x", body=b"ok")
    names = SystemNames(seconds=0.03)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    client = quick(
        egress=Egress(dial=dial_to(server.port)),
        limits=Limits(seconds=60, connections=2),
        retry=Retry(attempts=1),
    )
    ticker = asyncio.create_task(names.tick())
    requests = [Request(method="GET", url=f"http://n{n % NAMES}.example.com/x") for n in range(SENDS)]
    responses = await asyncio.gather(*[client.send(request) for request in requests])
    ticker.cancel()
    assert [response.body for response in responses] == [b"ok"] * SENDS
    assert sorted(names.calls) == sorted(f"n{n}.example.com" for n in range(NAMES))
    assert threading.get_ident() not in names.threads
    assert names.starved == 0
    lags = sorted(names.lags)
    # 100 ms is the aim; on the loop's thread, the hundred look-ups would take three seconds of it.
    assert lags[int(len(lags) * 0.99)] < 1.0
    await client.close()


@pytest.mark.anyio
async def test_a_thousand_look_ups_of_one_name_are_one():
    asked = []

    async def ask(host, port):
        asked.append(host)
        await asyncio.sleep(0.03)
        return [PUBLIC]

    checked = check_of(ask)
    found = await asyncio.gather(*[checked.addresses("api.example.com", 443) for _ in range(SENDS)])
    assert found == [(PUBLIC,)] * SENDS
    assert asked == ["api.example.com"]
    assert checked._running == {}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer", [[], OSError(5, "broken"), socket.gaierror(socket.EAI_AGAIN, "later")], ids=repr
)
async def test_a_thousand_failed_look_ups_of_one_name_are_one(answer):
    asked = []

    async def ask(host, port):
        asked.append(host)
        await asyncio.sleep(0.01)
        if isinstance(answer, Exception):
            raise answer
        return answer

    checked = check_of(ask)
    tries = [checked.addresses("api.example.com", 443) for _ in range(SENDS)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(error) for error in errors} == {
        UnreachableError if isinstance(answer, OSError) else EgressError
    }
    assert asked == ["api.example.com"]
    assert len({id(error) for error in errors}) == SENDS  # each is marked with its own request's fate


@pytest.mark.anyio
async def test_an_error_of_ones_own_resolver_is_not_shared_either():
    async def ask(host, port):
        await asyncio.sleep(0.01)
        raise EgressError("this name is on no list", where=host)

    checked = check_of(ask)
    tries = [checked.addresses("api.example.com", 443) for _ in range(5)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    assert {str(error) for error in errors} == {"api.example.com: this name is on no list"}
    assert len({id(error) for error in errors}) == 5


@pytest.mark.anyio
@pytest.mark.parametrize("leaving", [[0], [0, 1, 2], [3], list(range(9))], ids=str)
async def test_who_is_cancelled_does_not_end_the_look_up_of_others(leaving):
    asked, go = [], asyncio.Event()

    async def ask(host, port):
        asked.append(host)
        await go.wait()
        return [PUBLIC]

    checked = check_of(ask)
    tasks = [asyncio.create_task(checked.addresses("api.example.com", 443)) for _ in range(10)]
    await asyncio.sleep(0.01)
    for n in leaving:
        tasks[n].cancel()
    await asyncio.sleep(0.01)
    go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [n for n, each in enumerate(found) if isinstance(each, asyncio.CancelledError)] == leaving
    assert all(each == (PUBLIC,) for n, each in enumerate(found) if n not in leaving)
    assert asked == ["api.example.com"]


@pytest.mark.anyio
async def test_the_last_who_is_cancelled_ends_the_look_up():
    ended = []

    async def ask(host, port):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append(host)
            raise

    checked, others = check_of(ask), asyncio.all_tasks()
    tasks = [asyncio.create_task(checked.addresses("api.example.com", 443)) for _ in range(10)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert ended == ["api.example.com"]
    assert checked._running == {}
    assert asyncio.all_tasks() == others


def test_loops_do_not_wait_for_each_other():
    asked = []

    async def ask(host, port):
        asked.append(asyncio.get_running_loop())
        await asyncio.sleep(0.05)
        return [PUBLIC]

    checked, found = check_of(ask), []
    threads = [
        threading.Thread(target=lambda: found.append(asyncio.run(checked.addresses("api.example.com", 443))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [(PUBLIC,)] * 4
    assert len(set(asked)) == len(asked)


@pytest.mark.anyio
async def test_answers_are_kept_for_a_minute_and_per_client(monkeypatch):
    clock, answers, asked = Clock(monkeypatch), itertools.cycle(["1.1.1.1", "8.8.8.8"]), []

    async def ask(host, port):
        asked.append(host)
        return [next(answers)]

    first, second = check_of(ask), check_of(ask)
    assert await first.addresses("a.example.com", 443) == ("1.1.1.1",)
    assert await second.addresses("a.example.com", 443) == ("8.8.8.8",)
    for seconds in (0.0, 30.0, 29.9):
        clock.now += seconds
        assert await first.addresses("a.example.com", 80) == ("1.1.1.1",)
    assert len(asked) == 2
    clock.now += 0.2  # more than a minute now
    assert await second.addresses("a.example.com", 443) == ("1.1.1.1",)
    assert len(asked) == 3


@pytest.mark.anyio
async def test_failures_are_kept_for_a_moment_and_stay_what_they_were(monkeypatch):
    clock, asked = Clock(monkeypatch), []

    async def ask(host, port):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME if "none" in host else socket.EAI_AGAIN, "no")

    checked = check_of(ask)
    for host, retryable in (("none.example.com", False), ("busy.example.com", True)):
        for _ in range(3):
            with pytest.raises(UnreachableError) as caught:
                await checked.addresses(host, 443)
            assert caught.value.retryable is retryable
    assert asked == ["none.example.com", "busy.example.com"]
    clock.now += 2.1
    with pytest.raises(UnreachableError):
        await checked.addresses("none.example.com", 443)
    assert len(asked) == 3


@pytest.mark.anyio
async def test_memory_for_names_is_bounded():
    asked = []

    async def ask(host, port):
        asked.append(host)
        return [PUBLIC]

    checked = check_of(ask)
    for n in range(1_500):
        await checked.addresses(f"n{n}.example.com", 443)
    assert len(checked._kept) == 1_024
    await checked.addresses("n1499.example.com", 443)
    assert len(asked) == 1_500


def alias(*addresses):
    """Return what the system says of a name that is another's alias: canonical name and addresses."""
    return [
        (
            socket.AF_INET6 if ":" in address else socket.AF_INET,
            socket.SOCK_STREAM,
            6,
            "internal.corp.example" if position == 0 else "",
            (address, 80, 0, 0) if ":" in address else (address, 80),
        )
        for position, address in enumerate(addresses)
    ]


OF_THE_SYSTEM = {
    "alias of a loopback name": alias("127.0.0.1"),
    "alias of a private name": alias("10.1.2.3"),
    "alias of a metadata name": alias("169.254.169.254"),
    "alias with both kinds": alias(PUBLIC, "192.168.0.7"),
    "alias with both kinds, private first": alias("192.168.0.7", PUBLIC),
    "alias over ip 6": alias("fd12::1"),
    "alias over ip 6 with a scope": alias("fe80::1%1"),
    "alias over both": alias(PUBLIC, "::1"),
    "alias mapped": alias("::ffff:10.0.0.1"),
    "alias translated": alias("2606:4700::1111", "64:ff9b::a00:1"),
    "alias that is said twice": alias("127.0.0.1", "127.0.0.1"),
    "private one behind a thousand": alias(
        *[f"93.184.{n // 250}.{n % 250}" for n in range(1_000)], "10.0.0.1"
    ),
    "alias of nothing": [],
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OF_THE_SYSTEM)
async def test_names_that_lead_inside_are_refused(quick, connects, monkeypatch, kind):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: OF_THE_SYSTEM[kind])
    dialled = []
    client = quick(egress=Egress(dial=dial_to(1, dialled)))
    for method in ("GET", "POST"):
        with pytest.raises(EgressError) as caught:
            await client.send(Request(method=method, url="http://www.example.com/"))
        assert caught.value.effect == "none"
    assert (connects, dialled) == ([], [])
    await client.close()


REBINDING = {
    "public, then loopback": [[PUBLIC], ["127.0.0.1"]],
    "public, then metadata": [[PUBLIC], ["169.254.169.254"]],
    "public, then both": [[PUBLIC], [PUBLIC, "10.0.0.1"]],
    "public, then ip 6": [[PUBLIC], ["::1"]],
    "public, then mapped": [[PUBLIC], ["::ffff:7f00:1"]],
    "public, then none": [[PUBLIC], []],
    "public twice, then private": [[PUBLIC], ["1.1.1.1"], ["10.0.0.1"]],
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", REBINDING)
async def test_names_that_turn_inside_are_refused_when_they_do(server, quick, monkeypatch, kind):
    """Each answer is used for its minute; the private one is never connected to."""
    server.raw("/x", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    clock, dialled, answers = Clock(monkeypatch), [], iter(REBINDING[kind])

    async def ask(host, port):
        return next(answers)

    client = quick(egress=Egress(resolver=ask, dial=dial_to(server.port, dialled)))
    request = Request(method="GET", url="http://api.example.com/x")
    good = [answer for answer in REBINDING[kind] if answer in ([PUBLIC], ["1.1.1.1"])]
    for _ in good:
        for _ in range(2):
            assert (await client.send(request)).body == b"ok"
        clock.now += 60
    for _ in range(2):
        with pytest.raises(EgressError):
            await client.send(request)
    assert dialled == [address for answer in good for address in answer * 2]
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "first", [socket.gaierror(socket.EAI_AGAIN, "later"), OSError(5, "broken"), []], ids=repr
)
async def test_name_that_fails_and_then_leads_inside(quick, connects, monkeypatch, first):
    clock, answers = Clock(monkeypatch), iter([first, ["127.0.0.1"]])

    async def ask(host, port):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = quick(egress=Egress(resolver=ask), retry=Retry(attempts=1))
    for kind in (UnreachableError if isinstance(first, Exception) else EgressError, EgressError):
        with pytest.raises(kind):
            await client.send(Request(method="GET", url="http://api.example.com/"))
        clock.now += 3
    assert connects == []
    await client.close()


@pytest.mark.anyio
async def test_redirect_to_a_name_that_leads_inside(server, quick):
    server.answer("/x", 302, headers=[("Location", "http://inside.example.com/secret")])
    dialled = []

    async def ask(host, port):
        return ["10.0.0.1"] if host.startswith("inside") else [PUBLIC]

    client = quick(egress=Egress(resolver=ask, dial=dial_to(server.port, dialled)))
    with pytest.raises(EgressError, match=r"inside\.example\.com"):
        await client.send(Request(method="GET", url="http://outside.example.com/x"))
    assert dialled == [PUBLIC]
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize("stuck", [1, 20])
async def test_slow_names_end_with_the_deadline_of_each(quick, connects, stuck):
    """A look-up that never ends holds up nobody beyond the deadline, and other names not at all."""

    async def ask(host, port):
        if host.startswith("stuck"):
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    client = quick(egress=Egress(resolver=ask), limits=Limits(seconds=0.3))
    tries = [
        client.send(Request(method="GET", url=f"http://stuck{n % 3}.example.com/")) for n in range(stuck)
    ]
    waiting = asyncio.gather(*tries, return_exceptions=True)
    with pytest.raises(EgressError):
        await client.send(Request(method="GET", url="http://quick.example.com/"))
    assert not waiting.done()
    assert {type(error) for error in await waiting} == {LimitError}
    await asyncio.sleep(0)
    assert client._transport._resolver._running == {}
    assert connects == []
    await client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    ["127.0.0.1", [None], [b"93.184.216.34"], {PUBLIC: 1, "::1": 2}, [["1.1.1.1"]]],
    ids=repr,
)
async def test_resolver_that_answers_nonsense_leads_nowhere(quick, connects, answer):
    async def ask(host, port):
        return answer

    client = quick(egress=Egress(resolver=ask), retry=Retry(attempts=1))
    with pytest.raises(EgressError):
        await client.send(Request(method="GET", url="http://api.example.com/"))
    assert connects == []
    await client.close()
