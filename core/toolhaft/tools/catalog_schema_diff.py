"""What a change of a JSON Schema does to those who send, or read, what it describes.

Decided by rules for each keyword, never by trying values. What no rule covers counts as breaking.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.tools.subschemas import referred
from toolhaft.types.pointer import escape

ChangeKind = Literal["breaking", "additive", "textual"]
_TEXTS = frozenset(
    [
        "description",
        "title",
        "examples",
        "example",
        "deprecated",
        "$comment",
        "externalDocs",
        "xml",
        "$schema",
    ]
)
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_DEEPEST = 60
_MOST = 500
_MOST_STEPS = 50_000
_ALL_TYPES = frozenset(["null", "boolean", "object", "array", "number", "string"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes:
        kind: ``breaking`` may make a call fail that worked; ``additive`` lets more through; ``textual``
            changes only what is read.
        pointer: JSON pointer of the place in the tool's spec.
        what: One sentence without a full stop.
    """

    kind: ChangeKind
    pointer: str
    what: str


def compare_schemas(old: Any, new: Any, pointer: str = "", *, output: bool = False) -> list[Change]:
    """Return what changed from one schema to the other, at most 500 differences.

    Args:
        old: A self-contained JSON Schema 2020-12.
        new: Another.
        pointer: Stands before the pointers of the changes.
        output: The schemas describe answers, not arguments: there, more is what breaks a reader.
    """
    return _Comparison(old, new, output).run(pointer)


