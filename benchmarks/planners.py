"""Pass rates of react, react@n and dfsdt at equal model calls, with a model that errs at a known rate.

Usage: python benchmarks/planners.py [--quick] [--plot FILE]

No language model takes part. A task is a row of decisions, each between a few options of which one is right.
A scripted model takes the right one with probability p. A wrong one is a dead end, and shows as an error when
`lag` decisions have been made, counted with the wrong one; some never show. Docs: explanation/planners.md.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plot import draw_panels

from toolhaft.errors import ToolError
from toolhaft.evaluators.statistics import wilson
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner
from toolhaft.planners.dfsdt import DFSDT
from toolhaft.planners.react import ReAct
from toolhaft.planners.tries import Tries
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, Message, Task, ToolCall, ToolSpec

DECISIONS = 5
OPTIONS = 4
RATES = tuple(p / 100 for p in range(50, 100, 5))
BUDGETS = (12, 24, 48)
SEEDS = range(1, 21)
TASKS = 10
PATH = DECISIONS + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is assumed of the model and the world.

    Attributes:
        lag: Decisions after which a wrong one shows, itself included; 1 is at once.
        hidden: Share of wrong decisions that never show.
        repair: Probability that the model, seeing an error, tries another option there and then.
        give_up: Probability that it says so when it is stuck; else it answers, wrongly.
        habit: Probability that it decides as it always does on this task, whatever the try.
    """

    title: str
    lag: int = 1
    hidden: float = 0.1
    repair: float = 0.3
    give_up: float = 0.7
    habit: float = 0.0


