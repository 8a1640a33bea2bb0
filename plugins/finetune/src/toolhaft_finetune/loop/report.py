"""The loop's report: three rows, what sets them apart, the curves, and rollouts to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.report.comparison import comparison_html
from toolhaft.report.files import read_at_most, read_record, write_whole
from toolhaft.report.html import document_html
from toolhaft.report.markup import Html, join, tag
from toolhaft.report.store import load_evaluation
from toolhaft.types import Comparison, Trajectory
from toolhaft_finetune.log import LOG, draw_curve, read_log
from toolhaft_finetune.loop.evaluation import BASE, CALLS, HEURISTIC, ROLLOUTS, STATES, TUNED
from toolhaft_finetune.loop.settings import LoopSettings

REPORT = "report.html"
_LARGEST = 100_000_000
_SAMPLES = 6


def write_report(folder: Path, settings: LoopSettings, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``report.html`` from what the stages left.

    Args:
        folder: Of the loop.
        settings: How large it was.
        facts: Of each stage.

    Raises:
        FormatError: A stage's record is damaged.
    """
    calls, states = (_read(folder / "evaluation" / name) for name in (CALLS, STATES))
    curves = [
        tag("figure", Html(draw_curve(read_log(folder / name / LOG), title)), tag("figcaption", title))
        for name, title in (
            (BASE, "Making the base model: loss by step, part A"),
            (TUNED, "LoRA: loss by step, part B"),
        )
    ]
    main = tag(
        "div",
        tag("p", _summary(calls, states)),
        tag("p", _MEANING),
        _counts(settings, facts),
        *curves,
        tag("h2", "Strict call accuracy: the first call is the gold call"),
        comparison_html(calls),
        tag("h2", "State check: the end state and the answer are right"),
        comparison_html(states),
        tag("h2", "Rollouts to look at"),
        *_samples(folder),
        tag("p", tag("a", "All rollouts, task by task", href=f"evaluation/{ROLLOUTS}/report.html")),
    )
    page = document_html("The loop, closed", main, "")
    write_whole(folder / REPORT, [page.encode()])


_MEANING = (
    "Both models had the same pre-training. The base model has never seen the tools of part B, the tuned one "
    "has learned from other instructions for them; no call that is asked for here stood in its rows. The "
    "instructions are made from templates, so the figures say that the loop works and what it costs, and "
    "nothing about how a large model would do, or this one on what people write."
)


def _summary(calls: Comparison, states: Comparison) -> str:
    said = []
    for name in (HEURISTIC, BASE, TUNED):
        strict = next(arm.passes for arm in calls.arms if arm.name == name)
        done = next(arm.passes for arm in states.arms if arm.name == name)
        said.append(
            f"{name}: first call right in {strict.passed} of {strict.total} ({strict.rate:.0%}, 95 % "
            f"interval {strict.low:.0%} to {strict.high:.0%}), state check passed in {done.passed}"
        )
    return "; ".join(said) + "."


def _counts(settings: LoopSettings, facts: Mapping[str, Mapping[str, Any]]) -> Html:
    rows = [
        tag("tr", tag("th", stage), tag("td", json.dumps(told, ensure_ascii=False)))
        for stage, told in (*facts.items(), ("settings", settings.to_json()))
    ]
    return tag("details", tag("summary", "Counts and settings of each stage"), tag("table", join(rows)))


def _samples(folder: Path) -> Sequence[Html]:
    """Return tasks on which the arms differ, with what each called and answered."""
    evaluation = load_evaluation(folder / "evaluation" / ROLLOUTS)
    by_arm = {name: {one.task.id: one for one in records[0]} for name, records in evaluation.arms.items()}
    base, tuned = by_arm.get(BASE, {}), by_arm.get(TUNED, {})
    ranked = sorted(tuned, key=lambda task: (_calls(tuned[task]) == _calls(base[task]), task))
    shown = []
    for task in ranked[:_SAMPLES]:
        lines = [
            tag(
                "tr",
                tag("th", name),
                tag("td", tag("code", _calls(found[task]))),
                tag("td", found[task].answer),
            )
            for name, found in by_arm.items()
            if task in found and found[task].steps
        ]
        gold = tuned[task].task.gold
        wanted = " ".join(f"{call.name}({json.dumps(call.arguments)})" for call in gold.calls) if gold else ""
        head = tag("tr", tag("th", "wanted"), tag("td", tag("code", wanted)), tag("td", ""))
        shown.append(tag("div", tag("h3", tuned[task].task.instruction), tag("table", head, *lines)))
    return shown


def _calls(trajectory: Trajectory) -> str:
    made = [call for step in trajectory.steps for call in step.calls]
    return (
        " ".join(f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})" for call in made)
        or "no call"
    )


def _read(path: Path) -> Comparison:
    hint = "Delete the folder `evaluation` to do it again"
    return read_record(Comparison, read_at_most(path, _LARGEST, what="comparison", hint=hint), str(path))
