"""How much of what an endpoint allows a batch of rollouts reaches, and what it holds in memory.

    python benchmarks/batch.py [--tasks 2000] [--at-once 64] [--rounds 3] [--many 20000] [--quick]

A stub of a chat endpoint, in a process of its own, answers after 50 ms, so that it allows ``at-once / 50 ms``
questions a second. Rollouts of two questions and one call go through it, so many at once: as a journaled
batch (every result is on the disk before it counts), as the same agents without a batch, and as the same
requests written by hand, on asyncio's streams, httpx and httpx2, with nothing around them; in alternation,
within one run. Then many tasks are worked off without a delay, and the resident memory is watched.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from toolhaft import Agent, Task, tool
from toolhaft.agent import open_model
from toolhaft.agent.batch import Batch, BatchOptions

DELAY = 0.05
WORDS = Path(__file__).resolve().parent / "stubs" / "words.py"
STREAMS, BATCH = "by hand, asyncio streams", "batch, journal FULL"
ASK = [
    {
        "role": "system",
        "content": "You carry out the user's instruction with the tools that are offered. " * 8,
    }
]
LOOK = {
    "name": "look",
    "description": "Look a word up.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
BODY = {"model": "stub", "messages": ASK, "tools": [{"type": "function", "function": LOOK}]}


async def serve(delay: float) -> None:
    """Answer chat requests: a call first, and an answer when its result is there."""
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"word": "a"}'},
    }
    bodies = []
    for message in (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": "Done."},
    ):
        reason = "tool_calls" if "tool_calls" in message else "stop"
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        body = json.dumps({"model": "stub", "choices": [choice], "usage": usage}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        bodies.append(head.encode() + body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                await asyncio.sleep(delay)
                writer.write(bodies[b'"tool_call_id"' in body])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def make_agent(port: int) -> Agent:
    @tool(effect="read")
    async def look(word: str) -> str:
        """Look a word up."""
        return look_up(word)

    return Agent([look], model=open_model(f"http://127.0.0.1:{port}/v1#stub"))


def look_up(word: str) -> str:
    return f"{word}: " + "what it means " * 20


async def rollout(number: int, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
    """Ask, call and ask again, as short as a person would write it."""
    messages = [*ASK, {"role": "user", "content": f"Look up word {number}"}]
    answer = json.loads(await ask(json.dumps(BODY | {"messages": messages}).encode()))
    called = answer["choices"][0]["message"]
    call = called["tool_calls"][0]
    said = look_up(**json.loads(call["function"]["arguments"]))
    messages += [called, {"role": "tool", "tool_call_id": call["id"], "content": said}]
    answer = json.loads(await ask(json.dumps(BODY | {"messages": messages}).encode()))
    assert answer["choices"][0]["message"]["content"] == "Done."


async def run_streams(port: int, number: int, at_once: int) -> None:
    """Carry the rollouts out by hand, on asyncio's streams: the least that Python needs."""
    waiting = iter(range(number))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def ask(body: bytes) -> bytes:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: stub\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            return await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))

        for n in waiting:
            await rollout(n, ask)
        writer.close()

    await asyncio.gather(*(work() for _ in range(at_once)))


async def run_library(name: str, port: int, number: int, at_once: int) -> None:
    """Carry the rollouts out by hand, on a client of an HTTP library."""
    library = importlib.import_module(name)
    waiting = iter(range(number))
    limits = library.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with library.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

        async def ask(body: bytes) -> bytes:
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            return (
                await client.post(url, content=body, headers={"content-type": "application/json"})
            ).content

        async def work() -> None:
            for n in waiting:
                await rollout(n, ask)

        await asyncio.gather(*(work() for _ in range(at_once)))


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def run(port: int, folder: Path, number: int, at_once: int, watch=None) -> float:
    """Return the seconds of a batch."""
    tasks = (Task(id=f"t{n}", instruction=f"Look up word {n}") for n in range(number))
    options = BatchOptions(concurrency=at_once)
    batch = Batch(folder, tasks, agent=make_agent(port), options=options, watch=watch)
    result = await batch.run()
    assert result.counts == {"done": number}, result
    return result.seconds


