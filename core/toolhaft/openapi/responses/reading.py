"""Answers become values, and failures become errors that help to repair the call."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from toolhaft.errors import EffectState, StatusError
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.tools.base import CallContext, ToolResult
from toolhaft.tools.schema import nesting

if TYPE_CHECKING:
    from toolhaft.http.message import Response
    from toolhaft.openapi.requests.wire import Wire

_LONGEST_EXCERPT = 1000
_DEEPEST_ERRORS = 32
_TEXT_TYPES = (
    "text/",
    "application/xml",
    "application/yaml",
    "application/javascript",
    "application/x-ndjson",
)


def read_response(response: Response, context: CallContext) -> ToolResult:
    """Return the value of an answer: parsed JSON, text, an artifact for other bytes, None for nothing."""
    return ToolResult(
        value=_value(response, context),
        exchanges=response.exchanges,
        provenance=response.provenance,
    )


def status_error(
    response: Response, wire: Wire, *, where: str, wants: str, authorised: bool, advice: str = ""
) -> StatusError:
    """Return the error for an answer with status 400 or above.

    Args:
        response: The answer.
        wire: The operation that was called.
        where: Name of the tool.
        wants: The security schemes that the operation asks for, for a person.
        authorised: Whether credentials were sent.
        advice: What to do about a refusal of the caller; empty for the general word.
    """
    problem = _problem(response)
    title, detail = problem.get("title", ""), problem.get("detail", "")
    status = response.status
    phrase = _phrase(status)
    said = ": ".join(text for text in (title, detail) if text and text != phrase)
    said = said or ("" if title else _excerpt(response))
    shown = f"{status} {phrase}".strip()
    details: dict[str, Any] = {"status": status, **problem}
    if errors := _field_errors(response):
        details["errors"] = errors
    effect: EffectState = "uncertain" if status >= 500 and wire.effect != "read" else "none"
    # What was turned away for coming too often was not carried out, so that even a write may come again.
    may_repeat = wire.effect == "read" or wire.repeatable or status == 429
    return StatusError(
        f"the API answered {shown}{f': {said}' if said else ''}",
        where=where,
        hint=advice or _hint(response, wire, wants, authorised),
        retryable=may_repeat and status in (408, 429, 500, 502, 503, 504),
        effect=effect,
        details=details,
        exchanges=response.exchanges,
    )


def _value(response: Response, context: CallContext) -> Any:
    if not response.body:
        return None
    media = response.media_type
    is_json = media.endswith(("/json", "+json")) or (
        not media.startswith("text/html") and response.body.lstrip()[:1] in (b"{", b"[")
    )
    if is_json:
        try:
            return json.loads(response.body, parse_constant=lambda _constant: None)
        except (ValueError, RecursionError):
            return response.text()
    if not media or media.startswith(_TEXT_TYPES) or media.endswith("+xml"):
        return response.text()
    if context.artifacts is not None:
        return context.artifacts.put(response.body, media_type=media)
    return {"media_type": media, "bytes": len(response.body)}


def _problem(response: Response) -> dict[str, Any]:
    """Return what an RFC 9457 body, or one like it, says of the failure."""
    document = _json_object(response)
    found: dict[str, Any] = {}
    title, detail = document.get("title"), document.get("detail")
    if not isinstance(detail, str):
        detail = next(
            (
                document[key]
                for key in ("message", "error_description", "error")
                if isinstance(document.get(key), str)
            ),
            None,
        )
    inner = document.get("error")
    if detail is None and isinstance(inner, dict) and isinstance(inner.get("message"), str):
        detail = inner["message"]
    if isinstance(title, str):
        found["title"] = clean_text(title, 200)
    if isinstance(detail, str):
        found["detail"] = clean_text(detail, _LONGEST_EXCERPT)
    return found


def _field_errors(response: Response) -> list[Any]:
    document = _json_object(response)
    errors = document.get("errors") or document.get("detail")
    if not isinstance(errors, list):
        return []
    kept = errors[:5]
    if nesting(kept, _DEEPEST_ERRORS) > _DEEPEST_ERRORS:
        return []
    return kept if len(json.dumps(kept, default=str)) <= 2 * _LONGEST_EXCERPT else []


def _json_object(response: Response) -> dict[str, Any]:
    if response.body.lstrip()[:1] != b"{" or len(response.body) > 1_000_000:
        return {}
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _excerpt(response: Response) -> str:
    if not response.body or response.media_type == "text/html":
        return ""
    return clean_text(response.text(), 300)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _hint(response: Response, wire: Wire, wants: str, authorised: bool) -> str:
    status = response.status
    keys = [parameter.key for parameter in wire.parameters if parameter.place == "path"]
    if status in (401, 403):
        if not authorised and wants:
            return f"The operation wants {wants}: the owner of this run must give auth="
        return "The credentials were not accepted; other arguments will not help"
    if status == 404 and keys:
        return f"Check {', '.join(keys)}: nothing is there under that identifier"
    if status in (400, 422):
        return "Change the arguments that the answer names, and call again"
    if status == 409:
        return "It is in conflict with what is there already; read the current state first"
    if status == 429:
        after = response.header("retry-after")
        return (
            f"Too many calls; wait {after[:40]} seconds" if after else "Too many calls; wait before the next"
        )
    return "The fault is the API's; another call may work" if status >= 500 else ""
