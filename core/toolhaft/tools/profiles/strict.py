"""Schemas for OpenAI's strict mode: every property required, nothing else allowed."""

from __future__ import annotations

from typing import Any

from toolhaft.tools.merging import ANNOTATIONS, merge
from toolhaft.tools.profiles.base import (
    PREFIX,
    SCALARS,
    Definitions,
    Given,
    Profiled,
    said,
    types_of,
    unions_of,
)
from toolhaft.tools.profiles.lenient import lenient
from toolhaft.tools.profiles.strict_limits import hold_limits

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
"""Formats of strings that strict mode knows."""
_NUMBER = ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_KEPT = {
    "string": ("pattern",),
    "number": _NUMBER,
    "integer": _NUMBER,
    "array": ("minItems", "maxItems"),
    "boolean": (),
    "null": (),
    "object": (),
}
_DEEPEST = 64
MOST_WRITTEN = 3_000
"""Schemas of one tool from which on definitions are no longer written out where something adds to them."""


def strict(parameters: dict[str, Any]) -> Profiled:
    """Return a schema that OpenAI takes with ``strict``.

    An argument that may be absent may be null instead; `toolhaft.tools.profiles.restore` drops such nulls.
    An object of any properties becomes its JSON as a string. Recursion is kept by ``$defs``.

    Source: OpenAI, guide "Structured outputs", section "Supported schemas".
    """
    ground = lenient(parameters)
    given = Given(dict.fromkeys(ground.notes))
    converter = _Strict(ground.parameters, given)
    made = hold_limits(converter.whole(ground.parameters), given)
    return Profiled(parameters=made, notes=tuple(given.notes), renamed=ground.renamed)


