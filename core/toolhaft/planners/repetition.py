"""Where a search has been: a point is what is known there, in whatever order it was asked for."""

from __future__ import annotations

from collections.abc import Container, Sequence

from toolhaft.errors import UnknownToolError
from toolhaft.planners.evidence import has_written
from toolhaft.planners.tree import Node
from toolhaft.tools.memory import canonical
from toolhaft.types import Observation, ToolCall


class Visited:
    """The points of a search.

    Reads commute: two paths that made the same calls since the last write stand at the same point. A decision
    that leads to a point where the search has been is a repetition, be it of an earlier try, of an earlier
    call on the same path, or of another branch in another order.
    """

    def __init__(self) -> None:
        self._points: dict[tuple[int, frozenset[str]], int] = {(0, frozenset()): -1}

    def find(
        self, calls: Sequence[ToolCall], node: Node, writes: int, missing: Container[str] = ()
    ) -> int | None:
        """Return the step by which the search came to where a decision would lead, or None.

        Args:
            calls: The decision.
            node: Where it is made.
            writes: Writes that were made so far, on any branch: after one, reads may return something else.
            missing: Names of tools that are not offered there: once one is, calling it is another thing.
        """
        wanted = _keys(calls, missing)
        last = _last_write(node)
        if last is not None and wanted <= last.written:
            return last.step
        return self._points.get((writes, node.known | wanted))

    def add(
        self, child: Node, node: Node, observations: Sequence[Observation], before: int, after: int
    ) -> None:
        """Note the point to which a decision led, and what is known there.

        A call that failed in a way that may pass leads nowhere new, so that it may be tried again. After a
        write, what was read before counts no more; the write does, so that it is not made twice in a row. A
        write that failed, but may have been carried out, the model may try once more, having read the error.

        Args:
            child: The decision, with its calls.
            node: Where it was made.
            observations: What came back.
            before: Writes that were made before it, on any branch.
            after: Writes that were made by now.
        """
        pairs = list(zip(child.calls, observations, strict=True))
        missing = {call.name for call, found in pairs if _was_missing(found)}
        if child.evidence.wrote:
            last = _last_write(node)
            made = _keys([call for call, found in pairs if has_written(found) and found.error is None])
            child.unsure = _keys([call for call, found in pairs if has_written(found)]) - made
            child.known = child.written = made | (child.unsure & last.unsure if last else frozenset())
            self._points.setdefault((before, node.known | _keys(child.calls, missing)), child.step)
        else:
            lasting = [call for call, found in pairs if found.error is None or not found.error.retryable]
            child.known = node.known | _keys(lasting, missing)
        self._points.setdefault((after, child.known), child.step)


def tried_calls(node: Node) -> tuple[ToolCall, ...]:
    """Return the calls that earlier tries at a node made, each once, in the order they were made."""
    found: dict[str, ToolCall] = {}
    for child in node.children:
        for call in child.calls:
            found.setdefault(_key(call), call)
    return tuple(found.values())


def _last_write(node: Node) -> Node | None:
    return next((above for above in node.upwards() if above.evidence.wrote), None)


def _was_missing(found: Observation) -> bool:
    return found.error is not None and found.error.code == UnknownToolError.code


def _keys(calls: Sequence[ToolCall], missing: Container[str] = ()) -> frozenset[str]:
    return frozenset(f"{_key(call)}{' (missing)' if call.name in missing else ''}" for call in calls)


def _key(call: ToolCall) -> str:
    return f"{call.name} {call.raw or canonical(call.arguments)}"
