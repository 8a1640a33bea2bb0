"""Schemas of tools kept to a size: texts are shortened first, then the deepest optional parts go."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.schemas.composing import PREFIX
from toolhaft.openapi.schemas.outlines import Path, Unit, outline, size_of
from toolhaft.openapi.schemas.shortening import Shortener
from toolhaft.tools.subschemas import map_children, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How large the arguments schema of one tool may be, in bytes of JSON.

    Attributes:
        largest: Beyond this, parts are left out.
        ample: Beyond this, the texts inside arguments are shortened.
    """

    largest: int = 32_000
    ample: int = 6_000


SIZES = SizeLimits()
"""What is allowed unless a caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part that was left out; any value is taken there.

    Attributes:
        definition: Name of the definition it stood in; empty for the arguments themselves.
        path: Where in it; empty for the whole definition.
    """

    definition: str
    path: Path


@dataclass(frozen=True, slots=True)
class Fitted:
    """A schema of the size that was asked for.

    Attributes:
        schema: Self-contained.
        cuts: What was left out, in the order of the schema.
    """

    schema: dict[str, Any]
    cuts: tuple[Cut, ...] = ()


_TEXTS = ((500, 160), (200, 80), (80, 0), (0, 0))
"""Characters of a description: of an argument, and of what lies inside it; less with every step."""
_OVERHEAD = 8
"""Bytes that a definition costs beyond its name and its schema."""
_DESCRIBED = 80
"""Characters of the description of an argument that stay where the rest of it is left out."""
_ROOT = ""


class Fitter:
    """Makes the schemas of one document's tools as small as they must be; definitions are weighed once.

    Args:
        limits: The sizes.
    """

    def __init__(self, limits: SizeLimits = SIZES) -> None:
        self._limits = limits
        self._weights: dict[int, tuple[dict[str, Any], int]] = {}
        self._shorteners = [Shortener(inner) for _, inner in _TEXTS]
        self._outlines: dict[int, Unit] = {}

    def fit(self, schema: dict[str, Any], reserved: int = 0) -> Fitted:
        """Return the arguments schema of a tool in the size that it may have.

        Args:
            schema: With its ``$defs``; it is not changed.
            reserved: Bytes of the tool that are not of its arguments.
        """
        made, selection = self._texts(schema, reserved)
        return Fitted(made) if selection is None else Fitted(selection.schema(), selection.cuts())

    def cuts(self, schema: dict[str, Any], reserved: int = 0) -> tuple[Cut, ...]:
        """Return what `fit` leaves out, without making what it makes."""
        _, selection = self._texts(schema, reserved)
        return () if selection is None else selection.cuts()

    def _texts(self, schema: dict[str, Any], reserved: int) -> tuple[dict[str, Any], _Selection | None]:
        """Return a schema with texts as short as they must be, and what stays where that is not enough."""
        if reserved + self._size(schema) <= self._limits.ample:
            return schema, None
        made = schema
        for texts in (0, 1):
            made = self._shortened(schema, texts)
            if reserved + self._size(made) <= self._limits.largest:
                return made, None
        selection = self._select(made, self._limits.largest - reserved)
        for texts in range(2, len(_TEXTS)):
            if selection.room >= 0:
                break
            made = self._shortened(schema, texts)
            selection = self._select(made, self._limits.largest - reserved)
        return made, selection

    def _size(self, schema: dict[str, Any]) -> int:
        definitions = schema.get("$defs", {})
        own = size_of({key: value for key, value in schema.items() if key != "$defs"})
        return own + sum(len(name) + _OVERHEAD + self._weight(node) for name, node in definitions.items())

    def _weight(self, schema: dict[str, Any]) -> int:
        known = self._weights.get(id(schema))
        if known is None:
            known = self._weights[id(schema)] = (schema, size_of(schema))
        return known[1]

    def _shortened(self, schema: dict[str, Any], texts: int) -> dict[str, Any]:
        own, shortener = _TEXTS[texts][0], self._shorteners[texts]
        made = dict(schema)
        made["properties"] = {
            name: shortener.shorten_within(node, own) if isinstance(node, dict) else node
            for name, node in schema.get("properties", {}).items()
        }
        if "$defs" in schema:
            made["$defs"] = {name: shortener.shorten(node) for name, node in schema["$defs"].items()}
        return made

    def _outline(self, name: str, schema: dict[str, Any]) -> Unit:
        known = self._outlines.get(id(schema))
        if known is None:
            known = self._outlines[id(schema)] = outline(schema)
            known.weight += len(name) + _OVERHEAD
        return known

    def _select(self, schema: dict[str, Any], room: int) -> _Selection:
        root = outline({key: value for key, value in schema.items() if key != "$defs"}, described=_DESCRIBED)
        definitions = {name: self._outline(name, node) for name, node in schema.get("$defs", {}).items()}
        selection = _Selection(root, definitions, room)
        selection.fill()
        return selection


