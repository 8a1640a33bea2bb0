"""Answers with status 400 or above become errors that help to repair the call."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from toolhaft.errors import EffectState, StatusError
from toolhaft.openapi.responses.repairs import repair_line, repairs
from toolhaft.openapi.responses.shapes import Failure, read_failure

if TYPE_CHECKING:
    from toolhaft.http.message import Response
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.types import ToolSpec

_LONGEST_DETAILS = 2500


def status_error(
    response: Response,
    wire: Wire,
    *,
    where: str,
    wants: str,
    authorised: bool,
    advice: str = "",
    spec: ToolSpec | None = None,
) -> StatusError:
    """Return the error for an answer with status 400 or above.

    Args:
        response: The answer.
        wire: The operation that was called.
        where: Name of the tool.
        wants: The security schemes that the operation asks for, for a person.
        authorised: Whether credentials were sent.
        advice: What to do about a refusal of the caller; empty for the general word.
        spec: Its schemas are shown where the answer blames an argument.
    """
    failure = read_failure(response)
    status = response.status
    phrase = _phrase(status)
    said = _said(failure, phrase)
    found = repairs(failure, wire, spec)
    details: dict[str, Any] = {"status": status}
    details |= {name: text for name in ("title", "detail") if (text := getattr(failure, name))}
    if errors := _errors(failure, found):
        details["errors"] = errors
    effect: EffectState = "uncertain" if status >= 500 and wire.effect != "read" else "none"
    # What was turned away for coming too often was not carried out, so that even a write may come again.
    may_repeat = wire.effect == "read" or wire.repeatable or status == 429
    shown = f"{status} {phrase}".strip()
    return StatusError(
        f"the API answered {shown}{f': {said}' if said else ''}",
        where=where,
        hint=advice or _hint(response, wire, wants, authorised, found),
        retryable=may_repeat and status in (408, 429, 500, 502, 503, 504),
        effect=effect,
        details=details,
        exchanges=response.exchanges,
    )


def _said(failure: Failure, phrase: str) -> str:
    texts = [text for text in (failure.title, failure.detail) if text and text != phrase]
    if len(texts) == 2 and texts[0] in texts[1]:
        texts = texts[1:]
    if not texts and failure.fields:
        texts = ["; ".join(f"{problem.place}: {problem.message}" for problem in failure.fields[:3])]
    return ": ".join(texts)


def _errors(failure: Failure, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is blamed, by argument where it is known; less of it where that is long."""
    known = {entry["message"] for entry in found}
    listed = [
        *found,
        *({"place": one.place, "message": one.message} for one in failure.fields if one.message not in known),
    ]
    while listed and len(json.dumps(listed, default=str)) > _LONGEST_DETAILS:
        listed.pop()
    return listed


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _hint(response: Response, wire: Wire, wants: str, authorised: bool, found: list[dict[str, Any]]) -> str:
    status = response.status
    keys = [parameter.key for parameter in wire.parameters if parameter.place == "path"]
    if status in (401, 403):
        if not authorised and wants:
            return f"The operation wants {wants}: the owner of this run must give auth="
        return "The credentials were not accepted; other arguments will not help"
    if status == 404 and keys:
        return f"Check {', '.join(keys)}: nothing is there under that identifier"
    if status == 429:
        after = response.header("retry-after")
        return (
            f"Too many calls; wait {after[:40]} seconds" if after else "Too many calls; wait before the next"
        )
    if status < 500 and (line := repair_line(found)):
        return line
    if status in (400, 422):
        return "Change the arguments that the answer names, and call again"
    if status == 409:
        return "It is in conflict with what is there already; read the current state first"
    return "The fault is the API's; another call may work" if status >= 500 else ""
