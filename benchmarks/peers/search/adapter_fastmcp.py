"""FastMCP: BM25SearchTransform, the search of a server that hides its tools.

Its own entrance hashes the whole catalog at every query; here that is done once, and the first rankings are
checked against the entrance.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastmcp.server.transforms.search.bm25 import BM25SearchTransform
from fastmcp.tools.base import Tool

DISTRIBUTION = "fastmcp"
_CHECKED = 2


class Search:
    """The index behind the transform."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        self._tools = [
            Tool(name=each["name"], description=each["description"], parameters=each["parameters"])
            for each in tools
        ]
        self._transform = BM25SearchTransform(max_results=k)
        asyncio.run(self._transform._search(self._tools, "warm up"))
        self._left = _CHECKED

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        names = self._transform._indexed_names
        found = [names[position] for position in self._transform._index.query(text, self._k)]
        if self._left:
            self._left -= 1
            asked = [tool.name for tool in asyncio.run(self._transform._search(self._tools, text))]
            if asked != found:
                raise SystemExit("the index does not find what the transform finds")
        return found
