"""What a failed answer says, whatever shape its author chose.

Known: RFC 9457 and RFC 7807 with ``errors`` or ``invalid-params``; JSON:API; Google's ``fieldViolations``;
AWS in JSON and XML; GraphQL; Stripe; Spring; FastAPI; Laravel and ASP.NET's map of lists; Django REST; OData;
OAuth 2; SOAP faults; JSON Schema validators' ``instancePath``; and lists and maps of plain messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.responses.kinds import kind_of_type, looks_like_json, looks_like_text
from toolhaft.openapi.responses.xml_values import XMLProblem, read_xml
from toolhaft.types.pointer import json_pointer

if TYPE_CHECKING:
    from toolhaft.http.message import Response

_LARGEST = 1_000_000
_LONGEST = 1000
_MOST = 8
_MESSAGES = (
    "detail",
    "message",
    "msg",
    "error_description",
    "error_message",
    "errorMessage",
    "defaultMessage",
    "Message",
    "ErrorMessage",
    "description",
    "reason",
    "faultstring",
    "Text",
    "error_msg",
    "errorDescription",
    "error",
    "title",
)
_PLACES = (
    "pointer",
    "parameter",
    "param",
    "field",
    "path",
    "loc",
    "instancePath",
    "dataPath",
    "propertyPath",
    "property",
    "propertyName",
    "attribute",
    "target",
    "location",
    "name",
    "key",
    "header",
)
_LISTS = (
    "errors",
    "invalid-params",
    "invalid_params",
    "invalidParams",
    "violations",
    "fieldViolations",
    "fieldErrors",
    "field_errors",
    "validationErrors",
    "validation_errors",
    "issues",
    "details",
    "detail",
    "messages",
    "subErrors",
    "causes",
)
_INSIDE = (
    "error",
    "Error",
    "fault",
    "Fault",
    "Body",
    "Envelope",
    "Reason",
    "ErrorResponse",
    "Errors",
    "meta",
    "response",
    "data",
)
_TITLES = ("title", "code", "Code", "type", "__type", "faultcode", "error")
_TITLE = re.compile(rb"<(title|h1)[^>]{0,300}>(.{1,2000}?)</\1", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,500}>")
_DUMB = frozenset({"about:blank", "error", "errors", "Error", "fail", "failed", "failure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one value of the request.

    Attributes:
        place: As the answer names it: ``/data/attributes/name``, ``body.items[0].price``, ``limit``.
        message: What is wrong with it.
    """

    place: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a failed answer says.

    Attributes:
        title: Its kind, in a few words or as a code; empty if it says none.
        detail: What happened, in one line.
        fields: Which values of the request it blames, at most 8.
    """

    title: str = ""
    detail: str = ""
    fields: tuple[FieldProblem, ...] = ()


def read_failure(response: Response) -> Failure:
    """Return what an answer with status 400 or above says; never raises for what it holds."""
    body = response.body
    if not body.strip() or len(body) > _LARGEST:
        return Failure()
    kind = kind_of_type(response.media_type)
    if looks_like_json(body) or kind == "json":
        try:
            value = json.loads(body, parse_constant=lambda _: None)
            found = _of_value(value)
            # Words of no known shape are shown as they are: a model makes more of them than of none.
            return (
                Failure(detail=_line(response.text()[:4000], 300)) if value and found == Failure() else found
            )
        except (ValueError, RecursionError):
            pass
    start = body.lstrip()[:200].lower()
    if kind == "html" or start.startswith((b"<!doctype html", b"<html")):
        return Failure(detail=_page_line(body))
    if kind == "xml" or start.startswith(b"<"):
        try:
            return _of_value(next(iter(read_xml(body).values()), None))
        except (XMLProblem, RecursionError):
            return Failure()
    if not looks_like_text(body):
        return Failure()
    return Failure(detail=_line(response.text()[:4000], 300))


def _of_value(document: Any) -> Failure:
    if isinstance(document, str):
        return Failure(detail=_line(document))
    if isinstance(document, list):
        return _of_list(document)
    if not isinstance(document, dict):
        return Failure()
    objects = list(_objects(document))
    detail = next((text for found in objects if (text := _message(found))), "")
    title = next((text for found in objects if (text := _title(found)) and text != detail), "")
    fields: dict[FieldProblem, None] = {}
    for found in objects:
        fields.update(dict.fromkeys(_blamed(found)))
        for name in _LISTS:
            fields.update(dict.fromkeys(_listed(found.get(name))))
    if not detail:
        plain = [text for found in objects for text in _plain_messages(found)]
        detail = "; ".join(plain[:3])
    if not fields and not detail:
        fields.update(dict.fromkeys(_by_name(document)))
    return Failure(title=title, detail=detail, fields=tuple(fields)[:_MOST])


def _of_list(items: list[Any]) -> Failure:
    first = _of_value(items[0]) if items and isinstance(items[0], dict) else Failure()
    texts = [_line(item) for item in items[:3] if isinstance(item, str)]
    return Failure(
        title=first.title,
        detail="; ".join(texts) or first.detail,
        fields=tuple(dict.fromkeys([*first.fields, *_listed(items)]))[:_MOST],
    )


def _objects(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an object and those in which others wrap what they say, outermost first, at most 12."""
    waiting = [document]
    for _ in range(12):
        if not waiting:
            return
        found = waiting.pop(0)
        yield found
        waiting.extend(found[name] for name in _INSIDE if isinstance(found.get(name), dict))