class _Comparison:
    """One run over two schemas, each with definitions of its own."""

    def __init__(self, old: Any, new: Any, output: bool) -> None:
        self._old_root, self._new_root = old, new
        self._narrower: ChangeKind = "additive" if output else "breaking"
        self._wider: ChangeKind = "breaking" if output else "additive"
        self._under_way: set[tuple[int, int]] = set()
        self._steps = 0

    def run(self, pointer: str) -> list[Change]:
        """Return the changes, the first of them where there are too many."""
        found: list[Change] = []
        for change in self._schemas(self._old_root, self._new_root, pointer, 0):
            if len(found) == _MOST:
                found.append(Change(kind="breaking", pointer=pointer, what="there are more changes"))
                break
            found.append(change)
        return found

    def _schemas(self, old: Any, new: Any, pointer: str, depth: int) -> Iterator[Change]:
        # The nodes as written are kept by their roots, so that their identity tells what was compared.
        key = (id(old), id(new))
        if key in self._under_way:
            return
        if not isinstance(old, bool) and not isinstance(new, bool):
            self._under_way.add(key)
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            yield Change(kind="breaking", pointer=pointer, what="too deep or too large to compare")
            return
        if old is new:
            return
        if old is not False and new is not False:
            old, new = ({} if schema is True else schema for schema in (old, new))
        if isinstance(old, bool) or isinstance(new, bool):
            yield from self._nothing(old, pointer)
        elif union := self._into_union(old, new, pointer, depth):
            yield union
        else:
            yield from self._objects(old, new, pointer, depth)

    def _nothing(self, old: Any, pointer: str) -> Iterator[Change]:
        wider = old is False
        what = "something is accepted now" if wider else "nothing is accepted any more"
        yield Change(kind=self._wider if wider else self._narrower, pointer=pointer, what=what)

    def _into_union(self, old: Any, new: Any, pointer: str, depth: int) -> Change | None:
        """Return the change where one side is a union and the other is one of its branches."""
        for key in _UNIONS:
            if key in new and key not in old and _only(new, key):
                if any(self._accepts(old, branch, depth) for branch in new[key]):
                    return Change(kind=self._wider, pointer=pointer, what=f"became one of several ({key})")
                continue
            plain = key in old and key not in new and _only(old, key)
            if plain and all(self._accepts(branch, new, depth) for branch in old[key]):
                return Change(kind=self._wider, pointer=pointer, what=f"is no longer a union ({key})")
        return None

    def _accepts(self, old: Any, new: Any, depth: int) -> bool:
        """Whether nothing narrows from one schema to the other."""
        before = set(self._under_way)
        found = all(c.kind in (self._wider, "textual") for c in self._schemas(old, new, "", depth + 1))
        self._under_way = before
        return found

    def _objects(self, old: Any, new: Any, pointer: str, depth: int) -> Iterator[Change]:
        yield from self._types(old, new, pointer)
        yield from self._values(old, new, pointer)
        yield from self._bounds(old, new, pointer)
        yield from self._members(old, new, pointer, depth)
        yield from self._unions(old, new, pointer, depth)
        for key in dict.fromkeys((*old, *new)):
            if key in _COVERED or _same(old.get(key, _ABSENT), new.get(key, _ABSENT)):
                continue
            place = f"{pointer}/{escape(key)}"
            if key in _TEXTS or key.startswith("x-"):
                yield Change(kind="textual", pointer=place, what=f"{key} {_verb(key, old, new)}")
            elif key in ("pattern", "format", "not", "uniqueItems", "multipleOf", "allOf"):
                yield self._rule(key, old, new, place)
            else:
                yield Change(kind="breaking", pointer=place, what=f"{key} {_verb(key, old, new)}")

    def _rule(self, key: str, old: Any, new: Any, place: str) -> Change:
        """Return the change of a keyword that only ever narrows."""
        before, after = old.get(key), new.get(key)
        wider = key not in new or (key == "uniqueItems" and after is not True)
        if key == "multipleOf" and isinstance(before, int) and isinstance(after, int) and after > 0:
            wider = before % after == 0
        if key == "allOf" and isinstance(before, list) and isinstance(after, list):
            wider = all(any(_same(part, kept) for kept in before) for part in after)
        kind = self._wider if wider else self._narrower
        if not wider and key in old and not (key == "allOf" and self._narrower == "breaking"):
            kind = "breaking"
        return Change(kind=kind, pointer=place, what=f"{key} {_verb(key, old, new)}")

    def _types(self, old: Any, new: Any, pointer: str) -> Iterator[Change]:
        before, after = _types(old), _types(new)
        lost = {
            kind for kind in before if kind not in after and not (kind == "integer" and "number" in after)
        }
        won = {
            kind for kind in after if kind not in before and not (kind == "integer" and "number" in before)
        }
        place = f"{pointer}/type"
        if lost:
            yield Change(kind=self._narrower, pointer=place, what=f"no longer {_listed(lost)}")
        if won:
            yield Change(kind=self._wider, pointer=place, what=f"may be {_listed(won)}")

    def _values(self, old: Any, new: Any, pointer: str) -> Iterator[Change]:
        before, after = _allowed(old), _allowed(new)
        place = f"{pointer}/enum"
        if before is None and after is not None:
            yield Change(kind=self._narrower, pointer=place, what="only listed values are left")
        elif before is not None and after is None:
            yield Change(kind=self._wider, pointer=place, what="any value, no longer listed ones alone")
        elif before is not None and after is not None:
            if lost := [value for value in before if value not in after]:
                yield Change(kind=self._narrower, pointer=place, what=f"no longer {_listed(lost)}")
            if won := [value for value in after if value not in before]:
                yield Change(kind=self._wider, pointer=place, what=f"may be {_listed(won)}")

    def _bounds(self, old: Any, new: Any, pointer: str) -> Iterator[Change]:
        for key in (*_LOWER, *_UPPER):
            before, after = old.get(key), new.get(key)
            if _same(before, after):
                continue
            narrower = after is not None
            if isinstance(before, int | float) and isinstance(after, int | float):
                narrower = after > before if key in _LOWER else after < before
            kind = self._narrower if narrower else self._wider
            yield Change(kind=kind, pointer=f"{pointer}/{key}", what=f"{key} {_verb(key, old, new)}")

    def _members(self, old: Any, new: Any, pointer: str, depth: int) -> Iterator[Change]:
        before, after = _mapping(old, "properties"), _mapping(new, "properties")
        needed, needs = _names(old), _names(new)
        for name, schema in before.items():
            place = f"{pointer}/properties/{escape(name)}"
            if name not in after:
                yield Change(kind="breaking", pointer=place, what=f"{name!r} was removed")
            else:
                yield from self._schemas(schema, after[name], place, depth + 1)
        for name in after:
            if name not in before:
                kind: ChangeKind = self._narrower if name in needs else "additive"
                said = "new and required" if name in needs else "new"
                place = f"{pointer}/properties/{escape(name)}"
                yield Change(kind=kind, pointer=place, what=f"{name!r} is {said}")
        place = f"{pointer}/required"
        for name in needs:
            if name not in needed and (name in before or name not in after):
                yield Change(kind=self._narrower, pointer=place, what=f"{name!r} is required now")
        for name in needed:
            if name not in needs and name in after:
                yield Change(kind=self._wider, pointer=place, what=f"{name!r} is optional now")
        for key in ("additionalProperties", "items"):
            if key in old or key in new:
                place = f"{pointer}/{key}"
                yield from self._schemas(old.get(key, True), new.get(key, True), place, depth + 1)

    def _unions(self, old: Any, new: Any, pointer: str, depth: int) -> Iterator[Change]:
        for key in _UNIONS:
            before, after = _list(old, key), _list(new, key)
            place = f"{pointer}/{key}"
            if not before and not after:
                continue
            if not before or not after:
                kind = self._narrower if after else self._wider
                yield Change(
                    kind=kind, pointer=place, what=f"{key} {'was added' if after else 'was removed'}"
                )
            elif len(before) == len(after):
                for n, pair in enumerate(zip(before, after, strict=True)):
                    yield from self._schemas(*pair, f"{place}/{n}", depth + 1)
            else:
                yield from self._branches(key, before, after, place)

    def _branches(self, key: str, before: list[Any], after: list[Any], place: str) -> Iterator[Change]:
        plain_before = [_resolved(branch, self._old_root) for branch in before]
        plain_after = [_resolved(branch, self._new_root) for branch in after]
        lost = [branch for branch in plain_before if not any(_same(branch, kept) for kept in plain_after)]
        won = [branch for branch in plain_after if not any(_same(branch, kept) for kept in plain_before)]
        if lost:
            yield Change(kind="breaking", pointer=place, what=f"{len(lost)} of the alternatives are gone")
        if won:
            # With oneOf, a value that fits an old branch and a new one fits none any more.
            apart = key == "anyOf" or all(_disjoint(a, b) for a in won for b in plain_before)
            kind = self._wider if apart else "breaking"
            yield Change(kind=kind, pointer=place, what=f"{len(won)} new alternatives")


