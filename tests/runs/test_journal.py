"""The journal's file: kept, shared, checked, and refused where it cannot be trusted."""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time

import pytest

from toolhaft.errors import JournalError, UsageError
from toolhaft.runs import file as journal_file
from toolhaft.runs.journal import Journal, read_results
from toolhaft.runs.place import check_place
from toolhaft.runs.results import LARGE

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CALL = {"key": "k", "kind": "tool", "name": "send", "effect": "write", "repeatable": False}


def jobs(number):
    return [(f"t{i}", json.dumps({"n": i})) for i in range(number)]


async def filled(folder, number=4, **options):
    journal = await Journal.open(folder, **options)
    await journal.add_jobs(jobs(number))
    return journal


def read(folder, query):
    connection = sqlite3.connect(folder / journal_file.NAME)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("durability", ["full", "normal"])
async def test_what_is_committed_is_there_the_next_time(tmp_path, durability):
    async with await filled(tmp_path, durability=durability) as journal:
        first, second = await journal.claim(2)
        assert (first.position, first.id, json.loads(first.payload)) == (0, "t0", {"n": 0})
        assert await journal.begin(CALL | {"job": 0}) == {}
        journal.end(CALL | {"job": 0, "status": "done", "result": "back", "at": 1.5})
        assert await journal.finish(0, "done", outcome="answered", result='{"a": 1}')
    async with await Journal.open(tmp_path, durability=durability) as journal:
        assert await journal.count() == {"done": 1, "waiting": 3}
        again = await journal.claim(9)
    assert [(job.position, job.attempts) for job in again] == [(1, 2), (2, 1), (3, 1)]
    assert again[0].started == second.started
    assert [row["result"] for row in read_results(tmp_path)] == ['{"a": 1}']
    assert read(tmp_path, "SELECT status, result, at FROM entries") == [("done", "back", 1.5)]


async def test_a_claimed_job_comes_with_what_was_recorded(tmp_path):
    async with await filled(tmp_path) as journal:
        await journal.claim(1)
        await journal.begin(CALL | {"job": 0, "key": "a"})
        journal.end(CALL | {"job": 0, "key": "b", "status": "done", "result": "x" * LARGE, "at": 2.0})
        await journal.release(0)
        (job,) = await journal.claim(1)
    assert [(entry["key"], entry["status"]) for entry in job.entries] == [("a", "started"), ("b", "done")]
    assert job.entries[1]["result"] == "x" * LARGE
    (kept,) = (tmp_path / "results").iterdir()
    assert kept.stat().st_size == LARGE
    assert read(tmp_path, "SELECT result FROM entries WHERE key = 'b'") == [(None,)]


@pytest.mark.parametrize("damage", ["gone", "changed"])
async def test_a_large_result_that_is_not_what_was_written_is_noticed(tmp_path, damage):
    journal = await filled(tmp_path)
    await journal.claim(1)
    await journal.finish(0, "done", result="x" * LARGE)
    await journal.close()
    (kept,) = (tmp_path / "results").iterdir()
    if damage == "gone":
        kept.unlink()
    else:
        kept.write_bytes(b"y" * LARGE)
    with pytest.raises(JournalError) as caught:
        list(read_results(tmp_path))
    assert caught.value.code == "E-JOURNAL-DAMAGED"
    assert caught.value.where == str(kept)


async def test_many_requests_share_a_transaction(tmp_path):
    async with await filled(tmp_path) as journal:
        await journal.claim(1)
        transactions = []
        journal._connection.set_trace_callback(
            lambda text: transactions.append(text) if text.startswith("COMMIT") else None
        )
        begun = [journal.begin(CALL | {"job": 0, "key": f"k{i}"}) for i in range(500)]
        assert await asyncio.gather(*begun) == [{}] * 500
        assert len(transactions) < 20
    assert read(tmp_path, "SELECT count(*) FROM entries") == [(500,)]


