"""Batches that are killed again and again: nothing is lost, and nothing that finished is done twice."""

import json
import os
import random
import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from toolhaft.runs.crash import CRASH_POINTS
from toolhaft.runs.journal import read_results

pytestmark = pytest.mark.slow

SEED = 20261121


def check_effects(folder, server, tasks):
    """Check what arrived against what the journal says; return how many plain writes are uncertain."""
    rows = list(read_results(folder))
    assert len(rows) == tasks, "jobs were lost"
    statuses = Counter(row["status"] for row in rows)
    assert set(statuses) <= {"done", "uncertain"}, statuses
    uncertain = {f"n{row['position']}" for row in rows if row["status"] == "uncertain"}
    sent = {key: count for (kind, key), count in server.arrived.items() if kind == "send"}
    assert all(count == 1 for count in sent.values()), "a plain write was repeated"
    everybody = {f"n{i}" for i in range(tasks)}
    assert everybody - set(sent) <= uncertain, "a write that was reported as done never arrived"
    kept = {key for kind, key in server.arrived if kind == "put"}
    assert len(kept) == tasks, "a repeatable write was lost, or sent under two keys"
    assert {key for kind, key in server.arrived if kind == "look"} == everybody
    connection = sqlite3.connect(folder / "journal.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    entries = connection.execute("SELECT status, count(*) FROM entries GROUP BY status").fetchall()
    connection.close()
    assert dict(entries).get("started", 0) == 0
    assert dict(entries).get("uncertain", 0) == len(uncertain)
    for row in rows:
        answer = json.loads(row["result"])["answer"]
        assert answer == f"Done with n{row['position']}."
    return len(uncertain)


def end(process, timeout=60):
    output, errors = process.communicate(timeout=timeout)
    return process.returncode, output, errors


def test_40_kills_at_random_moments(tmp_path, server, start_batch):
    dice = random.Random(SEED)
    tasks, kills = 700, 0
    while kills < 40:
        process = start_batch(tmp_path / "run", tasks, server.port)
        if not server.wait_for(server.total + dice.randint(1, 60), process=process):
            break
        process.kill()
        process.communicate(timeout=10)
        kills += 1
    code, _, errors = end(start_batch(tmp_path / "run", tasks, server.port))
    assert kills == 40, errors
    uncertain = check_effects(tmp_path / "run", server, tasks)
    assert code == (4 if uncertain else 0), errors
    lines = (tmp_path / "run" / "trajectories.jsonl").read_bytes().splitlines()
    assert len(lines) == tasks


def test_kills_of_worker_processes_and_of_their_parent(tmp_path, server, start_batch):
    dice = random.Random(SEED)
    tasks = 200
    for _ in range(6):
        process = start_batch(tmp_path / "run", tasks, server.port, "--executor", "process")
        if not server.wait_for(server.total + dice.randint(20, 90), process=process):
            break
        process.kill()
        process.communicate(timeout=10)
    code, _, errors = end(start_batch(tmp_path / "run", tasks, server.port, "--executor", "process"))
    uncertain = check_effects(tmp_path / "run", server, tasks)
    assert code == (4 if uncertain else 0), errors


def children_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def test_kills_of_workers_alone_cost_no_job(tmp_path, server, start_batch):
    tasks = 120
    process = start_batch(tmp_path / "run", tasks, server.port, "--executor", "process")
    for share in (60, 140, 220):
        assert server.wait_for(share, process=process)
        for worker in children_of(process.pid)[:1]:
            os.kill(worker, signal.SIGKILL)
    code, _, errors = end(process)
    uncertain = check_effects(tmp_path / "run", server, tasks)
    assert code == (4 if uncertain else 0), errors


POINTS = [
    f"{name}:{2 if name.startswith(('before-commit-e', 'after-commit-e', 'after-')) else 1}"
    for name in CRASH_POINTS
    if name
    not in (
        "worker-item",
        "worker-result",
        "result-file",
        "result-sync",
        "result-rename",
        "replayed-call",
        "replayed-completion",
        "before-commit-renew",
        "after-commit-renew",
        "before-commit-forget",
        "after-commit-forget",
        "before-commit-uncertain",
        "after-commit-uncertain",
        "before-commit-begin-model",
        "after-commit-begin-model",
    )
]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_each_point_of_the_protocol(point, tmp_path, server, start_batch):
    tasks = 4
    name, _, times = point.partition(":")
    times = "1" if name.startswith(("after-export", "after-checkpoint", "after-commit-jobs")) else times
    first, _, errors = end(
        start_batch(tmp_path / "run", tasks, server.port, "--concurrency", "2", crash_at=f"{name}:{times}")
    )
    assert first == -9, f"the point was not reached: {errors}"
    code, _, errors = end(start_batch(tmp_path / "run", tasks, server.port))
    uncertain = check_effects(tmp_path / "run", server, tasks)
    assert code == (4 if uncertain else 0), errors
