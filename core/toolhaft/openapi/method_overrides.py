"""Parameters by which a request asks for another method or path than the one it is sent with.

A ``GET`` with ``X-HTTP-Method-Override: DELETE`` deletes where the server heeds it, so that no operation with
such a parameter is taken for a read, unless the document leaves it nothing but methods that read.
"""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.effects import READS

_METHODS = frozenset(
    {"x-http-method-override", "x-method-override", "x-http-method", "_method", "_httpmethod"}
)
_PATHS = frozenset({"x-original-url", "x-rewrite-url", "x-override-url"})


def may_change_request(place: str, name: str, schema: Any) -> bool:
    """Whether a value of a parameter may turn a read into something else.

    Args:
        place: Where the parameter goes.
        name: On the wire.
        schema: Its schema.
    """
    plain = name.lower()
    if place not in ("header", "query") or plain not in _METHODS | _PATHS:
        return False
    schema = as_dict(schema)
    allowed = [schema["const"]] if "const" in schema else as_list(schema.get("enum"))
    harmless = bool(allowed) and all(str(value).upper() in READS for value in allowed)
    return plain in _PATHS or not harmless
