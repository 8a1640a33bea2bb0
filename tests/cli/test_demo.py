"""The first command does the main job, offline, and leaves a report."""

import json
import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # runs the whole demo

GUARD = """
import sys

def refuse(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else str(address)
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise SystemExit(f"a connection to {host} was tried")
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost", None):
        raise SystemExit(f"the name {arguments[0]} was looked up")

sys.addaudithook(refuse)
from toolhaft.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-c", GUARD, "demo", "-o", "report"],
        cwd=folder,
        env=os.environ | {"TOOLHAFT_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return folder, done


def test_the_demo_runs_offline_and_names_its_report(demo):
    folder, done = demo
    assert done.returncode == 0, done.stderr
    assert "imported, 0 degraded, 0 skipped" in done.stdout
    assert re.search(r"^24 of \d+ tasks; all of them: toolhaft eval world$", done.stdout, re.MULTILINE)
    assert "report/report.html" in done.stdout
    assert (folder / "report" / "report.html").stat().st_size > 10_000


def test_the_demo_says_that_the_heuristic_is_no_language_model(demo):
    _, done = demo
    assert "no language model" in done.stdout


def test_the_demos_record_is_honest(demo):
    from toolhaft.types import Trajectory, from_json

    folder, _ = demo
    lines = (folder / "report" / "trajectories.jsonl").read_text().splitlines()
    trajectories = [from_json(Trajectory, line) for line in lines]
    assert len(trajectories) == 24
    assert {origin for each in trajectories for origin in each.origins} == {"heuristic"}
    exchanges = [e for each in trajectories for o in each.observations() for e in o.exchanges]
    assert exchanges
    assert all(exchange.provenance == "live" for exchange in exchanges)
    assert all(each.final_state for each in trajectories)


def test_the_demo_solves_some_tasks_and_counts_them_truly(demo):
    folder, done = demo
    scores = [json.loads(line) for line in (folder / "report" / "scores.jsonl").read_text().splitlines()]
    passed = sum("value" in s and s["value"] == 1.0 for s in flat(scores))
    assert passed >= 5
    assert f"{passed} of " in done.stdout


def flat(values):
    for value in values:
        if isinstance(value, list):
            yield from flat(value)
        elif isinstance(value, dict):
            yield value
            yield from flat(value.values())


def test_no_credential_of_the_world_is_in_what_the_demo_wrote(demo):
    folder, _ = demo
    record = [
        json.loads(line) for line in (folder / "report" / "trajectories.jsonl").read_text().splitlines()
    ]
    sent = {
        value
        for trajectory in record
        for step in trajectory["steps"]
        for observation in step["observations"]
        for exchange in observation["exchanges"]
        for name, value in exchange["request_headers"]
        if name.lower() in ("authorization", "x-api-key", "x-shop-key")
    }
    assert sent, "the services want credentials"
    assert all("[secret" in value for value in sent), sent
