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
from toolhaft.training.log import LOG, read_log
from toolhaft.types import ArmResult, Comparison, Trajectory
from toolhaft_finetune.curve import draw_curve
from toolhaft_finetune.loop.evaluation import BASE, CALLS, HELD, HEURISTIC, ROLLOUTS, STATES, TUNED
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
        tag("section", tag("h2", "In short"), _summary(calls, states), tag("p", _MEANING, class_="hint")),
        tag("section", tag("h2", "How the models were made"), *curves, _counts(settings, facts)),
        tag("section", tag("h2", "Strict call accuracy: the first call is the gold call")),
        comparison_html(calls),
        tag("section", tag("h2", "State check: the end state and the answer are right")),
        comparison_html(states),
        tag(
            "section",
            tag("h2", "Rollouts to look at"),
            *_samples(folder),
            tag("p", tag("a", "All rollouts, task by task", href=f"evaluation/{ROLLOUTS}/report.html")),
        ),
    )
    page = document_html("The loop, closed", main, "")
    write_whole(folder / REPORT, [page.encode()])


_WORDS = {
    BASE: "pre-trained on other tools",
    TUNED: "the same after LoRA",
    f"{BASE}{HELD}": "its calls held to the offered tools by a grammar",
    f"{TUNED}{HELD}": "likewise",
    HEURISTIC: "the built-in rules, no model",
}
_MEANING = (
    "Both models had the same pre-training. The base model has never seen the tools of part B, the tuned one "
    "has learned from other instructions for them; no call that is asked for here stood in its rows. The "
    "instructions are made from templates, so the figures say that the loop works and what it costs, and "
    "nothing about how a large model would do, or this one on what people write."
)


def _summary(calls: Comparison, states: Comparison) -> Html:
    titles = ("", "first call right", "share", "95 % interval", "right tool", "state check passed")
    rows = []
    for name, words in _WORDS.items():
        strict, done = (_arm(comparison, name) for comparison in (calls, states))
        share = strict.passes
        cells = (
            f"{share.passed} of {share.total}",
            f"{share.rate:.1%}",
            f"{share.low:.1%} to {share.high:.1%}",
            f"{strict.parts.get('tool', 0.0):.1%}",
            f"{done.passes.passed} of {done.passes.total}",
        )
        rows.append(tag("tr", tag("th", f"{name}: {words}"), *(tag("td", cell) for cell in cells)))
    return tag("table", tag("tr", *(tag("th", title) for title in titles)), *rows)


def _arm(comparison: Comparison, name: str) -> ArmResult:
    return next(arm for arm in comparison.arms if arm.name == name)


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
