"""LlamaIndex: it gives the text of a document, and no tool of an operation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driver import load
from llama_index.tools.openapi import OpenAPIToolSpec


def read(path: Path) -> list[dict[str, Any]]:
    """Return no tools, having read the document."""
    OpenAPIToolSpec(spec=load(path)).load_openapi_spec()
    return []


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Raise: there is nothing to call."""
    raise NotImplementedError
