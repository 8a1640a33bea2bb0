"""Texts of schemas shortened where a tool is large: what they describe stays."""

from __future__ import annotations

from typing import Any

from toolhaft.text import shorten
from toolhaft.tools.subschemas import map_children

_EARLIEST_END = 0.4
"""Share of the length behind which a sentence may end the text."""


class Shortener:
    """Shortens descriptions in schemas and drops their examples; a schema is done once.

    Args:
        longest: Characters of a description.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._done: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}

    def shorten(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema with short texts; the same one where they are short already."""
        # Found by identity: the schema is kept with what was made of it, so that no other can take its place.
        known = self._done.get(id(schema))
        if known is None:
            known = self._done[id(schema)] = (schema, self._shortened(schema))
        return known[1]

    def shorten_within(self, schema: dict[str, Any], longest: int) -> dict[str, Any]:
        """Return a schema with short texts inside and a longer one of its own."""
        return _without_length(map_children(schema, self.shorten), longest)

    def _shortened(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _without_length(map_children(schema, self._shortened), self._longest)


def _without_length(schema: dict[str, Any], longest: int) -> dict[str, Any]:
    description = schema.get("description", "")
    if len(description) <= longest and "examples" not in schema:
        return schema
    made = {key: value for key, value in schema.items() if key != "examples"}
    if description:
        made["description"] = first_sentences(description, longest)
        if not made["description"]:
            del made["description"]
    return made


def first_sentences(text: str, longest: int) -> str:
    """Return whole sentences from a text's beginning, or as many words as there is room for."""
    if len(text) <= longest:
        return text
    end = max(text.rfind(mark, 0, longest) for mark in (". ", ".\n", "\n\n"))
    if end >= longest * _EARLIEST_END:
        return text[: end + 1].rstrip()
    return shorten(text, longest)
