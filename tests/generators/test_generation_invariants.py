"""What holds of all that is generated: the same bytes everywhere, parts apart, nothing lost after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from toolhaft.generators.filters import find_near_copies

pytestmark = pytest.mark.slow
COMMON = ["--generator", "one-tool", "--generator", "chain", "--seed", "3", "-n", "24", "--calls", "60"]
COMMON += ["--operations", "*Note*,*Loan*,*Hold*,*Ticket*"]


def command(folder, *options):
    return [sys.executable, "-m", "toolhaft", "generate", "world:", "-o", str(folder), *COMMON, *options]


def finish(folder, *options, hashes="0"):
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    done = subprocess.run(
        command(folder, *options), env=environment, capture_output=True, timeout=120, check=True
    )
    return done.stdout


def shingles(text):
    words = re.findall(r"[^\W_]+(?:[-.:@][^\W_]+)*", text.casefold())
    return {tuple(words[i : i + 3]) for i in range(max(len(words) - 2, 1))}


def rows_of(folder, name="rows.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "data"
    finish(folder, "--test", "0.25")
    return folder


def test_hashes_of_another_process_change_nothing(made, tmp_path):
    finish(tmp_path / "data", "--test", "0.25", hashes="4242")
    for name in ("tasks.jsonl", "rows.train.jsonl", "rows.test.jsonl", "drops.json", "world-tasks.json"):
        assert (tmp_path / "data" / name).read_bytes() == (made / name).read_bytes(), name


def test_parts_share_no_calls_and_no_words(made):
    train, test = (
        [row["messages"] for row in rows_of(made, f"rows.{part}.jsonl")] for part in ("train", "test")
    )
    said = [{messages[1]["content"] for messages in part} for part in (train, test)]
    assert said[0]
    assert said[1]
    assert not said[0] & said[1]
    tasks = [json.loads(line) for line in (made / "tasks.jsonl").read_text().splitlines()]
    calls = {"train": set(), "test": set()}
    for task in tasks:
        gold = [(call["name"], call["arguments"]) for call in task["gold"]["calls"]]
        calls[task["metadata"]["split"]].add(json.dumps(gold, sort_keys=True))
    assert not calls["train"] & calls["test"]


@pytest.mark.parametrize("threshold", [0.5, 0.7])
def test_no_text_that_stays_is_near_one_held_out(made, threshold):
    texts = [
        row["messages"][1]["content"]
        for part in ("train", "test")
        for row in rows_of(made, f"rows.{part}.jsonl")
    ]
    held = texts[::3]
    # Near ones by hand: the same with a word more, and with another value.
    others = [f"{text} Thank you." for text in held] + texts[1::3] + texts[2::3]
    near = find_near_copies(others, threshold=threshold, against=held)
    assert near
    for position, text in enumerate(others):
        own = shingles(text)
        closest = max(len(own & shingles(one)) / len(own | shingles(one)) for one in held)
        if position not in near:
            assert closest < threshold


def test_after_a_kill_it_ends_with_the_same_rows(tmp_path):
    finish(tmp_path / "whole")
    for tries in range(5):
        running = subprocess.Popen(
            command(tmp_path / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        solved = tmp_path / "killed" / "trajectories.jsonl"
        end = time.monotonic() + 60
        while running.poll() is None and time.monotonic() < end:
            if solved.is_file() and solved.read_bytes().count(b"\n") > 5 * (tries + 1):
                break
            time.sleep(0.005)
        if running.poll() is not None:
            break
        running.send_signal(signal.SIGKILL)
        running.wait()
        if tries == 1:
            break
    assert not (tmp_path / "killed" / "rows.jsonl").exists()
    finish(tmp_path / "killed")
    for name in ("tasks.jsonl", "drops.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    def plain(folder):
        return [(row["messages"], row["tools"], row["metadata"]["task"]) for row in rows_of(folder)]

    assert plain(tmp_path / "killed") == plain(tmp_path / "whole")
