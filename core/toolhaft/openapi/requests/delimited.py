"""Lists with the delimiters of Swagger 2.0, which may differ from level to level.

Source: OpenAPI 2.0, section "Parameter Object", ``collectionFormat``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolhaft.openapi.documents.swagger2_parameters import MULTI
from toolhaft.openapi.requests.styles import scalar_text


def joined(value: Any, delimiters: tuple[str, ...], encode: Callable[[str], str]) -> str:
    """Return a value as text, its lists joined level by level.

    Delimiters but the comma are encoded as well, because a URL cannot hold them.
    """
    if not isinstance(value, list) or not delimiters:
        return encode(scalar_text(value))
    delimiter = "," if delimiters[0] in (",", MULTI) else encode(delimiters[0])
    return delimiter.join(joined(item, delimiters[1:], encode) for item in value if item is not None)


def entries(value: Any, delimiters: tuple[str, ...], encode: Callable[[str], str]) -> list[str]:
    """Return the texts of a parameter that is given once or, for ``multi``, once for each entry."""
    if delimiters[0] == MULTI and isinstance(value, list):
        return [joined(item, delimiters[1:], encode) for item in value if item is not None]
    return [joined(value, delimiters, encode)]