async def test_what_was_told_is_committed_before_what_is_asked_later(tmp_path):
    async with await filled(tmp_path) as journal:
        await journal.claim(1)
        journal.end(CALL | {"job": 0, "key": "told", "status": "done", "at": 1.0})
        await journal.begin(CALL | {"job": 0, "key": "asked"})
        assert read(tmp_path, "SELECT key FROM entries ORDER BY sequence") == [("told",), ("asked",)]


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_is_told(tmp_path):
    first = await filled(tmp_path, 1, lease=0.2)
    first._pulse.cancel()
    (job,) = await first.claim(1)
    second = await Journal.open(tmp_path, join=True, lease=0.2)
    assert not second.is_owner
    assert await second.claim(1) == []
    await asyncio.sleep(0.25)
    (taken,) = await second.claim(1)
    assert (taken.position, taken.attempts) == (job.position, 2)
    assert await first.begin(CALL | {"job": 0}) == {"lost": True}
    first.end(CALL | {"job": 0, "key": "late", "status": "done", "at": 0.0})
    assert not await first.finish(0, "done")
    assert await second.finish(0, "done")
    await second.close()
    await first.close()
    assert read(tmp_path, "SELECT count(*) FROM entries") == [(0,)]


async def test_leases_are_renewed_for_as_long_as_the_process_lives(tmp_path):
    async with await filled(tmp_path, 1, lease=0.3) as first:
        await first.claim(1)
        async with await Journal.open(tmp_path, join=True) as second:
            await asyncio.sleep(0.8)
            assert await second.claim(1) == []


async def test_several_that_share_a_queue_get_every_job_once(tmp_path):
    first = await filled(tmp_path, 60)
    others = [await Journal.open(tmp_path, join=True) for _ in range(3)]
    taken = []

    async def work(journal):
        while found := await journal.claim(1):
            taken.append(found[0].position)
            await journal.finish(found[0].position, "done")

    await asyncio.gather(*map(work, [first, *others]))
    assert sorted(taken) == list(range(60))
    for journal in (*others, first):
        await journal.close()


async def test_only_the_owner_moves_the_log_into_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("toolhaft.runs.writer._LONG_LOG", 20)
    log = tmp_path / f"{journal_file.NAME}-wal"
    async with await filled(tmp_path) as first, await Journal.open(tmp_path, join=True) as second:
        assert bool(second.warnings) == journal_file.shares_badly()
        assert first.warnings == ()
        lengths = []
        for journal in (second, first):
            await journal.claim(1)
            for number in range(40):
                entry = CALL | {"job": journal is first, "key": f"k{number}", "request": "x" * 4000}
                assert await journal.begin(entry) == {}
            lengths.append(log.stat().st_size)
    assert lengths[1] < lengths[0]
    assert read(tmp_path, "SELECT count(*) FROM entries") == [(80,)]


async def test_a_second_start_is_told_who_runs_it(tmp_path):
    import os

    async with await filled(tmp_path):
        with pytest.raises(JournalError) as caught:
            await Journal.open(tmp_path)
    assert caught.value.code == "E-JOURNAL-HELD"
    assert caught.value.details["pid"] == str(os.getpid())
    assert set(caught.value.details) == {"pid", "host", "since"}
    assert "--join" in caught.value.hint
    async with await Journal.open(tmp_path) as journal:
        assert journal.is_owner


async def test_joining_needs_a_batch(tmp_path):
    with pytest.raises(JournalError) as caught:
        await Journal.open(tmp_path / "none", join=True)
    assert caught.value.code == "E-JOURNAL-MISSING"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("limits", "kind", "allowed"),
    [
        ({"tool_calls": 3}, "tool", 3),
        ({"model_calls": 3}, "model", 3),
        ({"model_calls": 0}, "tool", 5),
        ({"cost": 0.5}, "model", 2),
        ({"tokens": 20}, "model", 2),
    ],
)
async def test_the_budget_of_the_batch_holds_across_those_that_share_it(tmp_path, limits, kind, allowed):
    async with await filled(tmp_path) as first, await Journal.open(tmp_path, join=True) as second:
        granted = 0
        for number, journal in enumerate([first, second, first, second, first]):
            journal.limits = limits
            if number < 2:
                await journal.claim(1)
            entry = CALL | {"job": number % 2, "key": f"k{number}", "kind": kind, "request": None}
            answer = await journal.begin(entry)
            if answer:
                (quantity,) = limits
                assert answer == {"spent": quantity, "limit": limits[quantity]}
                continue
            granted += 1
            spend = {"tokens": 10, "cost": 0.25} if kind == "model" else {}
            journal.end(entry | {"status": "done", "at": 0.0, "spend": spend})
            await journal.count()
        assert granted == allowed
        assert (await second.spent())[f"{kind}_calls"] == allowed


