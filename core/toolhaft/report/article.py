"""One trajectory as HTML: the task, the answer, what it cost, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from toolhaft.evaluators.prediction import PREDICTION
from toolhaft.report.diagram import diagram_html
from toolhaft.report.images import Pictures
from toolhaft.report.lineage import lineage_html
from toolhaft.report.markup import (
    Html,
    badge,
    clamp,
    count,
    duration,
    figure,
    join,
    plain,
    tag,
)
from toolhaft.report.observation import artifact_html, error_html, labels_html, value_html
from toolhaft.report.outcomes import is_uncertain
from toolhaft.report.sources import Reading
from toolhaft.report.steps import ORIGINS, Detail, steps_html
from toolhaft.report.tree import answer_path
from toolhaft.report.visible import make_line
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Score, ToolSpec, Trajectory, to_value

STATUS = {
    "answered": ("Answered", "good"),
    "gave_up": ("Gave up", "warn"),
    "asked": ("Asked the user", "quiet"),
    "budget": ("Budget spent", "warn"),
    "loop": ("Went in circles", "warn"),
    "refused": ("Refused", "warn"),
    "error": ("Error", "bad"),
    "cancelled": ("Cancelled", "quiet"),
}
_CAPS = (20_000, 8_000, 3_000, 1_200, 500, 200, 0)
LARGEST = 1_900_000
"""Bytes of one trajectory's HTML without its pictures; texts are cut shorter until it fits."""
_DRAWN_FROM = 500
"""Characters of one text below which there is no room for the tree either."""
_RECORD = 6_000
"""Characters of one value under "Record"."""
_HITS = 20
_TOOLS = 200
_READ = "What a model said was read from a file: none was asked now"


def article_html(
    trajectory: Trajectory,
    scores: Sequence[Score],
    *,
    prefix: str,
    alone: bool,
    artifacts: ArtifactStore | None,
    largest: int = LARGEST,
) -> Html:
    """Return a trajectory, its texts cut to what keeps it within ``largest`` bytes.

    Args:
        trajectory: A cleaned record.
        scores: Of this trajectory.
        prefix: Begins its anchors; unique on the page.
        alone: Whether it is the only one on the page; then it stands open.
        artifacts: Where its pictures are.
        largest: Bytes of HTML, pictures not counted.
    """
    reading = Reading(trajectory)
    hopeful = float(_CAPS[0])
    for cap in _CAPS:
        if cap > hopeful:
            continue
        detail = Detail(prefix=prefix, cap=cap, unfold=alone)
        # Measured with the pictures away, for they have a limit of their own.
        article = _article(trajectory, scores, reading, Pictures(None), detail)
        size = len(article.code.encode())
        # What is many times too long will not fit with texts that are a little shorter.
        hopeful = 2 * cap * largest / size
        if size <= largest:
            return (
                _article(trajectory, scores, reading, Pictures(artifacts), detail) if artifacts else article
            )
    detail = Detail(prefix=prefix, cap=0)
    return _article(replace(trajectory, steps=(), tools=()), scores, reading, Pictures(None), detail)


def status_badge(trajectory: Trajectory) -> Html:
    """Return how the rollout ended, as a badge."""
    return badge(*STATUS.get(trajectory.status, (trajectory.status, "warn")))


def uncertain_badge(trajectory: Trajectory) -> Html | None:
    """Return a badge where a person must look whether a write was carried out."""
    if not is_uncertain(trajectory):
        return None
    return badge("Uncertain write", "bad", "A write may or may not have been carried out: a person must look")


def origin_badges(trajectory: Trajectory) -> Html:
    """Return a badge for each origin that is no language model."""
    if _was_read(trajectory):
        return badge("read from a file", "quiet", _READ)
    return join([badge(*_origin(name)) for name in trajectory.origins if name in ORIGINS], " ")


def _was_read(trajectory: Trajectory) -> bool:
    return trajectory.planner == PREDICTION and trajectory.origins == ("replay",)


def score_badge(score: Score) -> Html:
    """Return a score as a badge: passed, failed, or its figure."""
    name = make_line(score.name, 40)
    reason = make_line(score.reason, 300)
    if score.value >= 1:
        return badge(f"✓ {name}", "good", reason)
    if score.value <= 0:
        return badge(f"✗ {name}", "bad", reason)
    return badge(f"{name} {figure(score.value)}", "quiet", reason)


