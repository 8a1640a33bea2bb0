"""What stands above the trajectories: totals, the list of tasks, notes on imported services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolhaft.report.article import origin_badges, score_badge, status_badge
from toolhaft.report.markup import Child, Html, count, duration, figure, line_of, plain, tag
from toolhaft.report.visible import make_line
from toolhaft.types import Score, Trajectory, Usage

_NOTES = 200


def overview_html(trajectories: Sequence[Trajectory], scores: Mapping[str, Sequence[Score]]) -> Html:
    """Return the totals of several trajectories."""
    usage = sum((trajectory.usage for trajectory in trajectories), Usage())
    answered = sum(trajectory.status == "answered" for trajectory in trajectories)
    tokens = usage.input_tokens + usage.output_tokens
    facts = [
        ("Tasks", f"{len(trajectories):,}"),
        ("Answered", f"{answered:,} of {len(trajectories):,}"),
        *_means(trajectories, scores),
        ("Tool calls", f"{usage.tool_calls:,}"),
        ("Tokens", f"{tokens:,}" if tokens else ""),
        ("Cost", f"{usage.cost:.4g}" if usage.cost else ""),
        ("Time", duration(usage.seconds)),
    ]
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts if value]
    return tag("dl", *rows, class_="facts totals")


def tasks_html(
    trajectories: Sequence[Trajectory], scores: Mapping[str, Sequence[Score]], articles: Sequence[Html]
) -> Html:
    """Return the list of tasks: each opens; the filter above it works where scripts run.

    Args:
        trajectories: One a row.
        scores: By the id of the trajectory.
        articles: What the rows open to; rows beyond its end do not open.
    """
    rows = []
    for number, trajectory in enumerate(trajectories, start=1):
        line = _row(trajectory, scores.get(trajectory.id, ()))
        opened = articles[number - 1] if number <= len(articles) else None
        content = tag("details", tag("summary", *line), opened) if opened else tag("div", *line, class_="row")
        rows.append(tag("li", content, id=f"task-{number}", class_="task", data_outcome=trajectory.status))
    left_out = len(trajectories) - len(articles)
    return tag(
        "section",
        tag("h2", "Tasks", class_="aside"),
        _filter(trajectories),
        tag("ol", *rows, class_="tasks", id="tasks"),
        tag("p", f"The steps of the last {left_out:,} are in trajectories.jsonl only.", class_="hint")
        if left_out
        else None,
    )


def notes_html(notes: Mapping[str, str]) -> Html | None:
    """Return what was imported, one line a service; None if there is nothing to say."""
    if not notes:
        return None
    rows = [
        tag("div", tag("dt", make_line(name, 100)), tag("dd", plain(note, 600), dir="auto"))
        for name, note in list(notes.items())[:_NOTES]
    ]
    left_out = len(notes) - len(rows)
    return tag(
        "section",
        tag("h2", "Imported"),
        tag("dl", *rows, class_="notes"),
        tag("p", f"… {left_out} more not shown", class_="cut") if left_out else None,
        class_="imported",
    )


def _filter(trajectories: Sequence[Trajectory]) -> Html:
    statuses = list(dict.fromkeys(trajectory.status for trajectory in trajectories))
    options = [tag("option", "any outcome", value="")]
    options += [tag("option", status.replace("_", " "), value=status) for status in statuses]
    words = tag("input", type="search", id="filter", placeholder="Filter by words", autocomplete="off")
    return tag(
        "div",
        tag("label", tag("span", "Filter the tasks", class_="aside"), words),
        tag("label", tag("span", "Outcome", class_="aside"), tag("select", *options, id="outcome")),
        tag("output", count(len(trajectories), "task"), id="shown", for_="filter outcome"),
        class_="filter script",
        role="search",
    )


def _row(trajectory: Trajectory, scores: Sequence[Score]) -> tuple[Html, Html]:
    usage = trajectory.usage
    facts = [
        make_line(trajectory.planner, 40),
        make_line(trajectory.model, 60),
        count(len(trajectory.steps), "step"),
        count(usage.tool_calls, "tool call"),
        duration(usage.seconds),
    ]
    marks: list[Child] = [status_badge(trajectory), *map(score_badge, scores[:3]), origin_badges(trajectory)]
    title = make_line(trajectory.task.instruction, 220) or "No instruction"
    said = tag(
        "span",
        tag("span", title, class_="title", dir="auto"),
        tag("span", line_of(facts), class_="facts-line"),
        class_="said",
    )
    return said, tag("span", *marks, class_="badges")


def _means(
    trajectories: Sequence[Trajectory], scores: Mapping[str, Sequence[Score]]
) -> list[tuple[str, str]]:
    values: dict[str, list[float]] = {}
    for trajectory in trajectories:
        for score in scores.get(trajectory.id, ()):
            values.setdefault(score.name, []).append(score.value)
    return [_mean(make_line(name, 30), found) for name, found in list(values.items())[:6]]


def _mean(name: str, values: Sequence[float]) -> tuple[str, str]:
    """Return the mean of a score; where it is passed or failed, how many passed."""
    if set(values) <= {0.0, 1.0}:
        return f"Passed {name}", f"{sum(values):,.0f} of {len(values):,}"
    return f"{name}, mean", figure(sum(values) / len(values))
