"""Every example runs, offline, and prints what its last lines promise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "sdk_examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_promises(example, tmp_path):
    promised = [
        line.removeprefix("# prints: ")
        for line in example.read_text(encoding="utf-8").splitlines()
        if line.startswith("# prints: ")
    ]
    assert promised, "an example says what it prints, in lines that begin with '# prints: '"
    environment = {key: value for key, value in os.environ.items() if "KEY" not in key}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for line in promised:
        assert line in done.stdout
