"""What has to be known to make the request of one operation: plain data, kept in catalog files."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Literal

from toolhaft.auth.schemes import Alternatives
from toolhaft.openapi.responses.answers import WireAnswer
from toolhaft.openapi.responses.paging import Paging
from toolhaft.types import Effect

Style = Literal[
    "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject", "cookie"
]
Where = Literal["path", "query", "querystring", "header", "cookie"]
BodyForm = Literal["json", "form", "text", "bytes", "multipart", "xml", "lines", "sequence", "events"]
"""``lines``: one JSON value a line; ``sequence``: RFC 7464; ``events``: server-sent events."""
DeepLists = Literal["indices", "brackets", "repeat"]
"""How lists inside a ``deepObject`` are written: ``a[0]=x``, ``a[]=x`` or ``a=x&a=y``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireParameter:
    """How one argument becomes part of the URL or the headers.

    Attributes:
        key: Name of the argument.
        name: Name on the wire.
        content: Media type, if the value is sent as text of that type rather than in a style; always so
            in a ``querystring``.
        reserved: Reserved characters are sent as they are.
        empty: An empty list is sent as an empty value rather than left out.
        delimiters: What separates lists, level by level, where a document of 2.0 says so; the first may be
            ``multi``, for one name-value pair for each entry. It goes before style and explode.
        fields: For content that is a form: its fields.
        xml: For content that is XML: shapes of it; see `WireBody`.
    """

    key: str
    name: str
    place: Where
    style: Style
    explode: bool
    content: str = ""
    reserved: bool = False
    empty: bool = False
    delimiters: tuple[str, ...] = ()
    fields: tuple[WireField, ...] = ()
    xml: tuple[XMLShape, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireHeader:
    """A header of one part of a multipart body.

    Attributes:
        value: What is sent unless the caller gives something else; empty sends nothing.
    """

    name: str
    value: str = ""
    explode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WireField:
    """How one argument becomes a property of the body.

    Attributes:
        key: Name of the argument.
        name: Name of the property.
        style: For forms: the style that the document gives it; None is the default.
        explode: For forms with a style.
        delimiters: See `WireParameter`.
        media_types: For forms: types and ranges of types that the property may be written as; the first is
            taken unless a file says another of them. None given is the default of the value.
        file: The value is a file.
        each: For multipart: a list is one part for each of its entries.
        headers: For multipart: headers of the part.
        headers_key: Name of the argument that holds values for them.
        parts: For a part that is multipart itself: its parts in their order.
        rest: The same, for every part after these.
        xml: For a property that is written as XML: shapes of it, or of each entry of a list.
    """

    key: str
    name: str
    style: Style | None = None
    explode: bool = True
    reserved: bool = False
    delimiters: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    file: bool = False
    each: bool = True
    headers: tuple[WireHeader, ...] = ()
    headers_key: str = ""
    parts: tuple[WireField, ...] = ()
    rest: WireField | None = None
    xml: tuple[XMLShape, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class XMLShape:
    """How the values of one schema are written as XML; other shapes are named by their position.

    Attributes:
        node: What a value becomes; ``none`` is nothing but its content.
        name: Of element or attribute; empty takes that of the property.
        properties: Property -> shape.
        items: Shape of the entries of a list; -1 for any, likewise ``extra`` for further properties.
        first: Shapes of the first entries of a list.
    """

    node: Literal["element", "attribute", "text", "cdata", "none"] = "element"
    name: str = ""
    namespace: str = ""
    prefix: str = ""
    properties: tuple[tuple[str, int], ...] = ()
    items: int = -1
    extra: int = -1
    first: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireBody:
    """How arguments become the body.

    Attributes:
        media_type: As the document writes it.
        form: What the media type stands for.
        required: A body is sent even when none of its arguments is given.
        key: The one argument that is the whole body; empty if properties are arguments.
        fields: The arguments that are properties; for a body that is one argument, what is known of its
            properties.
        open: Arguments that nothing else claims are properties too.
        parts: For multipart whose parts have no names: the first of them in their order.
        rest: The same, for every part after these.
        xml: Shapes of what is written as XML; the first is that of the whole body.
    """

    media_type: str
    form: BodyForm
    required: bool = False
    key: str = ""
    fields: tuple[WireField, ...] = ()
    open: bool = False
    parts: tuple[WireField, ...] = ()
    rest: WireField | None = None
    xml: tuple[XMLShape, ...] = ()


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
        key_header: Header that carries the call's own key; empty if the API knows none.
        answers: What the document says of successes.
        paging: How the next page is asked for; None if there are no pages, as far as is known.
        dotted: Lists and objects in style ``label`` are separated by ``.``, exploded or not.
        bodies: The same body as other media types, for the caller to choose.
        deep_lists: How lists inside a ``deepObject`` are written.
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
    bodies: tuple[WireBody, ...] = ()
    deep_lists: DeepLists = "indices"
    effect: Effect = "write"
    repeatable: bool = False
    key_header: str = ""
    answers: tuple[WireAnswer, ...] = ()
    paging: Paging | None = None


def wire_value(wire: Wire) -> dict[str, Any]:
    """Return a wire as JSON values, without what is as the defaults have it."""
    kept = _plain(wire)
    return kept if isinstance(kept, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if not is_dataclass(value):
        return value
    return {
        one.name: _plain(getattr(value, one.name))
        for one in fields(value)
        if one.default is MISSING or getattr(value, one.name) != one.default
    }
