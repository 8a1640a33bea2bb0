"""Changes of a state: rows of data, carried out all together or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.evaluators.pointer import MISSING
from toolhaft.types.pointer import unescape
from toolhaft.world.conditions import OPERATORS, compare_all, same
from toolhaft.world.copying import copy_json
from toolhaft.world.problem import RequestProblem
from toolhaft.world.scope import Scope
from toolhaft.world.service import State, next_id
from toolhaft.world.templates import fill, fill_given, fill_or_missing, matches, number, tidy

ROWS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "set": (frozenset({"value"}), frozenset()),
    "add": (frozenset({"value"}), frozenset()),
    "subtract": (frozenset({"value"}), frozenset()),
    "append": (frozenset({"value"}), frozenset()),
    "remove": (frozenset(), frozenset({"value", "where"})),
    "merge": (frozenset({"values"}), frozenset()),
    "update": (frozenset({"values"}), frozenset({"where"})),
    "insert": (frozenset({"value"}), frozenset({"as"})),
}
"""Kind of change -> the keys that it needs, and those that it may have; every row may have ``when``."""
_TOKENS = re.compile(r"(?:\$\{[^}]*\}|[^/])+")
_SELECTION = re.compile(r"\[([^\]=]+)=(.*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A table of records.

    Attributes:
        key: Field that tells records apart.
        prefix: Of the keys of new records; empty if the value of an insert holds its key.
        noun: What one record is called in a refusal.
    """

    key: str
    prefix: str = ""
    noun: str = "record"


@dataclass(slots=True)
class Changes:
    """Carries changes out on a state.

    Args:
        state: Changed in place.
        collections: For ``insert``.
    """

    state: State
    collections: Mapping[str, Collection] = field(default_factory=dict)
    _undo: list[Callable[[], None]] = field(default_factory=list)

    def apply(self, rows: Sequence[Mapping[str, Any]], scope: Scope) -> None:
        """Carry rows out in order.

        Raises:
            RequestProblem: One cannot be carried out; the state is what it was before.
        """
        done = False
        try:
            for row in rows:
                if all(holds(condition, scope) for condition in row.get("when", ())):
                    self._carry_out(row, scope)
            done = True
        finally:
            if not done:
                self.undo()

    def undo(self) -> None:
        """Put the state back to what it was before the first change."""
        while self._undo:
            self._undo.pop()()

    def _carry_out(self, row: Mapping[str, Any], scope: Scope) -> None:
        kind = kind_of(row)
        target = row[kind]
        if kind == "insert":
            self._insert(target, row, scope)
        elif kind == "merge":
            record = self._record(target, scope)
            self._keep(record)
            record.update(copy_json(fill_given(row["values"], scope)))
        elif kind == "update":
            self._update(target, row, scope)
        elif kind == "remove":
            self._remove(target, row, scope)
        else:
            self._put(kind, target, fill(row["value"], scope), scope)

    def _insert(self, name: str, row: Mapping[str, Any], scope: Scope) -> None:
        collection, rows = self.collections[name], self.state[name]
        record = copy_json(fill(row["value"], scope))
        self._keep(rows)
        if collection.prefix and record.get(collection.key) is None:
            self._keep(self.state)
            made = next_id(self.state, collection.prefix)
            record = {collection.key: made, **record, collection.key: made}
        key = record.get(collection.key)
        if not isinstance(key, str) or not key:
            raise RequestProblem(500, f"the rules insert a {collection.noun} without {collection.key}")
        if key in rows:
            raise RequestProblem(409, f"There is a {collection.noun} {key} already")
        rows[key] = record
        if "as" in row:
            scope.records[row["as"]] = record

    def _update(self, target: str, row: Mapping[str, Any], scope: Scope) -> None:
        found = self._find(target, scope)
        items = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
        values = fill_given(row["values"], scope)
        for item in items:
            if isinstance(item, dict) and matches(item, row.get("where", {}), scope):
                self._keep(item)
                item.update(copy_json(values))

    def _remove(self, target: str, row: Mapping[str, Any], scope: Scope) -> None:
        if "where" not in row and "value" not in row:
            container, key = self._place(target, scope)
            self._keep(container)
            del container[key]
            return
        found = self._find(target, scope)
        if not isinstance(found, dict | list):
            raise _nothing(target)
        self._keep(found)
        wanted = fill_or_missing(row.get("value", ""), scope) if "value" in row else MISSING

        def goes(item: Any) -> bool:
            return same(item, wanted) if "value" in row else matches(item, row["where"], scope)

        if isinstance(found, dict):
            for key in [key for key, item in found.items() if goes(item)]:
                del found[key]
        else:
            found[:] = [item for item in found if not goes(item)]

    def _put(self, kind: str, target: str, value: Any, scope: Scope) -> None:
        value = copy_json(value)
        if kind == "append":
            items = self._find(target, scope)
            if not isinstance(items, list):
                raise RequestProblem(500, f"{target} is no list that could be appended to")
            self._keep(items)
            items.append(value)
            return
        container, key = self._place(target, scope, may_add=kind == "set")
        self._keep(container)
        if kind == "set":
            container[key] = value
        else:
            change = number(value)
            container[key] = tidy(number(container[key]) + (change if kind == "add" else -change))

    def _keep(self, container: Any) -> None:
        """Remember what a container holds, for the case that a later change fails."""
        if isinstance(container, dict):
            members = dict(container)

            def restore() -> None:
                container.clear()
                container.update(members)
        else:
            items = list(container)

            def restore() -> None:
                container[:] = items

        self._undo.append(restore)

    def _record(self, target: str, scope: Scope) -> dict[str, Any]:
        found = self._find(target, scope)
        if not isinstance(found, dict):
            raise _nothing(target)
        return found

    def _find(self, target: str, scope: Scope) -> Any:
        value: Any = self.state
        for token in tokens(target):
            key = _step(value, token, scope)
            if key is MISSING:
                raise _nothing(target)
            value = value[key]
        return value

    def _place(self, target: str, scope: Scope, *, may_add: bool = False) -> tuple[Any, Any]:
        """Return the container that a pointer leads into, and the key or position in it."""
        *parents, last = tokens(target)
        value: Any = self.state
        for token in parents:
            key = _step(value, token, scope)
            if key is MISSING:
                raise _nothing(target)
            value = value[key]
        key = _step(value, last, scope)
        if key is MISSING:
            if not (may_add and isinstance(value, dict)) or _SELECTION.fullmatch(last):
                raise _nothing(target)
            key = _plain(last, scope)
        return value, key


