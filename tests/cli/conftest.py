"""What the tests of the command line share."""

import sys

import pytest


@pytest.fixture
def toolhaft(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder of its own: ``code, out, err = toolhaft("run", ...)``."""

    def command(*words):
        from toolhaft.cli.main import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["toolhaft", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
