"""Which argument stands for which value of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.openapi.bodies import Body
from toolhaft.openapi.documents.document import Document
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.encodings import EncodingReader
from toolhaft.openapi.names import KeyRequest, argument_keys
from toolhaft.openapi.object_view import ObjectView, object_view
from toolhaft.openapi.parameters import Parameter
from toolhaft.openapi.schemas.schema import SchemaReader
from toolhaft.tools.report import Problem

_FLAT = frozenset({"json", "form", "multipart", "xml"})
"""What bodies of objects are written as whose properties become arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the values of one operation become arguments.

    Attributes:
        parameters: Keys of the parameters, in their order.
        body: Key of a body that is one argument; empty if its properties are arguments, or there is none.
        fields: Properties of the body that are arguments -> their keys.
        headers: Properties whose part has headers for the caller to give -> the key of these.
        view: The body as an object, where its properties are arguments.
        others: The same body as other media types that these arguments can be written as.
    """

    parameters: tuple[str, ...] = ()
    body: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    view: ObjectView | None = None
    others: tuple[Body, ...] = ()


class LayoutReader:
    """Lays the arguments of operations out.

    Args:
        document: Its dialect decides what is one object.
        resolver: Of the document.
        schemas: Of the document.
        encodings: Of the document.
    """

    def __init__(
        self, document: Document, resolver: Resolver, schemas: SchemaReader, encodings: EncodingReader
    ) -> None:
        self._dialect = document.dialect
        self._resolver = resolver
        self._schemas = schemas
        self._encodings = encodings

    def read(self, parameters: Sequence[Parameter], body: Body | None) -> Layout:
        """Return the layout of one operation."""
        view = self._view(body)
        names = self._names(view)
        requests = [KeyRequest(_place(parameter), parameter.name) for parameter in parameters]
        with_headers: list[str] = []
        if body is not None and view is None:
            requests.append(KeyRequest("body", "body"))
        elif body is not None:
            requests += [KeyRequest("body", name) for name in names]
            with_headers = [name for name in names if self._encodings.open_headers(body, name)]
            requests += [KeyRequest("body", f"{name}_headers") for name in with_headers]
        keys = argument_keys(requests)
        count = len(parameters)
        return Layout(
            parameters=tuple(keys[:count]),
            body=keys[count] if body is not None and view is None else "",
            fields=dict(zip(names, keys[count:], strict=False)),
            headers=dict(zip(with_headers, keys[count + len(names) :], strict=False)),
            view=view,
            others=self._others(body, view, names),
        )

    def _view(self, body: Body | None) -> ObjectView | None:
        if body is None or body.form not in _FLAT:
            return None
        return object_view(body.schema, self._resolver, self._dialect)

    def _names(self, view: ObjectView | None) -> list[str]:
        if view is None:
            return []
        for name in view.required:
            view.properties.setdefault(name, {})
        return [name for name, schema in view.properties.items() if not self._schemas.hidden(schema)]

    def _others(self, body: Body | None, view: ObjectView | None, names: list[str]) -> tuple[Body, ...]:
        """Return the other media types whose body the same arguments make."""
        if body is None:
            return ()
        found: list[Body] = []
        for other in body.others:
            if view is None:
                same = (other.form == "bytes") == (body.form == "bytes") and self._view(other) is None
            else:
                same = set(self._names(self._view(other))) == set(names)
            if same:
                found.append(other)
        return tuple(found)


def renamed(layout: Layout, parameters: Sequence[Parameter], pointer: str) -> list[Problem]:
    """Return what the report says of names that stand in two places, so that one of them had to change."""
    taken = {parameter.name for parameter in parameters}
    named = [
        (_place(parameter), parameter.name, key, parameter.pointer)
        for parameter, key in zip(parameters, layout.parameters, strict=True)
    ]
    named += [("body", name, key, pointer) for name, key in layout.fields.items() if name in taken]
    found = []
    for place, name, key, at in named:
        if key == f"{name}_{place}":
            what = "body property" if place == "body" else f"{place} parameter"
            message = f"the {what} {name[:80]!r} is the argument {key!r}, as its name stands in two places"
            found.append(Problem(code="argument-renamed", message=message, pointer=at))
    return found


def schema_of(layout: Layout, name: str) -> Any:
    """Return the schema of a property of the body as the document writes it."""
    return layout.view.properties.get(name) if layout.view is not None else None


def _place(parameter: Parameter) -> str:
    return "query" if parameter.place == "querystring" else parameter.place
