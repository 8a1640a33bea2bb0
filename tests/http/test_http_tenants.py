"""Two tenants, one client: no answer, cookie or connection of one is ever the other's."""

import asyncio
import json
import random

import pytest

from toolhaft.errors import ReplayMissError
from toolhaft.http import Cassette, Credential, Egress, Limits, Request
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

pytestmark = pytest.mark.slow

PAIRS = 50
ROUNDS = 4


def value_of(n):
    return f"tenant-{n:03}-{'key' * 3}"


def store_of(count=2 * PAIRS):
    return SecretStore({f"t{n}": value_of(n) for n in range(count)})


def credential(n, server, place):
    prefix = "Bearer " if place == "header" else ""
    name = "Authorization" if place == "header" else "key"
    return Credential(
        secret=SecretRef(f"memory:t{n}"), origins=(server.url,), place=place, name=name, prefix=prefix
    )


def tell_who(server, seen):
    """Answer with whose key came, on which connection and with which cookies, and set a cookie of theirs."""

    async def handler(reader, writer, _):
        line, headers, body = server.requests[-1]
        port = writer.get_extra_info("peername")[1]
        carried = f"{line} {headers.get('authorization', '')} {headers.get('cookie', '')}"
        owners = [n for n in range(2 * PAIRS) if value_of(n) in carried]
        seen.append((owners, port, headers.get("cookie", ""), body))
        await asyncio.sleep(0.002 * random.Random(len(seen)).random())
        answer = json.dumps({"owners": owners, "port": port, "asked": body.decode()}).encode()
        session = f"session=of-{owners}; Path=/"
        extra = [("Set-Cookie", session), ("Set-Cookie", "tracking=1"), ("Cache-Control", "max-age=600")]
        return await server.proper(body=answer, headers=extra)(reader, writer, _)

    return handler


@pytest.mark.anyio
@pytest.mark.parametrize(
    "place", [pytest.param(place, marks=pytest.mark.slow) for place in ("header", "query", "cookie")]
)
async def test_fifty_pairs_of_tenants_never_cross(library, server, quick, place):
    """A hundred keys for one origin, interleaved over one client that keeps its connections."""
    seen, ports = [], {}
    server.route("/x", tell_who(server, seen))
    client = quick(library, secrets=store_of(), limits=Limits(seconds=30, connections=2))

    async def call(n, turn):
        body = f"{n}-{turn}".encode()
        response = await client.send(
            Request(
                method="POST", url=f"{server.url}/x", body=body, credentials=(credential(n, server, place),)
            )
        )
        said = json.loads(response.body)
        assert (said["owners"], said["asked"]) == ([n], body.decode())
        ports.setdefault(n, set()).add(said["port"])

    calls = [(n, turn) for turn in range(ROUNDS) for n in range(2 * PAIRS)]
    random.Random(7).shuffle(calls)
    await asyncio.gather(*[call(n, turn) for n, turn in calls])
    assert len(seen) == 2 * PAIRS * ROUNDS
    assert [cookie for _, _, cookie, _ in seen if "session" in cookie or "tracking" in cookie] == []
    every = [port for own in ports.values() for port in own]
    assert len(every) == len(set(every)), "a connection was shared"
    assert len(every) < len(seen), "connections were not kept"
    await client.close()


@pytest.mark.anyio
async def test_nobody_is_a_tenant_too(server, quick):
    seen = []
    server.route("/x", tell_who(server, seen))
    client = quick(secrets=store_of())
    for credentials in [(credential(1, server, "header"),), (), (credential(2, server, "header"),), ()] * 3:
        await client.send(Request(method="GET", url=f"{server.url}/x", credentials=credentials))
    assert [owners for owners, *_ in seen] == [[1], [], [2], []] * 3
    assert (
        len({(tuple(owners), port) for owners, port, *_ in seen}) == len({port for _, port, *_ in seen}) == 3
    )
    assert {cookie for _, _, cookie, _ in seen} == {""}
    await client.close()


@pytest.mark.anyio
async def test_an_embedders_client_does_not_carry_cookies_from_one_to_the_other(library, server, quick):
    module = pytest.importorskip(library)
    seen = []
    server.route("/x", tell_who(server, seen))
    server.answer("/away", 302, headers=[("Location", "/x"), ("Set-Cookie", "hop=1")])
    async with module.AsyncClient(cookies={"gateway": "own"}) as own:
        client = quick(library, unguarded=own, egress=Egress(), secrets=store_of())

        async def call(n, path="/x", **fields):
            fields.setdefault("credentials", (credential(n, server, "header"),))
            return await client.send(Request(method="GET", url=server.url + path, **fields))

        await asyncio.gather(*[call(n) for n in (*range(10), *range(10))])
        for n in range(4):
            await call(n, "/away")
        assert {cookie for _, _, cookie, _ in seen} == {"gateway=own"}
        await call(1, headers=(("Cookie", "mine=1"),))
        await call(1, credentials=(credential(1, server, "cookie"),))
        assert [cookie for _, _, cookie, _ in seen[-2:]] == ["mine=1", f"key={value_of(1)}"]
        await client.close()


