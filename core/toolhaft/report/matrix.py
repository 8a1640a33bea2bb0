"""Tasks by arms: who passed what, those on which the arms differ first, each cell a link to its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolhaft.evaluators.reading import FLOOR
from toolhaft.report.filters import Choice, choice, filter_html
from toolhaft.report.markup import Child, Html, count, tag
from toolhaft.report.outcomes import Trial, kind_class, kind_words, kinds_in_order
from toolhaft.report.visible import make_line
from toolhaft.types.comparison import Comparison

_ROWS = 3_000
_TRIALS = 20
_TAGS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    kind: Choice
    tag: Choice
    arm: Choice


def matrix_html(comparison: Comparison, trials: Sequence[Trial]) -> Html | None:
    """Return the table of tasks and arms with its filters; None if there is no task.

    Args:
        comparison: Its ``outcomes`` say which tasks there are.
        trials: Rollouts, for kinds, tags and links; cells without any show the mean alone.
    """
    if not comparison.outcomes:
        return None
    arms = [arm.name for arm in comparison.arms]
    by_cell: dict[tuple[str, str], list[Trial]] = {}
    by_task: dict[str, Trial] = {}
    for trial in trials:
        by_cell.setdefault((trial.task, trial.arm), []).append(trial)
        by_task.setdefault(trial.task, trial)
    kinds: dict[str, int] = {}
    for trial in trials:
        kinds[trial.kind] = kinds.get(trial.kind, 0) + 1
    choices = _Choices(
        kind=choice("kind", "Failure kind", "any failure kind", kinds_in_order(kinds)),
        tag=choice("tag", "Tag", "any tag", (name for trial in by_task.values() for name in trial.tags)),
        arm=choice("arm", "Arm", "any arm", arms),
    )
    order = sorted(comparison.outcomes, key=lambda task: -_spread(comparison.outcomes[task]))
    differing = sum(_spread(outcomes) > 0 for outcomes in comparison.outcomes.values())
    rows = [
        _row(task, comparison.outcomes[task], by_task.get(task), arms, by_cell, choices)
        for task in order[:_ROWS]
    ]
    left_out = len(order) - len(rows)
    return tag(
        "section",
        tag("h2", "Tasks ", tag("small", _say(differing, len(order), sum(arm != FLOOR for arm in arms)))),
        filter_html(
            [choices.kind, choices.tag, choices.arm], "tasks", len(rows), differs=0 < differing < len(order)
        ),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Outcome of each task with each arm", class_="aside"),
                tag("thead", tag("tr", tag("th", "Task", scope="col"), *_heads(arms, choices))),
                tag("tbody", *rows, id="tasks"),
                class_="matrix cards",
            ),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label="Tasks by arms",
        ),
        tag("p", f"… {count(left_out, 'more task')} not shown", class_="cut") if left_out else None,
        class_="tasks-by-arms",
    )


def _say(differing: int, total: int, arms: int) -> str:
    if arms < 2:
        return f"{total:,} in all"
    return f"{differing:,} of {total:,} came out differently, and stand first"


def _spread(outcomes: Mapping[str, float]) -> float:
    # What passes without anything being done tells nothing of the arms.
    values = [outcome for arm, outcome in outcomes.items() if arm != FLOOR]
    return max(values) - min(values) if values else 0.0


def _heads(arms: Sequence[str], choices: _Choices) -> list[Html]:
    return [tag("th", make_line(arm, 40), scope="col", data_arm=choices.arm.numbers([arm])) for arm in arms]


def _row(
    task: str,
    outcomes: Mapping[str, float],
    known: Trial | None,
    arms: Sequence[str],
    by_cell: Mapping[tuple[str, str], Sequence[Trial]],
    choices: _Choices,
) -> Html:
    tags = known.tags if known else ()
    said: list[Child] = []
    if known and known.instruction:
        said.append(tag("span", make_line(known.instruction, 160), class_="title", dir="auto"))
    names = " · ".join(make_line(name, 40).replace(" ", "\u00a0") for name in (task, *tags[:_TAGS]))
    said.append(tag("span", names, class_="facts-line"))
    differs = _spread(outcomes) > 0
    return tag(
        "tr",
        tag("th", tag("span", *said, class_="said"), scope="row"),
        *[_cell(arm, outcomes.get(arm), by_cell.get((task, arm), ()), choices) for arm in arms],
        class_="differs" if differs else None,
        data_tag=choices.tag.numbers(tags),
        data_differs="1" if differs else None,
    )


def _cell(arm: str, outcome: float | None, trials: Sequence[Trial], choices: _Choices) -> Html:
    kinds = list(dict.fromkeys(trial.kind for trial in trials))
    if trials:
        marks: list[Child] = [_mark(arm, number, trial) for number, trial in enumerate(trials[:_TRIALS], 1)]
    elif outcome is None:
        marks = [tag("span", "–", title="not tried", class_="hint")]
    else:
        marks = [tag("span", f"{100 * outcome:.0f} %", class_="mean")]
    failed = ", ".join(kind_words(kind).replace(" ", "\u00a0") for kind in kinds if kind != "passed")
    return tag(
        "td",
        tag("span", *marks, class_="trials"),
        tag("span", failed, class_="why") if failed else None,
        data_name=make_line(arm, 40),
        data_arm=choices.arm.numbers([arm]),
        data_kind=choices.kind.numbers(kinds),
    )


def _mark(arm: str, number: int, trial: Trial) -> Html:
    passed = trial.kind == "passed"
    said = f"{make_line(arm, 40)}, trial {number}: {kind_words(trial.kind)}"
    sign, name = "✓" if passed else "✗", f"trial {kind_class(trial.kind)}"
    if not trial.href:
        return tag("span", sign, role="img", title=said, aria_label=said, class_=name)
    return tag("a", sign, href=trial.href, title=said, aria_label=said, class_=name)
