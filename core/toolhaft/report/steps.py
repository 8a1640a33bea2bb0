"""The tree of steps as HTML: one line each, which opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolhaft.report.branches import Branch, branches_of
from toolhaft.report.images import Pictures
from toolhaft.report.markup import (
    Child,
    Html,
    badge,
    count,
    dump,
    duration,
    join,
    line_of,
    plain,
    pretty,
    tag,
)
from toolhaft.report.observation import labels_html, observation_html
from toolhaft.report.sources import Reading, Source
from toolhaft.report.tree import Row, arrange_steps
from toolhaft.report.visible import make_line
from toolhaft.types import Observation, Step, ToolCall, Trajectory, Usage

_STEPS = 2000
_CALLS = 20
_ARGUMENTS = 40
_DEEPEST = 6
_OPEN_UP_TO = 8

_STATUS = {
    "answered": ("answer", "good"),
    "gave_up": ("gave up", "warn"),
    "abandoned": ("abandoned", "quiet"),
    "failed": ("failed", "bad"),
}
ORIGINS = {
    "heuristic": ("heuristic", "By the built-in heuristic policy, not a language model"),
    "replay": ("replay", "From a recording; no language model was asked"),
    "scripted": ("scripted", "Written in advance; no language model was asked"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How much of a trajectory is shown.

    Attributes:
        prefix: Begins the anchors of its steps; unique on the page.
        cap: Characters of one text; 0 leaves the steps' contents out.
        unfold: Whether the answer path stands open when the page is opened.
    """

    prefix: str
    cap: int
    unfold: bool = False


def steps_html(trajectory: Trajectory, reading: Reading, pictures: Pictures, detail: Detail) -> Html:
    """Return the tree: branches that were given up stand indented before the way that went on.

    Args:
        trajectory: A cleaned record.
        reading: Of the same trajectory; it remembers what it found.
        pictures: Where pictures are.
        detail: How much is shown.
    """
    rows = arrange_steps(trajectory.steps, trajectory.answer_step)
    effects: dict[str, str] = {spec.name: spec.effect for spec in trajectory.tools}
    unfold = detail.unfold and sum(row.on_path for row in rows) <= _OPEN_UP_TO
    start = tag("span", "", class_="node"), tag("span", "The task", class_="head says")
    items = [tag("li", tag("div", *start, class_="line"), class_="step start", aria_hidden="true")]
    branches = branches_of(trajectory)
    firsts = _first_calls(trajectory)
    for row in rows[:_STEPS]:
        body = _body(row, reading, effects, pictures, detail, firsts) if detail.cap else None
        items.append(_step(row, branches.get(row.position), body, detail, unfold=unfold))
    if len(rows) > _STEPS:
        left_out = count(len(rows) - _STEPS, "more step")
        items.append(tag("li", f"… {left_out} not shown", class_="cut"))
    return tag("ol", *items, class_="steps", aria_label="Steps")


