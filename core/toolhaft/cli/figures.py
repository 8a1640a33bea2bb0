"""A comparison printed for people: what each arm did, how pairs differ, and what to make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolhaft.cli.output import print_line, print_table
from toolhaft.evaluators.reading import FLOOR, points
from toolhaft.types import ArmResult, Comparison, Pairing, Proportion

_ARMS = ("ARM", "PASSED", "RATE", "95 %", "MODEL", "TOOL", "STEPS", "TOKENS", "COST", "SECONDS", "FAILED AS")
_PAIRS = ("PAIR", "TASKS", "DIFFERENCE", "95 %", "WIN/TIE/LOSS", "P", "ADJUSTED", "DETECTABLE")
_MOST_TAGS = 40
_MOST_PARTS = 12


def print_comparison(comparison: Comparison) -> None:
    """Print the tables and the notes."""
    print_line(comparison.title)
    print_line()
    _print_arms(comparison.arms)
    if parts := list(dict.fromkeys(name for arm in comparison.arms for name in arm.parts))[:_MOST_PARTS]:
        print_line()
        print_table(("ARM", *(name.upper() for name in parts)), _part_rows(parts, comparison.arms))
    if trials := [arm for arm in comparison.arms if arm.pass_all]:
        print_line()
        print_table(("ARM", "OF k TRIALS", "ALL PASS", "ANY PASSES"), _trial_rows(trials))
    if comparison.pairings:
        print_line()
        print_table(_PAIRS, [_pair_row(pairing) for pairing in comparison.pairings])
    tags = dict.fromkeys(tag for arm in comparison.arms for tag in arm.by_tag)
    if len(tags) > 1:
        arms = [arm for arm in comparison.arms if arm.name != FLOOR]
        print_line()
        print_table(("TAG", *(arm.name for arm in arms)), _tag_rows(list(tags)[:_MOST_TAGS], arms))
    if comparison.notes:
        print_line()
    for note in comparison.notes:
        print_line(f"- {note}")


def _print_arms(arms: Sequence[ArmResult]) -> None:
    rows = [_arm_row(arm) for arm in arms]
    if any(arm.measured for arm in arms):
        print_table(_ARMS, rows)
        print_line("MODEL and TOOL are calls; they, STEPS, TOKENS, COST and SECONDS are means for a rollout.")
    else:  # of answers that were read from a file, nothing but zeros would stand there
        print_table((*_ARMS[:4], _ARMS[-1]), [(*row[:4], row[-1]) for row in rows])


def _arm_row(arm: ArmResult) -> tuple[str, ...]:
    failures = [f"{kind} {count}" for kind, count in arm.failures.items() if kind != "passed"]
    return (
        arm.name,
        f"{arm.passes.passed}/{arm.passes.total}",
        _percent(arm.passes.rate),
        _interval(arm.passes),
        f"{arm.model_calls:.1f}",
        f"{arm.tool_calls:.1f}",
        f"{arm.steps:.1f}",
        f"{arm.tokens:.0f}",
        f"{arm.cost:.4g}",
        f"{arm.seconds:.2f}",
        ", ".join(failures) or "-",
    )


def _part_rows(parts: Sequence[str], arms: Sequence[ArmResult]) -> Iterator[tuple[str, ...]]:
    for arm in arms:
        yield arm.name, *(_percent(arm.parts[name]) if name in arm.parts else "-" for name in parts)


def _trial_rows(arms: Sequence[ArmResult]) -> Iterator[tuple[str, ...]]:
    for arm in arms:
        for k, share in arm.pass_all.items():
            yield arm.name, str(k), _percent(share), _percent(arm.pass_any[k])


def _pair_row(pairing: Pairing) -> tuple[str, ...]:
    interval = "too few tasks"
    if pairing.low is not None and pairing.high is not None:
        interval = f"{points(pairing.low)} to {points(pairing.high)}"
    return (
        f"{pairing.b} - {pairing.a}",
        str(pairing.tasks),
        points(pairing.difference),
        interval,
        f"{pairing.wins}/{pairing.ties}/{pairing.losses}",
        _p_value(pairing.mcnemar_p),
        _p_value(pairing.adjusted_p),
        "-" if pairing.detectable is None else points(pairing.detectable).lstrip("+"),
    )


def _tag_rows(tags: Sequence[str], arms: Sequence[ArmResult]) -> Iterator[tuple[str, ...]]:
    for tag in tags:
        yield tag, *(_tag_cell(arm.by_tag.get(tag)) for arm in arms)


def _tag_cell(share: Proportion | None) -> str:
    return "-" if share is None else f"{share.passed}/{share.total} ({_interval(share)})"


def _interval(share: Proportion) -> str:
    return f"{100 * share.low:.0f}-{100 * share.high:.0f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _p_value(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
