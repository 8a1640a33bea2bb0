"""Sub-trees of code in the order in which the published scripts look at them: from the last to the first.

The scripts keep the text of each sub-tree's first child, and take the first where that is the callee.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from toolhaft_evals.apibench.calls import leading_string, mask_strings, read_call

_COMMENT = re.compile(r"#[^\n]*")
_Located = ast.expr | ast.stmt | ast.keyword | ast.alias


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A sub-tree that Python's own syntax tree has no node for: an argument list, the name of a module."""

    first: str
    text: str
    inner: Sequence[ast.AST] = ()


class SourceTree:
    """Code that is Python.

    Attributes:
        last: Text of the sub-tree that is looked at last.
    """

    def __init__(self, tree: ast.Module, source: str) -> None:
        self._data = source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._data.split(b"\n"))]
        self._found: dict[str, str] = {}
        self.last = source
        for first, text in self._walk(tree):
            self._found.setdefault(first, text)
            self.last = text

    def find(self, callee: str) -> str:
        """Return the text of the first sub-tree of a callee; empty if there is none."""
        return self._found.get(callee, "")

    def text(self, node: _Located) -> str:
        """Return the text of a node."""
        return self._between(self._starts[node.lineno - 1] + node.col_offset, node)

    def _between(self, begin: int, last: _Located) -> str:
        return self._data[begin : self._end(last)].decode("utf-8", "replace")

    def _end(self, node: _Located) -> int:
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def _walk(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        """Yield the text of the first child, and of all, of every node that has children."""
        waiting: list[ast.AST | _Part] = list(_inner(tree))
        while waiting:
            node = waiting.pop()
            if isinstance(node, _Part):
                waiting += node.inner
                yield node.first, node.text
                continue
            if isinstance(node, ast.Call):
                waiting += [] if _is_leaf(node.func) else [node.func]
                brackets = self._between(self._end(node.func), node)
                waiting.append(
                    _Part(
                        first="(", text=brackets, inner=[one for one in _inner(node) if one is not node.func]
                    )
                )
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [_Part(first=node.module.partition(".")[0], text=node.module), *_inner(node)]
            else:
                waiting += _inner(node)
            if isinstance(node, ast.alias):
                yield node.name.partition(".")[0], node.name
            elif isinstance(node, _Located):
                yield self._first(node), self.text(node)

    def _first(self, node: ast.AST) -> str:
        if isinstance(node, ast.keyword):
            return node.arg or ""
        if isinstance(node, ast.Assign):
            return self.text(node.targets[0])
        for name in ("func", "value", "left", "target"):
            child = getattr(node, name, None)
            if isinstance(child, ast.expr):
                return self.text(child)
        return ""


class BrokenSource:
    """Code that is no Python: a call is found by its name and its parentheses.

    Attributes:
        last: The string that it begins with, for want of a tree.
    """

    def __init__(self, source: str) -> None:
        masked = mask_strings(source)
        self._source = source
        self._masked = _COMMENT.sub(lambda match: " " * len(match[0]), masked)
        self._found: dict[str, str] = {}
        self.last = leading_string(source)

    def find(self, callee: str) -> str:
        """Return the last call of a callee that stands outside of strings; empty if there is none."""
        if callee not in self._found:
            self._found[callee] = self._search(callee)
        return self._found[callee]

    def _search(self, callee: str) -> str:
        found, begins = "", self._masked.find(f"{callee}(")
        while begins >= 0:
            end = begins + len(callee)
            before = self._masked[max(0, begins - 1) : begins]
            if not before or not (before.isalnum() or before in ("_", ".")):
                found = read_call(self._source, begins, end).text
                end = begins + len(found)
            begins = self._masked.find(f"{callee}(", end)
        return found


def _inner(node: ast.AST) -> list[ast.AST]:
    """Return the children that have children themselves, as they stand in the source."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Located):
            found += [] if _is_leaf(child) else [child]
        else:
            found += _inner(child)
    return sorted(found, key=lambda one: (getattr(one, "lineno", 0), getattr(one, "col_offset", 0)))


def _is_leaf(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str | bytes)
    return isinstance(node, ast.Name)
