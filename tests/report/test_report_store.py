"""Stored runs: what is written is read again, whole, redacted, or refused with file and line."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.report.store import (
    is_evaluation,
    load_evaluation,
    load_heading,
    load_pictures,
    load_run,
    name_folders,
    save_evaluation,
    save_report,
    save_run,
    write_whole,
)
from toolhaft.testing import record_trajectory
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import (
    ArmResult,
    Comparison,
    JSONPart,
    Observation,
    Proportion,
    Score,
    Step,
    Task,
    Trajectory,
)


def test_what_is_saved_is_loaded(tmp_path, sample, sample_scores):
    shown = [sample("a"), sample("b", origin="heuristic")]
    scores = {"a": list(sample_scores()), "b": [Score(name="solved", value=0.0)]}
    files = save_run(tmp_path / "run", shown, scores=scores, title="Two", notes={"Shelter": "12 imported"})
    assert load_run(tmp_path / "run") == (shown, scores)
    assert load_run(files.jsonl) == (shown, scores)
    assert load_heading(tmp_path / "run").title == "Two"
    assert load_heading(files.jsonl).notes == {"Shelter": "12 imported"}
    assert "11-year-old dog" in files.html.read_text(encoding="utf-8")
    assert files.jsonl.read_text(encoding="utf-8").count("\n") == 2
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "heading.json",
        "report.html",
        "scores.jsonl",
        "trajectories.jsonl",
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"ü": ["日本", "\u2028", "\x00", "😀"]},
        10**40,
        -0.0,
        1e308,
        [],
        "",
        {"": {}},
        {"deep": [[[[[[[[[[[1]]]]]]]]]]]},
    ],
    ids=range(8),
)
def test_values_survive_exactly(tmp_path, value):
    observation = Observation(call_id="c", tool="t", parts=(JSONPart(value),))
    trajectory = Trajectory(
        id="x", task=Task(id="t", instruction="?"), steps=(Step(id=0, observations=(observation,)),)
    )
    save_run(tmp_path, [trajectory])
    loaded, _ = load_run(tmp_path)
    assert loaded == [trajectory]


def test_values_that_json_cannot_hold_are_saved_as_notes(tmp_path):
    value = {"nan": float("nan"), "lone": "\ud800", "bytes": b"\xff", "big": 10**6_000}
    for _ in range(400):
        value = [value]
    observation = Observation(call_id="c", tool="t", parts=(JSONPart(value),), seconds=float("inf"))
    trajectory = Trajectory(
        id="x", task=Task(id="t", instruction="\udfff"), steps=(Step(id=0, observations=(observation,)),)
    )
    save_run(tmp_path, [trajectory])
    (loaded,), _ = load_run(tmp_path)
    assert loaded.task.instruction == "\ufffd"
    assert "nested deeper than 100 levels" in loaded.steps[0].observations[0].text()
    assert loaded.steps[0].observations[0].seconds == 0.0


def test_no_file_of_a_run_holds_a_secret(tmp_path, sample, sample_scores, every_text):
    def leak(text):
        return f"{text} hunter2-token"

    trajectory = every_text(sample(), leak)
    save_run(
        tmp_path,
        [trajectory],
        scores={trajectory.id: [every_text(score, leak) for score in sample_scores()]},
        title=leak("title"),
        notes={leak("a"): leak("b")},
        redact=lambda text: text.replace("hunter2-token", "[gone]"),
    )
    for path in tmp_path.rglob("*"):
        assert b"hunter2" not in path.read_bytes()
        assert b"[gone]" in path.read_bytes()
    (loaded,), scores = load_run(tmp_path)
    assert loaded.status == "answered"
    assert scores[loaded.id][0].name == "solved [gone]"


def test_pictures_are_kept_for_a_report_made_later_and_other_files_are_not(tmp_path, sample):
    store = ArtifactStore()
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    picture = store.put(png, media_type="image/png", name="a.png")
    text = store.put(b"token hunter2", media_type="text/plain", name="a.txt")
    trajectory = sample(picture=picture)
    trajectory = replace(trajectory, task=replace(trajectory.task, artifacts=(picture, text)))
    save_run(tmp_path, [trajectory], artifacts=store)
    assert load_pictures(tmp_path).get(picture) == png
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == [picture.id]
    assert load_pictures(tmp_path / "artifacts") is None


def test_scores_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path, sample, sample_scores):
    save_run(tmp_path, [sample("a")], scores={"a": sample_scores()})
    save_run(tmp_path, [sample("a")])
    assert load_run(tmp_path)[1] == {}


def test_a_report_has_its_record_beside_it(tmp_path, sample):
    files = save_report(tmp_path / "new" / "run.html", [sample()])
    assert files.html == tmp_path / "new" / "run.html"
    assert load_run(tmp_path / "new" / "run.jsonl") == ([sample()], {})
    assert load_heading(files.jsonl).title == "Toolhaft run"


def test_a_write_that_breaks_off_leaves_what_stood_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def broken():
        yield b"half"
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_whole(path, broken())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path, sample):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        save_run(tmp_path / "file" / "run", [sample()])
    assert "file" in caught.value.where
    with pytest.raises(UsageError):
        save_report(tmp_path / "file" / "run.html", [sample()])


@pytest.mark.parametrize("name", ["missing", "missing.jsonl", "."])
def test_a_run_that_is_not_there_is_a_usage_error(tmp_path, name):
    with pytest.raises(UsageError, match="cannot read the run"):
        load_run(tmp_path / name)


def damage(line, change):
    value = json.loads(line)
    change(value)
    return json.dumps(value)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (lambda line: line[: len(line) // 2], "not JSON"),
        (lambda line: "[1, 2]", "not a Trajectory"),
        (lambda line: "\x00\xff", "not JSON"),
        (lambda line: "[" * 100_000, "not JSON"),
        (lambda line: damage(line, lambda value: value.update(format=99)), "format 99"),
        (lambda line: damage(line, lambda value: value.update(format="x")), "format 'x'"),
        (lambda line: damage(line, lambda value: value.pop("task")), "task"),
        (lambda line: damage(line, lambda value: value.update(status="fine")), "status"),
        (lambda line: damage(line, lambda value: value["steps"][2].update(parent=2)), "step 2 has"),
        (lambda line: damage(line, lambda value: value["steps"][2].update(parent=-1)), "step 2 has"),
        (lambda line: damage(line, lambda value: value["steps"][2].update(id=9)), "step 2 has"),
        (lambda line: damage(line, lambda value: value.update(answer_step=77)), "no step 77"),
        (lambda line: damage(line, lambda value: value["steps"][0].update(thought=7)), "thought"),
        (lambda line: '{"id": "x", "id": ' + "9" * 5_000 + "}", "not JSON"),
    ],
    ids=range(14),
)
def test_a_damaged_line_is_named_with_file_and_line(tmp_path, sample, broken, what):
    files = save_run(tmp_path, [sample("a"), sample("b")])
    first, second = files.jsonl.read_text(encoding="utf-8").splitlines()
    files.jsonl.write_text(f"{first}\n\n{broken(second)}\n", encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        load_run(tmp_path)
    assert caught.value.where.startswith(f"{files.jsonl}:3")
    assert what in str(caught.value)


@pytest.mark.parametrize("line", ["{}", '{"trajectory": 7}', '{"trajectory": "a", "score": {}}', "no"])
def test_damaged_scores_are_named_with_file_and_line(tmp_path, sample, sample_scores, line):
    files = save_run(tmp_path, [sample("a")], scores={"a": sample_scores()})
    files.scores.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        load_run(tmp_path)
    assert caught.value.where.startswith(f"{files.scores}:1")


@pytest.mark.parametrize(
    "content", ["", "no", "[]", '{"title": 7, "notes": {}}', '{"title": "a", "notes": []}', "[" * 99_999]
)
def test_a_damaged_heading_is_left_out(tmp_path, sample, content):
    save_run(tmp_path, [sample()], title="Kept")
    (tmp_path / "heading.json").write_text(content)
    assert load_heading(tmp_path).title == "Toolhaft run"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_files_have_the_mode_that_any_new_file_has(tmp_path, sample):
    files = save_run(tmp_path / "run", [sample()])
    (tmp_path / "other").write_text("x")
    assert files.html.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_evaluation_that_is_saved_is_loaded(tmp_path, evaluation):
    comparison, arms = evaluation(("react", "react@2"))
    files = save_evaluation(tmp_path / "new", comparison, arms, settings={"k": 8, "seed": 1})
    found = load_evaluation(tmp_path / "new")
    assert found.comparison == comparison
    assert found.settings == {"k": 8, "seed": 1}
    assert found.arms == arms
    assert found.folders == {"react": "react", "react@2": "react@2"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "evaluation.json",
        "react",
        "react@2",
        "report.html",
    ]
    assert load_run(tmp_path / "new" / "react@2") == arms["react@2"]
    assert load_heading(files.runs["react"].jsonl).title == "Planners side by side: react"
    assert "Planners side by side" in files.html.read_text(encoding="utf-8")
    assert is_evaluation(tmp_path / "new")
    assert not is_evaluation(tmp_path / "new" / "react")


def test_an_evaluation_is_written_the_same_twice(tmp_path, evaluation):
    for name in ("a", "b"):
        save_evaluation(tmp_path / name, *evaluation(tasks=2))
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert first == second
    assert len(first) == 10


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["react", "dfsdt@3"], ["react", "dfsdt@3"]),
        (["../../etc", "/etc/passwd", "."], ["etc", "etc-passwd", "arm-2"]),
        (["a b", "a-b", "A-B"], ["a-b", "a-b-2", "A-B-3"]),
        (["", "\x00", "日本"], ["arm-2", "arm-3", "arm-4"]),
        (["report.html", "evaluation.json"], ["report.html-2", "evaluation.json-2"]),
        (["x" * 300], ["x" * 80]),
        (["con:", "a\\b", "~"], ["con", "a-b", "arm-2"]),
    ],
    ids=range(7),
)  # fmt: skip
def test_every_arm_has_a_folder_of_its_own_and_none_elsewhere(names, folders):
    assert list(name_folders(names).values()) == folders


def test_no_file_of_an_evaluation_holds_a_secret(tmp_path, evaluation):
    comparison, arms = evaluation(tasks=2, trials=1, change=lambda text: f"{text[:200]} hunter2-token")
    save_evaluation(
        tmp_path,
        comparison,
        arms,
        settings={"key hunter2-token": ["hunter2-token"]},
        redact=lambda text: text.replace("hunter2-token", "[gone]"),
    )
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 10
    for path in files:
        assert b"hunter2" not in path.read_bytes(), path
        assert b"[gone]" in path.read_bytes(), path
    assert len(load_evaluation(tmp_path).arms) == 2


@pytest.fixture
def saved(tmp_path, evaluation):
    save_evaluation(tmp_path / "evaluation", *evaluation(tasks=2, trials=1))
    return tmp_path / "evaluation"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda value: value.update(format=99), "format 99"),
        (lambda value: value.pop("comparison"), "comparison"),
        (lambda value: value["comparison"].update(arms="react"), "arms"),
        (lambda value: value["comparison"]["arms"][0].pop("passes"), "passes"),
        (lambda value: value.update(folders=["react"]), "folders"),
        (lambda value: value["folders"].update(react="../react"), "'../react' is no sub-folder"),
        (lambda value: value["folders"].update(react="/etc"), "'/etc' is no sub-folder"),
        (lambda value: value["folders"].update(react=".."), "'..' is no sub-folder"),
        (lambda value: value["folders"].update(react=""), "'' is no sub-folder"),
        (lambda value: value["folders"].update(react="a\\b"), "is no sub-folder"),
        (lambda value: value["folders"].update(react=7), "folders"),
    ],
    ids=range(11),
)
def test_a_damaged_evaluation_is_named(saved, change, what):
    file = saved / "evaluation.json"
    file.write_text(damage(file.read_text(encoding="utf-8"), change), encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        load_evaluation(saved)
    assert caught.value.where.startswith(str(file))
    assert what in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"null"], ids=range(6))
def test_what_is_no_evaluation_is_refused(saved, content):
    (saved / "evaluation.json").write_bytes(content)
    with pytest.raises(FormatError) as caught:
        load_evaluation(saved)
    assert str(saved / "evaluation.json") in caught.value.where


def test_an_evaluation_with_an_arm_missing_is_a_usage_error(saved):
    (saved / "dfsdt" / "trajectories.jsonl").unlink()
    with pytest.raises(UsageError) as caught:
        load_evaluation(saved)
    assert caught.value.where == str(saved / "dfsdt" / "trajectories.jsonl")
    (saved / "evaluation.json").unlink()
    with pytest.raises(UsageError, match="cannot read the evaluation"):
        load_evaluation(saved)


def test_an_evaluation_that_cannot_be_written_is_a_usage_error(tmp_path, evaluation):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError):
        save_evaluation(tmp_path / "file" / "evaluation", *evaluation(tasks=1, trials=1))


def small(*names):
    arms = {
        name: ([record_trajectory(Task(id="t", instruction="Do."), answer="x", id=name)], {})
        for name in names
    }
    results = tuple(
        ArmResult(name=name, planner=name, model="m", passes=Proportion(passed=0, total=1, low=0.0, high=1.0))
        for name in names
    )
    return Comparison(title="Small", arms=results), arms


def test_an_earlier_evaluation_makes_room(tmp_path):
    save_evaluation(tmp_path / "e", *small("react", "dfsdt"))
    (tmp_path / "e" / "dfsdt" / "artifacts").mkdir()
    (tmp_path / "e" / "dfsdt" / "artifacts" / ("0" * 64)).write_bytes(b"picture")
    (tmp_path / "e" / "notes.txt").write_text("mine")
    save_evaluation(tmp_path / "e", *small("react", "react@3"))
    names = {"evaluation.json", "report.html", "notes.txt", "react", "react@3"}
    assert {entry.name for entry in (tmp_path / "e").iterdir()} == names
    assert list(load_evaluation(tmp_path / "e").arms) == ["react", "react@3"]


@pytest.mark.parametrize("foreign", ["dfsdt/mine.txt", "dfsdt/artifacts/mine.png", "react@3/mine.txt"])
def test_what_is_not_the_evaluation_s_own_is_not_removed(tmp_path, foreign):
    save_evaluation(tmp_path / "e", *small("react", "dfsdt"))
    mine = tmp_path / "e" / foreign
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="cannot be replaced"):
        save_evaluation(tmp_path / "e", *small("react", "react@3"))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_arm_that_is_a_link_is_not_followed(tmp_path):
    save_evaluation(tmp_path / "e", *small("react", "dfsdt"))
    (tmp_path / "e" / "dfsdt").rename(tmp_path / "elsewhere")
    (tmp_path / "e" / "dfsdt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot be replaced"):
        save_evaluation(tmp_path / "e", *small("react"))
    assert (tmp_path / "elsewhere" / "trajectories.jsonl").is_file()


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"something else than an evaluation: thesis\.tex"):
        save_evaluation(tmp_path / "work", *small("react"))
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["thesis.tex"]


def test_damaged_files_say_what_to_do(tmp_path):
    save_evaluation(tmp_path / "e", *small("react"))
    (tmp_path / "e" / "react" / "trajectories.jsonl").write_text('{"id": "r", "task"')
    with pytest.raises(FormatError, match="make the run again"):
        load_evaluation(tmp_path / "e")
    (tmp_path / "e" / "evaluation.json").write_text("{")
    with pytest.raises(FormatError, match="damaged or cut off"):
        save_evaluation(tmp_path / "e", *small("react"))
