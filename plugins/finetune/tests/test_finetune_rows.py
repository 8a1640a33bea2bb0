"""Rows are read with an eye on who made them; settings, plans and logs are plain arithmetic."""

import asyncio
import json
from itertools import pairwise

import pytest

from toolhaft.errors import UsageError
from toolhaft.testing import record_trajectory
from toolhaft.training.log import TrainingLog, read_log
from toolhaft.types import Gold, Task, ToolCall
from toolhaft_finetune.batches import count_steps, endless_batches, plan_epoch
from toolhaft_finetune.card import CardFacts, write_card
from toolhaft_finetune.curve import draw_curve
from toolhaft_finetune.first_call import FirstCall
from toolhaft_finetune.rows import read_rows
from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.training import Trained

from .training_rows import make_row, write_rows


def test_rows_that_no_model_made_are_left_out_unless_asked_for(tmp_path):
    rows = [
        make_row("A"),
        make_row("B", origins=["heuristic"], provenances=["live"]),
        make_row("C", origins=["model"], provenances=["live", "simulated"]),
        make_row("D", origins=["scripted"], provenances=["live"], labels=["scripted"]),
        make_row("E", origins=["heuristic"], provenances=["replayed"]),
        make_row("F", origins=["model"], labels=["failed"]),
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    found = read_rows([file])
    assert found.counts() == {"model + live": 1}
    assert found.left_out == {
        "heuristic": 1,
        "simulated": 1,
        "scripted": 1,
        "heuristic, replayed": 1,
        "failed": 1,
    }
    assert set(found.hashes) == {"rows.jsonl"}
    both = read_rows([file], include=["heuristic", "scripted"])
    assert both.counts() == {"model + live": 1, "heuristic + live": 1, "scripted + live": 1}
    with pytest.raises(UsageError, match="unknown label"):
        read_rows([file], include=["wizards"])


def test_an_epoch_has_every_sample_once_within_the_budget():
    lengths = [number % 37 + 1 for number in range(300)]
    batches = plan_epoch(lengths, batch_tokens=100, seed=3, epoch=1)
    assert sorted(place for batch in batches for place in batch) == list(range(300))
    assert all(max(lengths[place] for place in batch) * len(batch) <= 100 for batch in batches)
    assert batches == plan_epoch(lengths, batch_tokens=100, seed=3, epoch=1)
    assert batches != plan_epoch(lengths, batch_tokens=100, seed=3, epoch=2)
    endless = endless_batches(lengths, batch_tokens=100, seed=3)
    first = plan_epoch(lengths, batch_tokens=100, seed=3, epoch=0)
    assert [next(endless) for _ in range(len(first) + 1)] == [*first, batches[0]]


def test_steps_are_counted_by_epochs_and_accumulation():
    settings = {"batch_tokens": 10, "seed": 0}
    assert count_steps([10] * 6, epochs=2, accumulation=1, **settings) == 12
    assert count_steps([10] * 6, epochs=2, accumulation=5, **settings) == 3
    assert count_steps([10] * 6, epochs=0.5, accumulation=1, **settings) == 3
    assert count_steps([10], epochs=0.1, accumulation=1, **settings) == 1


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_rate_rises_and_falls(schedule):
    settings = TrainingSettings(schedule=schedule, warm_up=0.1)
    rates = [settings.rate_at(step, 100) for step in range(100)]
    assert rates[:10] == [pytest.approx(number / 10) for number in range(1, 11)]
    assert rates[10] == max(rates) == 1.0
    assert rates[-1] == (1.0 if schedule == "constant" else pytest.approx(0.03, abs=0.02))
    assert all(before >= after for before, after in pairwise(rates[10:]))


def test_settings_are_read_from_words():
    settings = TrainingSettings.from_words(["alpha=8", "targets=q_proj,v_proj", "steps=5"], rank=4)
    assert (settings.alpha, settings.targets, settings.steps, settings.rank) == (
        8.0,
        ("q_proj", "v_proj"),
        5,
        4,
    )
    for word in ("alpha", "beta=3", "alpha=x"):
        with pytest.raises(UsageError):
            TrainingSettings.from_words([word])


def test_a_resumed_log_drops_what_its_checkpoint_does_not_know(tmp_path):
    log = TrainingLog(tmp_path, 0)
    for step in range(1, 6):
        log.write_step(step, loss=1.0 / step, rate=0.1, tokens=step * 10, seconds=1.0)
    log.write_figure(5, "eval_loss", 0.5)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')
    TrainingLog(tmp_path, 3).write_step(4, loss=0.1, rate=0.1, tokens=40, seconds=1.0)
    assert [line["step"] for line in read_log(tmp_path / "log.jsonl")] == [1, 2, 3, 4]
    picture = draw_curve(read_log(tmp_path / "log.jsonl"), 'Loss "1" <2>')
    assert picture.count("<polyline") == 1
    assert "&quot;1&quot; &lt;2>" in picture
    assert draw_curve([]).startswith("<svg")


def test_a_card_escapes_what_it_quotes():
    card = write_card(
        CardFacts(
            base="evil | <b>model</b>",
            base_hash="0" * 64,
            settings=TrainingSettings(),
            trained=Trained(steps=1, tokens=2, seconds=3.0),
            rows={"model\n| forged | row |": 1},
            held_out=0,
            dropped={},
            hashes={},
            parameters=(1, 10),
        )
    )
    assert "\n| forged" not in card
    assert "1 of 10 (10.0%)" in card


@pytest.mark.parametrize(
    ("made", "value", "parts"),
    [
        (None, 0.0, {"tool": 0.0, "arguments": 0.0}),
        (("weather", {"city": "Oslo", "days": 2.0}), 1.0, {"tool": 1.0, "arguments": 1.0}),
        (("weather", {"city": "Oslo"}), 0.0, {"tool": 1.0, "arguments": 0.0}),
        (("weather", {"city": "Oslo", "days": 2, "more": 1}), 0.0, {"tool": 1.0, "arguments": 0.0}),
        (("rates", {"city": "Oslo", "days": 2}), 0.0, {"tool": 0.0, "arguments": 0.0}),
    ],
    ids=["none", "right", "missing", "extra", "other-tool"],
)
def test_only_the_first_call_counts_and_to_the_letter(made, value, parts):
    gold = ToolCall(id="g", name="weather", arguments={"city": "Oslo", "days": 2})
    task = Task(id="t", instruction="Umbrella?", gold=Gold(calls=(gold,)))
    right = (ToolCall(id="2", name="weather", arguments=gold.arguments), "rain")
    calls = [] if made is None else [(ToolCall(id="1", name=made[0], arguments=made[1]), "rain"), right]
    score = asyncio.run(FirstCall().evaluate(task, record_trajectory(task, *calls, answer="Yes.")))
    assert (score.value, score.parts) == (value, parts)
    assert json.dumps(score.details)
    with pytest.raises(UsageError, match="gold"):
        FirstCall().check_task(Task(id="u", instruction="?"))
