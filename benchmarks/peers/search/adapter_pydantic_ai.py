"""pydantic-ai: the local ``keywords`` strategy of its tool search."""

from __future__ import annotations

from typing import Any

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets._tool_search import keywords_search_fn

DISTRIBUTION = "pydantic-ai-slim"


class Search:
    """The strategy over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        self._tools = [
            ToolDefinition(
                name=each["name"],
                description=each["description"],
                parameters_json_schema=each["parameters"],
            )
            for each in tools
        ]

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        context: Any = None
        return keywords_search_fn(context, [text], self._tools)[: self._k]
