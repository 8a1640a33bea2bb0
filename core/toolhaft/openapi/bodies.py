"""Request bodies: which media types one may be sent as, and which is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.media_types import is_range, matches, plain
from toolhaft.openapi.requests.media import MISNAMED, form_of
from toolhaft.openapi.requests.wire import BodyForm
from toolhaft.openapi.schema_kinds import is_binary, kind_of
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import escape, unescape

_ORDER: tuple[BodyForm, ...] = (
    *("json", "form", "multipart", "lines", "sequence", "text", "bytes", "xml", "events"),
)
_SEQUENCES = frozenset({"lines", "sequence", "events"})
_MOST_CHOICES = 12
"""Media types of one body that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request body as one media type.

    Attributes:
        schema: Its schema as the document writes it; None for any value.
        encoding: Property -> how it is written into a form.
        first_encodings: The same for parts without names, in their order.
        item_encoding: The same for all parts after these; None where nothing is said of them.
        example: A whole body.
        others: The same body as other media types, the best first.
    """

    media_type: str
    form: BodyForm
    required: bool = False
    schema: Any = None
    pointer: str = ""
    description: Any = None
    encoding: dict[str, Any] = field(default_factory=dict)
    first_encodings: tuple[Any, ...] = ()
    item_encoding: Any = None
    example: Any = None
    others: tuple[Body, ...] = ()


def read_body(
    node: Any, pointer: str, resolver: Resolver, wanted: Sequence[str] = ()
) -> tuple[Body | None, list[Problem]]:
    """Return the body of an operation as the media type that is sent, and what was noticed.

    Args:
        node: The request body as the document writes it.
        pointer: Its JSON pointer.
        resolver: Of the document.
        wanted: Media types, or ranges of them, that the caller would rather have sent, the best first.
    """
    if node is None:
        return None, []
    try:
        node, pointer = resolver.follow(node, pointer)
    except BrokenReferenceError as error:
        return None, [
            Problem(code=f"reference-{error.kind}", message=error.what, pointer=pointer, severity="skipped")
        ]
    if not isinstance(node, dict):
        message = "the request body is not an object"
        return None, [Problem(code="body-malformed", message=message, pointer=pointer, severity="skipped")]
    content = {str(key): value for key, value in as_dict(node.get("content")).items()}
    if not content:
        message = "the request body names no media type"
        return None, [Problem(code="body-empty", message=message, pointer=pointer)]
    bodies = [
        _as_media_type(media, as_dict(resolver.target(entry)), node, pointer, resolver)
        for media, entry in [*content.items()][: _MOST_CHOICES * 4]
    ]
    ranked = sorted(enumerate(bodies), key=lambda pair: (_rank(pair[1], bodies, wanted, resolver), pair[0]))
    chosen, *others = (body for _, body in ranked[:_MOST_CHOICES])
    named = unescape(chosen.pointer.rpartition("/")[2])
    message = f"{named[:80]!r} is no media type; {chosen.media_type} is sent"
    odd = plain(named) in MISNAMED or (named != "" and "/" not in named)
    problems = [Problem(code="body-media-type", message=message, pointer=chosen.pointer)] if odd else []
    return replace(chosen, others=tuple(others)), problems


def _as_media_type(
    media: str, entry: dict[str, Any], node: dict[str, Any], pointer: str, resolver: Resolver
) -> Body:
    schema = entry.get("schema")
    form = _form(media, schema, resolver)
    items = entry.get("itemSchema")
    if items is not None and schema is None:
        schema = {"type": "array", "items": items}
    elif form in _SEQUENCES and kind_of(schema, resolver) not in ("array", "string", ""):
        schema = {"type": "array", "items": schema}
    return Body(
        media_type=_sendable(media, form),
        form=form,
        required=node.get("required") is True,
        schema=schema,
        pointer=f"{pointer}/content/{escape(media)}",
        description=node.get("description"),
        encoding=as_dict(entry.get("encoding")),
        first_encodings=tuple(as_list(entry.get("prefixEncoding"))),
        item_encoding=entry.get("itemEncoding"),
        example=example_of(entry),
    )


def _form(media: str, schema: Any, resolver: Resolver) -> BodyForm:
    form = form_of(media)
    if form == "text" and is_binary(schema, resolver):
        return "bytes"
    if form is not None:
        return form
    if is_range(media) or not plain(media):
        return "bytes" if is_binary(schema, resolver) else "json"
    return "json" if kind_of(schema, resolver) in ("object", "array") else "bytes"


def _rank(body: Body, bodies: list[Body], wanted: Sequence[str], resolver: Resolver) -> tuple[int, int, int]:
    """Return the place of a media type in the order of preference, the caller's before ours."""
    media = unescape(body.pointer.rpartition("/")[2])
    asked = next((n for n, one in enumerate(wanted) if matches(media, one)), len(wanted))
    kind = plain(media)
    if is_range(media) or not kind:
        return asked, len(_ORDER), 0
    known = form_of(media)
    if known is None:
        return asked, len(_ORDER) + 1, 0
    finer = kind.endswith("+json") if known == "json" else kind not in ("multipart/form-data", "text/plain")
    has_parts = any(other.form == "multipart" for other in bodies)
    if known == "form" and has_parts and _holds_files(body, resolver):
        return asked, _ORDER.index("multipart"), 2
    return asked, _ORDER.index(known), int(finer)


def _holds_files(body: Body, resolver: Resolver) -> bool:
    properties = as_dict(as_dict(resolver.target(body.schema)).get("properties"))
    return any(is_binary(child, resolver) for child in properties.values())


def _sendable(media: str, form: BodyForm) -> str:
    """Return the media type as it is sent: as the document writes it, unless no header could hold it."""
    text = media.strip()
    if plain(text) in MISNAMED:
        return "multipart/form-data"
    if not text.isascii() or not text.isprintable() or "/" not in text:
        text = ""
    if text and not (is_range(text) and (form != "bytes" or text.startswith("*"))):
        return text
    return {"json": "application/json", "text": "text/plain"}.get(form, "application/octet-stream")


def example_of(entry: dict[str, Any]) -> Any:
    """Return the first example of a media type or parameter, else that of its schema; None if it has none."""
    if entry.get("example") is not None:
        return entry["example"]
    for named in as_dict(entry.get("examples")).values():
        for key in ("dataValue", "value"):
            if isinstance(named, dict) and named.get(key) is not None:
                return named[key]
    return as_dict(entry.get("schema")).get("example")
