"""UTCP: the match of tags and of words in descriptions, its default."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from utcp.implementations.tag_search import TagAndDescriptionWordMatchStrategy

DISTRIBUTION = "utcp"


class Search:
    """The strategy over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        self._strategy = TagAndDescriptionWordMatchStrategy()
        self._tools = [
            SimpleNamespace(name=each["name"], description=each["description"], tags=each["tags"])
            for each in tools
        ]

    async def get_tools(self) -> Any:
        """Return the tools, as a repository does."""
        return self._tools

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        repository: Any = self
        found = asyncio.run(self._strategy.search_tools(repository, text, limit=self._k))
        return [tool.name for tool in found]
