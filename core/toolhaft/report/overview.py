"""What stands above the trajectories: totals, the list of tasks, notes on imported services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolhaft.report.article import origin_badges, score_badge, status_badge, uncertain_badge
from toolhaft.report.filters import Choice, choice, filter_html
from toolhaft.report.markup import Child, Html, badge, count, duration, figure, line_of, plain, tag
from toolhaft.report.outcomes import UNCERTAIN, is_uncertain, kind_of, kind_words, kinds_in_order
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
        ("Time, sum of rollouts", duration(usage.seconds)),
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
    kinds = [kind_of(trajectory, scores.get(trajectory.id, ())) for trajectory in trajectories]
    differing = _differing(trajectories, kinds)
    outcomes = [_outcomes(trajectory) for trajectory in trajectories]
    choices, filters = _choices(trajectories, kinds, outcomes, differing)
    rows = []
    for number, trajectory in enumerate(trajectories, start=1):
        line = _row(trajectory, scores.get(trajectory.id, ()), kinds[number - 1])
        opened = articles[number - 1] if number <= len(articles) else None
        content = tag("details", tag("summary", *line), opened) if opened else tag("div", *line, class_="row")
        found: tuple[Sequence[str], ...] = (
            outcomes[number - 1],
            [kinds[number - 1]],
            trajectory.task.tags,
            [_arm(trajectory)],
        )
        data = {f"data_{one.name}": one.numbers(had) for one, had in zip(choices, found, strict=True)}
        differs = "1" if trajectory.task.id in differing else None
        rows.append(tag("li", content, id=f"task-{number}", class_="task", data_differs=differs, **data))
    left_out = len(trajectories) - len(articles)
    return tag(
        "section",
        tag("h2", "Tasks", class_="aside"),
        filters,
        tag("ol", *rows, class_="tasks", id="tasks"),
        tag("p", f"The steps of the last {left_out:,} are in trajectories.jsonl only.", class_="hint")
        if left_out
        else None,
    )


def notes_html(notes: Mapping[str, str]) -> Html | None:
    """Return notes under their heading, one a line; None if there is nothing to say."""
    if not notes:
        return None
    rows = [
        tag("div", tag("dt", make_line(name, 100)), tag("dd", plain(note, 600), dir="auto"))
        for name, note in list(notes.items())[:_NOTES]
    ]
    left_out = len(notes) - len(rows)
    return tag(
        "section",
        tag("h2", "About this run"),
        tag("dl", *rows, class_="notes"),
        tag("p", f"… {left_out} more not shown", class_="cut") if left_out else None,
        class_="imported",
    )


def _outcomes(trajectory: Trajectory) -> tuple[str, ...]:
    """Return by what the outcome filter finds a task: its status, and whether a write of it is uncertain."""
    return (trajectory.status, *((UNCERTAIN,) if is_uncertain(trajectory) else ()))


def _choices(
    trajectories: Sequence[Trajectory],
    kinds: Sequence[str],
    outcomes: Sequence[Sequence[str]],
    differing: frozenset[str],
) -> tuple[list[Choice], Html]:
    """Return what the tasks can be filtered by, and the filters."""
    ordered = kinds_in_order({kind: 1 for kind in kinds if kind})
    choices = [
        choice("status", "Outcome", "any outcome", (name for found in outcomes for name in found)),
        choice("kind", "Failure kind", "any failure kind", ordered),
        choice("tag", "Tag", "any tag", (name for one in trajectories for name in one.task.tags)),
        choice("arm", "Planner and model", "any planner", (_arm(one) for one in trajectories)),
    ]
    return choices, filter_html(choices, "tasks", len(trajectories), differs=bool(differing))


def _arm(trajectory: Trajectory) -> str:
    return ", ".join(name for name in (trajectory.planner, trajectory.model) if name)


def _differing(trajectories: Sequence[Trajectory], kinds: Sequence[str]) -> frozenset[str]:
    """Return the ids of the tasks that one arm passed and another did not."""
    passed: dict[str, dict[str, list[bool]]] = {}
    for trajectory, kind in zip(trajectories, kinds, strict=True):
        if kind:
            arms = passed.setdefault(trajectory.task.id, {})
            arms.setdefault(_arm(trajectory), []).append(kind == "passed")
    means = {task: {sum(found) / len(found) for found in arms.values()} for task, arms in passed.items()}
    return frozenset(task for task, found in means.items() if len(found) > 1)


def _row(trajectory: Trajectory, scores: Sequence[Score], kind: str) -> tuple[Html, Html]:
    usage = trajectory.usage
    facts = [
        make_line(trajectory.planner, 40),
        make_line(trajectory.model, 60),
        count(len(trajectory.steps), "step"),
        count(usage.tool_calls, "tool call"),
        duration(usage.seconds),
    ]
    marks: list[Child] = [
        status_badge(trajectory),
        uncertain_badge(trajectory),
        *map(score_badge, scores[:3]),
    ]
    if kind not in ("", "passed", trajectory.status):
        marks.append(badge(kind_words(kind), "quiet", "How the rollout failed"))
    marks.append(origin_badges(trajectory))
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
