"""Calls that were made before: by an earlier try at the same point, or earlier on the same path."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.planners.evidence import has_written
from toolhaft.planners.tree import Node
from toolhaft.tools.memory import canonical
from toolhaft.types import Step, ToolCall


def tried_calls(node: Node) -> tuple[ToolCall, ...]:
    """Return the calls that earlier tries at a node made, each once, in the order they were made."""
    found: dict[str, ToolCall] = {}
    for child in node.children:
        for call in child.calls:
            found.setdefault(_key(call), call)
    return tuple(found.values())


def repeats_sibling(calls: Sequence[ToolCall], node: Node) -> int | None:
    """Return the step of an earlier try at a node that made all of these calls, or None."""
    wanted = {_key(call) for call in calls}
    for child in node.children:
        if wanted and wanted <= {_key(call) for call in child.calls}:
            return child.step
    return None


def repeats_path(calls: Sequence[ToolCall], node: Node, steps: Sequence[Step]) -> int | None:
    """Return the last step on the path to a node that made one of these calls, if all of them were made.

    Only calls count since which nothing was written: a read may return something else afterwards. The write
    itself counts, so that it is not made twice in a row. A call that failed in a way that may pass is no
    repetition either.
    """
    wanted = {_key(call) for call in calls}
    latest: int | None = None
    for above in node.upwards():
        for call in _made(above, steps):
            if _key(call) in wanted:
                wanted.discard(_key(call))
                latest = above.step if latest is None else latest
        if above.evidence.wrote:
            break
    return latest if not wanted else None


def _made(node: Node, steps: Sequence[Step]) -> list[ToolCall]:
    if not node.calls:
        return []
    pairs = zip(node.calls, steps[node.step].observations, strict=False)
    return [
        call
        for call, found in pairs
        if (has_written(found) if node.evidence.wrote else found.error is None or not found.error.retryable)
    ]


def _key(call: ToolCall) -> str:
    return f"{call.name} {call.raw or canonical(call.arguments)}"
