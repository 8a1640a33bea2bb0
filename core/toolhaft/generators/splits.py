"""Parts of a set of tasks that have nothing in common: to train on, and to be tested by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from toolhaft.errors import UsageError
from toolhaft.tools.memory import canonical
from toolhaft.types import Task, ToolCall

By = Literal["instruction", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Two parts of a set of tasks.

    Attributes:
        train: To learn from.
        test: To be tested by; no task of it has its calls, or its tools, in ``train``.
        mixed: Tasks that take both kinds of tools, and belong to neither part.
        unseen: Tools that stand in ``test`` alone; empty for a split by instruction.
    """

    train: tuple[Task, ...]
    test: tuple[Task, ...]
    mixed: tuple[Task, ...] = ()
    unseen: tuple[str, ...] = ()


def split_tasks(tasks: Sequence[Task], *, share: float = 0.1, by: By = "instruction", seed: int = 0) -> Split:
    """Split tasks in two, the same way for the same seed.

    Args:
        tasks: With gold.
        share: Of the test part, in (0, 1): of the sets of calls, or of the tools.
        by: ``instruction``: all wordings of the same calls are on one side. ``tool``: the tools of the test
            part are not seen in training.
        seed: Another one gives another split.

    Raises:
        UsageError: The share is out of range, or ``by`` is neither.

    Source: unseen instructions and unseen tools, after Qin et al., "ToolLLM" (ICLR 2024), section 3.2.
    """
    if not 0 < share < 1:
        raise UsageError(f"the share of the test part is {share!r}", hint="Give a number between 0 and 1")
    if by not in ("instruction", "tool"):
        raise UsageError(f"there is no split by {by!r}", hint="Use instruction or tool")
    if by == "instruction":
        keys = {task.id: canonical([[call.name, call.arguments] for call in _calls(task)]) for task in tasks}
        chosen = _first(set(keys.values()), share, seed)
        return Split(
            train=tuple(task for task in tasks if keys[task.id] not in chosen),
            test=tuple(task for task in tasks if keys[task.id] in chosen),
        )
    used = Counter(name for task in tasks for name in _tools(task))
    unseen = _first(set(used), share, seed)
    return Split(
        train=tuple(task for task in tasks if not unseen & set(_tools(task))),
        test=tuple(task for task in tasks if _tools(task) and unseen >= set(_tools(task))),
        mixed=tuple(task for task in tasks if unseen & set(_tools(task)) and not unseen >= set(_tools(task))),
        unseen=tuple(sorted(unseen)),
    )


def _first(keys: set[str], share: float, seed: int) -> set[str]:
    """Return a share of keys, at least one of two or more, in the order of their hashes."""
    count = max(round(share * len(keys)), 1 if len(keys) > 1 else 0)
    return set(sorted(keys, key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest())[:count])


def _calls(task: Task) -> tuple[ToolCall, ...]:
    return task.gold.calls if task.gold is not None else ()


def _tools(task: Task) -> tuple[str, ...]:
    return task.gold.tools if task.gold is not None else ()
