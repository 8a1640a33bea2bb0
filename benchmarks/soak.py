"""A thousand agents in one process for ten minutes: what they hold must not grow with time.

    python benchmarks/soak.py [--agents 1000] [--seconds 600] [--warm-up 120] [--answer 1.0] [--hosts 20]

Agents carry out one journaled rollout after the other, as a batch does: a question to a chat model, a call
of an HTTP tool, another question. Models and tools are hosts of a stub in a process of its own; each answers
after about a second, and has a small pool of connections. Every few seconds a row is printed: memory held,
open descriptors, tasks, threads, calls so far, CPU of a call, and how late the event loop is.

After the warm-up nothing may grow and nothing may fail, else the exit code is 1. Memory: at most by 1 MB a
minute and to 1.1 times what it was. Descriptors, tasks and threads: not beyond what they were at most before,
and back to what they were at first once all is closed. Failures: every question and call that the stub
counted is one that the journal knows, none was asked twice, and every answer is that of its own task. CPU and
lateness depend on the machine, and are only shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from toolhaft import Agent
from toolhaft.agent import load_catalog, open_model
from toolhaft.agent.batch import Batch, BatchOptions
from toolhaft.models.base import Model
from toolhaft.runs.batch import BatchResult
from toolhaft.runs.journal import read_results

HOSTS = Path(__file__).resolve().parent / "stubs" / "hosts.py"
CALLS = 3
"""Questions and calls of one rollout."""
SPREAD = 0.5
"""How far from the average an answer may come."""
BEAT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the process held at a moment, and did since the one before.

    Attributes:
        seconds: Since the first rollout began.
        resident: MB.
        descriptors: Open files and sockets; likewise ``tasks`` and ``threads``.
        calls: Questions and calls made so far.
        cpu: Milliseconds a call.
        late, latest: Milliseconds that the event loop was late: the median, and the 99th percentile.
    """

    seconds: float
    resident: float
    descriptors: int
    tasks: int
    threads: int
    calls: int
    cpu: float
    late: float
    latest: float


class ManyHosts(Model):
    """Asks one of several chat models about each task, always the same one.

    Args:
        models: One for each host.
    """

    name = "many-hosts"

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models
        self.asked = 0

    async def complete(self, messages, tools=(), **settings):
        """Ask the model of the host that the task belongs to."""
        self.asked += 1
        number = int(messages[1].text.rpartition(" w")[2])
        return await self.models[number % len(self.models)].complete(messages, tools, **settings)

    def attach(self, **stores):
        """Hand the stores on."""
        for model in self.models:
            model.attach(**stores)

    async def close(self) -> None:
        """Close all of them."""
        for model in self.models:
            await model.close()