async def test_a_job_that_wrote_cannot_begin_anew(tmp_path):
    async with await filled(tmp_path) as journal:
        await journal.claim(2)
        journal.end(CALL | {"job": 0, "effect": "read", "status": "done", "at": 0.0})
        await journal.begin(CALL | {"job": 1})
        assert await journal.forget(0)
        assert not await journal.forget(1)
    assert read(tmp_path, "SELECT job FROM entries") == [(1,)]


async def test_jobs_that_were_not_begun_can_be_replaced(tmp_path):
    async with await filled(tmp_path) as journal:
        await journal.claim(1)
        assert await journal.replace_jobs([("other", "{}"), *jobs(4)[1:]]) == "t0"
        assert await journal.count() == {"leased": 1, "waiting": 3}
        assert await journal.replace_jobs([jobs(1)[0], ("new", "{}")]) == ""
        assert [job.id for job in await journal.claim(9)] == ["new"]


def make_foreign(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE jobs (x)")
    connection.commit()
    connection.close()


def make_newer(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


BAD = {
    "text": (lambda path: path.write_text("hello " * 100), "E-JOURNAL-FORMAT"),
    "empty": (lambda path: path.write_bytes(b""), "E-JOURNAL-DAMAGED"),
    "another database": (lambda path: (path.unlink(), make_foreign(path)), "E-JOURNAL-FORMAT"),
    "newer": (make_newer, "E-JOURNAL-VERSION"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "E-JOURNAL-DISK"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_file_that_is_no_journal_of_this_version_is_refused(tmp_path, kind):
    await (await filled(tmp_path)).close()
    make, code = BAD[kind]
    path = tmp_path / journal_file.NAME
    make(path)
    for attempt in (lambda: Journal.open(tmp_path), lambda: asyncio.to_thread(list, read_results(tmp_path))):
        with pytest.raises(JournalError) as caught:
            await attempt()
        assert caught.value.code == code
        assert str(path) in caught.value.where
        assert caught.value.hint


def leave_unclosed(folder, rows=40):
    """Fill a journal in a process that is killed, so that its log stays."""
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from toolhaft.runs.journal import Journal\n"
        "async def main():\n"
        "    journal = await Journal.open(Path(sys.argv[1]))\n"
        f"    await journal.add_jobs([(f't{{i}}', 'x' * 500) for i in range({rows})])\n"
        f"    for job in await journal.claim({rows // 2}):\n"
        "        await journal.finish(job.position, 'done', result='y' * 500)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], timeout=30).returncode == -9


async def test_a_journal_whose_log_is_gone_is_not_trusted_but_can_be_read(tmp_path):
    leave_unclosed(tmp_path)
    log = tmp_path / f"{journal_file.NAME}-wal"
    assert log.stat().st_size > 0
    log.unlink()
    with pytest.raises(JournalError) as caught:
        await Journal.open(tmp_path)
    assert caught.value.code == "E-JOURNAL-DAMAGED"
    assert caught.value.where == str(log)
    assert list(read_results(tmp_path)) == []


async def test_a_log_that_another_program_moved_into_the_file_is_not_missed(tmp_path):
    leave_unclosed(tmp_path)
    assert len(read(tmp_path, "SELECT * FROM jobs")) == 40  # the last to close it, it moves the log
    assert not (tmp_path / f"{journal_file.NAME}-wal").exists()
    async with await Journal.open(tmp_path) as journal:
        assert await journal.count() == {"done": 20, "waiting": 20}


async def test_the_dead_holder_of_a_lease_is_not_waited_for(tmp_path):
    leave_unclosed(tmp_path)
    started = time.monotonic()
    async with await Journal.open(tmp_path) as journal:
        assert await journal.count() == {"done": 20, "waiting": 20}
    assert time.monotonic() - started < 10
    assert len(list(read_results(tmp_path))) == 20


@pytest.mark.parametrize("part", range(12))
@pytest.mark.slow
async def test_a_file_that_was_cut_off_is_noticed_or_still_whole(tmp_path, part):
    async with await filled(tmp_path, 200) as journal:
        for job in await journal.claim(200):
            await journal.finish(job.position, "done", result="y" * 500)
    connection = sqlite3.connect(tmp_path / journal_file.NAME)
    connection.execute("UPDATE meta SET value = '1' WHERE name = 'open'")  # as a killed process leaves it
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path = tmp_path / journal_file.NAME
    (tmp_path / f"{journal_file.NAME}-wal").write_bytes(b"")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * part // 12 + 37 * part])
    with pytest.raises(JournalError) as caught:
        await Journal.open(tmp_path)
    assert caught.value.code == "E-JOURNAL-DAMAGED"
    assert caught.value.hint
    found = []
    with contextlib.suppress(JournalError):  # and nothing else
        found.extend(read_results(tmp_path))
    assert all(row["result"] == "y" * 500 for row in found)


async def test_a_full_disk_ends_it_and_loses_nothing_that_was_acknowledged(tmp_path):
    journal = await filled(tmp_path)
    await journal.claim(1)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    acknowledged = 0

    async def begin_many():
        nonlocal acknowledged
        for number in range(1000):
            await journal.begin(CALL | {"job": 0, "key": f"k{number}", "request": "x" * 2000})
            acknowledged += 1

    with pytest.raises(JournalError) as caught:
        await begin_many()
    assert caught.value.code == "E-JOURNAL-DISK"
    assert "full" in caught.value.what
    assert acknowledged > 5
    with pytest.raises(JournalError):  # nothing is begun any more
        await journal.begin(CALL | {"job": 0, "key": "later"})
    with pytest.raises(JournalError):
        await journal.close()
    assert read(tmp_path, "SELECT count(*) FROM entries") == [(acknowledged,)]


MOUNTS = "/dev/vda / ext4 rw 0 0\nserver:/home {folder} {kind} rw 0 0\n"


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False), ("tmpfs", False)],
)
def test_network_file_systems_are_refused(tmp_path, kind, refused):
    folder = tmp_path / "a b" / "run"
    folder.mkdir(parents=True)
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.format(folder=str(tmp_path / "a b").replace(" ", "\\040"), kind=kind))
    if not refused:
        check_place(folder, mounts)
        return
    with pytest.raises(JournalError) as caught:
        check_place(folder, mounts)
    assert caught.value.code == "E-JOURNAL-PLACE"
    assert kind in caught.value.what


