"""Values made up for an example of a call, as plain as a schema lets them be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.tools.subschemas import resolved

DEEPEST = 4
"""How deep members of members are shown, and made up."""
_FORMS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "a@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_LONGEST = 200


def example_of(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value for a schema: what the document suggests, else required members alone.

    Args:
        schema: Part of ``root``.
        root: The arguments' schema, with its definitions.
        depth: How deep the value stands.
    """
    schema = resolved(schema, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    for key in ("oneOf", "anyOf", "allOf"):
        if isinstance(schema.get(key), list) and schema[key] and "type" not in schema:
            return example_of(schema[key][0], root, depth + 1) if depth < DEEPEST else {}
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((each for each in kinds if each != "null"), "null") if isinstance(kinds, list) else kinds
    if kind == "object":
        inner = schema.get("properties") or {}
        wanted = [name for name in schema.get("required") or () if name in inner] if depth < DEEPEST else []
        return {name: example_of(inner[name], root, depth + 1) for name in wanted}
    if kind == "array":
        return [example_of(schema.get("items"), root, depth + 1)] if depth < DEEPEST else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(kind, _text(schema))


def _text(schema: Mapping[str, Any]) -> str:
    """Return a text that fits pattern and length, if one of some plain ones does."""
    from toolhaft.tools.schema import compile_schema

    plain = _FORMS.get(str(schema.get("format")), "text")
    bounds = {key: schema[key] for key in ("minLength", "maxLength", "pattern") if key in schema}
    if not bounds:
        return plain
    try:
        validator = compile_schema({"type": "string", **bounds})
        return next((text for text in _texts(plain, schema) if validator.is_valid(text)), plain)
    except (SpecError, ValueError):
        return plain


def _texts(plain: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield plain
    least, most = schema.get("minLength"), schema.get("maxLength")
    lengths = [length for length in (least, most, 1, 8, 24, 32) if isinstance(length, int)]
    for length in lengths:
        for letter in "1aA0":
            yield letter * min(max(length, 1), _LONGEST)
