"""Plain BM25: rank-bm25 over lower-case words of all text that a tool has, with its default settings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from rank_bm25 import BM25Okapi

DISTRIBUTION = "rank-bm25"
_WORD = re.compile(r"[^\W_]+")


class Search:
    """BM25 over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        self._names = [each["name"] for each in tools]
        self._index = BM25Okapi([_WORD.findall(text_of(each).lower()) for each in tools])

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        scores = self._index.get_scores(_WORD.findall(text.lower()))
        best = np.argsort(-scores, kind="stable")[: self._k]
        return [self._names[position] for position in best if scores[position] > 0]


def text_of(tool: dict[str, Any]) -> str:
    """Return all text of a tool."""
    properties = tool["parameters"].get("properties", {})
    said = [f"{name} {inner.get('description') or ''}" for name, inner in properties.items()]
    return " ".join([*tool["tags"], tool["parent"], tool["name"], tool["description"], *said])
