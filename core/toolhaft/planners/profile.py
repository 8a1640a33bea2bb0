"""The settings of a depth-first search."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from toolhaft.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings of a depth-first search.

    Attributes:
        width: Decisions that are tried at one point at first, at least 1.
        widest: Decisions that are tried at one point at last; if no more than ``width``, it does not grow.
        depth: Rounds from the start, or from the last write that stands, at which a path is cut, at least 1.
        counting: What ``depth`` counts: ``rounds``, or the reference's ``nodes``: one for a thought, two
            for each call.
        back_off: Rounds that a give-up takes back, itself included, at least 1.
        answers: Answers after which the search ends, at least 1.
        model_calls: Most requests to the model, beside the budget; None leaves it to the budget.
        past_writes: Whether the search goes back past a write that succeeded.
        doubt: Whether it looks for something better than an answer that directly follows a dead end.
        repeats: Whether calls that were made before at this point, or on this path, are made again.

    Raises:
        UsageError: A number is too small, or ``counting`` is neither.
    """

    width: int = 2
    widest: int = 4
    depth: int = 12
    counting: Literal["rounds", "nodes"] = "rounds"
    back_off: int = 2
    answers: int = 1
    model_calls: int | None = None
    past_writes: bool = False
    doubt: bool = True
    repeats: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("width", "widest", "depth", "back_off", "answers"):
                _check_count(field.name, value)
            elif field.name == "model_calls":
                if value is not None:
                    _check_count(field.name, value)
            elif field.name == "counting":
                if value not in ("rounds", "nodes"):
                    raise UsageError(
                        f"counting is {value!r}", where="planner dfsdt", hint="It is rounds or nodes"
                    )
            elif not isinstance(value, bool):
                raise UsageError(
                    f"{field.name} is {value!r}", where="planner dfsdt", hint="It is True or False"
                )

    def cost(self, calls: int, text: str) -> int:
        """Return by how much a round goes deeper.

        Args:
            calls: How many were asked for.
            text: What the model said beside them.
        """
        if self.counting == "rounds":
            return 1
        return max(1, 2 * calls + bool(text.strip()))


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(
            f"{name} is {value!r}", where="planner dfsdt", hint="Give a whole number of at least 1"
        )


TOOLBENCH = Profile(
    width=2,
    widest=2,
    depth=12,
    counting="nodes",
    back_off=2,
    answers=1,
    model_calls=200,
    past_writes=True,
    doubt=False,
    repeats=True,
)
"""The settings of ToolBench.

Source: Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs" (ICLR
2024), section 3.1 and the settings of its published runs: 12 nodes, 2 children, 200 calls. Deviations: see
`toolhaft.planners.dfsdt.ToolBenchDFSDT`.
"""
