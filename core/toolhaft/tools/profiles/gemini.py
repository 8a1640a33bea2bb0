"""Schemas for Gemini's function declarations: a part of OpenAPI 3.0, without references."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.merging import ANNOTATIONS, merge
from toolhaft.tools.profiles.base import Definitions, Given, Profiled, said, types_of, unions_of
from toolhaft.tools.profiles.lenient import lenient

RECURSION = 2
"""How often a definition may stand inside itself; deeper, it becomes text."""
MOST_SCHEMAS = 1_500
"""Schemas of one tool; where unrolling gives more, what lies deepest becomes text."""
FORMATS = {
    "string": frozenset({"date-time"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
"""Type -> the formats that are taken."""
_DEPTHS = (24, 16, 12, 10, 8, 7, 6, 5, 4, 3, 2)
_KEPT = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_TEXT = "JSON, written as text."
_LONGEST_CHOICES = 300


def gemini(parameters: dict[str, Any]) -> Profiled:
    """Return a schema that Gemini takes as ``parameters`` of a function; empty for one without arguments.

    References are unrolled, a definition at most twice inside itself. What Gemini has no word for, such as
    numbers to choose from, is told in the description. Objects of any properties become their JSON as text.

    Source: Gemini API reference, ``Schema``; the messages of its refusals.
    """
    ground = lenient(parameters)
    if not ground.parameters.get("properties"):
        return Profiled(parameters={}, notes=ground.notes)
    for deepest in _DEPTHS:
        given = Given(dict.fromkeys(ground.notes))
        converter = _Gemini(ground.parameters, given, deepest)
        made = converter.schema(ground.parameters, "", 0, ())
        if converter.schemas <= MOST_SCHEMAS:
            break
    made.pop("nullable", None)
    return Profiled(parameters=made, notes=tuple(given.notes), renamed=ground.renamed)


class _Gemini:
    def __init__(self, parameters: dict[str, Any], given: Given, deepest: int) -> None:
        self._definitions = Definitions(parameters)
        self._given = given
        self._deepest = deepest
        self.schemas = 0

    def schema(self, node: Any, pointer: str, depth: int, inside: tuple[str, ...]) -> dict[str, Any]:
        self.schemas += 1
        if not isinstance(node, dict):
            return self._text({}, pointer)
        reference = node.get("$ref")
        if isinstance(reference, str):
            if inside.count(reference) >= RECURSION:
                return self._text(node, pointer)
            inside = (*inside, reference)
        if depth > self._deepest or self.schemas > MOST_SCHEMAS:
            return self._text(node, pointer)
        node = self._definitions.merged(node, self._given, pointer)
        kinds = [kind for kind in types_of(node) if kind != "null"]
        open_to_null = "null" in types_of(node)
        if branches := unions_of(node):
            made = self._union(node, branches, pointer, depth, inside)
        elif "enum" in node or "const" in node:
            made = self._choice(node, kinds, pointer)
        elif len(kinds) > 1:
            parts = [self._typed({**node, "type": kind}, kind, pointer, depth, inside) for kind in kinds]
            made = {"anyOf": [_undescribed(part) for part in parts]}
        elif kinds:
            made = self._typed(node, kinds[0], pointer, depth, inside)
        else:
            made = self._text(node, pointer, "Any value.")
        return {**made, "nullable": True} if open_to_null and "anyOf" not in made else made

    def _typed(
        self, node: dict[str, Any], kind: str, pointer: str, depth: int, inside: tuple[str, ...]
    ) -> dict[str, Any]:
        if kind == "object" and not node.get("properties"):
            return self._text(node, pointer, "A JSON object, written as text.")
        made: dict[str, Any] = {"type": kind}
        made.update({keyword: node[keyword] for keyword in _KEPT.get(kind, ()) if keyword in node})
        notes = _bounds(node, kind, made)
        if node.get("format") in FORMATS.get(kind, ()):
            made["format"] = node["format"]
        elif isinstance(node.get("format"), str):
            notes.append(f"Format: {node['format'][:60]}.")
        if text := said(node, " ".join(notes)):
            made["description"] = text
        if kind == "array":
            made["items"] = self._items(node, pointer, depth, inside)
        if kind == "object":
            self._properties(node, made, pointer, depth, inside)
        lost = sorted(node.keys() - made.keys() - ANNOTATIONS - _TOLD)
        if lost:
            self._given.note(pointer, f"not known to Gemini: {', '.join(lost)}")
        return made

    def _items(
        self, node: dict[str, Any], pointer: str, depth: int, inside: tuple[str, ...]
    ) -> dict[str, Any]:
        if "prefixItems" in node:
            self._given.note(pointer, "not known to Gemini: prefixItems")
            return {"type": "string", "description": _TEXT}
        return self.schema(node.get("items"), f"{pointer}/items", depth + 1, inside)

    def _properties(
        self, node: dict[str, Any], made: dict[str, Any], pointer: str, depth: int, inside: tuple[str, ...]
    ) -> None:
        made["properties"] = {
            name: self.schema(child, f"{pointer}/properties/{name}", depth + 1, inside)
            for name, child in node["properties"].items()
        }
        required = [name for name in node.get("required", ()) if name in made["properties"]]
        if required:
            made["required"] = required

    def _union(
        self, node: dict[str, Any], branches: list[Any], pointer: str, depth: int, inside: tuple[str, ...]
    ) -> dict[str, Any]:
        """Return alternatives, which stand alone: nothing may be said beside them, so each says it."""
        own = {
            key: value
            for key, value in node.items()
            if key not in ANNOTATIONS and key not in ("anyOf", "oneOf")
        }
        parts: list[dict[str, Any]] = []
        for branch in branches:
            whole = branch if isinstance(branch, dict) else {}
            if whole.get("type") == "null":
                continue
            if own:
                merged = merge(own, self._definitions.merged(whole, self._given, pointer))
                if merged is None:
                    self._given.note(pointer, "an alternative that contradicts the rest is given up")
                    continue
                whole = merged
            part = self.schema(whole, f"{pointer}/anyOf", depth + 1, inside)
            parts += [one for one in part.get("anyOf", [part]) if one not in parts]
        if not parts:
            return self.schema(own, pointer, depth + 1, inside) if own else self._text(node, pointer)
        text = node.get("description")
        if text and not parts[0].get("description", "").startswith(text):
            parts[0] = {**parts[0], "description": f"{text} {parts[0].get('description', '')}".strip()}
        null = any(isinstance(branch, dict) and branch.get("type") == "null" for branch in branches)
        if len(parts) == 1:
            return {**parts[0], "nullable": True} if null else parts[0]
        return {"anyOf": [{**part, "nullable": True} for part in parts] if null else parts}

    def _choice(self, node: dict[str, Any], kinds: list[str], pointer: str) -> dict[str, Any]:
        values = [node["const"]] if "const" in node else node["enum"]
        wanted = [value for value in values if value is not None]
        made: dict[str, Any] = {}
        if wanted and all(isinstance(value, str) and value for value in wanted):
            made = {"type": "string", "enum": wanted, "format": "enum"}
            if node.get("description"):
                made["description"] = node["description"]
        else:
            import json

            shown = json.dumps(wanted, ensure_ascii=False)[1:-1][:_LONGEST_CHOICES]
            self._given.note(pointer, "choices that are not texts are told in the description")
            kind = kinds[0] if len(kinds) == 1 and kinds[0] in ("integer", "number", "boolean") else "string"
            made = {"type": kind, "description": said(node, f"One of {shown}.")}
        return {**made, "nullable": True} if len(wanted) < len(values) else made

    def _text(self, node: dict[str, Any], pointer: str, note: str = _TEXT) -> dict[str, Any]:
        self._given.note(pointer, "given as JSON in a string")
        return {"type": "string", "description": said(node, note)}


_TOLD = frozenset(
    {
        "enum",
        "const",
        "format",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "$defs",
        "additionalProperties",
    }
)


def _bounds(node: dict[str, Any], kind: str, made: dict[str, Any]) -> list[str]:
    """Take bounds that exclude their value, as bounds that do not where the type allows it, else as words."""
    notes = []
    for exclusive, plain, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        value = node.get(exclusive)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if kind == "integer" and isinstance(value, int):
            pick = max if step > 0 else min
            made[plain] = pick(made.get(plain, value + step), value + step)
        elif kind in ("integer", "number"):
            notes.append(f"{'Above' if step > 0 else 'Below'} {value}.")
    if kind in ("integer", "number") and "multipleOf" in node:
        notes.append(f"A multiple of {node['multipleOf']}.")
    return notes


def _undescribed(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "nullable"}
