"""What the tests of this plugin share; they also run alone, away from the repository."""

import json
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


@pytest.fixture
def write_lines(tmp_path):
    """Write rows as JSON lines and return the path: ``write_lines("api/x.jsonl", row, ...)``."""

    def write(name, *rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def toolhaft(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder of its own: ``code, out, err = toolhaft("eval", ...)``."""

    def command(*words):
        from toolhaft.cli.main import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TOOLHAFT_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(sys, "argv", ["toolhaft", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
