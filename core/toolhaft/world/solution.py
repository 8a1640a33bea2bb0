"""Reference solutions: calls with values passed on from one to the next."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.evaluators.pointer import MISSING, find

Caller = Callable[[str, dict[str, Any]], Awaitable[Any]]
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)((?:/[^}]*)?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionCall:
    """One call of a reference solution.

    Attributes:
        tool: Its name.
        arguments: May hold ``${name}`` or ``${name/pointer}``, which stand for earlier results.
        save: Name of the result, or empty.
    """

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    save: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """How a task can be done.

    Attributes:
        calls: In order.
        answer: What to tell the user; may hold references as arguments do.
    """

    calls: tuple[SolutionCall, ...] = ()
    answer: str = ""

    async def run(self, call: Caller) -> str:
        """Make the calls and return the answer.

        Args:
            call: Makes one call: name and arguments in, result out.

        Raises:
            UsageError: A reference leads nowhere.
        """
        results: dict[str, Any] = {}
        for step in self.calls:
            result = await call(step.tool, fill_in(step.arguments, results))
            if step.save:
                results[step.save] = result
        return str(fill_in(self.answer, results))


def fill_in(value: Any, results: Mapping[str, Any]) -> Any:
    """Return a value with its references replaced; one that is a whole text keeps the result's type.

    Raises:
        UsageError: A reference leads nowhere.
    """
    if isinstance(value, Mapping):
        return {name: fill_in(item, results) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [fill_in(item, results) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _look_up(whole, results)
    return _REFERENCE.sub(lambda match: str(_look_up(match, results)), value)


def _look_up(reference: re.Match[str], results: Mapping[str, Any]) -> Any:
    name, pointer = reference.groups()
    found = find(results.get(name, MISSING), pointer)
    if found is MISSING:
        raise UsageError(f"the reference {reference.group()} leads nowhere")
    return found
