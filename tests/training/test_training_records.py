"""What a training run keeps is whole or not there, and is taken up again only where it fits."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.training.card import list_figures, list_settings, list_sources, render_card, render_table
from toolhaft.training.checkpoints import KEPT, Checkpoints, list_checkpoints
from toolhaft.training.folders import make_output, remove_leftovers, told_clearly, whole_folder
from toolhaft.training.log import LOG, TrainingLog, read_log

RUN = {"rate": 0.5, "data": "abc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    step: int
    seconds: float
    weights: dict[str, list[float]]


class DiskFull(Exception):
    """What a library raises in place of an `OSError`."""


def save(tensors, file):
    if "too much" in tensors:
        raise DiskFull("no space left")
    file.write_text(json.dumps(tensors))


def load(file):
    return json.loads(file.read_text())


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", Stand, save=save, load=load, errors=(DiskFull, ValueError))


def stand(step, **weights):
    return Stand(step=step, seconds=step / 2, weights=weights or {"a": [float(step)]})


def test_the_last_checkpoint_is_taken_up_and_only_the_last_are_kept(checkpoints, tmp_path):
    assert checkpoints.take_up(RUN, resume=True) is None
    for step in range(1, 5):
        checkpoints.write(stand(step), RUN)
    assert checkpoints.take_up(RUN, resume=True) == stand(4)
    names = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert sorted(names) == ["step-0000003", "step-0000004"]
    assert len(names) == KEPT
    with pytest.raises(UsageError, match="earlier run"):
        checkpoints.take_up(RUN, resume=False)
    with pytest.raises(UsageError, match=r"begun otherwise: data \(abc before\)"):
        checkpoints.take_up({**RUN, "data": "abd"}, resume=True)


def test_a_checkpoint_that_could_not_be_written_leaves_the_one_before(checkpoints, tmp_path):
    checkpoints.write(stand(1), RUN)
    with pytest.raises(UsageError, match="cannot be written: no space left") as caught:
        checkpoints.write(stand(2, **{"too much": []}), RUN)
    assert "--resume" in caught.value.hint
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-0000001"]
    assert checkpoints.take_up(RUN, resume=True) == stand(1)


def spoiled(name, content):
    return lambda place: (place / name).write_text(content)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (spoiled("weights.safetensors", "{}"), "damaged"),
        (spoiled("state.json", "["), "not JSON"),
        (spoiled("state.json", "{}"), "newer version: step, seconds, fingerprint, hashes"),
        (lambda place: (place / "weights.safetensors").unlink(), "cannot be read"),
        (lambda place: (place / "state.json").unlink(), "cannot read the checkpoint"),
    ],
    ids=["changed", "torn", "empty", "weights gone", "state gone"],
)
def test_a_damaged_checkpoint_is_told_of(checkpoints, spoil, what):
    spoil(checkpoints.write(stand(1), RUN))
    with pytest.raises((FormatError, UsageError), match=what) as caught:
        checkpoints.take_up(RUN, resume=True)
    assert "step-0000001" in caught.value.where
    assert caught.value.hint


def test_a_file_that_its_library_cannot_read_is_told_of(checkpoints, tmp_path):
    other = Checkpoints(
        tmp_path / "checkpoints",
        Stand,
        save=lambda _, file: file.write_text("x"),
        load=load,
        errors=(ValueError,),
    )
    other.write(stand(1), RUN)
    with pytest.raises(FormatError, match="damaged: Expecting value"):
        checkpoints.take_up(RUN, resume=True)


def test_what_a_killed_process_left_goes_and_nothing_of_others(checkpoints, tmp_path):
    folder = tmp_path / "checkpoints"
    left = [".step-0000007.0123456789ab", ".step-0000007.backup", ".git", "notes"]
    for name in left:
        (folder / name).mkdir(parents=True)
    checkpoints.write(stand(8), RUN)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*left[1:], "step-0000008"])
    assert [path.name for path in list_checkpoints(folder)] == ["step-0000008"]


def test_only_leftovers_of_ones_own_are_removed(tmp_path):
    names = (".model.0123456789ab", ".model.backup", ".model.0123456789abc", ".git", "model.0123456789ab")
    for name in names:
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path, "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_is_replaced_whole_or_stays(tmp_path):
    place = tmp_path / "deep" / "model"
    for content in ("first", "second"):
        with whole_folder(place) as folder:
            (folder / "inner").mkdir()
            (folder / "inner" / content).write_text(content)
    with pytest.raises(ZeroDivisionError), whole_folder(place) as folder:
        (folder / "third").write_text(str(1 // 0))
    assert [path.name for path in place.rglob("*")] == ["inner", "second"]
    assert list(place.parent.iterdir()) == [place]


def test_an_output_is_a_folder_of_its_own(tmp_path):
    base, file = tmp_path / "base", tmp_path / "file"
    (base / "model").mkdir(parents=True)
    file.write_text("")
    for output, what in ((file, "is a file"), (base, "model's own"), (file / "below", "cannot be made")):
        with pytest.raises(UsageError, match=what):
            make_output(output, base, what="model")
    with pytest.raises(UsageError, match="encoder's own"):
        make_output(base, base / "model", what="encoder", written=("model",))
    make_output(tmp_path / "a" / "b", base, what="model")
    assert (tmp_path / "a" / "b").is_dir()


def test_only_what_says_that_nothing_can_be_written_is_told_as_that(tmp_path):
    with pytest.raises(UsageError, match="No such file"), told_clearly(tmp_path):
        (tmp_path / "none" / "x").write_text("")
    with pytest.raises(DiskFull), told_clearly(tmp_path):
        raise DiskFull


def test_a_log_goes_on_where_the_checkpoint_was(tmp_path):
    log = TrainingLog(tmp_path, 0)
    for step in (1, 2, 3):
        log.write_step(step, loss=1 / step, rate=0.1, tokens=step, seconds=step)
    log.write_figure(3, "held", 0.123456789)
    log.to_disk()
    with (tmp_path / LOG).open("a") as file:
        file.write('{"step": 4, "lo')
    assert read_log(tmp_path / LOG)[-1] == {"step": 3, "held": 0.123457}
    TrainingLog(tmp_path, 2)
    assert [line["step"] for line in read_log(tmp_path / LOG)] == [1, 2]
    (tmp_path / LOG).write_text("torn\n")
    with pytest.raises(FormatError, match="not JSON"):
        read_log(tmp_path / LOG)
    assert read_log(tmp_path / "none") == []


def test_a_card_escapes_what_it_quotes():
    forged = "model\n| forged | <b>row</b> |"
    table = render_table(("name", "value"), [(forged, "1")])
    assert table == "| name | value |\n| --- | --- |\n| model \\| forged \\| &lt;b>row&lt;/b> \\| | 1 |"
    card = render_card({"tags": "[a]"}, "Title", {"": "What it is.", "Rows": table})
    assert card == f"---\ntags: [a]\n---\n\n# Title\n\nWhat it is.\n\n## Rows\n\n{table}\n"
    assert list_settings({"kinds": ["a", "b"], "rate": 0.1}) == [("kinds", "a, b"), ("rate", "0.1")]
    assert list_sources({"f|g": "0"}, {"torch": "2"}).endswith("| f\\|g | 0 |\n\ntorch 2")


@pytest.mark.parametrize(
    ("losses", "said"), [([], []), ([4.0], ["4.0000", "4.0000"]), ([2.0, *[1.0] * 19], ["2.0000", "1.0000"])]
)
def test_figures_of_training_are_those_of_its_log(losses, said):
    log = [{"step": 1, "eval_loss": 9.0}, *({"loss": loss} for loss in losses)]
    rows = list_figures(log, steps="3 of 4", tokens=1_000, seconds=61.4, parameters=(1, 10))
    assert [row[1] for row in rows] == ["3 of 4", "1,000", "61", "1 of 10 (10.0%)", *said]
