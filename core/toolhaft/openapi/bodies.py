"""Request bodies: which media type is sent, and whether its properties become arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft.openapi.documents.document import Dialect, as_dict, as_list, escape
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.documents.swagger2_parameters import delimiters_of
from toolhaft.openapi.requests.wire import BodyForm, Style
from toolhaft.tools.report import Problem

MOST_PROPERTIES = 100
"""Properties that become arguments; a body with more is one argument."""

_DEEPEST_COMPOSITION = 16
_MOST_SCHEMAS = 500
"""Schemas that one body is composed of, each counted as often as it is named."""
_PLAIN_OBJECT = frozenset(
    [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "allOf",
        "description",
        "title",
        "example",
        "examples",
        "default",
        "nullable",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "externalDocs",
        "discriminator",
        "maxProperties",
        "minProperties",
        "$id",
        "$schema",
        "$comment",
        "$defs",
        "definitions",
        "$anchor",
        "format",
    ]
)
_FORM_STYLES = frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request body as one media type.

    Attributes:
        schema: Its schema as the document writes it; None for any value.
        encoding: Property -> how it is written into a form.
        example: A whole body.
    """

    media_type: str
    form: BodyForm
    required: bool = False
    schema: Any = None
    pointer: str = ""
    description: Any = None
    encoding: dict[str, Any] = field(default_factory=dict)
    example: Any = None

    def encoding_of(self, name: str) -> tuple[Style | None, bool, bool]:
        """Return style, explode and reserved of one property of a form; style None is the default."""
        entry = as_dict(self.encoding.get(name))
        if not any(key in entry for key in ("style", "explode", "allowReserved")):
            return None, True, False
        style = entry.get("style")
        known: Style = style if style in _FORM_STYLES else "form"
        explode = entry.get("explode")
        exploded = explode if isinstance(explode, bool) else known in ("form", "deepObject")
        return known, exploded, entry.get("allowReserved") is True

    def delimiters_of(self, name: str) -> tuple[str, ...]:
        """Return what separates the lists of one property of a form, where 2.0 says so."""
        return delimiters_of(as_dict(self.encoding.get(name)))


def read_body(node: Any, pointer: str, resolver: Resolver) -> tuple[Body | None, list[Problem]]:
    """Return the body of an operation as the media type that is sent, and what was noticed."""
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
    ranked = sorted((_rank(media), index, media) for index, media in enumerate(content))
    rank, _, media = ranked[0]
    required = node.get("required") is True
    if rank >= len(_FORMS):
        return None, [_unsupported(media, required, pointer)]
    entry = as_dict(content[media])
    body = Body(
        media_type=_sendable(media, _FORMS[rank]),
        form=_FORMS[rank],
        required=required,
        schema=entry.get("schema"),
        pointer=f"{pointer}/content/{escape(media)}",
        description=node.get("description"),
        encoding=as_dict(entry.get("encoding")),
        example=_example(entry),
    )
    return body, []


_FORMS: tuple[BodyForm, ...] = ("json", "json", "form", "text", "bytes", "json")


def _rank(media: str) -> int:
    """Return the place of a media type in the order of preference; the last is not supported."""
    plain = media.partition(";")[0].strip().lower()
    if plain == "application/json" or plain == "text/json":
        return 0
    if plain.endswith("+json") or plain == "application/*":
        return 1
    if plain == "application/x-www-form-urlencoded":
        return 2
    if plain.startswith("text/") and plain != "text/xml":
        return 3
    if plain == "application/octet-stream" or plain.partition("/")[0] in ("image", "audio", "video"):
        return 4
    return 5 if plain in ("*/*", "") else 6


def _sendable(media: str, form: BodyForm) -> str:
    plain = media.strip()
    if not plain or "*" in plain or not plain.isascii() or not plain.isprintable():
        return {"json": "application/json", "text": "text/plain"}.get(form, "application/octet-stream")
    return plain


def _unsupported(media: str, required: bool, pointer: str) -> Problem:
    what = f"bodies of type {media.partition(';')[0].strip()[:80]!r} are not supported yet"
    if required:
        return Problem(code="body-unsupported", message=what, pointer=pointer, severity="skipped")
    what = f"{what}; the tool sends none"
    return Problem(code="body-unsupported", message=what, pointer=pointer, severity="degraded")


def _example(entry: dict[str, Any]) -> Any:
    if entry.get("example") is not None:
        return entry["example"]
    for named in as_dict(entry.get("examples")).values():
        if isinstance(named, dict) and named.get("value") is not None:
            return named["value"]
    return as_dict(entry.get("schema")).get("example")


@dataclass(slots=True)
class ObjectView:
    """A schema seen as one plain object.

    Attributes:
        properties: Name -> schema as the document writes it.
        required: Names of the required properties.
        open: Schema of further properties where the document names one or allows any; None where it
            says nothing or forbids them.
        schemas: How many schemas it is composed of.
    """

    properties: dict[str, Any]
    required: dict[str, None]
    open: Any = None
    schemas: int = 0


def object_view(schema: Any, resolver: Resolver, dialect: Dialect) -> ObjectView | None:
    """Return a schema as a plain object, ``allOf`` of plain objects included; None if it is not one."""
    view = ObjectView({}, {})
    if not _gather(schema, view, resolver, dialect, 0) or not view.properties:
        return None
    return view if len(view.properties) <= MOST_PROPERTIES else None


def _gather(schema: Any, view: ObjectView, resolver: Resolver, dialect: Dialect, depth: int) -> bool:
    view.schemas += 1
    if depth > _DEEPEST_COMPOSITION or view.schemas > _MOST_SCHEMAS or not isinstance(schema, dict):
        return False
    siblings = {} if dialect == "3.0" or "$ref" not in schema else schema
    try:
        node, _ = resolver.follow(schema, "")
    except BrokenReferenceError:
        return False
    if not _is_plain_object(node) or not _is_plain_object({k: v for k, v in siblings.items() if k != "$ref"}):
        return False
    for part in (node, siblings) if siblings else (node,):
        for member in as_list(part.get("allOf")):
            if not _gather(member, view, resolver, dialect, depth + 1):
                return False
        _take(part, view)
    return True


def _is_plain_object(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    kind = node.get("type")
    if kind is not None and kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return False
    extra = node.get("additionalProperties")
    return all(key in _PLAIN_OBJECT or key.startswith("x-") for key in node) and (
        extra is None or isinstance(extra, dict | bool)
    )


def _take(node: dict[str, Any], view: ObjectView) -> None:
    for name, child in as_dict(node.get("properties")).items():
        if child is None:
            continue
        known = view.properties.get(name)
        view.properties[name] = child if known is None or known == child else {"allOf": [known, child]}
        if isinstance(child, dict) and child.get("required") is True:
            view.required[name] = None
    for name in as_list(node.get("required")):
        if isinstance(name, str):
            view.required[name] = None
    extra = node.get("additionalProperties")
    if extra is True or isinstance(extra, dict):
        view.open = extra
