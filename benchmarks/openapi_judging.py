"""What language-model providers publish of the tools that they accept, as one check for every importer.

Written apart from the importer on purpose: it measures Toolhaft and its peers by the same rules, those of
OpenAI's and Anthropic's documentation of tool use (November 2026).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
KEY = re.compile(r"^[a-zA-Z0-9_.-]{1,64}$")
LONGEST_DESCRIPTION = 1024
LARGEST = 100_000
_LITERAL = frozenset({"enum", "const", "default", "example", "examples"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_UNIONS = ("oneOf", "anyOf", "allOf")


@dataclass(slots=True)
class Judged:
    """What became of the tools of one document.

    Attributes:
        tools: How many there are.
        accepted: How many both providers would take.
        openai: How many OpenAI would take.
        sizes: Bytes of compact JSON of each schema.
        reasons: Why tools are refused, counted.
    """

    tools: int = 0
    accepted: int = 0
    openai: int = 0
    sizes: list[int] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def judge(tools: list[dict[str, Any]]) -> Judged:
    """Judge the tools of one document together: names must be unique."""
    found = Judged(tools=len(tools))
    names = Counter(tool.get("name") for tool in tools)
    for tool in tools:
        schema = tool.get("parameters")
        found.sizes.append(
            len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
        )
        openai = list(openai_reasons(tool, found.sizes[-1]))
        if names[tool.get("name")] > 1:
            openai.append("the name is not unique")
        reasons = openai + list(anthropic_reasons(schema))
        found.openai += not openai
        found.accepted += not reasons
        found.reasons.update(set(reasons))
    return found


def openai_reasons(tool: dict[str, Any], size: int) -> Iterator[str]:
    """Yield why OpenAI would refuse a tool."""
    if not NAME.match(str(tool.get("name"))):
        yield "the name has characters or a length that is not allowed"
    if len(str(tool.get("description") or "")) > LONGEST_DESCRIPTION:
        yield "the description is longer than 1,024 characters"
    schema = tool.get("parameters")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        yield "the top level is no object"
        return
    if size > LARGEST:
        yield "larger than 100 kB"
        return
    if not _is_schema(schema):
        yield "no valid JSON Schema"
    for reference in _references(schema):
        if not _resolves(reference, schema):
            yield "a reference leads nowhere"
            break
    if any(
        _is_array(node) and "items" not in node and "prefixItems" not in node for node in _schemas(schema)
    ):
        yield "an array without items"
    if any(node.get("enum") == [] for node in _schemas(schema)):
        yield "an empty enum"


def anthropic_reasons(schema: Any) -> Iterator[str]:
    """Yield why Anthropic would refuse a schema that OpenAI takes."""
    if not isinstance(schema, dict):
        return
    if any(word in schema for word in _UNIONS):
        yield "a union at the top level"
    properties = schema.get("properties")
    if isinstance(properties, dict) and not all(KEY.match(str(key)) for key in properties):
        yield "an argument's name has characters or a length that is not allowed"


def _is_array(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    return kind == "array" or (isinstance(kind, list) and "array" in kind)


def _is_schema(schema: dict[str, Any]) -> bool:
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    except Exception:  # noqa: BLE001  whatever it says, it is no schema
        return False
    return True


def _schemas(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every object that stands where a schema may stand."""
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        node, names = waiting.pop()
        if isinstance(node, list):
            waiting.extend((item, False) for item in node)
        elif isinstance(node, dict):
            if not names:
                yield node
            for key, value in node.items():
                if names or key not in _LITERAL:
                    waiting.append((value, not names and key in _NAMED))


def _references(root: Any) -> Iterator[str]:
    for node in _schemas(root):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]


def _resolves(reference: str, root: Any) -> bool:
    if not reference.startswith("#"):
        return False
    node = root
    for token in reference[1:].split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and token in node:
            node = node[token]
        elif isinstance(node, list) and token.isdecimal() and int(token) < len(node):
            node = node[int(token)]
        else:
            return False
    return True