CASES = (
    Case(title="by chance, shown at once"),
    Case(title="by habit, shown at once", habit=0.8),
    Case(title="by chance, shown late", lag=3),
)
PLANNERS: Mapping[str, Callable[[int], Planner]] = {
    "react": lambda _: ReAct(),
    "react@n": lambda budget: Tries(ReAct(), max(1, budget // PATH)),
    "dfsdt": lambda _: DFSDT(),
}


class World:
    """One task: which option is right at each decision, and which wrong ones never show."""

    def __init__(self, case: Case, seed: str) -> None:
        lot = random.Random(seed)
        self.case = case
        self.seed = seed
        self.right = [lot.randrange(OPTIONS) for _ in range(DECISIONS)]

    def wrong_at(self, path: Sequence[int]) -> int | None:
        """Return the first wrong decision of a path."""
        return next((n for n, option in enumerate(path) if option != self.right[n]), None)

    def shows(self, path: Sequence[int]) -> bool:
        """Whether a path has come to where its first wrong decision shows."""
        first = self.wrong_at(path)
        if first is None:
            return False
        hidden = random.Random(f"{self.seed} hidden {path[: first + 1]}").random() < self.case.hidden
        return not hidden and len(path) >= min(first + self.case.lag, DECISIONS)


class Decide(Tool):
    """Takes a path of decisions and says whether it can be gone."""

    spec = ToolSpec(
        name="decide",
        description="Decide.",
        effect="read",
        parameters={"type": "object", "properties": {"path": {"type": "array"}}, "required": ["path"]},
    )

    def __init__(self, world: World) -> None:
        self._world = world

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return where the path leads, or fail."""
        if self._world.shows(arguments["path"]):
            raise ToolError("this leads nowhere")
        return {"at": len(arguments["path"])}


class Erring(Model):
    """Decides rightly with probability ``rate``; repeats neither what it is to avoid nor what it saw fail."""

    name = "erring"
    origin = "scripted"

    def __init__(self, world: World, rate: float) -> None:
        self._world = world
        self._rate = rate
        self._asked = 0

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the next decision, an answer, or a give-up."""
        self._asked += 1
        case = self._world.case
        lot = random.Random(f"{self._world.seed} {seed} {self._asked}")
        path, failed = _read(messages)
        tried = {tuple(call.arguments["path"]) for call in avoid} | failed
        if len(path) == DECISIONS:
            return self._say(f"Done: {list(path)}")
        stuck = bool(failed) and lot.random() >= case.repair
        left = [option for option in range(OPTIONS) if (*path, option) not in tried]
        if stuck or not left:
            return self._say("GIVE UP" if lot.random() < case.give_up else "It cannot be done.")
        call = ToolCall(
            id=f"c{self._asked}", name="decide", arguments={"path": [*path, self._pick(path, left, lot)]}
        )
        return Completion(calls=(call,), finish="tool_calls", origin="scripted")

    def _pick(self, path: tuple[int, ...], left: list[int], lot: random.Random) -> int:
        if lot.random() < self._world.case.habit:
            lot = random.Random(f"{self._world.seed} habit {path} {left}")
        right = self._world.right[len(path)]
        if right in left and (len(left) == 1 or lot.random() < self._rate):
            return right
        return lot.choice([option for option in left if option != right])

    @staticmethod
    def _say(text: str) -> Completion:
        return Completion(text=text, origin="scripted")


def _read(messages: Sequence[Message]) -> tuple[tuple[int, ...], set[tuple[int, ...]]]:
    """Return how far the conversation has come, and what failed from there."""
    paths = {call.id: tuple(call.arguments["path"]) for message in messages for call in message.calls}
    here: tuple[int, ...] = ()
    failed: set[tuple[int, ...]] = set()
    for message in messages:
        if message.role != "tool":
            continue
        if message.text.startswith("Error"):
            failed.add(paths[message.call_id])
        else:
            here, failed = paths[message.call_id], set()
    return here, failed


async def solve(case: Case, rate: float, budget: int, planner: str, seed: str) -> tuple[bool, int]:
    """Return whether a planner does one task, and the model calls it took."""
    world = World(case, seed)
    context = RunContext(
        id="r",
        seed=random.Random(seed).randrange(10**6),
        meter=BudgetMeter(Budget(steps=None, model_calls=budget, tool_calls=None)),
    )
    tools = ToolSet(Catalog([Decide(world)]))
    task = Task(id=seed, instruction="Find the way.")
    events = PLANNERS[planner](budget).rollout(task, tools, Erring(world, rate), context)
    async for event in events:
        if event.type == "rollout_finished":
            trajectory = event.trajectory
    passed = trajectory.status == "answered" and trajectory.answer == f"Done: {world.right}"
    return passed, trajectory.usage.model_calls


async def measure(seeds: Sequence[int]) -> dict[tuple[str, int, str, float], tuple[int, int, int]]:
    """Return passed, tried and model calls by case, budget, planner and rate."""
    found = {}
    for case in CASES:
        for budget in BUDGETS:
            for planner in PLANNERS:
                for rate in RATES:
                    done = [
                        await solve(case, rate, budget, planner, f"{seed} {task}")
                        for seed in seeds
                        for task in range(TASKS)
                    ]
                    passed, calls = sum(one for one, _ in done), sum(calls for _, calls in done)
                    found[case.title, budget, planner, rate] = passed, len(done), calls
    return found


def main() -> None:
    """Print the tables, and draw the plot if asked to."""
    seeds = range(1, 3) if "--quick" in sys.argv else SEEDS
    found = asyncio.run(measure(seeds))
    for case in CASES:
        print(f"\nMistakes {case.title}: pass rate in percent (95 % Wilson interval), model calls used\n")
        print("| budget | p | " + " | ".join(PLANNERS) + " |\n|---|---|" + "---|" * len(PLANNERS))
        for budget in BUDGETS:
            for rate in RATES:
                cells = []
                for planner in PLANNERS:
                    passed, total, calls = found[case.title, budget, planner, rate]
                    low, high = wilson(passed, total)
                    cells.append(
                        f"{100 * passed / total:.0f} ({100 * low:.0f}-{100 * high:.0f}), {calls / total:.1f}"
                    )
                print(f"| {budget} | {rate:.2f} | {' | '.join(cells)} |")
    if "--plot" in sys.argv:
        panels = {
            f"{case.title}, {budget} calls": {
                planner: [
                    (rate, passed / total, *wilson(passed, total))
                    for rate in RATES
                    for passed, total, _ in [found[case.title, budget, planner, rate]]
                ]
                for planner in PLANNERS
            }
            for budget in BUDGETS
            for case in CASES
        }
        target = Path(sys.argv[sys.argv.index("--plot") + 1])
        target.write_text(draw_panels(panels, columns=len(CASES)), encoding="utf-8")


if __name__ == "__main__":
    main()
