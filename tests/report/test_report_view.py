"""The command that makes a report from a stored run."""

from __future__ import annotations

import json
import os
import re

import pytest
from typer.testing import CliRunner

from toolhaft.cli.view import app
from toolhaft.errors import FormatError, UsageError
from toolhaft.report.store import save_evaluation, save_run


@pytest.fixture
def run_folder(tmp_path, sample, sample_scores):
    save_run(tmp_path / "run", [sample("a"), sample("b")], scores={"a": sample_scores()}, title="Kept title")
    return tmp_path / "run"


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_writes_the_report_again_and_prints_its_path(run_folder):
    before = (run_folder / "report.html").read_text(encoding="utf-8")
    (run_folder / "report.html").unlink()
    answer = invoke(run_folder)
    assert answer.exit_code == 0
    assert answer.output == f"{run_folder / 'report.html'}\n"
    assert (run_folder / "report.html").read_text(encoding="utf-8") == before


def test_takes_a_file_and_a_place_and_prints_json(run_folder, tmp_path):
    answer = invoke(run_folder / "trajectories.jsonl", "-o", tmp_path / "other.html", "--json")
    assert json.loads(answer.output) == {"html": str(tmp_path / "other.html"), "trajectories": 2}
    assert "Kept title" in (tmp_path / "other.html").read_text(encoding="utf-8")


def test_a_file_alone_gets_its_report_beside_it(run_folder, tmp_path):
    alone = tmp_path / "alone.jsonl"
    alone.write_bytes((run_folder / "trajectories.jsonl").read_bytes())
    assert invoke(alone).exit_code == 0
    assert "11-year-old dog" in (tmp_path / "alone.html").read_text(encoding="utf-8")


def test_what_cannot_be_read_or_written_is_said(run_folder, tmp_path):
    assert isinstance(invoke(tmp_path / "nothing").exception, UsageError)
    assert isinstance(invoke(run_folder, "-o", tmp_path / "no" / "folder.html").exception, UsageError)
    (run_folder / "trajectories.jsonl").write_text("{")
    assert isinstance(invoke(run_folder).exception, FormatError)


def test_an_evaluation_gets_all_its_reports_again(tmp_path, evaluation):
    folder = tmp_path / "evaluation"
    save_evaluation(folder, *evaluation(tasks=2, trials=1))
    reports = [folder / "report.html", folder / "react" / "report.html", folder / "dfsdt" / "report.html"]
    before = [report.read_bytes() for report in reports]
    for report in reports:
        report.unlink()
    answer = invoke(folder)
    assert answer.output == f"{folder / 'report.html'}\n"
    assert [report.read_bytes() for report in reports] == before


def test_an_evaluations_report_elsewhere_still_finds_its_arms(tmp_path, evaluation):
    save_evaluation(tmp_path / "evaluation", *evaluation(tasks=2, trials=1))
    (tmp_path / "other").mkdir()
    answer = invoke(tmp_path / "evaluation", "-o", tmp_path / "other" / "page.html", "--json")
    assert json.loads(answer.output) == {"html": str(tmp_path / "other" / "page.html"), "trajectories": 4}
    page = (tmp_path / "other" / "page.html").read_text(encoding="utf-8")
    assert 'href="./../evaluation/dfsdt/report.html#task-2"' in page


def test_a_damaged_evaluation_is_said(tmp_path, evaluation):
    save_evaluation(tmp_path, *evaluation(tasks=1, trials=1))
    (tmp_path / "evaluation.json").write_text("{")
    assert isinstance(invoke(tmp_path).exception, FormatError)


def test_a_folder_of_runs_is_listed_the_newest_first(tmp_path, run_folder, evaluation):
    save_evaluation(tmp_path / "compared", *evaluation(tasks=1, trials=1))
    (tmp_path / "empty").mkdir()
    os.utime(run_folder / "trajectories.jsonl", (86_400, 86_400))
    answer = invoke(tmp_path)
    lines = [re.split("  +", line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert [[line[0], line[-1]] for line in lines] == [
        ["KIND", "FOLDER"],
        ["evaluation", str(tmp_path / "compared")],
        ["run", str(run_folder)],
    ]
    assert "1970-01-02 00:00 UTC" in answer.stdout
    runs = json.loads(invoke(tmp_path, "--json").stdout)
    assert [row["kind"] for row in runs["runs"]] == ["evaluation", "run"]


def test_only_a_listing_was_asked_of_a_folder_of_runs(tmp_path, run_folder):
    assert isinstance(invoke(tmp_path, "-o", tmp_path / "page.html").exception, UsageError)
    assert isinstance(invoke(tmp_path, "--open").exception, UsageError)
    assert isinstance(invoke(run_folder / "artifacts").exception, UsageError)
