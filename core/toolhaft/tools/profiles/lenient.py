"""Schemas for providers that take nearly all of JSON Schema, and refuse a few things outright."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from toolhaft.tools.base import KEY
from toolhaft.tools.merging import merge
from toolhaft.tools.profiles.base import PREFIX, Definitions, Given, Profiled, unions_of
from toolhaft.tools.subschemas import LISTS, NAMED, ONE, map_children

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_.-]+")
_MOST_SCANNED = 100_000
"""Schemas after which a schema may hold itself; the slower way finds out."""
_NAMED, _ONE, _LISTS = frozenset(NAMED), frozenset(ONE), frozenset(LISTS)
_NOT_AT_TOP = ("oneOf", "anyOf", "allOf", "enum", "const", "not", "if", "then", "else", "$ref")


def lenient(parameters: dict[str, Any]) -> Profiled:
    """Return a schema that OpenAI without ``strict`` and Anthropic take; the same one where they do already.

    Source: OpenAI's and Anthropic's reference of tools and their error messages: an object at the top
    without unions beside it, lists with ``items``, no empty ``enum``, and keys of arguments of letters,
    digits, ``_``, ``.`` and ``-``, at most 64.
    """
    definitions = Definitions(parameters)
    given = Given()
    made = parameters if _is_whole(parameters, definitions) else _whole(parameters, definitions)
    if made.get("type") != "object" or any(keyword in made for keyword in _NOT_AT_TOP):
        made = _object_at_top(made, definitions, given)
    renamed: dict[str, str] = {}
    if any(not KEY.fullmatch(name) for name in made.get("properties", ())):
        made, renamed = _with_legal_keys(made)
    return Profiled(parameters=made, notes=tuple(given.notes), renamed=renamed)


def _is_whole(schema: dict[str, Any], definitions: Definitions) -> bool:
    """Whether `_whole` would change nothing: nearly always, and much sooner told."""
    waiting = [schema]
    left = _MOST_SCANNED
    while waiting:
        node = waiting.pop()
        left -= 1
        if left < 0:
            return False
        kinds = node.get("type")
        if kinds == "array" or (kinds.__class__ is list and "array" in kinds):
            if "items" not in node:
                return False
        elif node.get("enum") == []:
            return False
        for keyword, value in node.items():
            if value.__class__ is dict:
                if keyword in _NAMED:
                    waiting += [child for child in value.values() if child.__class__ is dict]
                elif keyword in _ONE:
                    waiting.append(value)
            elif keyword == "$ref" and definitions.find(value) is None:
                return False
            elif keyword in _LISTS:
                waiting += [child for child in value if child.__class__ is dict]
    return True


def _whole(node: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    """Return a schema whose lists say what they hold, and whose references lead somewhere."""
    made = map_children(node, lambda child: _whole(child, definitions))
    kinds = made.get("type")
    is_list = kinds == "array" or (isinstance(kinds, list) and "array" in kinds)
    if is_list and "items" not in made:
        made = {**made, "items": {}}
    if made.get("enum") == []:
        made = {key: value for key, value in made.items() if key != "enum"}
    reference = made.get("$ref")
    if isinstance(reference, str) and reference.startswith(PREFIX) and definitions.find(reference) is None:
        made = {key: value for key, value in made.items() if key != "$ref"}
    return made


def _object_at_top(schema: dict[str, Any], definitions: Definitions, given: Given) -> dict[str, Any]:
    found = definitions.merged(schema, given, "")
    branches = [definitions.merged(one, given, "") for one in unions_of(found) if isinstance(one, dict)]
    made = {key: value for key, value in found.items() if key not in _NOT_AT_TOP}
    if branches:
        given.note(
            "", "alternatives of whole sets of arguments become one set, each argument of one optional"
        )
    properties = dict(made.get("properties", {}))
    for branch in branches:
        for name, node in branch.get("properties", {}).items():
            known = properties.get(name)
            properties[name] = node if known is None else _either(known, node)
    if branches:
        always = [set(branch.get("required", ())) for branch in branches]
        required = [*made.get("required", ()), *sorted(set.intersection(*always))]
        made["required"] = list(dict.fromkeys(required))
        if made.get("additionalProperties") is False:
            del made["additionalProperties"]
    made["type"] = "object"
    made["properties"] = properties
    if "$defs" in schema:
        made["$defs"] = schema["$defs"]
    return made


def _either(first: Any, second: Any) -> Any:
    if first == second or not isinstance(first, dict) or not isinstance(second, dict):
        return first
    merged = merge(first, second)
    return merged if merged in (first, second) else {"anyOf": [first, second]}


def _with_legal_keys(schema: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a schema with arguments of legal names, and what these stand for."""
    renamed: dict[str, str] = {}
    taken = {name for name in schema["properties"] if KEY.fullmatch(name)}
    properties: dict[str, Any] = {}
    for name, node in schema["properties"].items():
        key = name
        if not KEY.fullmatch(name):
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            key = _ILLEGAL.sub("_", name).strip("_")[:50]
            if not key or key in taken:
                key = f"{key}_{digest}".strip("_")
            renamed[key] = name
            taken.add(key)
        properties[key] = node
    keys = {name: key for key, name in renamed.items()}
    made = {**schema, "properties": properties}
    if "required" in schema:
        made["required"] = [keys.get(name, name) for name in schema["required"]]
    return made, renamed