def _origin(name: str) -> tuple[str, str, str]:
    label, title = ORIGINS[name]
    return f"{label}, no language model", "origin", title


def _article(
    trajectory: Trajectory,
    scores: Sequence[Score],
    reading: Reading,
    pictures: Pictures,
    detail: Detail,
) -> Html:
    instruction = tag(
        "h2",
        plain(trajectory.task.instruction, 4000) if trajectory.task.instruction else "No instruction",
        dir="auto",
    )
    return tag(
        "article",
        tag(
            "header",
            tag("p", "Task", class_="eyebrow"),
            instruction,
            tag(
                "p",
                join(
                    [
                        status_badge(trajectory),
                        uncertain_badge(trajectory) or "",
                        *map(score_badge, scores[:8]),
                        origin_badges(trajectory),
                    ],
                    " ",
                ),
                class_="badges",
            ),
            *[artifact_html(artifact, pictures) for artifact in trajectory.task.artifacts[:20]],
        ),
        _honesty(trajectory),
        _answer(trajectory, detail),
        error_html(trajectory.error) if trajectory.error else None,
        _facts(trajectory),
        _scores(scores),
        _retrieval(trajectory),
        lineage_html(trajectory, detail.prefix, linked=bool(detail.cap)),
        _steps(trajectory, reading, pictures, detail),
        _record(trajectory, detail),
        class_="trajectory",
    )


def _honesty(trajectory: Trajectory) -> Html | None:
    said = [ORIGINS[name][1] for name in trajectory.origins if name in ORIGINS]
    made_up = sum(observation.provenance == "simulated" for observation in trajectory.observations())
    sentences = [f"Steps: {sentence[0].lower()}{sentence[1:]}." for sentence in said]
    if _was_read(trajectory):
        sentences = [f"{_READ}."]
    if made_up:
        whole = sum(len(step.observations) for step in trajectory.steps)
        sentences.append(f"{made_up} of {count(whole, 'observation')} made up by a simulator.")
    return tag("p", " ".join(sentences), class_="honesty", role="note") if sentences else None


def _answer(trajectory: Trajectory, detail: Detail) -> Html:
    said = plain(trajectory.answer, 20_000) if trajectory.answer else tag("em", "No answer was given.")
    link = None
    if (
        trajectory.answer_step is not None
        and 0 <= trajectory.answer_step < len(trajectory.steps)
        and detail.cap
    ):
        number = trajectory.answer_step + 1
        link = tag("a", f"step {number}", href=f"#{detail.prefix}-step-{number}", class_="to-step")
    return tag(
        "section",
        tag("h3", "Answer ", link),
        tag("p", said, class_="answer-text", dir="auto"),
        class_="answer",
    )


def _facts(trajectory: Trajectory) -> Html:
    usage = trajectory.usage
    tokens = ""
    if usage.input_tokens or usage.output_tokens:
        tokens = f"{usage.input_tokens:,} in, {usage.output_tokens:,} out"
    facts = [
        ("Planner", make_line(trajectory.planner, 80)),
        ("Model", make_line(trajectory.model, 120)),
        ("Steps", f"{len(trajectory.steps):,}"),
        ("Model calls", f"{usage.model_calls:,}"),
        ("Tool calls", f"{usage.tool_calls:,}"),
        ("Tokens", tokens or "none reported"),
        ("Cost", f"{usage.cost:.4g}" if usage.cost else ""),
        ("Time", duration(usage.seconds)),
        ("Started", _moment(trajectory.started)),
        ("Seed", str(trajectory.seed)[:24]),
    ]
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts if value]
    return tag("dl", *rows, class_="facts")


def _moment(started: str) -> str:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(started[:40])
    except ValueError:
        return make_line(started, 40)
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()


def _scores(scores: Sequence[Score]) -> Html | None:
    if not scores:
        return None
    rows = [
        tag(
            "li",
            tag("span", make_line(score.name, 80), class_="bar-name"),
            _bar(score.value),
            tag("span", figure(score.value), class_="bar-value"),
            tag("p", plain(score.reason, 600), class_="hint", dir="auto") if score.reason else None,
        )
        for score in scores[:50]
    ]
    return tag("section", tag("h3", "Scores"), tag("ul", *rows, class_="bars"), class_="scores")


def _bar(share: float) -> Html:
    width = f"{100 * clamp(share):.1f}%"
    return tag(
        "svg",
        tag("rect", width="100%", height="100%", rx="3", class_="trough"),
        tag("rect", width=width, height="100%", rx="3", class_="fill"),
        class_="bar",
        aria_hidden="true",
        height="8",
    )


