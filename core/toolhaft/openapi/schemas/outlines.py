"""What a schema weighs, taken apart where something of it may be left out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from toolhaft.openapi.schemas.composing import PREFIX
from toolhaft.tools.subschemas import NAMED, children

SMALLEST = 250
"""Bytes of a schema that is worth leaving out; a smaller one goes with what it stands in."""

FINEST = 60
"""The same inside one that has too many small parts to be kept whole."""
COARSEST = 6_000
"""Bytes of a unit that is not taken apart more finely."""

_WHOLE = frozenset({"allOf", "not", "if", "then", "else"})
"""Keywords whose schemas are no use in part."""

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Unit:
    """A schema that is kept or left out as one, without the units inside it.

    Attributes:
        path: Where it stands in its definition.
        schema: The whole of it.
        weight: Bytes of JSON, with stand-ins in place of the units inside it.
        required: Whether whoever sends what it stands in must send it too.
        stand_in: What takes its place where it is left out.
        units: The units inside it.
        references: Names of definitions that it refers to -> whether whoever sends it must send them too.
    """

    path: Path
    schema: dict[str, Any]
    weight: int
    required: bool
    stand_in: dict[str, Any]
    units: list[Unit] = field(default_factory=list)
    references: dict[str, bool] = field(default_factory=dict)


def size_of(value: Any) -> int:
    """Return the bytes of a JSON value, as the most generous writer spaces it."""
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def stub(schema: dict[str, Any], longest: int = 0) -> dict[str, Any]:
    """Return what stands in place of a schema that is left out: its type, and then any value.

    Args:
        schema: What is left out.
        longest: Characters of its description that stay.
    """
    made: dict[str, Any] = {}
    if isinstance(schema.get("type"), str):
        made["type"] = schema["type"]
    if made.get("type") == "array":
        made["items"] = {}
    if longest and schema.get("description"):
        made["description"] = schema["description"][:longest]
    return made


def outline(schema: dict[str, Any], *, described: int = 0) -> Unit:
    """Return a schema taken apart.

    Args:
        schema: A definition, or the arguments without their ``$defs``.
        described: Characters of the description of its own properties that stay where these are left out.
    """
    return _unit(schema, (), required=True, described=described)


def _unit(schema: dict[str, Any], path: Path, *, required: bool, described: int = 0, shown: int = 0) -> Unit:
    for smallest in (SMALLEST, FINEST):
        unit = Unit(path, schema, size_of(schema), required, stub(schema, shown))
        _split(schema, (), unit, _Splitting(smallest, described), required=True)
        if unit.weight <= COARSEST:
            break
    return unit


@dataclass(frozen=True, slots=True)
class _Splitting:
    smallest: int
    described: int


def _split(node: dict[str, Any], inner: Path, unit: Unit, splitting: _Splitting, *, required: bool) -> None:
    """Take the large schemas out of a unit, and note what the rest refers to."""
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(PREFIX)
        unit.references[name] = unit.references.get(name, False) or required
    for step, child in children(node):
        needed = required and _is_needed(node, step)
        place = (*inner, *step)
        weight = size_of(child) if child.keys() != {"$ref"} else 0
        if weight >= splitting.smallest and step[0] not in _WHOLE:
            shown = splitting.described if len(place) == 2 else 0
            part = _unit(child, (*unit.path, *place), required=needed, shown=shown)
            unit.units.append(part)
            unit.weight += size_of(part.stand_in) - weight
        else:
            _split(child, place, unit, splitting, required=needed)


def _is_needed(node: dict[str, Any], step: Path) -> bool:
    if step[0] == "properties":
        return step[1] in node.get("required", ())
    return step[0] not in NAMED and step[0] not in ("anyOf", "oneOf", "additionalProperties")
