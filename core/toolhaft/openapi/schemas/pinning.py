"""Values by which a discriminator chooses a schema, as far as the schema itself allows them.

Source: OpenAPI 3.1.1, "Discriminator Object": without a mapping the value is the schema's name. Many
documents say another one with an ``enum`` or ``const`` of the schema, and mean that.
"""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import Resolver

_DEEPEST = 8
_MOST_SCHEMAS = 64


def allowed_values(resolver: Resolver, pointer: str, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values that a schema's own property takes; none means that it says others itself.

    Args:
        resolver: Of the document.
        pointer: Of the schema.
        name: Of the property.
        values: That the discriminator gives the schema.
    """
    waiting: list[tuple[Any, int]] = [(resolver.at(pointer), 0)]
    seen = 0
    while waiting and seen < _MOST_SCHEMAS:
        node, depth = waiting.pop()
        seen += 1
        node = as_dict(resolver.target(node))
        own = as_dict(node.get("properties")).get(name)
        values = _within(as_dict(resolver.target(own)), values)
        if depth < _DEEPEST:
            waiting.extend((member, depth + 1) for member in as_list(node.get("allOf")))
    return values


def _within(node: dict[str, Any], values: tuple[str, ...]) -> tuple[str, ...]:
    listed = [node["const"]] if "const" in node else node.get("enum")
    if not isinstance(listed, list) or not listed:
        return values
    return tuple(value for value in values if value in listed)
