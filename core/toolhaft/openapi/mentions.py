"""Calls that an API makes itself, webhooks and callbacks: listed, and never tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from toolhaft.openapi.documents.document import Document, as_dict
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.operations import METHODS, Operation
from toolhaft.tools.report import Mention
from toolhaft.types.pointer import escape

_MOST = 10_000


def list_mentions(
    document: Document, operations: Iterable[Operation], resolver: Resolver
) -> tuple[Mention, ...]:
    """Return every webhook and every callback of an operation, in document order.

    One behind a reference that leads nowhere is listed by its name, without a method.
    """
    found: list[Mention] = []
    for mention in _mentions(document, operations, resolver):
        if len(found) == _MOST:
            break
        found.append(mention)
    return tuple(found)


def _mentions(document: Document, operations: Iterable[Operation], resolver: Resolver) -> Iterator[Mention]:
    for name, item in as_dict(document.root.get("webhooks")).items():
        if not name.startswith("x-"):
            yield from _calls("webhook", name, item, f"/webhooks/{escape(name)}", resolver)
    for operation in operations:
        for name, callback in as_dict(operation.fields.get("callbacks")).items():
            pointer = f"{operation.pointer}/callbacks/{escape(name)}"
            for expression, item in as_dict(resolver.target(callback)).items():
                if not expression.startswith("x-"):
                    place = f"{pointer}/{escape(expression)}"
                    yield from _calls("callback", expression, item, place, resolver)


def _calls(
    kind: Literal["webhook", "callback"], name: str, item: Any, pointer: str, resolver: Resolver
) -> Iterator[Mention]:
    fields = as_dict(resolver.target(item))
    methods = [key for key, node in fields.items() if key.lower() in METHODS and node is not None]
    further = [key for key, node in as_dict(fields.get("additionalOperations")).items() if node is not None]
    for key in methods:
        yield Mention(kind=kind, method=key.upper(), path=name, pointer=f"{pointer}/{escape(key)}")
    for key in further:
        place = f"{pointer}/additionalOperations/{escape(key)}"
        yield Mention(kind=kind, method=key, path=name, pointer=place)
    if not methods and not further:
        yield Mention(kind=kind, path=name, pointer=pointer)