async def run_workers(port: int, folder: Path, number: int, at_once: int) -> float:
    """Return the seconds of the same batch in two worker processes."""
    tasks = (Task(id=f"t{n}", instruction=f"Look up word {n}") for n in range(number))
    settings = {"tools": [f"python:{WORDS}"], "model": f"http://127.0.0.1:{port}/v1#stub"}
    options = BatchOptions(concurrency=at_once, executor="process", workers=2)
    result = await Batch(folder, tasks, settings=settings, options=options).run()
    assert result.counts == {"done": number}, result
    return result.seconds


async def run_agents(port: int, number: int, at_once: int) -> None:
    """Carry the same rollouts out without a batch around them."""
    agent = make_agent(port)
    waiting = iter(range(number))

    async def work() -> None:
        for n in waiting:
            await agent.run(f"Look up word {n}")

    await asyncio.gather(*(work() for _ in range(at_once)))


def waited() -> float:
    """Return the seconds that the event loop's thread was ready and had no core, so far."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a measurement: by the clock, of a core, and without a core though one was needed."""

    wall: float
    cpu: float
    waited: float


def timed(work: Coroutine[None, None, float | None]) -> Cost:
    """Do some work, which may know better how long it took."""
    started, cpu, before = time.perf_counter(), time.process_time(), waited()
    wall = asyncio.run(work) or time.perf_counter() - started
    return Cost(wall, time.process_time() - cpu, waited() - before)


def with_stub(delay: float, work) -> None:
    stub = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(delay)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            work(int(stub.stdout.readline()), Path(folder))
    finally:
        stub.stdin.close()
        stub.wait(timeout=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="600 tasks once, then 2,000")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
        return

    if given.quick:
        given.tasks, given.rounds, given.many = min(given.tasks, 600), 1, min(given.many, 2000)

    def throughput(port: int, folder: Path) -> None:
        found: dict[str, list[Cost]] = {}
        counted = port, given.tasks, given.at_once
        for number in range(given.rounds):
            journal = folder / str(number)
            found.setdefault(STREAMS, []).append(timed(run_streams(*counted)))
            for library in ("httpx", "httpx2"):
                found.setdefault(f"by hand, {library}", []).append(timed(run_library(library, *counted)))
            found.setdefault("agents alone", []).append(timed(run_agents(*counted)))
            found.setdefault(BATCH, []).append(timed(run(port, journal, *counted[1:])))
            spread = timed(run_workers(port, folder / f"{number}-workers", *counted[1:]))
            found.setdefault(f"{BATCH}, 2 workers", []).append(spread)
        limit = given.at_once / DELAY
        print(f"{given.tasks:,} rollouts of two questions, {given.at_once} at once, an endpoint of 50 ms")
        print("of the rounds, the one that waited least for a core")
        print(f"{'':33} questions/s   of {limit:,.0f}   CPU ms a rollout   of a core   without one")
        rates = {}
        for name, rounds in found.items():
            cost = min(rounds, key=lambda cost: cost.waited / cost.wall)
            rates[name] = 2 * given.tasks / cost.wall
            print(
                f"  {name:31} {rates[name]:11,.0f} {100 * rates[name] / limit:8.0f} % "
                f"{1000 * cost.cpu / given.tasks:14.2f} {100 * cost.cpu / cost.wall:13.0f} % "
                f"{100 * cost.waited / cost.wall:10.0f} %"
            )
        batch = rates.pop(BATCH)
        for name, rate in rates.items():
            print(f"  batch / {name:31} {batch / rate:5.2f}")
        print(f"  batch / limit {batch / limit:25.2f}   (aim: 0.9, on a machine that is free)")

    def memory(port: int, folder: Path) -> None:
        seen: list[tuple[int, float]] = []

        def watch(progress) -> None:
            done = sum(progress.finished.values())
            if not seen or done - seen[-1][0] >= given.many / 10:
                seen.append((done, resident()))

        cost = timed(run(port, folder, given.many, given.at_once, watch))
        seen.append((given.many, resident()))
        each = 1000 * cost.cpu / given.many
        print(f"{given.many:,} tasks in {cost.wall:.0f} s, {each:.2f} ms CPU each; MiB held:")
        print("  " + ", ".join(f"{done:,}: {size:.0f}" for done, size in seen))

    if given.tasks:
        with_stub(DELAY, throughput)
    if given.many:
        with_stub(0.0, memory)


if __name__ == "__main__":
    main()
