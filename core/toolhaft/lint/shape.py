"""Rules about the size and shape of arguments, and about examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from toolhaft.lint.finding import Finding
from toolhaft.lint.places import Place, arguments, places
from toolhaft.types import ToolSpec

_LARGE = 8_000
_TOO_LARGE = 32_000
_DEEP = 4
_NEEDS_EXAMPLE = 3


def check_shape(spec: ToolSpec) -> Iterator[Finding]:
    """Find schemas that are large, deep or open, and calls that no example shows."""
    size = len(json.dumps(spec.parameters, separators=(",", ":"), default=str))
    if size > _LARGE:
        what = f"the arguments' schema has {size / 1000:.0f} kB: hide what is rarely needed"
        cost = 20 if size > _TOO_LARGE else 10
        yield Finding(rule="size", tool=spec.name, what=what, pointer="/parameters", cost=cost, mend="hide")
    deepest = max(places(spec), key=lambda place: place.depth, default=None)
    if deepest is not None and deepest.depth > _DEEP:
        what = f"arguments are nested {deepest.depth} deep: hide the inner ones, or give an example"
        cost = min(12, 3 * (deepest.depth - _DEEP))
        yield Finding(
            rule="nesting", tool=spec.name, what=what, pointer=deepest.pointer, cost=cost, mend="hide"
        )
    if spec.parameters.get("additionalProperties") not in (None, False) and not spec.properties:
        what = "any arguments are taken and none is named: describe what the body holds, or give an example"
        yield Finding(
            rule="body-unbounded", tool=spec.name, what=what, pointer="/parameters", cost=12, mend="examples"
        )
    for place in arguments(spec):
        if _unbounded(place):
            what = f"{place.name!r} is an object of which nothing is known: describe it, or give an example"
            yield Finding(
                rule="body-unbounded",
                tool=spec.name,
                what=what,
                pointer=place.pointer,
                cost=10 if place.required else 5,
                mend="examples",
            )
    if not spec.examples and _wants_example(spec):
        what = "no example shows a whole call: add one"
        yield Finding(rule="example-missing", tool=spec.name, what=what, cost=4, mend="examples")


def _unbounded(place: Place) -> bool:
    schema = place.schema
    known = ("properties", "patternProperties", "anyOf", "oneOf", "allOf", "enum", "const", "$ref")
    inner = schema.get("additionalProperties")
    typed = isinstance(inner, Mapping) and bool(inner)
    return schema.get("type") == "object" and not typed and not any(schema.get(key) for key in known)


def _wants_example(spec: ToolSpec) -> bool:
    nested = any(place.depth > 1 and place.name for place in places(spec))
    return len(spec.required) >= _NEEDS_EXAMPLE or nested
