"""The loop runs from documents to a report, goes on where it was stopped, and says what it found."""

import json

import pytest

from toolhaft.errors import ToolhaftError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Stop(Exception):
    """What a person does who has no patience."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A quick loop that was stopped while the base model was made, and gone on with."""
    from toolhaft_finetune.loop.running import run_loop
    from toolhaft_finetune.loop.settings import LoopSettings

    folder = tmp_path_factory.mktemp("loop") / "out"
    settings = LoopSettings.quick().changed(["held_back=4"])

    def stop(step, steps, loss):
        if step == 12:
            raise Stop

    with pytest.raises(Stop):
        run_loop(folder, settings, progress=stop)
    told = []
    return folder, run_loop(folder, settings, tell=told.append), told, settings


def test_a_stopped_loop_goes_on_at_its_stage(finished):
    folder, result, told, settings = finished
    assert told[:2] == ["tasks: done before", "start: done before"]
    assert [line.partition(":")[0] for line in told[2:]] == ["base", "tuned", "evaluation"]
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert result.facts["base"]["steps"] == settings.pretraining_steps


def test_rows_of_both_parts_are_checked_and_kept_apart(finished):
    folder, result, *_ = finished
    names = {}
    for part in ("pretraining", "tuning"):
        rows = [json.loads(line) for line in (folder / f"tasks/{part}.jsonl").read_text().splitlines()]
        assert all(row["metadata"]["origins"] == ["scripted"] for row in rows)
        calls = [row["messages"][2]["tool_calls"][0]["function"] for row in rows]
        names[part] = {call["name"] for call in calls}
        asked = {json.dumps([call["name"], call["arguments"]], sort_keys=True) for call in calls}
    assert names["pretraining"].isdisjoint(names["tuning"])
    held_back = [json.loads(line) for line in (folder / "tasks/held_back.jsonl").read_text().splitlines()]
    assert len(held_back) == result.facts["evaluation"]["tasks"] == 4
    for task in held_back:
        (call,) = task["gold"]["calls"]
        assert call["name"] in names["tuning"]
        if call["arguments"]:
            assert json.dumps([call["name"], call["arguments"]], sort_keys=True) not in asked


def test_the_loss_falls_in_both_trainings(finished):
    folder, *_ = finished
    for name in ("base", "tuned"):
        lines = [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]
        losses = [line["loss"] for line in lines if "loss" in line]
        assert sum(losses[-5:]) < 0.99 * sum(losses[:5])


def test_the_report_has_three_rows_the_curves_and_rollouts(finished):
    folder, result, *_ = finished
    page = result.report.read_text()
    for said in (
        "heuristic",
        "base",
        "tuned",
        "LoRA: loss by step",
        "<polyline",
        "Rollouts to look at",
        "wanted",
    ):
        assert said in page
    assert page.count("<h3") >= 4
    assert (folder / "evaluation/rollouts/report.html").exists()
    evaluation = result.facts["evaluation"]
    assert evaluation["arms"] == ["base", "tuned", "base-held", "tuned-held", "heuristic"]
    for name in evaluation["arms"]:
        passed, total, low, high = evaluation[name]["first call"]
        assert total == 4
        assert 0 <= low <= passed / total <= high <= 1


def test_a_finished_loop_does_nothing_again_and_other_settings_are_refused(finished, tmp_path):
    from toolhaft_finetune.loop.running import run_loop

    folder, result, _, settings = finished
    told = []
    assert run_loop(folder, settings, tell=told.append).facts == result.facts
    assert all(line.endswith("done before") for line in told)
    with pytest.raises(UsageError, match="other settings: tuning_steps"):
        run_loop(folder, settings.changed(["tuning_steps=9"]))


def test_places_and_sizes_that_make_no_sense_are_refused(tmp_path):
    from toolhaft_finetune.loop.running import run_loop
    from toolhaft_finetune.loop.settings import LoopSettings

    (tmp_path / "file").write_text("here")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("here")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "settings.json").write_text("{")
    for name, what in (("file", "is a file"), ("full", "something else"), ("odd", "not JSON")):
        with pytest.raises(ToolhaftError, match=what):
            run_loop(tmp_path / name, LoopSettings.quick())
    for words in (["width=50"], ["layers=0"], ["nothing=1"], ["tuning_steps=-1"], ["held_back=1000"]):
        with pytest.raises(UsageError):
            LoopSettings.quick().changed(words)
    with pytest.raises(UsageError, match="there are 221 tools"):
        run_loop(tmp_path / "new", LoopSettings.quick().changed(["tuning_tools=221"]))
