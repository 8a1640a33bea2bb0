"""Journals that are cut, swapped, gone, or on full or read-only disks: one clear error, no guessing."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from toolhaft.errors import JournalError
from toolhaft.runs.journal import Journal, read_results

from .effect_service import EffectService
from .ledger import Ledger

pytestmark = pytest.mark.slow

JOBS = 24
DATABASE, LOG = "journal.sqlite", "journal.sqlite-wal"


@pytest.fixture(scope="module")
def journals(tmp_path_factory, shared_nursery):
    """Two folders: of a batch that was killed, and of one that stopped properly before its end."""
    root = tmp_path_factory.mktemp("journals")
    with EffectService() as service:
        killed = shared_nursery.start(root / "killed", service.port, "--jobs", JOBS)
        assert service.wait_for(55, alive=killed.alive)
        killed.kill()
        words = ("--jobs", JOBS, "--budget", "tool_calls=55")
        assert shared_nursery.start(root / "stopped", service.port, *words).wait() == 3
    return root


@pytest.fixture
def folder_of(journals, tmp_path):
    """Copy one of them, to be broken."""

    def copy(name):
        return shutil.copytree(journals / name, tmp_path / "batch")

    return copy


def results(folder):
    """Read what is committed; return the rows and the code of the error that ended that, if one did."""
    rows = {}
    try:
        for row in read_results(folder):
            rows[row["position"]] = (row["status"], row["result"])
    except JournalError as error:
        return rows, error.code
    return rows, ""


async def code_of_opening(folder):
    """Open a journal and do a little with it; return the code of the error, or an empty text."""
    found = None
    try:
        async with await Journal.open(folder) as journal:
            await journal.meta()
            await journal.claim(1)
            await journal.count()
            await journal.close()
    except JournalError as error:
        found = error
    assert found is None or (found.what and found.hint and str(folder) in found.where)
    return found.code if found else ""


def cut(path, fraction):
    size = int(path.stat().st_size * fraction)
    os.truncate(path, size)
    return size


def sample(values, fast):
    """Return parameters of which all but the named ones are slow."""
    return [value if value in fast else pytest.param(value, marks=pytest.mark.slow) for value in values]


FRACTIONS = sample([round(number / 25 + 0.017, 3) for number in range(25)], fast=(0.257, 0.977))


@pytest.mark.anyio
@pytest.mark.parametrize("fraction", FRACTIONS, ids="{:.3f}".format)
async def test_a_journal_that_was_cut_is_damaged_and_says_nothing_wrong(folder_of, fraction):
    folder = folder_of("stopped")
    before, code = results(folder)
    assert before
    assert code == ""
    cut(folder / DATABASE, fraction)
    found, code = results(folder)
    assert code in ("E-JOURNAL-DAMAGED", "E-JOURNAL-FORMAT") or found == before
    assert found.items() <= before.items()
    assert await code_of_opening(folder) == "E-JOURNAL-DAMAGED"


@pytest.mark.anyio
@pytest.mark.parametrize("fraction", FRACTIONS, ids="{:.3f}".format)
async def test_a_log_that_was_cut_loses_its_end_alone(folder_of, fraction):
    folder = folder_of("killed")
    before, code = results(folder)
    assert before
    assert code == ""
    cut(folder / LOG, fraction)
    found, code = results(folder)
    assert code in ("", "E-JOURNAL-DAMAGED")
    assert found.items() <= before.items()
    if fraction > 0.9:
        assert found
    assert await code_of_opening(folder) in ("", "E-JOURNAL-DAMAGED")


@pytest.mark.anyio
@pytest.mark.parametrize("seed", sample(range(12), fast=(0,)))
async def test_a_journal_with_overwritten_pages_says_nothing_wrong(folder_of, seed):
    draw = random.Random(f"pages {seed}")
    folder = folder_of("killed")
    with closing(sqlite3.connect(folder / DATABASE)) as connection:  # moves the log into the file
        before = connection.execute("SELECT count(*) FROM jobs").fetchone()
        connection.execute("PRAGMA wal_checkpoint")
    (folder / LOG).touch()
    data = bytearray((folder / DATABASE).read_bytes())
    page = draw.randrange(1, len(data) // 4096)
    data[page * 4096 : (page + 1) * 4096] = draw.randbytes(4096)
    (folder / DATABASE).write_bytes(data)
    assert before == (JOBS,)
    assert results(folder)[1] in ("", "E-JOURNAL-DAMAGED")
    assert await code_of_opening(folder) == "E-JOURNAL-DAMAGED"


def change_version(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 2")


def change_application(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA application_id = 77")


def be_foreign(folder):
    (folder / DATABASE).unlink()
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("CREATE TABLE jobs (position, status)")


def drop_a_table(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("DROP TABLE entries")


def drop_meta(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("DROP TABLE meta")


def be_a_folder(folder):
    (folder / DATABASE).unlink()
    (folder / DATABASE).mkdir()


def be_a_text(folder):
    (folder / DATABASE).write_text("This is my diary. " * 100)


def be_empty(folder):
    os.truncate(folder / DATABASE, 0)


def be_zeros(folder):
    (folder / DATABASE).write_bytes(bytes(8192))


def lose_the_file(folder):
    (folder / DATABASE).unlink()


def lose_the_log(folder):
    (folder / LOG).unlink()


def swap_the_log(folder):
    (folder / LOG).write_bytes(b"not a log" * 1000)


BREAKS = [
    ("stopped", change_version, {"E-JOURNAL-VERSION"}),
    ("stopped", change_application, {"E-JOURNAL-FORMAT"}),
    ("stopped", be_foreign, {"E-JOURNAL-FORMAT"}),
    ("stopped", drop_a_table, {"E-JOURNAL-DAMAGED"}),
    ("stopped", drop_meta, {"E-JOURNAL-DAMAGED"}),
    ("stopped", be_a_folder, {"E-JOURNAL-DISK"}),
    ("stopped", be_a_text, {"E-JOURNAL-FORMAT"}),
    ("stopped", be_empty, {"E-JOURNAL-DAMAGED"}),
    ("stopped", be_zeros, {"E-JOURNAL-FORMAT", "E-JOURNAL-DAMAGED"}),
    ("killed", lose_the_file, {"E-JOURNAL-DAMAGED"}),
    ("killed", lose_the_log, {"E-JOURNAL-DAMAGED"}),
    ("killed", swap_the_log, {"E-JOURNAL-DAMAGED"}),
    ("killed", be_a_text, {"E-JOURNAL-FORMAT"}),
    ("killed", be_empty, {"E-JOURNAL-DAMAGED"}),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("which", "damage", "codes"),
    BREAKS,
    ids=[f"{which}-{damage.__name__}" for which, damage, _ in BREAKS],
)
async def test_a_journal_that_is_not_what_it_should_be_is_refused(folder_of, which, damage, codes):
    folder = folder_of(which)
    damage(folder)
    assert await code_of_opening(folder) in codes
    results(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "damage", "codes"),
    BREAKS,
    ids=[f"{which}-{damage.__name__}" for which, damage, _ in BREAKS],
)
def test_a_batch_does_nothing_with_a_broken_journal(folder_of, service, nursery, which, damage, codes):
    folder = folder_of(which)
    damage(folder)
    child = nursery.start(folder, service.port, "--jobs", JOBS)
    assert child.wait() == 1
    assert child.said().split(":")[0] in codes, child.said()
    assert "Traceback" not in child.said()
    assert service.total == 0


@pytest.mark.slow
def test_a_journal_that_vanishes_under_way_is_missed(tmp_path, service, nursery):
    folder = tmp_path / "batch"
    child = nursery.start(folder, service.port, "--jobs", 60)
    assert service.wait_for(20, alive=child.alive), child.said()
    shutil.rmtree(folder)
    assert child.wait() == 1
    assert child.said().startswith("E-JOURNAL-"), child.said()
    assert "Traceback" not in child.said()


@pytest.mark.slow
@pytest.mark.parametrize("size", [40_000, 60_000, 90_000, 120_000, 160_000, 220_000, 300_000, 420_000])
def test_a_file_that_may_not_grow_ends_the_batch_and_loses_nothing(tmp_path, service, nursery, size):
    ledger = Ledger(tmp_path / "batch", service)
    child = nursery.start(ledger.folder, service.port, "--jobs", JOBS, "--largest-file", size)
    check_full(ledger, child, service, nursery)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, where one can be mounted."""
    point = tmp_path / "disk"
    point.mkdir()

    def mount(*options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", point]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        except OSError as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        return point

    yield mount
    while subprocess.run(["umount", point], capture_output=True, timeout=10).returncode == 0:
        continue


@pytest.mark.slow
@pytest.mark.parametrize("pages", [16, 24, 40, 64, 96, 128])
def test_a_full_disk_ends_the_batch_and_loses_nothing(small_disk, service, nursery, tmp_path, pages):
    disk = small_disk(f"size={pages * 4096}")
    ledger = Ledger(disk / "batch", service)
    child = nursery.start(ledger.folder, service.port, "--jobs", JOBS, log=tmp_path / "log")
    assert child.wait() == 1, child.said()
    small_disk("remount", "size=64m")
    check_full(ledger, child, service, nursery)


def check_full(ledger, child, service, nursery):
    """Check that a batch ended for want of room, that all it did is on record, and that it can go on."""
    assert child.wait() == 1, child.said()
    assert child.said().startswith(("E-JOURNAL-DISK", "E-USAGE")), child.said()
    assert "Traceback" not in child.said()
    ledger.note_death()
    recorded = [json.dumps(row["key"]) for row in getattr(ledger, "_rows", ())]
    writes = [call for call in service.arrived if call[0] != "look"]
    assert len(writes) <= len(recorded)
    last = nursery.start(ledger.folder, service.port, "--jobs", JOBS)
    assert last.wait() == (4 if ledger.uncertain else 0), last.said()
    ledger.check_end(JOBS)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["killed", "stopped"])
