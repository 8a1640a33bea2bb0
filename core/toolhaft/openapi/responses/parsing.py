"""Bodies become values by their content type, and by what they are where that says something else."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from toolhaft.http.message import Response
from toolhaft.openapi.responses.events import read_pieces
from toolhaft.openapi.responses.filenames import file_name
from toolhaft.openapi.responses.kinds import Kind, kind_of_type, looks_like_json, looks_like_text
from toolhaft.openapi.responses.multipart import split_parts
from toolhaft.openapi.responses.xml_values import XMLProblem, read_xml

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore

_MOST_FIELDS = 10_000
_GUARDS = (b")]}',", b")]}'", b"while(1);", b"for(;;);")
"""What some servers put before JSON, so that no page can run it as a script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A body's value.

    Attributes:
        kind: What the body was.
        value: JSON values, text, or an artifact; None for nothing.
        note: Where it is not what its content type says; empty otherwise.
    """

    kind: Kind
    value: Any = None
    note: str = ""


def parse_body(response: Response, artifacts: ArtifactStore | None, *, name: str = "answer") -> Parsed:
    """Return the value of an answer's body; never raises for what it holds.

    Args:
        response: The answer.
        artifacts: Where bytes are kept; None tells of them instead.
        name: Of files that have none.
    """
    if not response.body.strip(b" \t\r\n"):
        return Parsed(kind="empty")
    kind = _kind(response)
    try:
        return _READERS[kind](response, artifacts, name)
    except (ValueError, RecursionError) as problem:
        said = response.media_type[:80] or "JSON"
        note = f"The answer says that it is {said}, but cannot be read as that: {_reason(problem)}"
        if looks_like_text(response.body) or kind != "multipart":
            return Parsed(kind="text", value=response.text(), note=note)
        return replace(_bytes(response, artifacts, name), note=note)


def _kind(response: Response) -> Kind:
    """Return what to read a body as; JSON is known by its looks under any type that is not opaque."""
    media = response.media_type
    attached = response.header("content-disposition").lower().startswith("attachment")
    kind = kind_of_type(media)
    if kind in ("json", "lines", "events", "multipart", "xml", "form"):
        return kind
    opaque = attached or (kind == "bytes" and media != "" and not media.startswith("application/"))
    if not opaque and looks_like_json(response.body):
        try:
            json.loads(response.body)
        except (ValueError, RecursionError):
            return kind if media else "text"
        return "json"
    if not media and looks_like_text(response.body):
        return "text"
    return kind


def _json(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    body = response.body.lstrip()
    for guard in _GUARDS:
        if body.startswith(guard):
            body = body[len(guard) :]
            break
    try:
        value = json.loads(body, parse_constant=lambda _: None)
    except UnicodeDecodeError:
        value = json.loads(response.text(), parse_constant=lambda _: None)
    return Parsed(kind="json", value=value)


def _lines(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    return Parsed(kind="lines", value=read_pieces(response.text(), events=False))


def _events(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    return Parsed(kind="events", value=read_pieces(response.text(), events=True))


def _xml(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    if looks_like_json(response.body):
        return replace(_json(response, None, ""), note="The answer says that it is XML, but it is JSON")
    charset = "charset=" in response.header("content-type").lower()
    # What the transport says stands above what the document says, so that it is decoded here once.
    body = response.text().encode() if charset else response.body
    return Parsed(kind="xml", value=read_xml(body, "utf-8" if charset else None))


def _form(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    found: dict[str, Any] = {}
    for key, value in parse_qsl(response.text(), keep_blank_values=True, max_num_fields=_MOST_FIELDS):
        if key in found:
            known = found[key]
            found[key] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            found[key] = value
    return Parsed(kind="form", value=found)


def _multipart(response: Response, artifacts: ArtifactStore | None, name: str) -> Parsed:
    values: list[Any] = []
    for position, part in enumerate(split_parts(response.body, response.header("content-type")), 1):
        headers = (("content-type", part.content_type), ("content-disposition", part.disposition))
        inner = replace(response, headers=headers, body=part.body)
        said = {"name": part.name} if part.name else {}
        said["media_type"] = inner.media_type
        # A part that has parts itself is kept as it is: nothing in there is worth another level.
        nested = kind_of_type(inner.media_type) == "multipart"
        read = _bytes if nested else parse_body
        values.append({**said, "value": read(inner, artifacts, name=part.name or f"{name}-{position}").value})
    return Parsed(kind="multipart", value=values)


def _text(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    return Parsed(kind="text", value=response.text())


def _html(response: Response, _artifacts: ArtifactStore | None, _name: str) -> Parsed:
    return Parsed(kind="html", value=response.text())


def _bytes(response: Response, artifacts: ArtifactStore | None, name: str) -> Parsed:
    media = response.media_type or "application/octet-stream"
    named = file_name(response.header("content-disposition"), media, name)
    if artifacts is None:
        return Parsed(kind="bytes", value={"media_type": media, "bytes": len(response.body), "name": named})
    return Parsed(kind="bytes", value=artifacts.put(response.body, media_type=media, name=named))


_READERS = {
    "json": _json,
    "lines": _lines,
    "events": _events,
    "xml": _xml,
    "html": _html,
    "form": _form,
    "multipart": _multipart,
    "text": _text,
    "bytes": _bytes,
}


def _reason(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    if isinstance(problem, XMLProblem | json.JSONDecodeError):
        return str(problem)[:160]
    return str(problem).splitlines()[0][:160] if str(problem) else type(problem).__name__
