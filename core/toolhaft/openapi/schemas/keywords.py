"""The keywords of one schema that hold no other schema."""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.cleaning import clean_string, clean_text, clean_value
from toolhaft.openapi.documents.document import as_dict
from toolhaft.openapi.schemas.patterns import Patterns
from toolhaft.openapi.schemas.scalars import choice, distinct, fits, is_nullable, is_number, plain_number
from toolhaft.tools.artifact_places import FORMAT as ARTIFACT
from toolhaft.tools.merging import ANNOTATIONS

MOST_CHOICES = 1000
"""Values of an enum that are kept; a longer one becomes a note in the description."""

_LONGEST_VALUE = 500
_MOST_EXAMPLES = 3
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
_LIMITS = frozenset({*_NUMBERS, *_COUNTS, "divisibleBy"})
_TEXTS = ("format", "contentEncoding", "contentMediaType")


def annotate(node: dict[str, Any], made: dict[str, Any]) -> None:
    """Take what a schema says about itself."""
    description = clean_text(node.get("description"))
    title = clean_text(node.get("title"), 200)
    if description:
        made["description"] = description
    elif title:
        made["title"] = title
    if node.get("deprecated") is True:
        made["deprecated"] = True
    examples = node.get("examples")
    if node.get("example") is not None:
        examples = [node["example"]]
    if isinstance(examples, list) and examples:
        kept = clean_value(examples[:_MOST_EXAMPLES])
        if len(repr(kept)) <= _LONGEST_VALUE:
            made["examples"] = kept


def bound(node: dict[str, Any], made: dict[str, Any], patterns: Patterns) -> None:
    """Take limits, formats and patterns; those that are none are dropped, with a note for a pattern."""
    _limit(node, made)
    for keyword in _TEXTS:
        # Of tools, this format means an image or file of the rollout: no document may ask for one.
        if isinstance(node.get(keyword), str) and node[keyword] != ARTIFACT:
            made[keyword] = clean_text(node[keyword], 100)
    if node.get("type") == "file":
        made.setdefault("format", "binary")
    if node.get("uniqueItems") is True:
        made["uniqueItems"] = True
    pattern = node.get("pattern")
    if isinstance(pattern, str) and pattern:
        if patterns.compiles(pattern):
            made["pattern"] = pattern
        else:
            _note(made, f"Pattern: {clean_text(pattern, 200)}")


def _limit(node: dict[str, Any], made: dict[str, Any]) -> None:
    if _LIMITS.isdisjoint(node):
        return
    for keyword in _NUMBERS:
        value = node.get(keyword)
        if is_number(value) and (keyword != "multipleOf" or value > 0):
            made[keyword] = plain_number(value)
    if is_number(node.get("divisibleBy")) and node["divisibleBy"] > 0:  # draft 3
        made.setdefault("multipleOf", plain_number(node["divisibleBy"]))
    for exclusive, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(exclusive) is True and plain in made:
            made[exclusive] = made.pop(plain)
    for keyword in _COUNTS:
        value = node.get(keyword)
        if is_number(value) and value >= 0 and float(value).is_integer():
            made[keyword] = int(value)


def choose(node: dict[str, Any], made: dict[str, Any], types: list[str]) -> None:
    """Take enum, constant and default."""
    as_string = [name for name in types if name != "null"] == ["string"]
    if isinstance(node.get("enum"), list) and node["enum"]:
        values = distinct([choice(value, as_string) for value in node["enum"]])
        if is_nullable(node) and None not in values:
            values.append(None)
        if len(values) <= MOST_CHOICES:
            made["enum"] = values
        else:
            shown = ", ".join(str(value)[:40] for value in values[:10])
            _note(made, f"One of {len(values)} values, for example {shown}.")
    if "const" in node and (node["const"] is not None or "null" in types or not types):
        made["const"] = choice(node["const"], as_string)
    if node.get("default") is not None:
        default = choice(node["default"], as_string)
        if fits(default, types, made.get("enum")) and len(repr(default)) <= _LONGEST_VALUE:
            made["default"] = default


def dependent_names(node: dict[str, Any]) -> dict[str, list[str]]:
    """Return ``dependentRequired``, that of older drafts included."""
    listed = {**as_dict(node.get("dependencies")), **as_dict(node.get("dependentRequired"))}
    return {
        clean_string(key): list(dict.fromkeys(clean_string(name) for name in names if isinstance(name, str)))
        for key, names in listed.items()
        if isinstance(names, list)
    }


def _note(made: dict[str, Any], note: str) -> None:
    made["description"] = clean_text(f"{made.get('description', '')} {note}")


def take_null(node: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that lets null through where ``nullable`` stands beside what would not take it."""
    if not is_nullable(node):
        return made
    if "const" in made and made["const"] is not None:
        made["enum"] = [made.pop("const"), None]
    unions = {key for key in ("allOf", "anyOf", "oneOf", "not", "$ref") if key in made}
    if not unions:
        return made
    composed = {key: value for key, value in made.items() if key not in ANNOTATIONS}
    said = {key: value for key, value in made.items() if key in ANNOTATIONS}
    return {**said, "anyOf": [composed, {"type": "null"}]}