def test_a_read_only_disk_is_told_and_read(journals, small_disk, service, nursery, tmp_path, which):
    disk = small_disk("size=16m")
    folder = shutil.copytree(journals / which, disk / "batch")
    before = results(folder)
    small_disk("remount", "ro")
    child = nursery.start(folder, service.port, "--jobs", JOBS, log=tmp_path / "log")
    assert child.wait() == 1
    assert child.said().startswith("E-JOURNAL-DISK"), child.said()
    assert "Traceback" not in child.said()
    assert service.total == 0
    assert before[0]
    assert results(folder)[0] in (before[0], {}) if which == "killed" else results(folder) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", DATABASE])
def test_a_folder_or_file_without_leave_to_write_is_told(folder_of, service, nursery, name):
    folder = folder_of("stopped")
    mode = (folder / name).stat().st_mode
    (folder / name).chmod(mode & ~0o222)
    if os.access(folder / name, os.W_OK):
        pytest.skip("whoever runs this may write anywhere")
    try:
        child = nursery.start(folder, service.port, "--jobs", JOBS)
        assert child.wait() == 1
        assert child.said().startswith("E-JOURNAL-DISK"), child.said()
    finally:
        (folder / name).chmod(mode)


@pytest.mark.slow
@pytest.mark.parametrize("name", [".", DATABASE])
def test_what_nobody_may_change_is_told(folder_of, service, nursery, name):
    folder = folder_of("stopped")
    try:
        done = subprocess.run(["chattr", "+i", folder / name], capture_output=True, text=True, timeout=10)
    except OSError as error:
        pytest.skip(f"files cannot be made immutable here: {error}")
    if done.returncode:
        pytest.skip(f"files cannot be made immutable here: {done.stderr.strip()}")
    try:
        child = nursery.start(folder, service.port, "--jobs", JOBS)
        assert child.wait() == 1
        assert child.said().startswith("E-JOURNAL-DISK"), child.said()
        assert "Traceback" not in child.said()
        assert service.total == 0
    finally:
        subprocess.run(["chattr", "-i", folder / name], timeout=10, check=True)
