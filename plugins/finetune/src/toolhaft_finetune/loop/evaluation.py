"""The arms on the tasks that were held back: the heuristic floor, the base model, the tuned one.

Both models answer twice: free to write anything, and with their calls held to the offered tools and their
schemas by a grammar. The first says what they have learned of the form, the second what else they know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.agent import open_model
from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.hooks.registry import Registry
from toolhaft.report.files import write_whole
from toolhaft.report.store import save_evaluation
from toolhaft.runs.evaluate import Arm, EvaluationRun
from toolhaft.types import Comparison, Task, Trajectory, to_json
from toolhaft_finetune.first_call import FirstCall
from toolhaft_finetune.loop.settings import K
from toolhaft_finetune.loop.solving import roll_out

if TYPE_CHECKING:
    from toolhaft.models.base import Model
    from toolhaft.world.server import World

HEURISTIC, BASE, TUNED = "heuristic", "base", "tuned"
HELD = "-held"
"""Ending of the arms whose calls are held to the offered tools."""
CALLS, STATES = "calls.json", "states.json"
"""The comparisons by first call and by state check."""
ROLLOUTS = "rollouts"
_LONGEST = 120
_DECODING = {"": "off", HELD: "auto"}


async def evaluate_arms(
    folder: Path, tasks: Sequence[Task], models: Mapping[str, Path], world: World, *, seed: int
) -> dict[str, Any]:
    """Carry out the tasks with each arm, and write records, comparisons and reports.

    Args:
        folder: For the files.
        tasks: Held back.
        models: Model folders by arm.
        world: Started.
        seed: Of the bootstrap.

    Returns:
        For each arm how many passed by first call and by state check.
    """
    opened: dict[str, Model] = {}
    for ending, constrained in _DECODING.items():
        for name, place in models.items():
            opened[f"{name}{ending}"] = open_model(
                f"hf:{place}", constrained=constrained, max_tokens=_LONGEST
            )
    opened[HEURISTIC] = open_model("heuristic")
    retriever = Registry.default().retriever("bm25")
    catalog = await world.catalog("index")
    await retriever.index(catalog.specs())
    await catalog.close()
    positions = {task.id: number for number, task in enumerate(tasks)}

    async def carry_out(arm: Arm, task: Task, _trial: int) -> Trajectory:
        run = f"{arm.name}-{positions[task.id]}"
        trajectory = await roll_out(world, task, run, model=opened[arm.name], retriever=retriever)
        # Where the folder lies is no part of what was found.
        return replace(trajectory, model=arm.model)

    arms = [Arm(name=name, model=name, k=K) for name in opened]
    # One at a time: loading two models at once is not safe, and the processor is the limit anyway.
    run = EvaluationRun(arms, tasks, carry_out, evaluators=[FirstCall(), StateEvaluator()], concurrency=1)
    try:
        await run.run()
    finally:
        for model in opened.values():
            await model.close()
    calls = run.compare(title="First call equal to the gold call", seed=seed)
    states = compare_states(run, seed)
    for name, comparison in ((CALLS, calls), (STATES, states)):
        write_whole(folder / name, [to_json(comparison)])
    save_evaluation(
        folder / ROLLOUTS,
        calls,
        run.records(),
        settings={"k": K, "tasks": len(tasks), "max_tokens": _LONGEST},
    )
    return {
        "tasks": len(tasks),
        "arms": [arm.name for arm in arms],
        **{arm.name: _shown(arm.name, calls, states) for arm in arms},
    }


def compare_states(run: EvaluationRun, seed: int) -> Comparison:
    """Return the comparison by the state check of what was done, instead of by the first call."""
    attempts = []
    for arm in run.attempts():
        outcomes = [outcome for outcome in run.outcomes if outcome.arm == arm.name]
        attempts.append(
            ArmAttempts(
                name=arm.name,
                planner=arm.planner,
                model=arm.model,
                attempts=tuple(
                    Attempt.of(one.trajectory, one.scores[1], trial=one.trial) for one in outcomes
                ),
            )
        )
    return compare_arms(attempts, title="State check passed", seed=seed)


def _shown(name: str, *comparisons: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, comparison in zip(("first call", "state check"), comparisons, strict=True):
        passes = next(arm.passes for arm in comparison.arms if arm.name == name)
        found[kind] = [passes.passed, passes.total, round(passes.low, 4), round(passes.high, 4)]
    return found