def usage_facts(usage: Usage) -> list[str]:
    """Return what was spent, without what is zero."""
    facts = []
    if usage.input_tokens or usage.output_tokens:
        facts.append(f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out")
    if usage.model_calls:
        facts.append(count(usage.model_calls, "model call"))
    if usage.tool_calls:
        facts.append(count(usage.tool_calls, "tool call"))
    if usage.cost:
        facts.append(f"cost {usage.cost:.4g}")
    if usage.seconds:
        facts.append(duration(usage.seconds))
    return facts


def _first_calls(trajectory: Trajectory) -> dict[tuple[str, str], int]:
    """Return by tool and arguments the position of the step whose observation is not a reused one."""
    found: dict[tuple[str, str], int] = {}
    for position, step in enumerate(trajectory.steps):
        by_call = {observation.call_id: observation for observation in step.observations}
        for call in step.calls:
            answer = by_call.get(call.id)
            if answer is not None and answer.provenance != "reused":
                found.setdefault(_key(call), position)
    return found


def _key(call: ToolCall) -> tuple[str, str]:
    return call.name, dump(dict(sorted(call.arguments.items())))


def _step(row: Row, branch: Branch | None, body: Html | None, detail: Detail, *, unfold: bool) -> Html:
    step = row.step
    failed = step.status == "failed" or any(observation.failed for observation in step.observations)
    depth = min(row.depth, _DEEPEST)
    names = ["step", "path" if row.on_path else "off", f"depth-{depth}"]
    names += [
        name for name, wanted in (("opens", row.opens), ("leaf", row.leaf), ("failed", failed)) if wanted
    ]
    if step.status == "answered":
        names.append("answered")
    line = (_head(row, branch), _marks(step))
    anchor = f"{detail.prefix}-step-{row.position + 1}"
    if body is None:
        return tag("li", tag("div", *line, class_="line"), class_=" ".join(names), id=anchor)
    return tag(
        "li",
        tag("details", tag("summary", *line, class_="line"), body, open=unfold and row.on_path),
        class_=" ".join(names),
        id=anchor,
    )


def _head(row: Row, branch: Branch | None) -> Html:
    step = row.step
    label = tag("span", str(branch), class_="branch") if branch else None
    titles: list[Child] = [
        tag(
            "span",
            tag("code", make_line(call.name, 64), class_="tool"),
            tag("span", make_line(_brief(call), 90), class_="brief"),
            class_="call-line",
        )
        for call in step.calls[:4]
    ]
    if len(step.calls) > 4:
        titles.append(tag("span", f"and {len(step.calls) - 4} more calls", class_="brief"))
    if not titles:
        titles.append(
            tag("span", make_line(step.thought, 140) or "No call was made", class_="says", dir="auto")
        )
    outcome = "; ".join(_outcome(observation) for observation in step.observations[:4])
    return join(
        [
            tag("span", str(row.position + 1), class_="node", aria_hidden="true"),
            tag(
                "span",
                tag("span", f"Step {row.position + 1}: ", class_="aside"),
                label,
                *titles,
                tag("span", make_line(outcome, 130), class_="outcome", dir="auto") if outcome else None,
                class_="head",
            ),
        ]
    )


def _brief(call: ToolCall) -> str:
    if call.problem:
        return call.raw[:200]
    shown = [
        f"{name[:60]}: {value[:80] if isinstance(value, str) else dump(value)[:200]}"
        for name, value in list(call.arguments.items())[:8]
    ]
    return ", ".join(shown)


def _outcome(observation: Observation) -> str:
    if observation.error is not None:
        return f"{observation.error.code}: {observation.error.what}"
    return observation.text()[:400]


def _marks(step: Step) -> Html:
    marks: list[Child] = []
    if step.status in _STATUS:
        marks.append(badge(*_STATUS[step.status]))
    if step.status != "failed" and any(observation.failed for observation in step.observations):
        marks.append(badge("error", "bad"))
    others = dict.fromkeys(o.provenance for o in step.observations if o.provenance != "live")
    marks += [badge(provenance, "warn", "Where the observation came from") for provenance in others]
    if step.origin in ORIGINS:
        label, title = ORIGINS[step.origin]
        marks.append(badge(label, "origin", title))
    spent = duration(step.usage.seconds)
    if spent:
        marks.append(tag("span", spent, class_="time"))
    return tag("span", *marks, class_="marks")


def _body(
    row: Row,
    reading: Reading,
    effects: Mapping[str, str],
    pictures: Pictures,
    detail: Detail,
    firsts: Mapping[tuple[str, str], int],
) -> Html:
    step = row.step
    by_call = {observation.call_id: observation for observation in step.observations}
    calls: list[Child] = []
    for position, call in enumerate(step.calls[:_CALLS]):
        arguments = [
            _argument(name, value, reading.sources(row.position, position, name), detail)
            for name, value in list(call.arguments.items())[: min(_ARGUMENTS, max(5, detail.cap // 50))]
        ]
        calls.append(_call(call, effects.get(call.name, ""), arguments, detail))
        answer = by_call.get(call.id)
        if answer is None and position < len(step.observations):
            answer = step.observations[position]
        if answer is not None:
            calls.append(
                observation_html(answer, pictures, detail.cap, _earlier(row, call, answer, detail, firsts))
            )
    if len(step.calls) > _CALLS:
        calls.append(tag("p", f"… {len(step.calls) - _CALLS} more calls not shown", class_="cut"))
    said = tag("p", plain(step.thought, detail.cap), class_="thought", dir="auto") if step.thought else None
    note = tag("p", plain(step.note, 1000), class_="hint", dir="auto") if step.note else None
    return tag("div", said, note, *calls, _step_facts(row), class_="body")


def _earlier(
    row: Row,
    call: ToolCall,
    answer: Observation,
    detail: Detail,
    firsts: Mapping[tuple[str, str], int],
) -> Html | None:
    """Return a link to the step that a reused observation comes from, where it can be told."""
    if answer.provenance != "reused":
        return None
    first = firsts.get(_key(call))
    if first is None or first >= row.position:
        return None
    return tag("a", f"from step {first + 1}", href=f"#{detail.prefix}-step-{first + 1}")


def _step_facts(row: Row) -> Html:
    step = row.step
    facts = [
        f"began at {duration(step.started) or '0 s'}",
        *usage_facts(step.usage),
        f"by {make_line(step.model, 80)}" if step.model else "",
        f"{count(len(step.offered), 'tool')} offered" if step.offered else "",
        str(row.offer),
    ]
    return tag(
        "footer",
        tag("p", line_of(facts), class_="facts-line"),
        labels_html("The model had read", step.labels),
    )


def _call(call: ToolCall, effect: str, rows: list[Html], detail: Detail) -> Html:
    marks: list[Child] = []
    if effect:
        marks.append(badge(effect, "quiet" if effect == "read" else "warn", "The tool's declared effect"))
    if call.repaired:
        marks.append(badge("repaired", "warn", "The model's text was mended before it parsed"))
    heading = tag("h4", "Call ", tag("code", make_line(call.name, 80), class_="tool"), " ", join(marks, " "))
    problem = None
    if call.problem:
        problem = tag("p", plain(call.problem, 1000), class_="problem")
    raw = tag("pre", plain(call.raw, detail.cap), tabindex="0") if call.raw else None
    left_out = len(call.arguments) - len(rows)
    return tag(
        "section",
        heading,
        problem,
        raw,
        tag("dl", *rows, class_="arguments") if rows else None,
        tag("p", "Without arguments.", class_="hint") if not rows and not call.problem else None,
        tag("p", f"… {left_out} more arguments not shown", class_="cut") if left_out else None,
        class_="call",
    )


def _argument(name: str, value: object, sources: list[Source] | None, detail: Detail) -> Html:
    links: list[Child] = [_source(source, detail) for source in (sources or [])[:3]]
    if sources and len(sources) > 3:
        links.append(f"and {len(sources) - 3} more")
    own = tag("span", "the model's own wording", class_="own")
    said = None if sources is None else join(["from ", join(links, ", ") if links else own])
    return tag(
        "div",
        tag("dt", make_line(name, 100)),
        tag("dd", tag("pre", pretty(dump(value), detail.cap), tabindex="0", dir="auto")),
        tag("dd", said, class_="source"),
    )


def _source(source: Source, detail: Detail) -> Html:
    if source.position is None:
        return tag("a", "the task", href=f"#{detail.prefix}", title="Label: user")
    label = make_line(source.label, 80)
    number = source.position + 1
    return tag("a", f"step {number}", href=f"#{detail.prefix}-step-{number}", title=f"Label: {label}")
