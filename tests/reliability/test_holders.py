"""One folder, two starts: the second is told who holds it; what the dead left behind holds nobody up."""

import asyncio
import json
import os
import socket
import subprocess
import sys

import pytest

from toolhaft.errors import JournalError
from toolhaft.runs.journal import Journal
from toolhaft.runs.place import Locks

pytestmark = pytest.mark.slow

JOBS = 12
TOOL = """
from toolhaft import tool

@tool(effect="read")
def look(name: str) -> str:
    "Look a name up."
    return name
"""


def hold(folder, nursery, service):
    """Start a batch whose calls do not return."""
    service.delay = 30.0
    first = nursery.start(folder, service.port, "--jobs", JOBS)
    assert service.wait_for(1, alive=first.alive), first.said()
    return first


@pytest.mark.parametrize(
    "attempt", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 10))]
)
def test_a_second_start_is_told_who_holds_the_folder(tmp_path, service, nursery, attempt):
    folder = tmp_path / "batch"
    first = hold(folder, nursery, service)
    arrived = service.total
    second = nursery.start(folder, service.port, "--jobs", JOBS, log=tmp_path / "second")
    assert second.wait(5) == 1
    assert second.said().startswith("E-JOURNAL-HELD"), second.said()
    assert f"the process {first.pid} on {socket.gethostname()}" in second.said()
    assert first.alive()
    assert service.total - arrived <= JOBS
    assert max(service.arrived.values()) == 1
    assert first.kill()
    service.delay = 0.002
    third = nursery.start(folder, service.port, "--jobs", JOBS)
    assert third.wait() in (0, 4), third.said()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_of_many_that_start_at_once_one_works(tmp_path, service, nursery, number):
    folder = tmp_path / "batch"
    service.delay = 0.05
    crowd = [
        nursery.start(folder, service.port, "--jobs", JOBS, log=tmp_path / f"log-{position}")
        for position in range(6)
    ]
    codes = [child.wait() for child in crowd]
    # One that begins when the first has ended finds everything done.
    assert set(codes) <= {0, 1}
    assert codes.count(0) >= 1
    for child, code in zip(crowd, codes, strict=True):
        assert code == 0 or child.said().startswith("E-JOURNAL-HELD"), child.said()
    assert set(service.arrived.values()) == {1}
    assert service.total == 3 * JOBS


@pytest.mark.anyio
@pytest.mark.parametrize(
    "text",
    [
        '{"pid": 1, "host": "elsewhere", "since": "2020-01-01T00:00:00+00:00"}',
        '{"pid": PID, "host": "HOST", "since": "2020-01-01T00:00:00+00:00"}',
        '{"pid": "\\u001b[31m", "host": {"a": 1}}',
        "[]",
        "not json",
        "",
    ],
    ids=["another-machine", "a-living-process", "hostile", "list", "text", "empty"],
)
async def test_a_note_that_nobody_stands_behind_holds_nobody_up(tmp_path, text):
    """The process that is named may live: its number was given to another program since."""
    note = text.replace("PID", str(os.getppid())).replace("HOST", socket.gethostname())
    (tmp_path / "journal.owner").write_text(note)
    async with await Journal.open(tmp_path) as journal:
        assert journal.is_owner
        held = json.loads((tmp_path / "journal.owner").read_text())
        assert (held["pid"], held["host"]) == (os.getpid(), socket.gethostname())
        with pytest.raises(JournalError) as raised:
            await Journal.open(tmp_path)
    assert raised.value.code == "E-JOURNAL-HELD"
    assert raised.value.details["pid"] == str(os.getpid())


@pytest.mark.anyio
async def test_who_holds_it_is_told_although_the_note_is_gone(tmp_path):
    async with await Journal.open(tmp_path):
        (tmp_path / "journal.owner").write_text("")
        with pytest.raises(JournalError, match="unknown") as raised:
            await Journal.open(tmp_path)
    assert raised.value.code == "E-JOURNAL-HELD"


@pytest.mark.anyio
async def test_the_owner_may_leave_before_those_who_joined(tmp_path):
    first = await Journal.open(tmp_path)
    await first.add_jobs([("a", "{}"), ("b", "{}")])
    second = await Journal.open(tmp_path, join=True)
    await second.claim(1)
    await first.close()
    third = await Journal.open(tmp_path)
    assert (second.is_owner, third.is_owner) == (False, True)
    assert [job.position for job in await third.claim(2)] == [1]
    await asyncio.gather(second.close(), third.close())
    async with await Journal.open(tmp_path) as last:
        assert await last.count() == {"waiting": 2}


@pytest.mark.anyio
async def test_one_at_a_time_enters_or_leaves(tmp_path):
    """Two that leave at once would each take the other for one who stays."""
    first = await Journal.open(tmp_path)
    second = await Journal.open(tmp_path, join=True)
    door = Locks(tmp_path).door()
    assert door.try_hold()
    waiting = [asyncio.create_task(first.close()), asyncio.create_task(second.close())]
    waiting.append(asyncio.create_task(Journal.open(tmp_path, join=True)))
    done, _ = await asyncio.wait(waiting, timeout=0.3)
    assert not done
    door.let_go()
    _, _, third = await asyncio.gather(*waiting)
    await third.close()
    async with await Journal.open(tmp_path) as last:
        assert last.is_owner


@pytest.mark.anyio
async def test_of_two_that_enter_at_once_one_frees_what_the_dead_held(tmp_path):
    async with await Journal.open(tmp_path) as journal:
        await journal.add_jobs((f"t{number}", "{}") for number in range(40))
    for _ in range(10):
        crew = await asyncio.gather(*(Journal.open(tmp_path, join=True) for _ in range(4)))
        assert sum(one.is_owner for one in crew) == 1
        claimed = [
            job.position for found in await asyncio.gather(*(one.claim(2) for one in crew)) for job in found
        ]
        assert sorted(claimed) == list(range(8))
        await asyncio.gather(*(one.close() for one in crew))


@pytest.mark.slow
def test_the_command_line_says_who_holds_the_folder(tmp_path, service, nursery):
    folder = tmp_path / "batch"
    first = hold(folder, nursery, service)
    (tmp_path / "tools.py").write_text(TOOL)
    (tmp_path / "tasks.txt").write_text("Deal with it\n")
    command = [sys.executable, "-m", "toolhaft", "batch", "tasks.txt", "--tools", "python:tools.py"]
    done = subprocess.run(
        [*command, "--model", "heuristic", "-o", folder],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert f"the process {first.pid} on" in done.stderr
    assert "--join" in done.stderr
    assert "Traceback" not in done.stderr
