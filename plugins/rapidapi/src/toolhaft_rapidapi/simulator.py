"""Answers made up from an answer's shape: no model, no network; the same seed and input, the same answer.

Source: the idea of StableToolBench's simulator (arXiv 2403.07714, section 3.2), which asks a language model.
Ours fills the schema with values drawn by key names and repeats the input where the answer speaks of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from toolhaft.types import ToolSpec
from toolhaft_rapidapi.cache import Question
from toolhaft_rapidapi.inputs import argument_names
from toolhaft_rapidapi.standard import standard_word
from toolhaft_rapidapi.values import draw_number, draw_text, draw_truth, words_of

_MOST_NODES = 2000
_MOST_ITEMS = 50
_DEEPEST = 24
_SIZES = frozenset(("limit", "count", "per_page", "page_size", "size", "max_results", "n", "num", "rows"))
_NO_SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string"},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                },
            },
        },
    },
}


def simulate(spec: ToolSpec, question: Question, seed: int) -> Any:
    """Return a made-up answer.

    Args:
        spec: Its ``returns`` is the shape; without one, a list of results that repeats the input.
        question: What was asked.
        seed: The same seed and question give the same answer.
    """
    digest = hashlib.sha256(f"{seed}\t{question.text}".encode("utf-8", "surrogatepass")).digest()
    maker = _Maker(
        source=Random(int.from_bytes(digest[:16], "big")),
        given={words_of(name): value for name, value in question.input.items()},
        size=_size(question.input),
    )
    if spec.returns:
        return maker.make(spec.returns, "", 0)
    found = maker.make(_NO_SHAPE, "", 0)
    return {**found, "request": argument_names(spec, question.input)} if question.input else found


@dataclass(slots=True)
class _Maker:
    source: Random
    given: Mapping[str, Any]
    size: int
    nodes: int = 0

    def make(self, schema: Any, name: str, depth: int, *, listed: bool = False) -> Any:
        """Return a value for a schema; ``listed`` says that it is one of several."""
        self.nodes += 1
        if not isinstance(schema, Mapping) or self.nodes > _MOST_NODES or depth > _DEEPEST:
            return None
        kind = schema.get("type")
        if not schema:
            return draw_text(name, self.source)
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "null")
        if schema.get("enum"):
            return self.source.choice(list(schema["enum"]))
        if kind == "object" or (kind is None and "properties" in schema):
            properties = schema.get("properties") or {}
            return {key: self.member(value, key, depth, listed) for key, value in properties.items()}
        if kind == "array":
            return self.items(schema, name, depth)
        return self.scalar(kind, schema, name)

    def member(self, schema: Any, name: str, depth: int, listed: bool) -> Any:
        """Repeat the input where a member is named like a parameter, else make one."""
        kind = schema.get("type") if isinstance(schema, Mapping) else None
        words = words_of(name)
        keys = [words, words_of(standard_word(name))]
        if words == "id" and depth <= 1:
            keys += [key for key in self.given if key.endswith("_id")]
        for key in () if listed and words == "id" else keys:  # several things have several ids
            if key in self.given and (echo := _as_kind(self.given[key], kind)) is not None:
                return echo
        return self.make(schema, name, depth + 1)

    def items(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        if words_of(name) in ("error", "errors", "warnings") or schema.get("maxItems") == 0:
            return []
        count = self.size or self.source.randint(2, 3)
        low, high = schema.get("minItems"), schema.get("maxItems")
        if not self.size and isinstance(low, int):
            count = max(low, 1)
        count = min(count, high if isinstance(high, int) and not self.size else count, _MOST_ITEMS)
        shape = schema.get("items")
        if not isinstance(shape, Mapping) or not shape:
            shape = {"type": "string"}
        return [self.make(shape, name, depth + 1, listed=True) for _ in range(count)]

    def scalar(self, kind: Any, schema: Mapping[str, Any], name: str) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return draw_truth(name, self.source)
        if kind in ("integer", "number"):
            number = draw_number(name, self.source, whole=kind == "integer")
            low, high = schema.get("minimum"), schema.get("maximum")
            number = max(number, low) if isinstance(low, int | float) else number
            return min(number, high) if isinstance(high, int | float) else number
        if schema.get("format") in ("date", "date-time"):
            return draw_text("date" if schema["format"] == "date" else "timestamp", self.source)
        return draw_text(name, self.source)


def _size(given: Mapping[str, Any]) -> int:
    """Return how many items the input asks for; 0 if it does not say."""
    for name, value in given.items():
        if words_of(name) in _SIZES:
            number = _as_kind(value, "integer")
            if isinstance(number, int) and number > 0:
                return min(number, _MOST_ITEMS)
    return 0


def _as_kind(value: Any, kind: Any) -> Any:
    """Return a given value as the type that the answer has there; None if it is none."""
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    if kind == "string":
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    if kind in ("integer", "number"):
        if isinstance(value, bool):
            return None
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        if number != number or abs(number) > 1e15:
            return None
        return int(number) if kind == "integer" or number.is_integer() else number
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return None
