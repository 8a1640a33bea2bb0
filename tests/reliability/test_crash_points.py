"""A batch that dies at any of its named points, at any pass, goes on as if nothing had been."""

import signal
import time

import pytest

from toolhaft.runs.crash import CRASH_POINTS

from .ledger import Ledger

pytestmark = pytest.mark.slow
JOBS = 10
DIED = -signal.SIGKILL
PASSES = (1, 2, 4, 7, 11)
"""At which of its passes a point is deadly; the later ones may not be reached."""

ONCE = {
    "create-file",
    "create-rename",
    "created",
    "before-commit-jobs",
    "after-commit-jobs",
    "before-commit-release",
    "after-commit-release",
    "before-export",
    "after-export",
    "before-close",
    "before-checkpoint",
    "after-checkpoint",
}
"""What a batch passes only once or twice in its life."""
AFTER_A_DEATH = {
    "replayed-call",
    "replayed-completion",
    "before-commit-uncertain",
    "after-commit-uncertain",
}
ELSEWHERE = {"worker-item", "worker-result", "before-commit-forget", "after-commit-forget"}
"""These have tests of their own: in `test_signals` and below."""
OWN_WORDS = {
    "result-file": ("--padding", 300_000),
    "result-sync": ("--padding", 300_000),
    "result-rename": ("--padding", 300_000),
    "before-commit-renew": ("--lease", 0.03),
    "after-commit-renew": ("--lease", 0.03),
    "before-commit-begin-model": ("--budget", "tokens=1000000"),
    "after-commit-begin-model": ("--budget", "tokens=1000000"),
}


def die_at(point, number, folder, service, nursery):
    """Run a batch that dies at a point's so-manyth pass, then to its end; return whether it came there."""
    service.arrived.clear()
    service.keys.clear()
    ledger = Ledger(folder, service)
    words = ("--jobs", JOBS, *OWN_WORDS.get(point, ()))
    if point in AFTER_A_DEATH:
        die_in_writes(service, nursery.start(folder, service.port, *words))
        ledger.note_death()
        assert len(ledger.uncertain) >= 2
    child = nursery.start(folder, service.port, *words, crash=f"{point}:{number}")
    reached = child.wait() == DIED
    if reached:
        ledger.note_death()
    else:
        assert child.code == (4 if ledger.uncertain else 0), child.said()
    last = nursery.start(folder, service.port, *words)
    assert last.wait() == (4 if ledger.uncertain else 0), last.said()
    ledger.check_end(JOBS)
    return reached


def die_in_writes(service, child):
    """Kill a batch while several plain writes are under way."""
    usual, service.delay = service.delay, 0.25
    end = time.monotonic() + 20
    while sum(kind == "send" for kind, _ in service.arrived) < 3:
        assert time.monotonic() < end, child.said()
        time.sleep(0.002)
    assert child.kill()
    service.delay = usual


@pytest.mark.parametrize("point", sorted(set(CRASH_POINTS) - ELSEWHERE))
def test_a_batch_goes_on_after_a_death_at_any_point(tmp_path, service, nursery, point):
    reached = {
        number: die_at(point, number, tmp_path / f"batch-{number}", service, nursery) for number in PASSES
    }
    assert reached[1], "the point is never passed"
    assert reached[2] or point in ONCE


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", PASSES)
def test_a_batch_goes_on_after_a_death_while_it_forgets(tmp_path, service, nursery, when, number):
    folder = tmp_path / "batch"
    words = ("--jobs", 40, "--calls", 1)
    first = nursery.start(folder, service.port, *words, crash="after-completion:30")
    assert first.wait() == DIED, first.said()
    changed = (*words, "--model", "another", "--resume-changed")
    second = nursery.start(folder, service.port, *changed, crash=f"{when}-commit-forget:{number}")
    second.wait()
    if number <= 2:
        assert second.code == DIED, second.said()
    last = nursery.start(folder, service.port, *changed)
    assert last.wait() == 0, last.said()
    assert len((folder / "trajectories.jsonl").read_text().splitlines()) == 40
    assert all(service.arrived["look", f"n{job}"] >= 1 for job in range(40))
