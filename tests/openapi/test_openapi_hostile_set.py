"""Broken and hostile documents: one outcome each, as its manifest states it, and nothing touched."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
RUNNER = Path(__file__).with_name("isolated_import.py")
FAILURES = {"hang", "exp_memory", "crash"}


@pytest.fixture(scope="session")
def outcomes(shared):
    """What came of every document of the set, by name."""
    folder = shared / "openapi"
    lines = (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["set"] == "invalid"]
    wanted = [[str(folder / row["file"]), row["expect"]["max_s"]] for row in rows]
    done = subprocess.run(
        [sys.executable, str(RUNNER)], input=json.dumps(wanted), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: (row, one) for row, one in zip(rows, found, strict=True)}


def wrong(row, found):
    """Return what is not as the manifest states it."""
    expected = row["expect"]
    if "crash" in found:
        return found["crash"]
    if found["touched"]:
        return f"touched {found['touched']}"
    if found["seconds"] > expected["max_s"]:
        return f"{found['seconds']:.1f} seconds"
    if found["mb"] > expected["max_mb"]:
        return f"{found['mb']:.0f} MB"
    if expected["outcome"] == "reject":
        if found["tools"]:
            return f"{found['tools']} tools"
        return "" if found["where"] and found["code"] and found["error"] else "the error says no place"
    if "error" in found:
        return "" if expected["tools"] is None and found["where"] else f"refused: {found['error']}"
    if expected["tools"] is not None and found["tools"] != expected["tools"]:
        return f"{found['tools']} tools, not {expected['tools']}: {found['reasons']}"
    told = found["skipped"] or found["degraded"] or found["warnings"]
    if expected["outcome"] == "skip_op" and not told:
        return "nothing is reported"
    if found["tools"] + found["skipped"] != found["operations"]:
        return "operations are lost"
    if len({name.casefold() for name in found["names"]}) != len(found["names"]):
        return "names collide"
    return "" if found["largest"] < 100_000 else f"a tool of {found['largest']} bytes"


def test_every_document_of_the_hostile_set_ends_as_stated(outcomes):
    problems = {name: why for name, (row, found) in outcomes.items() if (why := wrong(row, found))}
    assert problems == {}
    assert len(outcomes) >= 40


def test_what_imports_all_the_same_is_told(outcomes):
    """A document that is imported with a warning has one; of patterns, the tool itself tells."""
    silent = {
        name
        for name, (row, found) in outcomes.items()
        if row["expect"]["outcome"] == "import_warn"
        and row["category"] in ("syntax", "structure", "semantics", "ref")
        and not name.startswith("regex-")
        and "error" not in found
        and not (found["warnings"] or found["reasons"])
    }
    assert silent == set()


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("open('/etc/hostname').close()", "file_read"),
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "network"),
        ("import os; os.system('true')", "exec"),
        ("eval('1 + 1')", "exec"),
    ],
)
def test_the_watch_sees_what_it_is_for(act, kind):
    """What nothing could be caught by would prove nothing."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from isolated_import import watch; touched = []; "
        f"watch(sys.argv[1], touched); {act}; print(touched)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(RUNNER.parent)], capture_output=True, text=True, timeout=30
    )
    assert kind in done.stdout, done.stderr
