"""Rules about arguments: too many, undescribed, untyped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolhaft.lint.finding import Finding
from toolhaft.lint.places import Place, arguments, places
from toolhaft.types import ToolSpec

_MOST_REQUIRED = 7
_MOST_ARGUMENTS = 30
_PLAIN_FORMATS_WORDS = """
date date-time time duration uuid email uri url ipv4 ipv6 hostname int32 int64 float double byte binary
password decimal
"""
_PLAIN_FORMATS = frozenset(_PLAIN_FORMATS_WORDS.split())
_SPEAKING = re.compile(r"[A-Za-z]{3,}")
_KINDS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "properties", "items", "$ref")


def check_arguments(spec: ToolSpec) -> Iterator[Finding]:
    """Find tools with too many arguments, and arguments that nothing is said of."""
    required = len(spec.required)
    if required > _MOST_REQUIRED:
        what = f"{required} arguments are required: fix those that are always the same"
        yield Finding(rule="required-many", tool=spec.name, what=what, cost=8 + min(12, required), mend="fix")
    count = len(spec.properties)
    if count > _MOST_ARGUMENTS:
        what = f"there are {count} arguments: hide those that nobody needs"
        yield Finding(rule="arguments-many", tool=spec.name, what=what, cost=10, mend="hide")
    for place in arguments(spec):
        if not _told(place):
            cost = 4 if place.required else 2
            what = f"nothing is said of {place.name!r}: describe it, with an example of a value"
            yield Finding(
                rule="argument-undescribed",
                tool=spec.name,
                what=what,
                pointer=place.pointer,
                cost=cost,
                mend="describe",
            )
    for place in places(spec):
        yield from _check_values(spec.name, place)


def _check_values(tool: str, place: Place) -> Iterator[Finding]:
    schema = place.schema
    listed = schema.get("enum")
    said = bool(str(schema.get("description", "")).strip())
    if isinstance(listed, list) and len(listed) > 1 and not said:
        opaque = [value for value in listed if value is not None and not _SPEAKING.search(str(value))]
        if len(opaque) > len(listed) // 2:
            what = (
                f"the values {str(listed[:4])[:60]} say nothing by themselves: describe what each stands for"
            )
            yield Finding(
                rule="enum-opaque", tool=tool, what=what, pointer=place.pointer, cost=4, mend="describe"
            )
    form = schema.get("format")
    if isinstance(form, str) and form not in _PLAIN_FORMATS and not said and "pattern" not in schema:
        what = f"the format {form[:40]!r} is not one that models know: describe it, with an example"
        yield Finding(
            rule="format-undescribed", tool=tool, what=what, pointer=place.pointer, cost=2, mend="describe"
        )
    if place.name and not any(key in schema for key in _KINDS):
        what = f"{place.name!r} has no type: say what it is, or hide it"
        yield Finding(
            rule="value-untyped", tool=tool, what=what, pointer=place.pointer, cost=4, mend="describe"
        )


def _told(place: Place) -> bool:
    schema = place.schema
    if str(schema.get("description", "")).strip() or str(schema.get("title", "")).strip():
        return True
    # A list of words, or a plain flag with a speaking name, tells enough.
    listed = schema.get("enum")
    if isinstance(listed, list):
        return all(_SPEAKING.search(str(value)) for value in listed[:10])
    return schema.get("type") == "boolean" and len(place.name) > 4
