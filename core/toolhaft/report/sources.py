"""Where the arguments of a call come from, as far as text can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.report.tree import ancestors
from toolhaft.types import Trajectory

_TEXT_CAP = 20_000
_LEAVES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text that the model had read.

    Attributes:
        label: As policies know it: ``user`` or ``tool:<name>``.
        position: Step that brought it; None is the task itself.
    """

    label: str
    position: int | None
    text: str


class Reading:
    """What the model of a trajectory had read before each step.

    Args:
        trajectory: One whose values JSON can hold.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self._steps = trajectory.steps
        self._task = Source(label="user", position=None, text=trajectory.task.instruction[:_TEXT_CAP])
        self._brought: dict[int, list[Source]] = {}

    def before(self, position: int) -> list[Source]:
        """Return the task and the observations on the path to a step, that step's own left out."""
        found = [self._task]
        for earlier in ancestors(self._steps, position):
            found.extend(self._of_step(earlier))
        return found

    def _of_step(self, position: int) -> list[Source]:
        if position not in self._brought:
            self._brought[position] = [
                Source(
                    label=f"tool:{observation.tool}",
                    position=position,
                    text=observation.text()[:_TEXT_CAP],
                )
                for observation in self._steps[position].observations
            ]
        return self._brought[position]


def find_sources(value: Any, sources: Sequence[Source]) -> list[Source]:
    """Return the sources that an argument's value stands in verbatim, as whole words.

    It is the rule by which policies label arguments; a value that stands nowhere is the model's own
    wording. Truth values and null cannot be traced. Of a large value the first 20 leaves are looked at.
    """
    found: dict[tuple[str, int | None], Source] = {}
    for leaf in _leaves(value):
        for source in sources:
            if stands_in(leaf, source.text):
                found.setdefault((source.label, source.position), source)
    return list(found.values())


def stands_in(word: str, text: str) -> bool:
    """Whether ``word`` stands in ``text`` without being part of a longer word or number."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        before = start > 0 and text[start - 1].isalnum() and word[0].isalnum()
        after = end < len(text) and text[end].isalnum() and word[-1].isalnum()
        if not before and not after:
            return True
        start = text.find(word, start + 1)
    return False


def _leaves(value: Any) -> list[str]:
    found: list[str] = []
    waiting = [value]
    looked_at = 0
    while waiting and len(found) < _LEAVES and looked_at < 10 * _LEAVES:
        looked_at += 1
        item = waiting.pop()
        if isinstance(item, str):
            if item and len(item) <= _TEXT_CAP:
                found.append(item)
        elif isinstance(item, bool) or item is None:
            continue
        elif isinstance(item, int | float):
            found.append(_number(item))
        elif isinstance(item, Mapping):
            waiting.extend(list(item.values())[:_LEAVES])
        elif isinstance(item, list | tuple):
            waiting.extend(item[:_LEAVES])
    return found


def _number(value: float) -> str:
    if isinstance(value, float):
        return f"{value:g}" if value.is_integer() else str(value)
    return str(value) if value.bit_length() < 1000 else "[a number of many digits]"