def test_where_the_system_has_no_table_of_mounts_nothing_is_refused(tmp_path):
    check_place(tmp_path, tmp_path / "none")


async def test_a_closed_journal_says_so(tmp_path):
    journal = await filled(tmp_path)
    await journal.close()
    await journal.close()
    with pytest.raises(JournalError, match="closed"):
        await journal.claim(1)


async def test_a_journal_that_is_gone_is_missed_and_nothing_begins_anew(tmp_path):
    async with await filled(tmp_path):
        pass
    for path in tmp_path.glob("journal.sqlite*"):
        path.unlink()
    for _ in range(2):
        with pytest.raises(JournalError) as caught:
            await Journal.open(tmp_path)
        assert caught.value.code == "E-JOURNAL-MISSING"
        assert "another folder" in caught.value.hint
    for path in tmp_path.glob("journal.*"):
        path.unlink()
    (tmp_path / "trajectories.jsonl").write_text("{}\n")
    with pytest.raises(JournalError, match=r"trajectories\.jsonl"):
        await Journal.open(tmp_path)


async def test_a_folder_that_never_had_a_journal_may_get_one(tmp_path):
    (tmp_path / "journal.owner").write_text('{"pid": 1}')
    async with await filled(tmp_path) as journal:
        assert await journal.count() == {"waiting": 4}


@pytest.mark.parametrize("inside", [(), ("a", "b")], ids=["file", "below a file"])
async def test_a_file_in_the_way_is_said(tmp_path, inside):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="folder") as caught:
        await Journal.open((tmp_path / "file").joinpath(*inside))
    assert "-o" in caught.value.hint


async def test_a_last_page_that_is_cut_is_missed(tmp_path):
    async with await filled(tmp_path):
        pass
    path = tmp_path / journal_file.NAME
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(JournalError) as caught:
        await Journal.open(tmp_path)
    assert caught.value.code == "E-JOURNAL-DAMAGED"
