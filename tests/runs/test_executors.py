"""Executors: every item once, no more than so many at a time, and a dead worker reported."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.runs.executor import Home, Job, LocalExecutor, Work
from toolhaft.runs.process import ProcessExecutor
from toolhaft.testing import check_executor

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HERE = Path(__file__).parent
JOB = Job(target="sample_work:open_sample", settings={"factor": 3})
EXECUTORS = {"local": LocalExecutor, "process": lambda: ProcessExecutor(workers=2)}


class Desk(Home):
    """Answers questions with the double, and notes what it is told."""

    def __init__(self):
        self.told = []

    def tell(self, message):
        self.told.append(message)

    async def ask(self, message):
        await asyncio.sleep(0)
        return {"double": message["value"] * 2}


@pytest.fixture(autouse=True)
def sample_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE))


async def items(values):
    for value in values:
        yield value


async def results_of(executor, values, *, concurrency=4, job=JOB):
    home = Desk()
    found = [finished async for finished in executor.run(job, items(values), home, concurrency=concurrency)]
    return found, home


@pytest.mark.parametrize("name", EXECUTORS)
async def test_every_item_ends_once_and_speaks_with_home(name):
    found, home = await results_of(EXECUTORS[name](), range(20))
    assert sorted((each.item, each.result["times"]) for each in found) == [(i, 3 * i) for i in range(20)]
    assert all(each.result["double"] == 2 * each.item and each.failure is None for each in found)
    assert sorted(message["item"] for message in home.told) == list(range(20))


@pytest.mark.parametrize("name", EXECUTORS)
async def test_they_keep_the_contract_of_executors(name):
    assert await check_executor(EXECUTORS[name]()) == []


class Careless(LocalExecutor):
    """Breaks the contract in one way."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    async def run(self, job, items, home, *, concurrency):
        if self.fault == "crowded":
            concurrency = 20
        async for finished in super().run(job, items, home, concurrency=concurrency):
            if self.fault == "drops" and finished.item == 3:
                continue
            if self.fault == "text":
                finished = replace(finished, result=str(finished.result))
            yield finished

    def stop(self):
        if self.fault != "endless":
            super().stop()


@pytest.mark.parametrize(
    ("fault", "what"),
    [("drops", "not every item"), ("text", "do not arrive"), ("crowded", "places"), ("endless", "stopped")],
)
async def test_an_executor_that_breaks_the_contract_is_found_out(fault, what):
    (finding,) = await check_executor(Careless(fault))
    assert what in finding.what


@pytest.mark.parametrize("name", EXECUTORS)
async def test_no_more_run_at_once_than_there_are_places(name):
    found, _ = await results_of(EXECUTORS[name](), range(12), concurrency=2)
    assert max(each.result["at_once"] for each in found) <= 2


@pytest.mark.parametrize("name", EXECUTORS)
async def test_a_job_that_cannot_be_opened_is_named(name):
    for target, what in (
        ("nowhere:x", "nowhere"),
        ("sample_work:nothing", "nothing"),
        ("sample_work:no_work", "no_work"),
    ):
        with pytest.raises(ToolhaftError, match=what):
            await results_of(EXECUTORS[name](), [1], job=Job(target=target))


@pytest.mark.parametrize("name", EXECUTORS)
async def test_a_stopped_executor_takes_no_more_and_ends_what_runs(name):
    executor = EXECUTORS[name]()
    found = []
    started = time.monotonic()
    async for finished in executor.run(JOB, items(["wait", "wait", *range(500)]), Desk(), concurrency=3):
        found.append(finished)
        if len(found) == 3:
            executor.stop()
    assert time.monotonic() - started < 20
    assert sum(each.result == {"stopped": True} for each in found) == 2
    assert len(found) < 100


async def test_a_worker_that_dies_is_reported_and_replaced():
    found, _ = await results_of(ProcessExecutor(workers=2), [*range(6), "die", *range(6, 12)], concurrency=1)
    dead = [each for each in found if each.failure is not None]
    assert [each.item for each in dead] == ["die"]
    assert dead[0].failure.code == "E-WORKER"
    assert "exit code 7" in dead[0].failure.what
    assert sorted(each.item for each in found if each.failure is None) == list(range(12))


async def test_workers_that_die_again_and_again_end_it():
    with pytest.raises(ToolhaftError, match="in a row"):
        await results_of(ProcessExecutor(workers=1), ["die"] * 50, concurrency=1)


async def test_what_a_worker_prints_does_not_break_the_line():
    found, _ = await results_of(ProcessExecutor(workers=1), ["print"])
    assert found[0].result == {"printed": True}


@pytest.mark.parametrize("workers", [0, 1000, "two"])
def test_workers_are_a_number(workers):
    with pytest.raises(UsageError):
        ProcessExecutor(workers=workers)


async def test_work_is_closed_unless_it_was_given():
    closed = []

    class Given(Work):
        async def run(self, item, home):
            return item

        async def close(self):
            closed.append(True)

    found, _ = await results_of(LocalExecutor(Given()), [1])
    assert found[0].result == 1
    assert closed == []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_no_worker_outlives_whoever_started_it(tmp_path):
    code = (
        "import asyncio\nfrom toolhaft.runs.process import ProcessExecutor\n"
        "from toolhaft.runs.executor import Job, Home\n"
        "class Desk(Home):\n"
        "    def tell(self, message):\n        print(message['pid'], flush=True)\n"
        "    async def ask(self, message):\n        return {}\n"
        "async def items():\n    yield 'pid'\n    yield 'pid'\n"
        "async def main():\n"
        "    job = Job(target='sample_work:open_sample', settings={'factor': 1})\n"
        "    runs = ProcessExecutor(workers=2).run(job, items(), Desk(), concurrency=2)\n"
        "    async for _ in runs:\n        pass\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(alive, workers))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        process.stdout.close()
    for _ in range(100):
        if not any(map(alive, workers)):
            break
        time.sleep(0.1)
    assert not any(map(alive, workers))
