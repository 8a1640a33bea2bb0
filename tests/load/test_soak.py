"""Many agents in one process for half a minute: nothing fails, and what they hold does not grow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc, as Linux has it"),
]

SECONDS = 26
WARM_UP = 10
GROWTH = 25.0
"""MB by which memory may grow after the warm-up: far above noise, far below a leak. Results that pile up
while a disk is slow, or calls that are kept, take hundreds of MB in this time."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What the soak measured with 200 agents; its journal was read back by then."""
    folder = tmp_path_factory.mktemp("soak")
    command = [sys.executable, ROOT / "benchmarks/soak.py", "--agents", "200", "--seconds", str(SECONDS)]
    command += ["--warm-up", str(WARM_UP), "--interval", "1", "--hosts", "10", "--answer", "0.5"]
    # Its own bound is for minutes: a sample more or less is much in seconds.
    command += ["--slope", "1000", "--folder", folder, "--json", folder / "report.json"]
    environment = os.environ | {"TOOLHAFT_HOME": str(folder / "home")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, check=False)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads((folder / "report.json").read_text())
    assert len(settled(found)) >= 5, done.stdout
    return found


def settled(report):
    return [sample for sample in report["samples"] if sample["seconds"] >= WARM_UP]


def test_every_call_is_in_the_journal_once_and_every_answer_is_its_own(report):
    assert report["problems"] == []
    assert report["counts"]["done"] > 200
    assert report["calls"] >= 3 * report["counts"]["done"]
    assert set(report["counts"]) == {"done", "waiting"}


def test_memory_does_not_grow_with_time(report):
    memory = [sample["resident"] for sample in settled(report)]
    assert sum(memory[-3:]) / 3 - sum(memory[:3]) / 3 <= GROWTH


@pytest.mark.parametrize(("name", "most"), [("descriptors", 430), ("tasks", 430), ("threads", 8)])
def test_what_is_open_hangs_on_the_agents_alone(report, name, most):
    """Two connections an agent, to its model and to its tool, and a task or two."""
    assert max(sample[name] for sample in report["samples"]) <= most