class _Selection:
    """Which units of a schema stay."""

    def __init__(self, root: Unit, definitions: dict[str, Unit], room: int) -> None:
        self.room = room
        self._root = root
        self._definitions = definitions
        self._kept: set[int] = set()

    def fill(self) -> None:
        """Keep the arguments, then all that must be sent with them, then the rest from the top down."""
        for needed in (True, False):
            waiting: deque[Unit] = deque([self._root])
            seen: set[int] = set()
            while waiting:
                unit = waiting.popleft()
                if id(unit) not in seen and self._keep(unit):
                    seen.add(id(unit))
                    waiting.extend(inner for inner in unit.units if inner.required or not needed)
                    waiting.extend(self._referred(unit, needed))

    def _referred(self, unit: Unit, needed: bool) -> list[Unit]:
        found = []
        for name, required in unit.references.items():
            if (required or not needed) and name in self._definitions:
                found.append(self._definitions[name])
        return found

    def _keep(self, unit: Unit) -> bool:
        if id(unit) in self._kept:
            return True
        cost = unit.weight - (size_of(unit.stand_in) if unit.path else 0)
        if cost > self.room and unit is not self._root:
            return False
        self.room -= cost
        self._kept.add(id(unit))
        return True

    def cuts(self) -> tuple[Cut, ...]:
        """Return what does not stay, in the order of the schema."""
        found: list[Cut] = []
        for definition, whole in ((_ROOT, self._root), *self._definitions.items()):
            if id(whole) not in self._kept:
                found.append(Cut(definition, ()))
                continue
            waiting = [whole]
            while waiting:
                for inner in waiting.pop().units:
                    if id(inner) in self._kept:
                        waiting.append(inner)
                    else:
                        found.append(Cut(definition, inner.path))
        return tuple(found)

    def schema(self) -> dict[str, Any]:
        """Return the schema with what stays."""
        kept = {name for name, unit in self._definitions.items() if id(unit) in self._kept}
        made = self._rebuilt(self._root, kept)
        definitions = {name: self._rebuilt(self._definitions[name], kept) for name in sorted(kept)}
        definitions = reached(made, definitions)
        return {**made, "$defs": definitions} if definitions else made

    def _rebuilt(self, unit: Unit, kept: set[str]) -> dict[str, Any]:
        parts: dict[int, dict[str, Any]] = {}
        for inner in unit.units:
            stays = id(inner) in self._kept
            parts[id(inner.schema)] = self._rebuilt(inner, kept) if stays else inner.stand_in
        lost = {name for name in unit.references if name in self._definitions and name not in kept}
        return self._replaced(unit.schema, parts, lost) if parts or lost else unit.schema

    def _replaced(
        self, schema: dict[str, Any], parts: dict[int, dict[str, Any]], lost: set[str]
    ) -> dict[str, Any]:
        def change(child: dict[str, Any]) -> dict[str, Any]:
            part = parts.get(id(child))
            return part if part is not None else self._replaced(child, parts, lost)

        made = map_children(schema, change)
        name = made.get("$ref", "").removeprefix(PREFIX)
        if name not in lost:
            return made
        rest = {key: value for key, value in made.items() if key != "$ref"}
        return {**self._definitions[name].stand_in, **rest}
