"""What has to be known to make the request of one operation: plain data, kept in catalog files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolhaft.openapi.security import Alternatives
from toolhaft.types import Effect

Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject"]
Where = Literal["path", "query", "header", "cookie"]
BodyForm = Literal["json", "form", "text", "bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireParameter:
    """How one argument becomes part of the URL or the headers.

    Attributes:
        key: Name of the argument.
        name: Name on the wire.
        content: Media type, if the value is sent as JSON text rather than in a style.
        reserved: Reserved characters are sent as they are.
        empty: An empty list is sent as an empty value rather than left out.
    """

    key: str
    name: str
    place: Where
    style: Style
    explode: bool
    content: str = ""
    reserved: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WireField:
    """How one argument becomes a property of the body.

    Attributes:
        key: Name of the argument.
        name: Name of the property.
        style: For forms: the style that the document gives it; None is the default.
        explode: For forms with a style.
    """

    key: str
    name: str
    style: Style | None = None
    explode: bool = True
    reserved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WireBody:
    """How arguments become the body.

    Attributes:
        media_type: As the document writes it.
        form: What the media type stands for.
        required: A body is sent even when none of its arguments is given.
        key: The one argument that is the whole body; empty if properties are arguments.
        fields: The arguments that are properties.
        open: Arguments that nothing else claims are properties too.
    """

    media_type: str
    form: BodyForm
    required: bool = False
    key: str = ""
    fields: tuple[WireField, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One operation as requests need it.

    Attributes:
        method: Upper case.
        server: Absolute URL without a slash at its end; empty if there is none.
        server_problem: Why there is none.
        path: Template with ``{name}``; may end in a fixed query.
        accept: Media types for the ``Accept`` header.
        security: What the operation wants.
        secret_parameters: ``(place, name)`` of declared parameters that the caller's ``auth`` fills.
        trusted: Whether the server is one that the caller's secrets may go to.
        dotted: Lists and objects in style ``label`` are separated by ``.``, exploded or not.
    """

    method: str
    server: str
    server_problem: str = ""
    path: str
    parameters: tuple[WireParameter, ...] = ()
    body: WireBody | None = None
    accept: str = "*/*"
    security: Alternatives = ()
    secret_parameters: tuple[tuple[Where, str], ...] = ()
    trusted: bool = True
    dotted: bool = False
    effect: Effect = "write"
    repeatable: bool = False
