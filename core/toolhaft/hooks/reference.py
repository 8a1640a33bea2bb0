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
