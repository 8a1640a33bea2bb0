"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_commands() -> Mapping[str, str]:
    """Name the commands."""
    return {"train retriever": "toolhaft_dense.training.command:retriever"}


@hookimpl
def register_retrievers() -> Mapping[str, str]:
    """Name the retrievers."""
    return {"dense": "toolhaft_dense.retriever:Dense", "qdrant": "toolhaft_dense.qdrant:Qdrant"}


@hookimpl
def register_rerankers() -> Mapping[str, str]:
    """Name the re-rankers."""
    return {"cross-encoder": "toolhaft_dense.rerank:CrossEncoder"}
