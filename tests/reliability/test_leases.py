"""Who may work on a job, how long, and for how much: under slowness, halts, jumping clocks, and kills."""

import asyncio
import random
import sqlite3
import time
from contextlib import closing

import pytest

from toolhaft.agent import Agent
from toolhaft.agent.batch import Batch, BatchOptions
from toolhaft.models.base import Model
from toolhaft.runs.journal import Journal
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.types import Completion, Task, ToolCall

from .ledger import Ledger

pytestmark = pytest.mark.slow


def ask(folder, query):
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_leases_of_slow_calls_are_renewed(tmp_path, service, nursery, seed):
    service.delay = 0.8
    folder = tmp_path / "batch"
    words = ("--jobs", 6, "--concurrency", 2, "--lease", 0.5)
    first = nursery.start(folder, service.port, *words)
    assert service.wait_for(1, alive=first.alive), first.said()
    other = nursery.start(folder, service.port, "--join", *words)
    assert (first.wait(), other.wait()) == (0, 0), first.said() + other.said()
    assert set(service.arrived.values()) == {1}
    assert service.total == 18
    assert ask(folder, "SELECT max(attempts) FROM jobs") == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_process_that_was_halted_for_longer_than_its_lease_does_nothing_twice(
    tmp_path, service, nursery, seed
):
    draw = random.Random(f"halt {seed}")
    ledger = Ledger(tmp_path / "batch", service)
    words = ("--jobs", 16, "--concurrency", 6, "--lease", 0.2)
    child = nursery.start(ledger.folder, service.port, *words)
    for _ in range(4):
        service.wait_for(service.total + draw.randrange(1, 10), alive=child.alive, timeout=10)
        child.pause()
        time.sleep(0.3)
        child.resume()
    assert child.wait() == 0, child.said()
    ledger.check_end(16)
    assert set(service.arrived.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_halted_process_loses_its_jobs_to_another_and_is_told(tmp_path, service, nursery, seed):
    draw = random.Random(f"taken over {seed}")
    folder = tmp_path / "batch"
    words = ("--jobs", 24, "--concurrency", 6, "--lease", 0.5)
    first = nursery.start(folder, service.port, *words)
    assert service.wait_for(draw.randrange(3, 20), alive=first.alive), first.said()
    other = nursery.start(folder, service.port, "--join", *words)
    for _ in range(2):
        first.pause()
        time.sleep(0.9)
        first.resume()
        service.wait_for(service.total + draw.randrange(1, 6), alive=first.alive, timeout=1)
    codes = first.wait(), other.wait()
    assert set(codes) <= {0, 3, 4}, first.said() + other.said()
    uncertain = {f"n{job}" for (job,) in ask(folder, "SELECT job FROM entries WHERE status = 'uncertain'")}
    for job in range(24):
        sent = service.arrived["send", f"n{job}"]
        assert sent == 1 or (sent == 0 and f"n{job}" in uncertain)
        assert len(service.keys["put", f"n{job}"]) == 1
    assert dict(ask(folder, "SELECT status, count(*) FROM jobs GROUP BY 1")).get("done", 0) == 24 - len(
        uncertain
    )


async def filled(folder, jobs, lease):
    journal = await Journal.open(folder, lease=lease)
    await journal.add_jobs((f"t{number}", "{}") for number in range(jobs))
    return journal


WRITE = {"key": "k", "kind": "tool", "name": "send", "effect": "write", "repeatable": False}


@pytest.mark.anyio
async def test_a_process_does_not_take_over_its_own_jobs(tmp_path):
    journal = await filled(tmp_path, 2, lease=0.1)
    journal._pulse.cancel()
    await journal.claim(1)
    await asyncio.sleep(0.2)
    assert [job.position for job in await journal.claim(2)] == [1]
    await journal.close()


@pytest.mark.anyio
async def test_a_process_does_not_get_a_job_back_that_it_is_still_busy_with(tmp_path):
    journal = await filled(tmp_path, 2, lease=0.1)
    journal._pulse.cancel()
    await journal.claim(1)
    async with await Journal.open(tmp_path, join=True, lease=30) as other:
        await asyncio.sleep(0.2)
        assert [job.position for job in await other.claim(1)] == [0]
        await other.release(0)
    assert [job.position for job in await journal.claim(2, but={0})] == [1]
    assert [job.position for job in await journal.claim(2)] == [0]
    await journal.close()


@pytest.mark.anyio
@pytest.mark.parametrize("ended", [False, True])
async def test_a_plain_write_is_begun_once_whoever_asks(tmp_path, ended):
    async with await filled(tmp_path, 1, lease=30) as journal:
        await journal.claim(1)
        assert await journal.begin(WRITE | {"job": 0}) == {}
        if ended:
            journal.end(WRITE | {"job": 0, "status": "done", "result": "{}"})
        assert await journal.begin(WRITE | {"job": 0}) == {"lost": True}


@pytest.mark.anyio
async def test_a_job_that_was_taken_away_and_given_back_is_worked_off_again(tmp_path):
    """A person may free a job in the file, or whoever took it over may have died since."""
    note = CannedTool(tool_spec("note", effect="write"), "noted")
    agent = Agent([note], model=Looker(), allow=("write",))
    folder = tmp_path / "batch"
    tasks = [Task(id=f"t{number}", instruction=f"n{number}") for number in range(6)]
    running = asyncio.create_task(Batch(folder, tasks, agent=agent, options=BatchOptions(lease=0.2)).run())
    while not running.done() and not (folder / "journal.sqlite").exists():
        await asyncio.sleep(0.001)
    for _ in range(10):
        with closing(
            sqlite3.connect(folder / "journal.sqlite", timeout=5, isolation_level=None)
        ) as connection:
            connection.execute("UPDATE jobs SET status = 'waiting', owner = NULL WHERE status = 'leased'")
        await asyncio.sleep(0.005)
    async with asyncio.timeout(20):
        result = await running
    assert result.counts["done"] + result.counts.get("uncertain", 0) == 6
    assert len(note.calls) == len({call["city"] for call in note.calls})


class Looker(Model):
    """Writes once, and answers."""

    name = "looker"
    origin = "scripted"

    async def complete(self, messages, tools=(), **_):
        await asyncio.sleep(0.01)
        if messages[-1].role == "tool":
            return Completion(text="Done.", model=self.name, origin=self.origin)
        call = ToolCall(id="c", name="note", arguments={"city": messages[1].text})
        return Completion(calls=(call,), finish="tool_calls", model=self.name, origin=self.origin)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "jump", [60, *(pytest.param(jump, marks=pytest.mark.slow) for jump in (-86_400, -60, 86_400))]
)
async def test_a_clock_that_jumps_neither_loses_nor_doubles_a_job(tmp_path, monkeypatch, jump):
    shift, real = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift[0])
    note = CannedTool(tool_spec("note", effect="write"), "noted")
    tasks = [Task(id=f"t{number}", instruction=f"n{number}") for number in range(30)]

    def worker(*, join):
        agent = Agent([note], model=Looker(), allow=("write",))
        options = BatchOptions(concurrency=4, join=join, lease=1.0)
        return Batch(tmp_path / "batch", tasks, agent=agent, options=options)

    async def jump_about():
        while True:
            await asyncio.sleep(0.03)
            shift[0] = jump - shift[0]

    jumping = asyncio.create_task(jump_about())
    first = asyncio.create_task(worker(join=False).run())
    while not note.calls:
        await asyncio.sleep(0.001)
    results = await asyncio.gather(first, worker(join=True).run())
    jumping.cancel()
    assert [result.counts for result in results][-1]["done"] == 30
    assert sorted(call["city"] for call in note.calls) == sorted(task.instruction for task in tasks)


