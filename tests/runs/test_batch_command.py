"""The command ``toolhaft batch``: what it prints, its exit codes, and how it takes signals."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

TOOLS = '''
import asyncio, os, pathlib
from toolhaft import tool

@tool(effect="read")
async def find_price(item: str) -> dict:
    """Price of an item in the shop.

    Args:
        item: Name of the item.
    """
    with open("calls", "a") as file:
        file.write(f"{item}\\n")
    await asyncio.sleep(float(os.environ.get("SHOP_DELAY", "0")))
    return {"item": item, "price": len(item)}
'''


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(TOOLS)
    (tmp_path / "tasks.txt").write_text(
        "".join(f'What is the price of "apple{number}"?\n' for number in range(12))
    )
    return tmp_path


def start(folder, *words, delay="0"):
    return subprocess.Popen(
        [sys.executable, "-m", "toolhaft", "batch", *words],
        cwd=folder,
        env={**os.environ, "SHOP_DELAY": delay},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *words, delay="0"):
    process = start(folder, *words, delay=delay)
    output, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


WORDS = ("tasks.txt", "--tools", "python:shop.py", "--model", "heuristic")


def calls(folder):
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []


def wait_for_calls(folder, number, process):
    deadline = time.monotonic() + 30
    while len(calls(folder)) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_says_what_it_did_and_writes_it(shop):
    code, output, errors = run(shop, *WORDS)
    assert code == 0, errors
    assert output.startswith("12 of 12 tasks carried out: 12 answered (")
    assert "Report: toolhaft-runs/batch-tasks/report.html" in errors
    folder = shop / "toolhaft-runs" / "batch-tasks"
    assert len((folder / "trajectories.jsonl").read_bytes().splitlines()) == 12
    code, output, _ = run(shop, *WORDS, "--json", "--executor", "process")
    assert code == 0
    assert json.loads(output)["counts"] == {"done": 12}
    assert sorted(calls(shop)) == sorted(f"apple{number}" for number in range(12)), "done once"


def test_worker_processes_do_the_same(shop):
    code, output, errors = run(shop, *WORDS, "--executor", "process", "--per-host", "2", "--json")
    assert code == 0, errors
    assert json.loads(output)["outcomes"] == {"answered": 12}


def test_other_settings_are_refused_by_name(shop):
    assert run(shop, *WORDS)[0] == 0
    code, _, errors = run(shop, *WORDS, "-k", "3", "--seed", "4")
    assert code == 1
    assert "other settings (k was not given and is 3; seed was 0 and is 4)" in errors
    assert "--resume-changed" in errors
    assert "[E-JOURNAL-CHANGED]" in errors
    assert run(shop, *WORDS, "-k", "3", "--seed", "4", "--resume-changed")[0] == 0


def test_a_dead_model_server_is_named_with_its_cause_once(shop):
    model = "http://127.0.0.1:9/v1#m"
    code, output, errors = run(shop, "tasks.txt", "--tools", "python:shop.py", "--model", model)
    assert (code, "12 error" in output) == (3, True)
    failed = [line for line in errors.splitlines() if line.startswith("failed: ")]
    assert sum("left alone" in line for line in failed) == 1, errors
    assert len(failed) <= 2, "one line for each reason"
    assert all("Connection refused" in line for line in failed)
    assert all("`toolhaft models detect`" in line for line in failed)


WRONG = {
    "no file": ((), "no file of tasks"),
    "no tools": (("tasks.txt",), "no tools"),
    "missing file": (("none.txt", "--tools", "python:shop.py", "--model", "heuristic"), "none.txt"),
    "bad limit": ((*WORDS, "--batch-budget", "steps=3"), "steps"),
    "no number": ((*WORDS, "--batch-budget", "cost=much"), "--batch-budget"),
    "executor": ((*WORDS, "--executor", "loca"), "local"),
    "durability": ((*WORDS, "--durability", "some"), "durability"),
    "join and file": ((*WORDS, "--join", "x"), "--join"),
}
NO_MODEL = "no language model is configured"


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_use_is_one_clear_error(shop, kind):
    words, named = WRONG[kind]
    code, output, errors = run(shop, *words)
    assert code == 2, errors
    assert named in errors
    assert output == ""
    assert len(errors.splitlines()) <= 5
    assert NO_MODEL not in errors


def test_the_model_of_a_batch_that_is_joined_is_that_of_the_batch(shop):
    code, _, errors = run(shop, "--join", ".")
    assert code == 1
    assert "there is no batch in this folder" in errors
    assert NO_MODEL not in errors


def test_bad_rows_have_their_lines(shop):
    (shop / "tasks.jsonl").write_text('"What is the price of \\"pear\\"?"\n{"x": 1}\n')
    words = ("tasks.jsonl", *WORDS[1:])
    code, _, errors = run(shop, *words)
    assert code == 1
    assert "tasks.jsonl:2" in errors
    code, output, errors = run(shop, *words, "--skip-bad")
    assert (code, output[:6]) == (0, "1 of 1")
    assert "Left out: tasks.jsonl:2" in errors


def test_a_batch_budget_ends_it_with_code_3(shop):
    code, output, errors = run(shop, *WORDS, "--batch-budget", "model_calls=5", "--concurrency", "1")
    assert code == 3
    assert "waiting" in output
    assert "the budget of the batch is spent. Start it again with a larger --batch-budget." in errors


@pytest.mark.parametrize("executor", ["local", "process"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_in_time_and_it_can_be_resumed(shop, number, code, executor):
    process = start(shop, *WORDS, "--concurrency", "2", "--executor", executor, delay="0.3")
    wait_for_calls(shop, 3, process)
    begun = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert time.monotonic() - begun < 6
    assert process.returncode == code, errors
    assert "Stopping" in errors
    assert "waiting" in output
    assert run(shop, *WORDS, "--executor", executor)[0] == 0
    assert sorted(set(calls(shop))) == sorted(f"apple{each}" for each in range(12))
    assert len(calls(shop)) == 12, "a call under way was waited for, and none was made twice"


def test_a_call_that_takes_too_long_is_not_waited_for(shop):
    process = start(shop, *WORDS, delay="60")
    wait_for_calls(shop, 2, process)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - begun < 6
    assert run(shop, *WORDS)[0] == 0


def test_a_second_signal_ends_it_at_once(shop):
    process = start(shop, *WORDS, delay="60")
    wait_for_calls(shop, 2, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - begun < 2
    assert run(shop, *WORDS)[0] == 0


def test_a_second_start_is_told_who_runs_it_and_can_join(shop):
    process = start(shop, *WORDS, "--concurrency", "1", delay="0.25")
    wait_for_calls(shop, 2, process)
    code, _, errors = run(shop, *WORDS)
    assert code == 1
    assert f"the process {process.pid} on " in errors
    assert "[E-JOURNAL-HELD]" in errors
    joined = start(shop, "--join", "toolhaft-runs/batch-tasks", delay="0.25")
    _, errors = joined.communicate(timeout=60)
    assert joined.returncode == 0, errors
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(calls(shop)) == 12
    assert len((shop / "toolhaft-runs/batch-tasks/trajectories.jsonl").read_bytes().splitlines()) == 12


SENDING = '''
import os
from toolhaft import ToolError, tool

@tool(effect="write")
async def send_parcel(name: str) -> str:
    """Send a parcel to a person by name.

    Args:
        name: Name of the person.
    """
    with open("sent", "a") as file:
        file.write(f"{name}\\\\n")
    if os.path.exists("lost"):
        raise ToolError("no answer came", effect="uncertain")
    return "sent"
'''.replace("\\\\", "\\")


def test_an_uncertain_write_is_named_and_settled(shop):
    (shop / "send.py").write_text(SENDING)
    (shop / "send.txt").write_text('Send a parcel to "Ada"\n')
    (shop / "lost").touch()
    words = ("send.txt", "--tools", "python:send.py", "--model", "heuristic", "--allow", "write")
    code, output, errors = run(shop, *words)
    assert code == 4, errors
    assert output.startswith("1 of 1 tasks carried out: 1 uncertain (")
    line = next(line for line in errors.splitlines() if line.startswith("uncertain: line-1: send_parcel"))
    assert '{"name": "Ada"}, key ' in line
    assert "--settle TASK=done" in errors
    (shop / "lost").unlink()
    code, output, errors = run(shop, *words, "--json")
    told = json.loads(output)
    assert code == 4
    (call,) = told["uncertain"]
    assert (call["task"], call["arguments"], call["error"]["effect"]) == (
        "line-1",
        {"name": "Ada"},
        "uncertain",
    )
    assert call["key"] in line
    code, output, errors = run(shop, "-o", "toolhaft-runs/batch-send", "--settle", "line-1=not-done")
    assert (code, (shop / "sent").read_text()) == (0, "Ada\nAda\n"), errors
    assert "1 answered" in output
    assert "no language model" not in errors
    code, _, errors = run(shop, "-o", "toolhaft-runs/batch-send", "--settle", "line-1=done")
    assert (code, "is not uncertain, but done" in errors) == (2, True)


def test_a_batch_that_was_begun_goes_on_by_its_folder_and_keeps_its_settings(shop):
    assert run(shop, *WORDS, "--batch-budget", "model_calls=5", "--concurrency", "1")[0] == 3
    folder = "toolhaft-runs/batch-tasks"
    code, _, errors = run(shop, "-o", folder, "-k", "3", "--allow-host", "localhost", "--budget", "steps=4")
    assert code == 2
    assert "--k, --budget, --allow-host" in errors
    code, output, _ = run(shop, "-o", folder, "--retry", "failed")
    assert code == 0
    assert output.startswith("12 of 12 tasks carried out: 12 answered (")
