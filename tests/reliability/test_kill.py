"""A batch that is killed at random moments, over and over, does everything that it was asked for, once."""

import random
import time

import pytest

from .ledger import Ledger

JOBS = 64
CHUNK = 20


def kill_often(tmp_path, service, nursery, *, kills, jobs, seed, words=()):
    """Kill batches until there were so many kills, and let the last one end."""
    draw = random.Random(seed)
    left = kills
    number = 0
    while left:
        folder, number = tmp_path / f"batch-{number}", number + 1
        service.arrived.clear()
        service.keys.clear()
        ledger = Ledger(folder, service)
        while left:
            child = nursery.start(folder, service.port, "--jobs", jobs, *words)
            if draw.random() < 0.15:
                time.sleep(draw.random() * 0.1)  # also while it starts, reads back, or ends
            else:
                service.wait_for(service.total + draw.randrange(1, 24), alive=child.alive)
                time.sleep(draw.random() * 0.004)
            if not child.kill():
                break
            left -= 1
            service.quiet()
            ledger.note_death()
        child = nursery.start(folder, service.port, "--jobs", jobs, *words)
        assert child.wait() == (4 if ledger.uncertain else 0), child.said()
        assert child.said() == ""
        ledger.check_end(jobs)


def test_a_batch_survives_a_few_kills(tmp_path, service, nursery):
    kill_often(tmp_path, service, nursery, kills=3, jobs=12, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_batch_survives_many_kills(tmp_path, service, nursery, seed):
    kill_often(tmp_path, service, nursery, kills=CHUNK, jobs=JOBS, seed=f"kill {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_batch_that_does_not_wait_for_the_disk_survives_kills_as_well(tmp_path, service, nursery, seed):
    kill_often(
        tmp_path,
        service,
        nursery,
        kills=CHUNK,
        jobs=JOBS,
        seed=f"normal {seed}",
        words=("--durability", "normal"),
    )
