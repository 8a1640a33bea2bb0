"""Tables and errors as a person reads them at a terminal."""

import os

import pytest

from toolhaft.cli import output
from toolhaft.errors import UsageError

TITLES = ("ARGUMENT", "TYPE", "REQUIRED", "DESCRIPTION")
ROW = (
    "voice",
    "string or alloy | ash | ballad | coral | echo | sage",
    "yes",
    "Which voice is used.",
)


@pytest.fixture
def columns(monkeypatch):
    def run(count):
        monkeypatch.setattr(output.sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(output.shutil, "get_terminal_size", lambda: os.terminal_size((count, 24)))

    return run


@pytest.mark.parametrize("width", [60, 80, 100])
def test_every_column_is_seen_on_a_narrow_terminal(columns, capsys, width):
    columns(width)
    output.print_table(TITLES, [ROW])
    titles, row = capsys.readouterr().out.splitlines()
    assert max(len(titles), len(row)) <= width
    assert "REQUIRED" in titles
    assert "DESCRIPTION" in titles
    assert row.startswith("voice     string")
    assert "yes" in row
    assert "Which voice" in row


@pytest.mark.parametrize("width", [10, 30])
def test_a_terminal_too_narrow_for_the_columns_still_gets_lines_that_fit(columns, capsys, width):
    columns(width)
    output.print_table(TITLES, [ROW])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_nothing_is_cut_for_a_file(capsys):
    output.print_table(TITLES, [ROW])
    assert ROW[1] in capsys.readouterr().out


@pytest.mark.parametrize("what", ["there is no key", "there is no key."])
def test_an_error_ends_with_one_full_stop(capsys, what):
    output.print_error(UsageError(what))
    assert capsys.readouterr().err.startswith("Error: there is no key.\n")
