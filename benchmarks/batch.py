"""How much of what a limit allows a batch of rollouts reaches, and what it holds in memory.

    python benchmarks/batch.py [--tasks 2000] [--rounds 3] [--at-once 64] [--many 20000]

A stub of a chat endpoint, in a process of its own, answers after 50 ms. Rollouts of two questions and one
call go through it, journaled, so many at once; the limit is ``at-once / 50 ms`` questions a second. Then many
tasks are worked off without a delay, and the resident memory is looked at on the way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolhaft import Agent, Task, tool
from toolhaft.agent import open_model
from toolhaft.agent.batch import Batch, BatchOptions

DELAY = 0.05


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
        return f"{word}: " + "what it means " * 20

    return Agent([look], model=open_model(f"http://127.0.0.1:{port}/v1#stub"))


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def run(port: int, folder: Path, number: int, at_once: int, watch=None) -> tuple[float, float]:
    """Return the wall-clock and CPU seconds of a batch."""
    tasks = (Task(id=f"t{n}", instruction=f"Look up word {n}") for n in range(number))
    options = BatchOptions(concurrency=at_once)
    batch = Batch(folder, tasks, agent=make_agent(port), options=options, watch=watch)
    cpu = time.process_time()
    result = await batch.run()
    assert result.counts == {"done": number}, result
    return result.seconds, time.process_time() - cpu


async def run_plain(port: int, number: int, at_once: int) -> float:
    """Return the wall-clock seconds of the same rollouts without a batch around them."""
    agent = make_agent(port)
    waiting = iter(range(number))

    async def work() -> None:
        for n in waiting:
            await agent.run(f"Look up word {n}")

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return time.perf_counter() - started


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
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
        return

    def throughput(port: int, folder: Path) -> None:
        limit = given.at_once / DELAY
        print(f"{given.tasks:,} rollouts of two questions, {given.at_once} at once, an endpoint of 50 ms;")
        print(f"questions a second, of {limit:,.0f} that the endpoint allows:")
        for round_number in range(given.rounds):
            plain = 2 * given.tasks / asyncio.run(run_plain(port, given.tasks, given.at_once))
            seconds, cpu = asyncio.run(run(port, folder / str(round_number), given.tasks, given.at_once))
            rate = 2 * given.tasks / seconds
            print(
                f"  agents alone {plain:6,.0f}   batch {rate:6,.0f}: {100 * rate / limit:.0f} % of the limit "
                f"(aim: 90), {100 * rate / plain:.0f} % of agents alone; "
                f"{1000 * cpu / given.tasks:.2f} ms CPU a rollout"
            )

    def memory(port: int, folder: Path) -> None:
        seen: list[tuple[int, float]] = []

        def watch(progress) -> None:
            done = sum(progress.finished.values())
            if not seen or done - seen[-1][0] >= given.many / 10:
                seen.append((done, resident()))

        seconds, cpu = asyncio.run(run(port, folder, given.many, given.at_once, watch))
        seen.append((given.many, resident()))
        print(
            f"{given.many:,} tasks in {seconds:.0f} s, {1000 * cpu / given.many:.2f} ms CPU each; MiB held:"
        )
        print("  " + ", ".join(f"{done:,}: {size:.0f}" for done, size in seen))

    if given.tasks:
        with_stub(DELAY, throughput)
    if given.many:
        with_stub(0.0, memory)


if __name__ == "__main__":
    main()
