"""ToolBench's thirteen status codes, each with the error it stands for here.

Source: the code table of ToolBench's released server and client (arXiv 2307.16789). The codes are taken as
documented there: 7 is not subscribed and 8 not authorised, which the released client swaps; and a code is
given for what it says, where the released client leaves several failures at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from toolhaft.errors import (
    HTTPError,
    InvalidArgumentsError,
    RateLimitedError,
    StatusError,
    ToolError,
    ToolTimeoutError,
    UnknownToolError,
)
from toolhaft.types import Observation


class StatusCode(IntEnum):
    """What became of one call."""

    OK = 0
    UNKNOWN_FUNCTION = 1
    INPUT_ERROR = 2
    FINAL_ANSWER = 3
    GIVE_UP = 4
    TIMEOUT = 5
    NOT_WORKING = 6
    NOT_SUBSCRIBED = 7
    UNAUTHORISED = 8
    TOO_MANY_REQUESTS = 9
    RATE_LIMIT = 10
    ERROR_MESSAGE = 11
    REQUEST_FAILED = 12


class NotWorkingError(StatusError):
    """The API is not there, or no more: status 404 and the like (code 6)."""

    code = "E-RAPIDAPI-NOT-WORKING"


class NotSubscribedError(StatusError):
    """The key's owner is not subscribed to the API (code 7)."""

    code = "E-RAPIDAPI-NOT-SUBSCRIBED"


class UnauthorisedError(StatusError):
    """The key is missing, wrong, or not good for this (code 8)."""

    code = "E-RAPIDAPI-UNAUTHORISED"


class TooManyRequestsError(StatusError):
    """Too many calls in a short time (code 9)."""

    code = "E-RAPIDAPI-TOO-MANY"


class PlanLimitError(RateLimitedError):
    """The subscription's quota is used up (code 10)."""

    code = "E-RAPIDAPI-RATE-LIMIT"


class ErrorMessageError(ToolError):
    """A complete answer with status 200 that is nothing but an error message (code 11)."""

    code = "E-RAPIDAPI-MESSAGE"


class RequestFailedError(HTTPError):
    """Any other failure of the request, or an answer that is not data (code 12)."""

    code = "E-RAPIDAPI-FAILED"


ERRORS: dict[StatusCode, type[ToolError] | None] = {
    StatusCode.OK: None,
    StatusCode.UNKNOWN_FUNCTION: UnknownToolError,
    StatusCode.INPUT_ERROR: InvalidArgumentsError,
    StatusCode.FINAL_ANSWER: None,
    StatusCode.GIVE_UP: None,
    StatusCode.TIMEOUT: ToolTimeoutError,
    StatusCode.NOT_WORKING: NotWorkingError,
    StatusCode.NOT_SUBSCRIBED: NotSubscribedError,
    StatusCode.UNAUTHORISED: UnauthorisedError,
    StatusCode.TOO_MANY_REQUESTS: TooManyRequestsError,
    StatusCode.RATE_LIMIT: PlanLimitError,
    StatusCode.ERROR_MESSAGE: ErrorMessageError,
    StatusCode.REQUEST_FAILED: RequestFailedError,
}
"""Code -> its error; None where the code is no failure."""

TEXTS: dict[StatusCode, str] = {
    StatusCode.OK: "",
    StatusCode.INPUT_ERROR: "Tool input parse error...",
    StatusCode.NOT_WORKING: "API not working error...",
    StatusCode.NOT_SUBSCRIBED: "Unsubscribed error...",
    StatusCode.UNAUTHORISED: "Unauthorized error...",
    StatusCode.TOO_MANY_REQUESTS: "Too many requests error...",
    StatusCode.RATE_LIMIT: "Rate limit error...",
    StatusCode.ERROR_MESSAGE: "Message error...",
    StatusCode.TIMEOUT: "Timeout error...",
    StatusCode.REQUEST_FAILED: "Gateway error...",
}
"""Code -> the ``error`` of a server's reply."""

MEANINGS: dict[StatusCode, str] = {
    StatusCode.OK: "done",
    StatusCode.UNKNOWN_FUNCTION: "no such function",
    StatusCode.INPUT_ERROR: "wrong input",
    StatusCode.FINAL_ANSWER: "final answer",
    StatusCode.GIVE_UP: "gave up",
    StatusCode.TIMEOUT: "timeout",
    StatusCode.NOT_WORKING: "not found or not working",
    StatusCode.NOT_SUBSCRIBED: "not subscribed",
    StatusCode.UNAUTHORISED: "not authorised",
    StatusCode.TOO_MANY_REQUESTS: "too many requests",
    StatusCode.RATE_LIMIT: "rate limit",
    StatusCode.ERROR_MESSAGE: "the reply speaks of an error",
    StatusCode.REQUEST_FAILED: "the request failed",
}
"""Code -> what it says, for a person."""

_BY_TEXT = {text.rstrip(". "): code for code, text in TEXTS.items()} | {
    "Blocked error": StatusCode.REQUEST_FAILED,
    "Rate limit per minute error": StatusCode.RATE_LIMIT,
}
_BY_CODE = {kind.code: code for code, kind in ERRORS.items() if kind is not None} | {
    "E-HTTP-RATE": StatusCode.RATE_LIMIT,
    "E-HTTP-STATUS": StatusCode.REQUEST_FAILED,
}


def code_of_text(text: str) -> StatusCode:
    """Return the code for the ``error`` of a server's reply; what is not known is a failed request.

    Args:
        text: Whole; a word somewhere in it decides nothing.
    """
    plain = text.strip().rstrip(". ")
    if plain in _BY_TEXT:
        return _BY_TEXT[plain]
    if plain.startswith("Function executing ") and plain.partition("...")[0].endswith(" error"):
        return StatusCode.INPUT_ERROR
    first = plain.partition("...")[0]
    return _BY_TEXT.get(first, StatusCode.REQUEST_FAILED) if first else StatusCode.OK


def code_of(observation: Observation) -> StatusCode:
    """Return the code of what came back from a call.

    ``FINAL_ANSWER`` and ``GIVE_UP`` are of ToolBench's function ``Finish``, which is no tool here.
    """
    error = observation.error
    return status_of(error.code, error.details) if error is not None else StatusCode.OK


def status_of(code: str, details: Mapping[str, Any]) -> StatusCode:
    """Return the status of an error: the one in its details, else the one of its code."""
    said = details.get("status_code")
    if type(said) is int and 0 < said <= max(StatusCode):
        return StatusCode(said)
    return _BY_CODE.get(code, StatusCode.REQUEST_FAILED)
