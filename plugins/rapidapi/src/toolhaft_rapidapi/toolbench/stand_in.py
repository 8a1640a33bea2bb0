"""Answers in the shape that an API declares, made up from its name and the arguments."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.memory import canonical
from toolhaft.types import ToolSpec

_DEEPEST = 6


class StandIn(Tool):
    """A tool that makes its answer up.

    Args:
        spec: The tool.
        seed: Another one gives other answers.
    """

    def __init__(self, spec: ToolSpec, seed: int = 0) -> None:
        self.spec = spec
        self._seed = seed

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Return an answer, labelled as simulated."""
        text = f"{self._seed} {self.spec.name} {canonical(dict(arguments))}"
        value = _value(self.spec.returns or {"type": "string"}, sha256(text.encode()).digest(), 0)
        return ToolResult(value=value, provenance="simulated")


def _value(schema: Mapping[str, Any], digest: bytes, depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" and depth < _DEEPEST:
        return {
            name: _value(each, sha256(digest + name.encode()).digest(), depth + 1)
            for name, each in schema.get("properties", {}).items()
        }
    if kind == "array" and depth < _DEEPEST and isinstance(schema.get("items"), Mapping):
        count = min(2, schema.get("maxItems", 2))
        return [
            _value(schema["items"], sha256(digest + bytes([place])).digest(), depth + 1)
            for place in range(count)
        ]
    number = int.from_bytes(digest[:2], "big")
    plain: dict[Any, Any] = {
        "integer": number,
        "number": number / 8,
        "boolean": bool(number % 2),
        "array": [],
    }
    return plain.get(kind, None if kind == "null" else f"text-{number}")
