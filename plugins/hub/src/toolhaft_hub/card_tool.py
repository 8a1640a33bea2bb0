"""A model that is not on this machine, as a tool: its call gives the code that loads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.text import shorten
from toolhaft.tools.base import CallContext, Tool
from toolhaft.types import ToolSpec
from toolhaft_hub.calls import parameters_of, render_call
from toolhaft_hub.card import Card

KIND = "hub"
_LONGEST = 1_500
_RETURNS = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "Python code that loads the model"},
        "ran": {"const": False, "description": "The code was written, not run"},
        "requirements": {"type": "array", "items": {"type": "string"}},
        "example": {"type": "string", "description": "Example code of the model's publisher"},
    },
}


class CardTool(Tool):
    """Writes the code of a card's call; nothing is downloaded or run.

    Args:
        name: Of the tool.
        card: The model.
        row: What the card was read from, for catalog files.
        source: Where that stands.
    """

    def __init__(self, name: str, card: Card, row: Mapping[str, Any], source: str = "") -> None:
        self.card = card
        self._row = row
        self.spec = spec_of(name, card, source)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return the code with what it needs."""
        card = self.card
        if card.call is None and arguments:
            raise UsageError("the call is no Python code, so it takes no arguments", where=self.spec.name)
        return {
            "code": render_call(card, arguments) if card.call is not None else card.call_text,
            "ran": False,
            "requirements": list(card.requirements),
            "example": card.example,
        }

    def binding(self) -> dict[str, Any]:
        """Return the row."""
        return {"kind": KIND, "format": 1, "row": dict(self._row)}


def spec_of(name: str, card: Card, source: str = "") -> ToolSpec:
    """Return a card's tool as data."""
    said = [card.functionality, card.description]
    text = ". ".join(part.rstrip(". ") for part in said if part)
    words = [card.task.replace("-", " "), card.domain, card.framework]
    return ToolSpec(
        name=name,
        description=shorten(f"{text}. Gives the Python code that loads {card.id}.", _LONGEST),
        parameters=parameters_of(card),
        returns=_RETURNS,
        effect="read",
        tags=tuple(dict.fromkeys(word for word in words if word)),
        source=source,
        parent=card.hub,
        untrusted=True,
        metadata={"hub": card.facts()},
    )
