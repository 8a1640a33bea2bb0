"""Batches whose job is another than an agent's, and evaluations that keep their journals beside them."""

import pytest

from toolhaft.agent.batch import Batch
from toolhaft.errors import UsageError
from toolhaft.report.reuse import JOURNALS
from toolhaft.report.store import EVALUATION, check_output, name_folders
from toolhaft.types import Task


def test_a_job_is_found_by_its_name(tmp_path):
    batch = Batch(tmp_path, [Task(id="1", instruction="Rain?")], settings={}, target="toolhaft.nowhere:open")
    with pytest.raises(UsageError, match="there is no job"):
        batch.run_sync()


def test_journals_may_stand_beside_an_evaluation(tmp_path):
    (tmp_path / JOURNALS / "react").mkdir(parents=True)
    check_output(tmp_path, ["react"])
    assert name_folders([JOURNALS, "react"]) == {JOURNALS: f"{JOURNALS}-2", "react": "react"}
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match="something else than an evaluation"):
        check_output(tmp_path, ["react"])
    assert not (tmp_path / EVALUATION).exists()
