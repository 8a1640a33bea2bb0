"""``toolhaft eval judge``: the arms of a stored evaluation, judged by a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.types import Trajectory, to_value
from toolhaft_evals.judge.report import save_judgements
from toolhaft_evals.judge.scoring import ArmJudgement, judge_arms, judge_pairs
from toolhaft_evals.pass_rate import PassRate
from toolhaft_evals.win_rate import WinRate, WinRateResult, first_of_each

_PASS = ("ARM", "TASKS", "PASS RATE", "95 %", "RUNS", "DEVIATION", "NO VERDICT", "NOT ASKED", "NOT SCORED")
_WIN = (
    "ARM",
    "TASKS",
    "WIN",
    "TIE",
    "LOSS",
    "MISSING",
    "RATE",
    "95 %",
    "P",
    "ORDER FLIPS",
    "NO VERDICT",
    "NOT JUDGED",
)


def judge_evaluation(
    folder: Annotated[Path, typer.Argument(help="A folder that `toolhaft eval` wrote.")],
    judge: Annotated[str, typer.Option(help="The model that judges: openai:NAME, replay:FILE ...")] = "auto",
    votes: Annotated[int, typer.Option(help="How often each answer is judged.", min=1)] = 3,
    legacy: Annotated[bool, typer.Option("--legacy", help="ToolBench's decision table.")] = False,
    rule: Annotated[bool, typer.Option(help="A task's own check decides where it has one.")] = True,
    reference: Annotated[
        str | None, typer.Option(help="An arm: the win rate of the others against it.")
    ] = None,
    budget: Annotated[list[str] | None, typer.Option(help="Of the judge: --budget model_calls=500.")] = None,
    judgements: Annotated[
        Path | None, typer.Option(help="A file of votes: what it has is not asked again.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the votes and the bootstrap.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the judged answers and their report.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge the answers of a stored evaluation: pass rate of each arm, and win rate against one of them.

    Exit codes: 0 judged, 2 wrong usage, 3 some answers could not be judged.
    """
    from toolhaft.cli.inputs import budget as read_budget
    from toolhaft.tools.loop import run_sync

    arms = _load(folder, reference)
    tasks = list({each.task.id: each.task for runs in arms.values() for each in runs.values()}.values())
    limits = read_budget(budget or ()) or None
    settings: dict[str, Any] = {"judge": judge, "votes": votes, "rule": rule, "seed": seed}
    settings |= {"judgements": judgements}
    # One meter for both: the budget is the judge's, whatever it is asked.
    pass_rate = PassRate(legacy=legacy, budget=limits, **settings)
    passed = run_sync(judge_arms(pass_rate, tasks, arms, seed=seed))
    won: dict[str, WinRateResult] = {}
    if reference is not None:
        win_rate = WinRate(reference=arms[reference], **settings)
        win_rate.judge.meter = pass_rate.judge.meter
        won = run_sync(judge_pairs(win_rate, tasks, arms, reference, seed=seed))
    files = None
    if output is not None:
        shown = {"judge": judge, "votes": votes, "rule": rule, "legacy": legacy, "reference": reference or ""}
        files = save_judgements(output, arms, passed, won, settings=shown, seed=seed)
    if as_json:
        print_json({"pass_rate": to_value(passed), "win_rate": to_value(won)})
    else:
        _print(passed, won, reference)
        if files is not None:
            notice(f"Report: {files.html}")
    left = any(each.unscored for each in passed.values()) or any(each.unjudged for each in won.values())
    raise typer.Exit(3 if left else 0)


def _load(folder: Path, reference: str | None) -> dict[str, dict[str, Trajectory]]:
    """Return the arms, but for floors and ceilings, by task id; of several trials the first."""
    from toolhaft.evaluators.reading import FLOOR
    from toolhaft.report.store import load_evaluation

    stored = load_evaluation(folder)
    arms: dict[str, dict[str, Trajectory]] = {}
    left_out = {FLOOR, *(arm.name for arm in stored.comparison.arms if arm.reference)}
    for name, (trajectories, _) in stored.arms.items():
        if name not in left_out:
            arms[name] = first_of_each(trajectories)
    if reference is not None and reference not in arms:
        raise UnknownNameError("arm", reference, tuple(arms), where=str(folder))
    if not any(arms.values()):
        raise UsageError("the evaluation has no answers to judge", where=str(folder))
    return arms


def _print(passed: dict[str, ArmJudgement], won: dict[str, WinRateResult], reference: str | None) -> None:
    print_table(_PASS, [_pass_row(name, each) for name, each in passed.items()])
    if won:
        print_line()
        print_line(f"Against {reference}; a missing answer is a loss:")
        print_table(_WIN, [_win_row(name, each) for name, each in won.items()])
    for name, each in passed.items():
        for task, reason in list(each.unscored.items())[:3]:
            notice(f"{name}, {task}: {reason}")


def _pass_row(name: str, each: ArmJudgement) -> tuple[str, ...]:
    found = each.summary
    if found is None:
        return (name, "0", *["-"] * 6, str(len(each.unscored)))
    return (
        name,
        str(found.tasks),
        _percent(found.mean),
        "too few"
        if found.low is None or found.high is None
        else f"{_percent(found.low)} to {_percent(found.high)}",
        ", ".join(map(_percent, found.runs[:7])),
        _percent(found.deviation),
        str(found.malformed),
        str(found.missing),
        str(len(each.unscored)),
    )


def _win_row(name: str, found: WinRateResult) -> tuple[str, ...]:
    return (
        name,
        str(found.tasks),
        str(found.wins),
        str(found.ties),
        str(found.losses),
        str(found.missing),
        _percent(found.rate.rate),
        f"{_percent(found.rate.low)} to {_percent(found.rate.high)}",
        "too few" if found.p is None else f"{found.p:.4f}",
        f"{found.order_flips}/{found.order_pairs}",
        str(found.malformed),
        str(found.unjudged),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
