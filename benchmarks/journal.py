"""What the journal of a batch costs, beside the least that the disk allows.

    python benchmarks/journal.py [--rounds 5] [--rows 300] [--jobs 100000]

Rows of 1.5 kB are committed one by one and by hundreds, and beside them the same bytes are appended to a
file with ``fdatasync``, in alternation within one run. Then a rollout of one call is timed with a journal and
without, in CPU time, and the start of a batch of many tasks that was interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from toolhaft import Agent, ToolCall, tool
from toolhaft.models.base import Model
from toolhaft.runs.batch import JournalHome
from toolhaft.runs.journal import Journal
from toolhaft.runs.rollout import Fingerprints, RolloutJournal
from toolhaft.types import Completion

TEXT = "x" * 1500
CALL = {"kind": "tool", "name": "send", "effect": "write", "repeatable": False, "job": 0}


def append_with_sync(folder: Path, rows: int) -> float:
    path = folder / "appended"
    with path.open("ab", buffering=0) as file:
        started = time.perf_counter()
        for _ in range(rows):
            file.write(TEXT.encode())
            os.fdatasync(file.fileno())
        return rows / (time.perf_counter() - started)


def bare_sqlite(folder: Path, rows: int, synchronous: str) -> float:
    connection = sqlite3.connect(folder / f"bare-{synchronous}.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("CREATE TABLE IF NOT EXISTS rows (a INTEGER PRIMARY KEY, key TEXT, text TEXT)")
    started = time.perf_counter()
    for number in range(rows):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows (key, text) VALUES (?, ?)", (str(number), TEXT))
        connection.execute("COMMIT")
    rate = rows / (time.perf_counter() - started)
    connection.close()
    return rate


async def journal_rates(folder: Path, rows: int, durability: str) -> tuple[float, float]:
    """Return rows a second, each waited for alone, and a hundred at a time."""
    async with await Journal.open(folder / durability, durability=durability) as journal:
        meta = await journal.meta()
        begun = int(meta.get("begun", 0))
        if not begun:
            await journal.add_jobs([("t", "{}")])
        await journal.claim(1)
        started = time.perf_counter()
        for number in range(rows):
            await journal.begin(CALL | {"key": f"{begun}-{number}", "request": TEXT})
        single = rows / (time.perf_counter() - started)
        started = time.perf_counter()
        for chunk in range(10):
            await asyncio.gather(
                *(journal.begin(CALL | {"key": f"{begun}-{chunk}-{n}", "request": TEXT}) for n in range(100))
            )
        group = 1000 / (time.perf_counter() - started)
        await journal.set_meta({"begun": str(begun + 1)})
        await journal.release()
    return single, group


class OneCall(Model):
    """Makes one call, and answers."""

    name, origin = "one-call", "scripted"

    async def complete(self, messages, tools=(), **_):
        """Return the call or the answer."""
        if messages[-1].role == "tool":
            return Completion(text="Done.", origin=self.origin)
        return Completion(calls=(ToolCall(id="1", name="look", arguments={"word": "a"}),), origin=self.origin)


async def rollout_costs(folder: Path, rollouts: int, at_once: int) -> tuple[float, float]:
    """Return CPU milliseconds of one rollout of one call, without a journal and with one."""

    @tool(effect="write")
    async def look(word: str) -> str:
        """Look a word up."""
        return word * 10

    agent = Agent([look], model=OneCall(), allow="write")
    await agent.run("Look up a")

    async def many(run) -> float:
        waiting = iter(range(rollouts))
        started = time.process_time()

        async def work() -> None:
            for number in waiting:
                await run(number)

        await asyncio.gather(*(work() for _ in range(at_once)))
        return 1000 * (time.process_time() - started) / rollouts

    async def plain(_: int) -> None:
        await agent.run("Look up a")

    async with await Journal.open(folder) as journal:
        await journal.add_jobs((f"t{n}", '{"id": "t", "instruction": "Look up a"}') for n in range(rollouts))
        jobs = []
        home, tools = JournalHome(journal), Fingerprints(agent.secrets)

        async def journaled(_: int) -> None:
            if not jobs:
                jobs.extend(await journal.claim(64))
            job = jobs.pop()
            rollout = RolloutJournal(
                home,
                job=job.position,
                id=f"r-{job.position}",
                started=job.started,
                secrets=agent.secrets,
                tools=tools,
            )
            run = await agent.run("Look up a", journal=rollout)
            await journal.finish(job.position, "done", outcome="answered", result=run.answer)

        return await many(plain), await many(journaled)


async def resume_seconds(folder: Path, jobs: int) -> float:
    rows = (
        (f"t{n}", '{"id": "t", "instruction": "Look up a word, and say what it means"}') for n in range(jobs)
    )
    journal = await Journal.open(folder)
    await journal.add_jobs(rows)
    for job in await journal.claim(64):
        await journal.begin(CALL | {"job": job.position, "key": "k"})
    await journal.set_meta({"open": "1"})
    journal._locks.leave()  # as the system does for a process that was killed
    journal._pulse.cancel()
    await journal._writer.close()
    journal._connection.close()
    (folder / "journal.sqlite-wal").touch()
    started = time.perf_counter()
    async with await Journal.open(folder) as again:
        assert len(await again.claim(64)) == 64
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to write; by default a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        rates: dict[str, list[float]] = {}

        def note(label: str, value: float) -> None:
            rates.setdefault(label, []).append(value)

        for _ in range(given.rounds):
            note("append + fdatasync", append_with_sync(folder, given.rows))
            note("bare sqlite3, FULL", bare_sqlite(folder, given.rows, "FULL"))
            note("bare sqlite3, NORMAL", bare_sqlite(folder, given.rows, "NORMAL"))
            for durability in ("full", "normal"):
                single, group = asyncio.run(journal_rates(folder, given.rows, durability))
                note(f"journal {durability}, one by one", single)
                note(f"journal {durability}, 100 at once", group)
        print(f"rows of {len(TEXT)} bytes a second, median of {given.rounds} rounds (lowest to highest)")
        for label, found in rates.items():
            print(f"  {label:28} {statistics.median(found):9,.0f}   ({min(found):,.0f} to {max(found):,.0f})")
        middle = {label: statistics.median(found) for label, found in rates.items()}
        single = middle["journal full, one by one"]
        print(f"  full / fdatasync             {single / middle['append + fdatasync']:9.2f}   (aim: 0.5)")
        print(
            f"  100 at once / one by one     {middle['journal full, 100 at once'] / single:9.2f}   (aim: 10)"
        )
        ratio = middle["journal normal, one by one"] / middle["bare sqlite3, NORMAL"]
        print(f"  normal / bare NORMAL         {ratio:9.2f}   (aim: 0.7)")
        for at_once in (1, 64):
            plain, journaled = asyncio.run(rollout_costs(folder / f"rollouts-{at_once}", 1000, at_once))
            print(
                f"CPU ms of a rollout of one call, {at_once} at once: {plain:.2f} without, "
                f"{journaled:.2f} with a journal (aim: below 0.8)"
            )
        seconds = asyncio.run(resume_seconds(folder / "resume", given.jobs))
        print(f"start of an interrupted batch of {given.jobs:,} tasks: {seconds:.2f} s (aim: at most 2)")


if __name__ == "__main__":
    main()