def kind_of(row: Mapping[str, Any]) -> str:
    """Return the kind of a change."""
    return next(kind for kind in ROWS if kind in row)


def holds(condition: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a condition with ``that`` and comparisons holds.

    One about an argument that was not given holds, unless it asks whether it ``exists``.
    """
    value = fill_or_missing(condition["that"], scope)
    comparisons = {
        name: fill_or_missing(operand, scope) for name, operand in condition.items() if name in OPERATORS
    }
    return (value is MISSING and "exists" not in comparisons) or compare_all(value, comparisons)


def tokens(pointer: str) -> list[str]:
    """Return the tokens of a pointer that may hold references."""
    return _TOKENS.findall(pointer)


def _step(value: Any, token: str, scope: Scope) -> Any:
    """Return the key or position that a token names in a value, or `MISSING`.

    What a reference stands for is never read as a selection itself: it comes from the request.
    """
    selection = _SELECTION.fullmatch(token)
    if selection:
        wanted = str(fill(selection[2], scope))
        pairs = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        found = (
            key for key, item in pairs if isinstance(item, dict) and _text(item.get(selection[1])) == wanted
        )
        return next(found, MISSING)
    key = _plain(token, scope)
    if isinstance(value, dict):
        return key if key in value else MISSING
    if isinstance(value, list) and key.isascii() and key.isdecimal() and int(key) < len(value):
        return int(key)
    return MISSING


def _plain(token: str, scope: Scope) -> str:
    return str(fill(token, scope)) if "${" in token else unescape(token)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nothing(target: str) -> RequestProblem:
    return RequestProblem(404, f"There is nothing at {target}")