_ABSENT: Any = object()
_UNIONS = ("anyOf", "oneOf")
_OBJECTS = ("properties", "required", "additionalProperties", "items", "$defs", "definitions", "$ref")
_COVERED = frozenset(("type", "enum", "const", *_OBJECTS, *_UNIONS, *_LOWER, *_UPPER))


def _resolved(schema: Any, root: Any) -> Any:
    """Follow references inside the root; one with siblings becomes one object, its own members first."""
    for _ in range(20):
        if not isinstance(schema, Mapping) or not schema:
            return schema if isinstance(schema, bool) else True
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        target = referred(root, reference)
        if target is None:
            return {key: value for key, value in schema.items() if key != "$ref"} | {"x-lost": reference}
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **own} if own and isinstance(target, Mapping) else target
    return True


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    kinds = schema.get("type")
    if kinds is None:
        return _ALL_TYPES
    return frozenset(str(kind) for kind in kinds) if isinstance(kinds, list) else frozenset([str(kinds)])


def _allowed(schema: Mapping[str, Any]) -> list[str] | None:
    if "const" in schema:
        return [_text(schema["const"])]
    listed = schema.get("enum")
    return [_text(value) for value in listed] if isinstance(listed, list) else None


def _only(schema: Mapping[str, Any], key: str) -> bool:
    """Whether a schema says nothing but this keyword, texts aside."""
    return isinstance(schema[key], list) and all(
        name == key or name in _TEXTS or name == "$defs" for name in schema
    )


def _disjoint(first: Any, second: Any) -> bool:
    """Whether it is plain that no value fits both."""
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return False
    kinds, others = _types(first), _types(second)
    if not kinds & others and not ({"integer", "number"} & kinds and {"integer", "number"} & others):
        return True
    values, other_values = _allowed(first), _allowed(second)
    if values is not None and other_values is not None and not set(values) & set(other_values):
        return True
    properties, others_properties = _mapping(first, "properties"), _mapping(second, "properties")
    both = [name for name in _names(first) if name in _names(second)]
    return any(
        _disjoint(properties[name], others_properties[name])
        for name in both
        if name in properties and name in others_properties
    )


def _mapping(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(schema: Mapping[str, Any], key: str) -> list[Any]:
    found = schema.get(key)
    return found if isinstance(found, list) else []


def _names(schema: Mapping[str, Any]) -> list[str]:
    return [name for name in _list(schema, "required") if isinstance(name, str)]


def _same(first: Any, second: Any) -> bool:
    if first is _ABSENT or second is _ABSENT:
        return first is second
    return _text(first) == _text(second)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _listed(values: Any) -> str:
    shown = sorted(str(value) for value in values)
    return ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")


def _verb(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key not in old:
        return f"was added: {_text(new[key]):.80}"
    if key not in new:
        return f"was removed: {_text(old[key]):.80}"
    return f"was {_text(old[key]):.60}, is {_text(new[key]):.60}"
