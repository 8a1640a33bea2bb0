"""What an API answered, classified by status and structure; a word in a text decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError, ToolError
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.failures import status_error
from toolhaft_rapidapi.statuses import ERRORS, ErrorMessageError, RequestFailedError, StatusCode

if TYPE_CHECKING:
    from toolhaft.http.message import Response

_NOT_SUBSCRIBED = "you are not subscribed to this api"
_HUB_MESSAGES = {
    _NOT_SUBSCRIBED: StatusCode.NOT_SUBSCRIBED,
    "invalid api key. go to https://docs.rapidapi.com/docs/keys for more info": StatusCode.UNAUTHORISED,
    "api doesn't exists": StatusCode.NOT_WORKING,
    "unreachable host": StatusCode.NOT_WORKING,
}
"""Messages of RapidAPI's own gateway, whole, that say more than their status."""
_ERROR_KEYS = ("error", "errors")
_BESIDE = frozenset(
    ("error", "errors", "message", "messages", "status", "code", "success", "ok", "statuscode")
)
_STATUS_KEYS = frozenset(("status", "code", "statuscode"))
_FALSE = (False, "false", "error", "fail", "failed", "failure")


def classify(response: Response) -> StatusCode:
    """Return the code of a complete answer."""
    status = response.status
    document = _document(response)
    if status >= 400:
        said = _HUB_MESSAGES.get(_message(document).lower().rstrip(". "))
        if said is not None:
            return said
        if status == 429:
            used_up = any(
                name.startswith("x-ratelimit-") and name.endswith("-remaining") and value.strip() == "0"
                for name, value in response.headers
            )
            return StatusCode.RATE_LIMIT if used_up else StatusCode.TOO_MANY_REQUESTS
        return {
            401: StatusCode.UNAUTHORISED,
            403: StatusCode.UNAUTHORISED,
            404: StatusCode.NOT_WORKING,
            410: StatusCode.NOT_WORKING,
        }.get(status, StatusCode.REQUEST_FAILED)
    if is_error_message(document):
        return StatusCode.ERROR_MESSAGE
    claims_json = response.media_type.endswith(("/json", "+json"))
    if (claims_json and document is None and response.body) or response.media_type == "text/html":
        return StatusCode.REQUEST_FAILED
    return StatusCode.OK


def is_error_message(document: Any) -> bool:
    """Whether a JSON value is an object with an error, or a message and a status of failure, and no more."""
    if not isinstance(document, Mapping) or not document:
        return False
    if any(str(key).lower().replace("_", "") not in _BESIDE for key in document):
        return False
    if any(document.get(key) not in (None, "", False, 0, [], {}) for key in _ERROR_KEYS):
        return True
    numbers = [document[key] for key in document if str(key).lower().replace("_", "") in _STATUS_KEYS]
    if "message" in document and any(type(each) is int and 400 <= each <= 599 for each in numbers):
        return True
    flags = [document[key] for key in ("success", "ok", "status") if key in document]
    return any(flag is False or (isinstance(flag, str) and flag.lower() in _FALSE) for flag in flags)


def call_error(
    code: StatusCode, response: Response, wire: Wire, *, where: str, authorised: bool
) -> ToolError:
    """Return the error for an answer that is no success.

    Args:
        code: From `classify`.
        response: The answer.
        wire: The API that was called.
        where: Name of the tool.
        authorised: Whether a key was sent.
    """
    wants = "RapidAPI's key"
    base = status_error(response, wire, where=where, wants=wants, authorised=authorised)
    details = {**base.details, "status_code": int(code)}
    kind = ERRORS[code] or RequestFailedError
    what, hint = base.what, _HINTS.get(code, base.hint)
    if code is StatusCode.ERROR_MESSAGE:
        said = _message(_document(response))
        what = f"the API answered with an error: {said}" if said else "the API answered with an error alone"
    elif response.status < 400:
        what = "the API answered with a page, or with JSON that is none"
    if issubclass(kind, InvalidArgumentsError | ErrorMessageError):
        details.pop("status", None)
    return kind(
        what,
        where=where,
        hint=hint,
        retryable=base.retryable,
        effect=base.effect,
        details=details,
        exchanges=response.exchanges,
    )


_HINTS = {
    StatusCode.NOT_SUBSCRIBED: "The key's owner must subscribe to this API on RapidAPI; use another tool",
    StatusCode.RATE_LIMIT: "The subscription's quota is used up; use another tool",
    StatusCode.ERROR_MESSAGE: "Change the arguments as the message says, or use another tool",
}


def _document(response: Response) -> Any:
    if not response.body or len(response.body) > 5_000_000:
        return None
    try:
        return json.loads(response.body, parse_constant=lambda _constant: None)
    except (ValueError, RecursionError):
        return None


def _message(document: Any) -> str:
    if not isinstance(document, Mapping):
        return ""
    for key in ("message", "error", "detail", "errors"):
        value = document.get(key)
        if isinstance(value, Mapping):
            value = value.get("message")
        if isinstance(value, str):
            return " ".join(value.split())[:300]
    return ""