def spend(tmp_path, service, nursery, *, kills, seed, limit=50, jobs=40):
    """Work with a budget in three processes, some of which are killed, until it is spent."""
    draw = random.Random(f"budget {seed}")
    folder = tmp_path / "batch"
    words = ("--jobs", jobs, "--concurrency", 4, "--lease", 1.0, "--budget", f"tool_calls={limit}")
    crew = [nursery.start(folder, service.port, *words)]
    assert service.wait_for(1, alive=crew[0].alive), crew[0].said()
    for number in range(2 + kills):
        crew.append(nursery.start(folder, service.port, "--join", *words))
        if number >= 2:
            service.wait_for(service.total + draw.randrange(1, 6), timeout=0.5)
            draw.choice(crew).kill()
    for child in crew:
        assert child.wait() in (3, 4, -9), child.said()
    last = nursery.start(folder, service.port, *words)
    assert last.wait() in (3, 4), last.said()
    assert ask(folder, "SELECT amount FROM spent WHERE quantity = 'tool_calls'") == [(limit,)]
    assert service.total <= limit
    more = ("--jobs", jobs, "--budget", "tool_calls=1000")
    rest = nursery.start(folder, service.port, *more)
    assert rest.wait() in (0, 4), rest.said()
    assert all(service.arrived["send", f"n{job}"] <= 1 for job in range(jobs))
    return service.total


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_three_processes_spend_a_budget_exactly(tmp_path, service, nursery, seed):
    assert spend(tmp_path, service, nursery, kills=0, seed=seed) == 120


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_three_processes_that_are_killed_spend_a_budget_exactly(tmp_path, service, nursery, seed):
    spend(tmp_path, service, nursery, kills=3, seed=seed)
