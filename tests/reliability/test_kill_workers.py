"""Three processes share one queue, and are killed in turn: every job is done once."""

import random
import time

import pytest

from .ledger import Ledger

pytestmark = pytest.mark.slow

WORKERS = 3
KILLS = 20
LEASE = 2.0


class Crew:
    """Three processes that work in one folder.

    Args:
        start: Starts one.
        ledger: Told of every death.
        draw: Draws lots.
    """

    def __init__(self, start, ledger, draw):
        self.start = start
        self.ledger = ledger
        self.draw = draw
        self.members = []

    def fill(self):
        """Start processes until there are three of them."""
        while len(self.members) < WORKERS:
            self.members.append(self.start())

    def kill_one(self):
        """Kill one of them while the others stand still, and look; false if they have ended."""
        victim = self.draw.choice(self.members)
        others = [member for member in self.members if member is not victim]
        for member in others:
            member.pause()
        killed = victim.kill()
        self.members.remove(victim)
        time.sleep(0.01)  # what is on its way to the service arrives
        if killed:
            self.ledger.note_death(victim.pid, survivors=any(member.alive() for member in others))
        for member in others:
            member.resume()
        if not killed:
            assert victim.code in (0, 4), victim.said()
        return killed

    def finish(self):
        """Wait for all of them."""
        for member in self.members:
            assert member.wait() in (0, 3, 4), member.said()


def kill_workers(tmp_path, service, nursery, *, kills, jobs, seed, lease=LEASE):
    """Kill workers until there were so many kills, then let the rest end, and one more look."""
    draw = random.Random(seed)
    folder = tmp_path / "batch"
    ledger = Ledger(folder, service)
    words = ("--jobs", jobs, "--concurrency", 4, "--lease", lease)
    first = nursery.start(folder, service.port, *words)
    assert service.wait_for(1, alive=first.alive), first.said()
    crew = Crew(lambda: nursery.start(folder, service.port, "--join", *words), ledger, draw)
    crew.members.append(first)
    done = 0
    while done < kills:
        crew.fill()
        service.wait_for(service.total + draw.randrange(2, 30), timeout=lease)
        time.sleep(draw.random() * 0.01)
        if not crew.kill_one():
            break
        done += 1
    crew.fill()
    crew.finish()
    last = nursery.start(folder, service.port, *words)
    assert last.wait() == (4 if ledger.uncertain else 0), last.said()
    ledger.check_end(jobs)
    return done


def test_workers_survive_a_few_kills(tmp_path, service, nursery):
    assert kill_workers(tmp_path, service, nursery, kills=2, jobs=16, seed=3, lease=1.0) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_workers_survive_many_kills(tmp_path, service, nursery, seed):
    done = kill_workers(tmp_path, service, nursery, kills=KILLS, jobs=160, seed=f"workers {seed}")
    assert done == KILLS


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 3])
def test_workers_that_end_at_the_same_moment_leave_a_folder_that_opens(tmp_path, service, nursery, more):
    folder = tmp_path / "batch"
    words = ("--jobs", WORKERS, "--concurrency", 1)
    first = nursery.start(folder, service.port, *words)
    assert service.wait_for(1, alive=first.alive), first.said()
    for _ in range(12):
        crew = [nursery.start(folder, service.port, "--join", *words) for _ in range(WORKERS + more)]
        for member in crew:
            assert member.wait() == 0, member.said()
    assert first.wait() == 0, first.said()
