"""LlamaIndex: its BM25Retriever with its default settings, over the text that it makes of a tool."""

from __future__ import annotations

from typing import Any

from llama_index.core.schema import TextNode
from llama_index.retrievers.bm25 import BM25Retriever

DISTRIBUTION = "llama-index-retrievers-bm25"


class Search:
    """The retriever over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        nodes = [
            TextNode(
                text=f"Tool name: {each['name']}\nTool description: {each['description']}\n"
                f"Tool schema: {each['parameters']}\n",
                metadata={"name": each["name"]},
                excluded_embed_metadata_keys=["name"],
            )
            for each in tools
        ]
        self._retriever = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=k)

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        return [hit.node.metadata["name"] for hit in self._retriever.retrieve(text)]