def _message(found: dict[str, Any]) -> str:
    for name in _MESSAGES:
        value = found.get(name)
        if isinstance(value, dict):  # OData has {"lang": ..., "value": ...}, XML {"@lang": ..., "#text": ...}
            value = value.get("value") or value.get("#text") or value.get("Text")
        if isinstance(value, str) and value.strip() and value not in _DUMB:
            return _line(value)
    return ""


def _title(found: dict[str, Any]) -> str:
    for name in _TITLES:
        value = found.get(name)
        if isinstance(value, str) and value.strip() and value not in _DUMB and "://" not in value:
            return _line(value.rpartition("#")[2], 120)
    return ""


def _blamed(found: dict[str, Any]) -> Iterator[FieldProblem]:
    """Yield the value that an object itself blames, as Stripe's ``param`` and OData's ``target`` do."""
    for name in ("param", "parameter", "field", "target"):
        value = found.get(name)
        if isinstance(value, str) and value:
            yield FieldProblem(place=value[:200], message=_message(found))
            return


def _listed(value: Any) -> Iterator[FieldProblem]:
    if isinstance(value, dict):
        yield from _by_name(value)
        return
    for item in value[:50] if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        place = _place(item)
        message = _message({key: text for key, text in item.items() if key != "error"}) or _message(item)
        if place and message:
            yield FieldProblem(place=place, message=_line(message, 200))
        for name in ("fieldViolations", "errors", "details"):
            if isinstance(item.get(name), list) and item[name] is not value:
                yield from _listed(item[name][:20])


def _place(item: dict[str, Any]) -> str:
    source = item.get("source")
    if isinstance(source, dict):
        item = {**item, **source}
    for name in _PLACES:
        value = item.get(name)
        if isinstance(value, list) and value and all(isinstance(part, str | int) for part in value):
            return json_pointer(value[:20])
        if (
            isinstance(value, str)
            and value
            and (name != "location" or value not in ("query", "body", "path"))
        ):
            return value[:200]
    return ""


def _by_name(value: dict[str, Any]) -> Iterator[FieldProblem]:
    """Yield fields with their messages: ``{"email": ["is taken"]}``."""
    for name, said in list(value.items())[:50]:
        if isinstance(said, list) and said and all(isinstance(text, str) for text in said):
            yield FieldProblem(place=name[:200], message=_line("; ".join(said[:3]), 200))
        elif isinstance(said, list):
            texts = [_message(entry) for entry in said[:3] if isinstance(entry, dict)]
            if any(texts):
                yield FieldProblem(place=name[:200], message=_line("; ".join(filter(None, texts)), 200))
        elif isinstance(said, dict) and name not in _INSIDE and (text := _message(said)):
            yield FieldProblem(place=name[:200], message=_line(text, 200))


def _plain_messages(found: dict[str, Any]) -> Iterator[str]:
    for name in _LISTS:
        value = found.get(name)
        for item in value[:3] if isinstance(value, list) else ():
            text = _line(item, 300) if isinstance(item, str) else ""
            text = text or (_message(item) if isinstance(item, dict) else "")
            if text:
                yield text


def _page_line(body: bytes) -> str:
    """Return what a page for people is called."""
    found = _TITLE.search(body[:100_000])
    if found is None:
        return ""
    return f"a web page: {_line(_TAG.sub(' ', found[2].decode('utf-8', 'replace')), 200)}"


def _line(text: str, longest: int = _LONGEST) -> str:
    return " ".join(clean_text(text, longest).split())