class _Strict:
    def __init__(self, parameters: dict[str, Any], given: Given) -> None:
        self._definitions = Definitions(parameters)
        self._given = given
        self._waiting: list[str] = []
        self._made: dict[str, dict[str, Any]] = {}
        self._inside: list[str] = []
        self._schemas = 0

    def whole(self, parameters: dict[str, Any]) -> dict[str, Any]:
        made = self._object(parameters, "", 0)
        while self._waiting:
            name = self._waiting.pop()
            target = self._definitions.find(PREFIX + name) or {}
            self._made[name] = self._schema(target, f"/$defs/{name}", 0)
        if self._made:
            made["$defs"] = dict(sorted(self._made.items()))
        return made

    def _schema(self, node: Any, pointer: str, depth: int) -> dict[str, Any]:
        if not isinstance(node, dict) or depth > _DEEPEST:
            return self._any({}, pointer)
        reference = node.get("$ref")
        if isinstance(reference, str) and not node.keys() - ANNOTATIONS - {"$ref"}:
            if self._definitions.find(reference) is None:
                return self._any(node, pointer)
            return self._refer(reference)
        written = self._definitions.written_out(node)
        if any(one in self._inside for one in written) or (written and self._schemas > MOST_WRITTEN):
            self._given.note(pointer, "what is said beside a definition that holds itself is given up")
            return self._refer(written[0]) if self._definitions.find(written[0]) else self._any(node, pointer)
        self._inside += written
        made = self._plain(self._definitions.merged(node, self._given, pointer), pointer, depth)
        del self._inside[len(self._inside) - len(written) :]
        return made

    def _plain(self, node: dict[str, Any], pointer: str, depth: int) -> dict[str, Any]:
        self._schemas += 1
        if branches := unions_of(node):
            return self._union(node, branches, pointer, depth)
        kinds = types_of(node)
        if "const" in node or "enum" in node:
            return self._choice(node, pointer)
        if not kinds:
            return self._any(node, pointer)
        if len(kinds) > 1 and {"object", "array"} & set(kinds):
            parts = [self._typed({**node, "type": kind}, kind, pointer, depth) for kind in kinds]
            return _described(node, {"anyOf": parts})
        if len(kinds) > 1:
            made = self._scalar(node, kinds, pointer)
            return _described(node, {**made, "type": list(kinds)})
        return self._typed(node, kinds[0], pointer, depth)

    def _refer(self, reference: str) -> dict[str, Any]:
        name = reference.removeprefix(PREFIX)
        if name not in self._made:
            self._made[name] = {}
            self._waiting.append(name)
        return {"$ref": reference}

    def _typed(self, node: dict[str, Any], kind: str, pointer: str, depth: int) -> dict[str, Any]:
        if kind == "object":
            return self._object(node, pointer, depth)
        made = self._scalar(node, (kind,), pointer)
        if kind == "array":
            made["items"] = self._items(node, pointer, depth)
        return _described(node, {**made, "type": kind})

    def _scalar(self, node: dict[str, Any], kinds: tuple[str, ...], pointer: str) -> dict[str, Any]:
        kept = {keyword for kind in kinds for keyword in _KEPT.get(kind, ())}
        made = {keyword: node[keyword] for keyword in node if keyword in kept}
        if "string" in kinds and node.get("format") in FORMATS:
            made["format"] = node["format"]
        self._note_lost(node, {*made, "type", "items", "format"}, pointer)
        return made

    def _note_lost(self, node: dict[str, Any], kept: set[str], pointer: str) -> None:
        lost = sorted(node.keys() - kept - ANNOTATIONS - {"$defs"})
        if lost:
            self._given.note(pointer, f"not in strict mode: {', '.join(lost)}")

    def _items(self, node: dict[str, Any], pointer: str, depth: int) -> dict[str, Any]:
        if "prefixItems" in node:
            return self._any({}, f"{pointer}/prefixItems")
        return self._schema(node.get("items"), f"{pointer}/items", depth + 1)

    def _object(self, node: dict[str, Any], pointer: str, depth: int) -> dict[str, Any]:
        listed = node.get("properties") or {}
        required = [name for name in node.get("required", ()) if isinstance(name, str)]
        if not listed and not required and pointer and node.get("additionalProperties") is not False:
            self._given.note(pointer, "an object of any properties is given as JSON in a string")
            return {"type": "string", "description": said(node, "A JSON object, written as text.")}
        if node.get("additionalProperties") not in (None, False):
            self._given.note(pointer, "further properties cannot be given in strict mode")
        self._note_lost(node, {"type", "properties", "required", "additionalProperties"}, pointer)
        properties: dict[str, Any] = {}
        for name in dict.fromkeys([*listed, *required]):
            child = listed.get(name, {})
            if child is False or child == {"not": {}}:
                continue
            made = self._schema(child, f"{pointer}/properties/{name}", depth + 1)
            properties[name] = made if name in required else nullable(made)
        made = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return _described(node, made)

    def _union(self, node: dict[str, Any], branches: list[Any], pointer: str, depth: int) -> dict[str, Any]:
        own = {
            key: value
            for key, value in node.items()
            if key not in ANNOTATIONS and key not in ("anyOf", "oneOf")
        }
        if "anyOf" in node and "oneOf" in node:
            self._given.note(pointer, "oneOf beside anyOf is given up")
        parts: list[dict[str, Any]] = []
        for branch in branches:
            if not isinstance(branch, dict):
                continue
            whole: dict[str, Any] | None = branch
            written = self._definitions.written_out(branch) if own else []
            if own and (any(one in self._inside for one in written) or self._schemas > MOST_WRITTEN):
                whole = None
            elif own:
                whole = merge(own, self._definitions.merged(branch, self._given, pointer))
            if whole is None:
                self._given.note(pointer, "an alternative that the rest cannot be said with is given up")
            else:
                self._inside += written
                part = self._schema(whole, f"{pointer}/anyOf", depth + 1)
                del self._inside[len(self._inside) - len(written) :]
                parts += [one for one in part.get("anyOf", [part]) if one not in parts]
        if not parts:
            return self._schema(own, pointer, depth + 1) if own else self._any(node, pointer)
        return _described(node, {"anyOf": parts})

    def _choice(self, node: dict[str, Any], pointer: str) -> dict[str, Any]:
        values = [node["const"]] if "const" in node else node["enum"]
        plain = [value for value in values if not isinstance(value, dict | list)]
        if len(plain) != len(values) or not plain:
            return self._any(node, pointer)
        kinds = list(dict.fromkeys(types_of({"enum": plain})))
        self._note_lost(node, {"enum", "const", "type", "format", "items"}, pointer)
        return _described(node, {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": plain})

    def _any(self, node: dict[str, Any], pointer: str) -> dict[str, Any]:
        self._given.note(pointer, "any value is a string, a number, true, false or null")
        return _described(node, {"anyOf": [*({"type": kind} for kind in SCALARS), {"type": "null"}]})


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null, too."""
    null = {"type": "null"}
    if "anyOf" in schema:
        if any(branch.get("type") == "null" for branch in schema["anyOf"]):
            return schema
        return {**schema, "anyOf": [*schema["anyOf"], null]}
    kind = schema.get("type")
    if kind is None or kind in ("object", "array"):
        return {"anyOf": [schema, null]}
    kinds = kind if isinstance(kind, list) else [kind]
    made = dict(schema)
    if "null" not in kinds:
        made["type"] = [*kinds, "null"]
    if "enum" in made and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made


def _described(node: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    text = node.get("description")
    return {**made, "description": text} if isinstance(text, str) and text else made
