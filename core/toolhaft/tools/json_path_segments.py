"""Steps of JSONPath expressions that count what they look at, so that no expression takes for ever.

Imported only where an expression is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonpath.match import JSONPathMatch
from jsonpath.parse import Parser
from jsonpath.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment


class TooLongError(Exception):
    """An expression looked at more than it may."""


class Steps(dict[str, Any]):
    """What an expression may still look at; handed on to the expressions inside its filters.

    Args:
        most: Values.
    """

    def __init__(self, most: int) -> None:
        super().__init__(steps=True)  # what is empty is not handed on
        self._left = most

    def take(self, depth: int = 0) -> None:
        """Count one value; each holds its whole way from the root, so that deep ones count more.

        Raises:
            TooLongError: It is one too many.
        """
        self._left -= 1 + depth // 16
        if self._left < 0:
            raise TooLongError


class CountingParser(Parser):
    """Makes expressions of steps that count; evaluate them with ``filter_context=Steps(...)``."""

    def parse_query(self, stream: Any) -> Iterable[JSONPathSegment]:
        """Yield the steps of an expression."""
        for segment in super().parse_query(stream):
            kind = _Descent if isinstance(segment, JSONPathRecursiveDescentSegment) else _Child
            yield kind(env=segment.env, token=segment.token, selectors=segment.selectors)


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        """Select children, each of them counted."""
        for node in nodes:
            steps: Any = node.filter_context()
            for selector in self.selectors:
                steps.take()
                for found in selector.resolve(node):
                    steps.take()
                    yield found


class _Descent(JSONPathRecursiveDescentSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        """Select descendants, what is visited on the way counted."""
        for node in nodes:
            steps: Any = node.filter_context()
            for inner in self._visit(node):
                for selector in self.selectors:
                    steps.take(len(inner.parts))
                    for found in selector.resolve(inner):
                        steps.take(len(found.parts))
                        yield found

    def _visit(self, node: JSONPathMatch, depth: int = 1) -> Iterable[JSONPathMatch]:
        """Go through objects and lists in their order, by loop: they may be nested deeply."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            yield node
            held: Any = ()
            if isinstance(node.obj, Mapping):
                held = node.obj.items()
            elif isinstance(node.obj, list | tuple):
                held = enumerate(node.obj)
            inner = [node.new_child(item, key) for key, item in held if isinstance(item, dict | list | tuple)]
            waiting.extend(reversed(inner))
