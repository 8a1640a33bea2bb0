"""What a provider's published rules say against a schema; written apart from what makes schemas fit them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from toolhaft.errors import UnknownNameError
from toolhaft.tools.base import KEY
from toolhaft.tools.profiles.base import PROFILES, ProfileName
from toolhaft.types.pointer import unescape

LARGEST = 100_000
"""Bytes of JSON that are taken by every provider."""

_INNER = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")
_TOP = ("oneOf", "anyOf", "allOf", "enum", "not")
_STRICT = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"),
        *("description", "title", "$ref", "$defs", "pattern", "format", "multipleOf", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
    }
)
_STRICT_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
_GEMINI = frozenset(
    {
        *("type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems"),
        *("properties", "required", "minProperties", "maxProperties", "minLength", "maxLength", "pattern"),
        *("anyOf", "minimum", "maximum", "default", "example", "propertyOrdering"),
    }
)
_GEMINI_FORMATS = {
    "string": ("enum", "date-time"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}

Place = tuple[dict[str, Any], str]


def accepts(parameters: dict[str, Any], profile: ProfileName) -> list[str]:
    """Return why a provider would refuse an arguments schema; nothing where it takes it.

    Raises:
        UnknownNameError: There is no such profile.
    """
    if profile not in PROFILES:
        raise UnknownNameError("profile", profile, PROFILES)
    if profile == "gemini":
        return [] if parameters == {} else [*_top(parameters), *_gemini(parameters)]
    found = [*_meta(parameters)]
    if profile == "plain":
        return found
    found += [*_top(parameters), *_everywhere(parameters)]
    if profile == "openai-strict":
        found += _strict(parameters)
    return found


def _places(schema: dict[str, Any]) -> Iterator[Place]:
    waiting: list[tuple[Any, str]] = [(schema, "")]
    while waiting:
        node, pointer = waiting.pop()
        if not isinstance(node, dict):
            continue
        yield node, pointer
        for key, value in node.items():
            if key in _INNER:
                waiting.append((value, f"{pointer}/{key}"))
            elif key in _LISTS and isinstance(value, list):
                waiting.extend((item, f"{pointer}/{key}/{i}") for i, item in enumerate(value))
            elif key in _MAPS and isinstance(value, dict):
                waiting.extend((item, f"{pointer}/{key}/{name}") for name, item in value.items())


def _meta(schema: dict[str, Any]) -> Iterator[str]:
    import jsonschema_rs

    try:
        # What the schema itself names would be fetched.
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    except (ValueError, jsonschema_rs.ValidationError) as error:
        yield f"/: not a JSON Schema 2020-12: {str(error).splitlines()[0][:200]}"
    defined = schema.get("$defs", {})
    for node, pointer in _places(schema):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference != "#":
            name = unescape(reference.removeprefix("#/$defs/"))
            if name == reference or name not in defined:
                yield f"{pointer}: the reference {reference!r} leads nowhere"


def _top(schema: dict[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object":
        yield "/: the type at the top is not object"
    for keyword in _TOP:
        if keyword in schema:
            yield f"/: {keyword} at the top"
    for name in schema.get("properties", {}):
        if not KEY.fullmatch(name):
            yield f"/properties: the key {name!r} has characters that are refused, or too many"


def _everywhere(schema: dict[str, Any]) -> Iterator[str]:
    if len(json.dumps(schema)) > LARGEST:
        yield f"/: larger than {LARGEST} bytes"
    for node, pointer in _places(schema):
        kind = node.get("type")
        if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and "items" not in node:
            yield f"{pointer}: a list without items"
        if node.get("enum") == []:
            yield f"{pointer}: an empty enum"


def _strict(schema: dict[str, Any]) -> Iterator[str]:
    properties, choices, letters = 0, 0, 0
    for node, pointer in _places(schema):
        yield from _strict_node(node, pointer)
        listed, values = node.get("properties", {}), node.get("enum", [])
        properties += len(listed)
        choices += len(values)
        texts = [value for value in values if isinstance(value, str)]
        letters += sum(map(len, [*listed, *texts]))
        if len(values) > 250 and sum(map(len, texts)) > 15_000:
            yield f"{pointer}: an enum of over 250 values has over 15,000 characters"
    letters += sum(map(len, schema.get("$defs", {})))
    for what, count, most in (
        ("properties", properties, 5_000),
        ("enum values", choices, 1_000),
        ("characters of names and values", letters, 120_000),
        ("levels", _levels(schema), 10),
    ):
        if count > most:
            yield f"/: {count} {what}, more than {most}"


def _strict_node(node: dict[str, Any], pointer: str) -> Iterator[str]:
    for keyword in node:
        if keyword not in _STRICT:
            yield f"{pointer}: {keyword} is not known in strict mode"
    if "$ref" in node and len(node) > 1:
        yield f"{pointer}: keywords beside $ref"
    if not {"$ref", "anyOf", "type"} & node.keys():
        yield f"{pointer}: no type"
    kinds = node.get("type")
    if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        if node.get("additionalProperties") is not False:
            yield f"{pointer}: additionalProperties is not false"
        if set(node.get("required", ())) != set(node.get("properties", {})):
            yield f"{pointer}: not every property is required"
    if "format" in node and node["format"] not in _STRICT_FORMATS:
        yield f"{pointer}: the format {node['format']!r} is not known in strict mode"


def _levels(schema: dict[str, Any]) -> int:
    """Return how many objects stand inside one another; a definition that is met inside itself ends it."""
    defined = schema.get("$defs", {})
    known: dict[str, int] = {}

    def deepest(node: Any) -> int:
        if not isinstance(node, dict):
            return 0
        inner: list[Any] = [node[key] for key in _INNER if key in node]
        inner += [item for key in _LISTS for item in node.get(key, ())]
        inner += [item for key in _MAPS if key != "$defs" for item in node.get(key, {}).values()]
        below = max(map(deepest, inner), default=0)
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if name in defined and name not in known:
            known[name] = 0
            known[name] = deepest(defined[name])
        return max(below, known.get(name, 0)) + ("properties" in node)

    return deepest(schema)


def _gemini(schema: dict[str, Any]) -> Iterator[str]:
    for node, pointer in _places(schema):
        for keyword in node:
            if keyword not in _GEMINI:
                yield f"{pointer}: {keyword} is not known to Gemini"
        if "anyOf" in node:
            if len(node) > 1:
                yield f"{pointer}: keywords beside anyOf"
            continue
        kind = node.get("type")
        if kind not in ("string", "number", "integer", "boolean", "array", "object"):
            yield f"{pointer}: the type {kind!r} is not one"
            continue
        if kind == "object" and not node.get("properties"):
            yield f"{pointer}: an object without properties"
        if kind == "array" and not isinstance(node.get("items"), dict):
            yield f"{pointer}: a list without items"
        if not set(node.get("required", ())) <= set(node.get("properties", {})):
            yield f"{pointer}: what is required is no property"
        if "format" in node and node["format"] not in _GEMINI_FORMATS.get(kind, ()):
            yield f"{pointer}: the format {node['format']!r} is not known to Gemini"
        values = node.get("enum")
        if values is not None and (
            kind != "string" or not values or not all(isinstance(one, str) and one for one in values)
        ):
            yield f"{pointer}: an enum of anything but texts"
