"""Where the arguments of a call come from, as far as text can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """What the model of a trajectory had read before each step, and what it took from there.

    Args:
        trajectory: One whose values JSON can hold.
        effort: Characters that may be searched in all; past them nothing is traced.
    """

    def __init__(self, trajectory: Trajectory, effort: int = 200_000_000) -> None:
        self._steps = trajectory.steps
        given = (replace(artifact, name="").line() for artifact in trajectory.task.artifacts)
        said = [trajectory.task.instruction, *given]
        self._task = Source(label="user", position=None, text="\n".join(said)[:_TEXT_CAP])
        self._brought: dict[int, list[Source]] = {}
        self._known: dict[tuple[int, int, str], list[Source] | None] = {}
        self._effort = effort

    def before(self, position: int) -> list[Source]:
        """Return the task and the observations on the path to a step, that step's own left out."""
        found = [self._task]
        for earlier in ancestors(self._steps, position):
            found.extend(self._of_step(earlier))
        return found

    def sources(self, position: int, call: int, argument: str) -> list[Source] | None:
        """Return the sources that an argument's value stands in verbatim, as whole words.

        It is the rule by which policies label arguments; a value that stands nowhere is the model's own
        wording. Of a large value the first 20 leaves are looked at.

        Args:
            position: Of the step.
            call: Position of the call in the step.
            argument: Its name.

        Returns:
            None where it cannot be told: truth values, null, or no effort is left.
        """
        key = (position, call, argument)
        if key not in self._known:
            value = self._steps[position].calls[call].arguments[argument]
            self._known[key] = self._trace(value, position)
        return self._known[key]

    def _trace(self, value: Any, position: int) -> list[Source] | None:
        leaves = _leaves(value)
        if not leaves:
            return None
        found: dict[tuple[str, int | None], Source] = {}
        for source in self.before(position):
            for leaf in leaves:
                if self._effort <= 0:
                    return None
                stands, looked_at = stands_in(leaf, source.text)
                self._effort -= looked_at
                if stands:
                    found.setdefault((source.label, source.position), source)
                    break
        return list(found.values())

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


def stands_in(word: str, text: str) -> tuple[bool, int]:
    """Return whether ``word`` stands in ``text`` outside a longer word or number, and characters searched.

    A long word that keeps standing within longer ones is given up after a while: text made for that
    would take quadratic time.
    """
    start = text.find(word)
    looked_at = len(text)
    patience = 100_000 // len(word)
    while start >= 0 and patience > 0:
        end = start + len(word)
        before = start > 0 and text[start - 1].isalnum() and word[0].isalnum()
        after = end < len(text) and text[end].isalnum() and word[-1].isalnum()
        if not before and not after:
            return True, looked_at
        following = text.find(word, start + 1)
        looked_at += len(word) + (following - start if following >= 0 else len(text) - start)
        start = following
        patience -= 1
    return False, looked_at


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
