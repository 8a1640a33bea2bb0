"""A name with settings behind it: ``bm25?parent_boost=0``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolhaft.hooks.written import read_settings

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry


def split_reference(registry: Registry, kind: str, reference: str) -> tuple[str, dict[str, Any]]:
    """Return a name and the settings that are written behind it.

    Args:
        registry: Where the name is looked up.
        kind: ``retriever`` ...
        reference: ``NAME`` or ``NAME?setting=value&other``; a name that is registered with a question mark
            in it is taken whole.

    Raises:
        UnknownNameError: Nothing of this kind is called so.
        UsageError: It takes no such setting as text, or not such a value.
    """
    name, question, written = reference.partition("?")
    if not question or reference in registry.names(kind):
        return reference, {}
    return name, read_settings(written, registry.text_settings(kind, name), f"{kind} {name!r}")


def make_part(registry: Registry, kind: str, reference: str, settings: dict[str, Any]) -> Any:
    """Make a thing from its name, behind which settings may be written; those that are given go before.

    Raises:
        ToolhaftError: See `split_reference` and `Registry.make`.
    """
    name, written = split_reference(registry, kind, reference)
    return registry.make(kind, name, {**written, **settings})


def of_another_kind(registry: Registry, kind: str, name: str) -> str:
    """Return how to use what is no retriever but a re-ranker; empty otherwise."""
    if kind != "retriever" or name.partition("?")[0] not in registry.names("reranker"):
        return ""
    return f"It is a re-ranker, used by the retriever 'reranked?retriever=bm25&reranker={name}'"
