"""The operations of a document, and what is known of each before its schemas are built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolhaft.openapi.document import Document, as_dict, as_text, escape
from toolhaft.openapi.names import NameRequest
from toolhaft.openapi.report import Problem
from toolhaft.openapi.resolve import BrokenReferenceError, Resolver
from toolhaft.types import Effect

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
_REPEATABLE = frozenset({"PUT", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: Upper case.
        path: As the document writes it.
        pointer: JSON pointer of the operation.
        node: The operation as the document writes it; anything but an object is a mistake.
        item: The path item.
        item_pointer: JSON pointer of the path item.
    """

    method: str
    path: str
    pointer: str
    node: Any
    item: dict[str, Any]
    item_pointer: str

    @property
    def fields(self) -> dict[str, Any]:
        """The operation, or an empty object where it is not one."""
        return as_dict(self.node)

    @property
    def effect(self) -> Effect:
        """What the method says that a call does."""
        return "read" if self.method in READS else "write"

    @property
    def repeatable(self) -> bool:
        """Whether the method may be sent twice with the effect of once."""
        return self.method in READS or self.method in _REPEATABLE

    @property
    def name_request(self) -> NameRequest:
        """What the operation wants to be named."""
        return NameRequest(self.method, self.path, as_text(self.fields.get("operationId")))


def list_operations(document: Document, resolver: Resolver) -> tuple[list[Operation], list[Problem]]:
    """Return every operation under ``paths`` in document order, and the paths that cannot be read.

    Webhooks and callbacks are calls that the API makes, not tools.
    """
    found: list[Operation] = []
    problems: list[Problem] = []
    for path, item in as_dict(document.root.get("paths")).items():
        if path.startswith("x-") or item is None:
            continue
        pointer = f"/paths/{escape(path)}"
        merged, broken = _path_item(item, pointer, resolver)
        if broken is not None:
            problems.append(Problem(code=f"reference-{broken.kind}", message=broken.what, pointer=pointer))
        if merged is None:
            problems.append(
                Problem(code="path-malformed", message="the path is not an object", pointer=pointer)
            )
            continue
        if not path.startswith("/"):
            message = "the path does not begin with a slash; one is put before it"
            problems.append(Problem(code="path-slash", message=message, pointer=pointer))
        found.extend(_operations(path, merged, pointer))
    return found, problems


def _operations(path: str, item: dict[str, Any], pointer: str) -> Iterator[Operation]:
    for key, node in item.items():
        method = key.lower()
        if node is not None and (method in _METHODS or method == "query"):
            yield Operation(
                method=method.upper(),
                path=path,
                pointer=f"{pointer}/{escape(key)}",
                node=node,
                item=item,
                item_pointer=pointer,
            )
    for key, node in as_dict(item.get("additionalOperations")).items():
        if node is not None and key.isascii() and key.isalpha() and len(key) <= 40:
            yield Operation(
                method=key,
                path=path,
                pointer=f"{pointer}/additionalOperations/{escape(key)}",
                node=node,
                item=item,
                item_pointer=pointer,
            )


def _path_item(
    item: Any, pointer: str, resolver: Resolver
) -> tuple[dict[str, Any] | None, BrokenReferenceError | None]:
    """Return a path item with what its reference brings; its own fields win."""
    if not isinstance(item, dict):
        return None, None
    if "$ref" not in item:
        return item, None
    own = {key: value for key, value in item.items() if key != "$ref"}
    try:
        target, _ = resolver.follow(item, pointer)
    except BrokenReferenceError as error:
        return own, error
    return ({**target, **own} if isinstance(target, dict) else None), None
