"""LangChain: its BM25Retriever with its default settings, over name and description."""

from __future__ import annotations

from typing import Any

from langchain_community.retrievers import BM25Retriever

DISTRIBUTION = "langchain-community"


class Search:
    """The retriever over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._retriever = BM25Retriever.from_texts(
            [f"{each['name']}: {each['description']}" for each in tools],
            metadatas=[{"name": each["name"]} for each in tools],
            k=k,
        )

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        return [document.metadata["name"] for document in self._retriever.invoke(text)]