class Watch:
    """Looks at this process again and again.

    Args:
        model: Counts the questions.
        interval: Seconds between two samples.
    """

    def __init__(self, model: ManyHosts, interval: float) -> None:
        self.samples: list[Sample] = []
        self.left = 0
        self._model = model
        self._interval = interval
        self._late: list[float] = []
        self._begun = time.monotonic()

    async def beat(self) -> None:
        """Note how late the event loop is, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self._late.append(max(0.0, loop.time() - due))

    async def look(self) -> None:
        """Take samples and print them, for ever."""
        print("   time  memory  descriptors  tasks  threads      calls  calls/s  CPU/call  late p50    p99")
        cpu, calls, at = time.process_time(), 0, time.monotonic()
        while True:
            await asyncio.sleep(self._interval)
            now, spent, asked = time.monotonic(), time.process_time(), self._model.asked * CALLS // 2
            late, self._late = sorted(self._late) or [0.0], []
            made = max(1, asked - calls)
            sample = Sample(
                seconds=now - self._begun,
                resident=resident(),
                descriptors=len(os.listdir("/proc/self/fd")),
                tasks=len(asyncio.all_tasks()),
                threads=threading.active_count(),
                calls=asked,
                cpu=1000 * (spent - cpu) / made,
                late=1000 * late[len(late) // 2],
                latest=1000 * late[len(late) * 99 // 100],
            )
            self.samples.append(sample)
            print(
                f"{sample.seconds:5.0f} s {sample.resident:4.0f} MB {sample.descriptors:12} {sample.tasks:6} "
                f"{sample.threads:8} {sample.calls:10,} {(asked - calls) / (now - at):8.0f} "
                f"{sample.cpu:6.2f} ms {sample.late:6.1f} ms {sample.latest:4.0f} ms",
                flush=True,
            )
            cpu, calls, at = spent, asked, now


def resident() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def document(ports: Sequence[int]) -> dict:
    """Return an API of one operation at each host."""
    paths = {}
    for number, port in enumerate(ports):
        word = {"name": "word", "in": "path", "required": True, "schema": {"type": "string"}}
        operation = {
            "operationId": f"look_up_{number}",
            "summary": f"Look a word up in dictionary {number}.",
            "description": "Returns what the word means, with its origin and an example of its use.",
            "parameters": [word],
            "servers": [{"url": f"http://127.0.0.1:{port}"}],
            "responses": {"200": {"description": "What it means."}},
        }
        paths[f"/host{number}/words/{{word}}"] = {"get": operation}
    return {"openapi": "3.1.0", "info": {"title": "Dictionaries", "version": "1"}, "paths": paths}


async def make_agent(ports: Sequence[int]) -> Agent:
    models = [open_model(f"http://127.0.0.1:{port}/v1#stub") for port in ports]
    catalog = await load_catalog(document(ports), allow_hosts="127.0.0.1")
    return Agent(catalog, model=ManyHosts(models), k=len(ports))


def write_tasks(path: Path, number: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for task in range(number):
            file.write(f'{{"id": "t{task}", "instruction": "What is the meaning of the word w{task}"}}\n')


async def soak(given: argparse.Namespace, ports: Sequence[int], folder: Path) -> tuple[Watch, BatchResult]:
    """Let the agents work until the time is over; what stays open then is a problem."""
    before = len(os.listdir("/proc/self/fd"))
    tasks = folder / "tasks.jsonl"
    write_tasks(tasks, given.agents + int(1.25 * given.agents * given.seconds / (CALLS * given.answer)))
    agent = await make_agent(ports)
    watch = Watch(agent.model, given.interval)
    batch = Batch(folder / "batch", tasks, agent=agent, options=BatchOptions(concurrency=given.agents))
    running = asyncio.create_task(batch.run())
    while not agent.model.asked and not running.done():
        await asyncio.sleep(0.05)
    watch = Watch(agent.model, given.interval)
    looking = [asyncio.create_task(watch.look()), asyncio.create_task(watch.beat())]
    await asyncio.wait([running], timeout=given.seconds)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    batch.stop("the time is over")
    result = await running
    await agent.close()
    await agent.catalog.close()
    await asyncio.sleep(0.1)  # sockets close at the next turn of the event loop
    watch.left = len(os.listdir("/proc/self/fd")) - before + len(asyncio.all_tasks()) - 1
    return watch, result


@contextmanager
def hosts(number: int, answer: float) -> Iterator[tuple[list[int], dict[str, int]]]:
    """Run the hosts; their counts are there at the end."""
    command = [sys.executable, str(HOSTS), str(number), str(answer), str(SPREAD)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    counts: dict[str, int] = {}
    try:
        yield json.loads(process.stdout.readline()), counts
        process.stdin.close()
        counts |= json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def find_errors(folder: Path, result: BatchResult, counts: dict[str, int]) -> list[str]:
    """Return what went wrong with the work itself."""
    done = result.counts.get("done", 0)
    known = {"questions": int(result.spent["model_calls"]), "calls": int(result.spent["tool_calls"])}
    found = [f"{number} rollouts {name}" for name, number in result.outcomes.items() if name != "answered"]
    found += [
        f"{number} jobs {name}" for name, number in result.counts.items() if name not in ("done", "waiting")
    ]
    if "waiting" not in result.counts:
        found.append("the tasks came to an end before the time did")
    if counts["odd"]:
        found.append(f"{counts['odd']} requests were not what they should be")
    for name, number in known.items():
        if counts[name] != number:
            found.append(f"the hosts had {counts[name]} {name}, the journal knows {number}")
    kept = wrong = 0
    for row in read_results(folder / "batch"):
        kept += 1
        wrong += f'"w{row["id"][1:]} is explained."' not in (row["result"] or "")
    if kept != done:
        found.append(f"{done} jobs are done, {kept} results are kept")
    if wrong:
        found.append(f"{wrong} results are not those of their tasks")
    return found


def slope(samples: Sequence[Sample]) -> float:
    """Return by how many MB a minute the memory grows, by least squares."""
    times = [sample.seconds / 60 for sample in samples]
    middle, level = statistics.fmean(times), mean(samples, "resident")
    spread = sum((at - middle) ** 2 for at in times)
    moved = sum((at - middle) * (sample.resident - level) for at, sample in zip(times, samples, strict=True))
    return moved / spread if spread else 0.0


def find_growth(everything: Sequence[Sample], given: argparse.Namespace) -> list[str]:
    """Return what grew: memory after the warm-up, what is open beyond all that was before.

    How many connections are open hangs on how far the agents move in step, which a busy machine changes. So
    it is the highest that must not rise, and there may never be more than two connections an agent, one to
    its model and one to its tool, and a little for the process.
    """
    found = []
    samples = [sample for sample in everything if sample.seconds >= given.warm_up]
    if not samples:
        return ["there was no time to look"]
    growth = slope(samples)
    if growth > given.slope:
        found.append(f"memory grows by {growth:.2f} MB a minute (at most {given.slope:g})")
    third = max(1, len(samples) // 3)
    ratio = mean(samples[-third:], "resident") / mean(samples[:third], "resident")
    if ratio > 1.1:
        found.append(f"memory grew {ratio:.2f}-fold (at most 1.1)")
    most = {"descriptors": 2 * given.agents + 60, "tasks": 2 * given.agents + 60, "threads": 12}
    for name, bound in most.items():
        before = max(getattr(sample, name) for sample in everything[:-third])
        after = max(getattr(sample, name) for sample in samples[-third:])
        if after > 1.1 * before + 10:
            found.append(f"{name} rose from at most {before} to {after}")
        if after > bound:
            found.append(f"there were {after} {name} (at most {bound})")
    return found


def mean(samples: Sequence[Sample], name: str) -> float:
    return statistics.fmean(getattr(sample, name) for sample in samples)


def judge(given: argparse.Namespace, watch: Watch, result: BatchResult, problems: list[str]) -> dict:
    """Print the verdict, and return everything as JSON values."""
    settled = [sample for sample in watch.samples if sample.seconds >= given.warm_up]
    problems = problems + find_growth(watch.samples, given)
    if watch.left:
        problems.append(f"{watch.left} descriptors and tasks are left when all is closed")
    calls = int(result.spent["model_calls"] + result.spent["tool_calls"])
    print(f"\n{calls:,} calls of {result.counts.get('done', 0):,} rollouts, {len(problems)} problems")
    if settled:
        first, last = settled[0], settled[-1]
        print(
            f"from {first.seconds:.0f} s to {last.seconds:.0f} s, {os.cpu_count()} cores, load "
            f"{given.load[0]:.1f} before and {os.getloadavg()[0]:.1f} after:\n"
            f"  memory {first.resident:.0f} to {last.resident:.0f} MB, "
            f"{last.resident / first.resident:.2f}-fold, {slope(settled):+.2f} MB a minute"
        )
        for name in ("descriptors", "tasks", "threads"):
            values = [getattr(sample, name) for sample in settled]
            print(
                f"  {name} {min(values)} to {max(values)} (before: at most "
                f"{max((getattr(s, name) for s in watch.samples if s.seconds < given.warm_up), default=0)})"
            )
        print(
            f"  {mean(settled, 'cpu'):.2f} ms CPU a call; event loop late by {mean(settled, 'late'):.1f} ms "
            f"at the median, {mean(settled, 'latest'):.0f} ms at the 99th percentile"
        )
    for problem in problems:
        print(f"BROKEN: {problem}")
    print("all promises kept" if not problems else "not all promises kept")
    return {
        "problems": problems,
        "calls": calls,
        "counts": dict(result.counts),
        "slope": slope(settled) if settled else None,
        "samples": [asdict(sample) for sample in watch.samples],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--warm-up", type=float, default=120.0)
    parser.add_argument("--answer", type=float, default=1.0, help="seconds until a host answers")
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two looks")
    parser.add_argument("--slope", type=float, default=1.0, help="MB a minute that memory may grow")
    parser.add_argument("--folder", type=Path, help="where the journal goes; by default a temporary folder")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    given = parser.parse_args()
    given.load = os.getloadavg()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(dir=given.folder, ignore_cleanup_errors=True) as name:
        with hosts(given.hosts, given.answer) as (ports, counts):
            watch, result = asyncio.run(soak(given, ports, Path(name)))
        problems = find_errors(Path(name), result, counts)
    found = judge(given, watch, result, problems)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