def _retrieval(trajectory: Trajectory) -> Html | None:
    if not trajectory.retrieved:
        return None
    hits = trajectory.retrieved[:_HITS]
    largest = max((abs(score) for _, score in hits), default=0.0) or 1.0
    called = {call.name for step in trajectory.steps for call in step.calls}
    rows = [
        tag(
            "li",
            tag("code", make_line(name, 80), class_="bar-name called" if name in called else "bar-name"),
            _bar(score / largest),
            tag("span", figure(score), class_="bar-value"),
        )
        for name, score in hits
    ]
    left_out = len(trajectory.retrieved) - len(hits)
    by = trajectory.settings.get("retriever")
    title = f"{count(len(trajectory.retrieved), 'tool')} retrieved"
    if isinstance(by, str) and by:
        title += f" by {make_line(by, 40)}"
    return tag(
        "section",
        tag("h3", title),
        tag("p", "Best first; those in bold were called.", class_="hint"),
        tag("ol", *rows, class_="bars"),
        tag("p", f"… {count(left_out, 'more tool')} not shown", class_="cut") if left_out else None,
        class_="retrieval",
    )


def _steps(trajectory: Trajectory, reading: Reading, pictures: Pictures, detail: Detail) -> Html:
    if not trajectory.steps:
        return tag("section", tag("h3", "Steps"), tag("p", "No step is shown here.", class_="hint"))
    path = answer_path(trajectory.steps, trajectory.answer_step)
    abandoned = sum(
        position not in path if path else step.status == "abandoned"
        for position, step in enumerate(trajectory.steps)
    )
    legend = f"{count(len(trajectory.steps), 'step')}"
    if abandoned:
        legend += f", {abandoned} on branches that were given up"
    shortened = detail.cap < _CAPS[0]
    note = tag(
        "p",
        "This is a long trajectory: its texts are cut short here and whole in trajectories.jsonl."
        + ("" if detail.cap >= _DRAWN_FROM else " Its tree is not drawn."),
        class_="hint",
    )
    return tag(
        "section",
        tag("h3", "Steps ", tag("small", legend)),
        diagram_html(trajectory, detail.prefix) if detail.cap >= _DRAWN_FROM else None,
        note if shortened else None,
        steps_html(trajectory, reading, pictures, detail),
        class_="tree",
    )


def _record(trajectory: Trajectory, detail: Detail) -> Html:
    # An environment's end state may be all of its data; the record in JSON has it whole.
    cap = min(max(detail.cap, 200), _RECORD)
    task = {
        "id": trajectory.task.id,
        "tags": list(trajectory.task.tags),
        "metadata": trajectory.task.metadata,
    }
    values: list[tuple[str, Any]] = [
        ("Task", task),
        ("Gold", to_value(trajectory.task.gold) if trajectory.task.gold else None),
        ("Budget", to_value(trajectory.budget)),
        ("Settings", trajectory.settings),
        ("End state", trajectory.final_state),
    ]
    sections = [tag("section", tag("h4", name), value_html(value, cap)) for name, value in values if value]
    return tag(
        "details",
        tag("summary", tag("h3", "Record"), tag("span", "tools, settings, end state", class_="hint")),
        tag("p", tag("code", make_line(trajectory.id, 120)), class_="hint"),
        labels_html("The model had read", trajectory.labels),
        _tools(trajectory.tools, cap),
        *sections,
        class_="record",
    )


def _tools(specs: Sequence[ToolSpec], cap: int) -> Html | None:
    if not specs:
        return None
    rows = [
        tag(
            "li",
            tag("code", make_line(spec.name, 80), class_="tool"),
            " ",
            badge(spec.effect, "quiet" if spec.effect == "read" else "warn"),
            " ",
            badge("private", "warn") if spec.private else None,
            tag("p", plain(spec.description, min(cap, 600)), dir="auto") if spec.description else None,
            tag("p", make_line(spec.source, 200), class_="hint") if spec.source else None,
        )
        for spec in specs[:_TOOLS]
    ]
    left_out = len(specs) - len(rows)
    return tag(
        "section",
        tag("h4", f"{count(len(specs), 'tool')} offered"),
        tag("ul", *rows, class_="tools"),
        tag("p", f"… {left_out} more not shown", class_="cut") if left_out else None,
    )
