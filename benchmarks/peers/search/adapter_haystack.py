"""Haystack: SearchableToolset, asked through the store that its search tool asks."""

from __future__ import annotations

from typing import Any

from haystack.tools import SearchableToolset, Tool

DISTRIBUTION = "haystack-ai"


class Search:
    """The toolset's own index."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        catalog = [
            Tool(
                name=each["name"],
                description=each["description"],
                parameters=_accepted(each["parameters"]),
                function=_nothing,
            )
            for each in tools
        ]
        toolset = SearchableToolset(catalog=catalog, top_k=k)
        toolset.warm_up()
        self._store = toolset._document_store

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        found = self._store.bm25_retrieval(query=text, top_k=self._k)
        return [document.meta["tool_name"] for document in found]


def _accepted(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that Haystack takes: it refuses a name that is required twice, as crawled APIs have."""
    return schema | {"required": list(dict.fromkeys(schema.get("required", ())))}


def _nothing() -> str:
    return ""