async def recorded(server, quick, path, requests, store):
    client = quick(cassette=Cassette.open(path, "record"), secrets=store)
    bodies = [(await client.send(request)).body for request in requests]
    await client.close()
    return bodies


@pytest.mark.anyio
@pytest.mark.parametrize("place", ["header", "query", "cookie"])
async def test_tape_answers_a_hundred_tenants_with_their_own(server, quick, tmp_path, place):
    seen = []
    server.route("/x", tell_who(server, seen))
    store, path = store_of(), tmp_path / "tape"
    requests = [
        Request(method="GET", url=f"{server.url}/x", credentials=(credential(n, server, place),))
        for n in range(2 * PAIRS)
    ]
    bodies = await recorded(server, quick, path, requests[:PAIRS], store)
    assert not any(value_of(n) in path.read_text() for n in range(2 * PAIRS))
    for secrets in (store, SecretStore()):
        replaying = quick(cassette=Cassette.open(path), secrets=secrets, egress=Egress())
        order = list(range(2 * PAIRS))
        random.Random(3).shuffle(order)
        for n in order:
            if n < PAIRS:
                assert (await replaying.send(requests[n])).body == bodies[n]
            else:  # never recorded for this tenant
                with pytest.raises(ReplayMissError):
                    await replaying.send(requests[n])


@pytest.mark.anyio
async def test_tape_knows_a_key_by_its_reference_not_by_its_value(server, quick, tmp_path):
    """A key that was replaced gets the answer; another key, another place, or none does not."""
    seen = []
    server.route("/x", tell_who(server, seen))
    path, url = tmp_path / "tape", f"{server.url}/x"
    own = credential(1, server, "header")
    body = (
        await recorded(server, quick, path, [Request(method="GET", url=url, credentials=(own,))], store_of())
    )[0]
    replaced = quick(cassette=Cassette.open(path), secrets=SecretStore({"t1": "the key of next year"}))
    assert (await replaced.send(Request(method="GET", url=url, credentials=(own,)))).body == body
    # The same value under another name is another's all the same.
    same = quick(cassette=Cassette.open(path), secrets=SecretStore({"t1": value_of(1), "t2": value_of(1)}))
    for others in (
        (),
        (credential(2, server, "header"),),
        (credential(1, server, "query"),),
        (own, credential(2, server, "query")),
    ):
        with pytest.raises(ReplayMissError):
            await same.send(Request(method="GET", url=url, credentials=others))


BY_HAND = {
    "authorization": ("Authorization", "Bearer {}"),
    "cookie": ("Cookie", "session={}"),
    "own header": ("X-Tenant-Key", "{}"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", BY_HAND)
async def test_tape_does_not_cross_keys_that_were_set_by_hand(server, quick, tmp_path, kind):
    name, form = BY_HAND[kind]
    seen = []
    server.route("/x", tell_who(server, seen))
    path, store, url = tmp_path / "tape", store_of(4), f"{server.url}/x"

    def request(n):
        return Request(method="GET", url=url, headers=((name, form.format(value_of(n))),))

    bodies = await recorded(server, quick, path, [request(0), request(1)], store)
    assert value_of(0) not in path.read_text()
    replaying = quick(cassette=Cassette.open(path), secrets=store_of(4))
    assert [(await replaying.send(request(n))).body for n in (1, 0)] == bodies[::-1]
    for miss in (request(2), Request(method="GET", url=url)):
        with pytest.raises(ReplayMissError):
            await replaying.send(miss)


@pytest.mark.anyio
async def test_tape_keeps_an_unknown_key_out_of_its_keys(server, quick, tmp_path):
    """What the filter does not know stands for any: nobody can try values against the tape."""
    server.answer("/x", body=b"ok")
    path, url = tmp_path / "tape", f"{server.url}/x"

    def request(value):
        return Request(method="GET", url=url, headers=(("Authorization", value),))

    await recorded(server, quick, path, [request("Basic guess-me")], SecretStore())
    replaying = quick(cassette=Cassette.open(path))
    assert (await replaying.send(request("Basic another"))).body == b"ok"
    with pytest.raises(ReplayMissError):
        await replaying.send(Request(method="GET", url=url))
