"""What went wrong with a model's endpoint, and what to do about it."""

from __future__ import annotations

from typing import Any

from toolhaft.errors import (
    EgressError,
    HTTPError,
    LimitError,
    ModelError,
    RateLimitedError,
    StatusError,
    UnreachableError,
)
from toolhaft.models.answer import reported_error
from toolhaft.models.endpoint import Endpoint
from toolhaft.models.parsing import NotJSONError, read_json
from toolhaft.text import clean

DETECT = "toolhaft models detect"


def transport_failure(error: HTTPError, endpoint: Endpoint, where: str) -> ModelError:
    """Return the error for an exchange that did not come to an answer."""
    if isinstance(error, StatusError):
        return status_failure(int(error.details.get("status", 0)), b"", endpoint, where, reason=error.what)
    details: dict[str, Any] = {**error.details, "cause": error.code}
    hint = error.hint
    what = f"the model's endpoint failed: {error.what}"
    if isinstance(error, UnreachableError):
        what = f"the model's endpoint cannot be reached: {error.what}"
        hint = f"Is the server running? `{DETECT}` lists the ones on this machine"
    elif isinstance(error, RateLimitedError):
        what = f"the model's endpoint asks to wait: {error.what}"
        hint = "Try again later, or send fewer requests at once"
    elif isinstance(error, LimitError):
        hint = "Give the model (ChatModel) a longer timeout=, or fewer max_tokens="
    elif isinstance(error, EgressError):
        hint = hint or "Check base_url"
    hint = hint or "Try again; the server's log may say why"
    return ModelError(what, where=where, hint=hint, retryable=error.retryable, details=details)


def status_failure(
    status: int,
    body: bytes,
    endpoint: Endpoint,
    where: str,
    *,
    retry_after: str = "",
    reason: str = "",
) -> ModelError:
    """Return the error for an answer with another status than success."""
    said = reason or _said(body)
    details: dict[str, Any] = {"status": status}
    if retry_after:
        details["retry_after"] = _seconds(retry_after)
    what, hint = _explain(status, endpoint)
    return ModelError(
        f"{what} (status {status}{': ' + said if said else ''})",
        where=where,
        hint=hint,
        retryable=status in (408, 409, 425, 429) or status >= 500,
        details=details,
    )


def _explain(status: int, endpoint: Endpoint) -> tuple[str, str]:
    if status in (401, 403):
        if endpoint.key is None:
            return (
                "the model's endpoint wants a key, and none was sent",
                "Name one: api_key='env:NAME', or --api-key env:NAME in the shell",
            )
        return (
            f"the model's endpoint refuses the key {endpoint.key}",
            f"Check its value; it is sent to {endpoint.origin} and nowhere else",
        )
    if status == 404:
        return (
            f"the model's endpoint knows no model {endpoint.model!r}, or nothing at this address",
            f"Check the name and that the address ends in /v1; `{DETECT}` lists local models",
        )
    if status in (400, 422):
        return (
            "the model's endpoint refuses the request",
            "The model may not take tools or one of the settings; extra={'seed': None} leaves a field out",
        )
    if status == 413:
        return "the request is too large for the model's endpoint", "Offer fewer tools, or shorten results"
    if status == 429:
        return "the model's endpoint asks to wait", "Try again later, or send fewer requests at once"
    if status >= 500:
        return "the model's endpoint failed", "Try again later; the server's log may say why"
    if 300 <= status < 400:
        return "the model's endpoint sends requests elsewhere", "Give the final address as base_url"
    return "the model's endpoint gave an unexpected answer", "Check base_url"


def _said(body: bytes) -> str:
    """Return what a server says about an error, one line of at most 300 characters."""
    try:
        said = reported_error(read_json(body[:100_000]))
    except NotJSONError:
        text = clean(body[:2_000].decode("utf-8", "replace"), 300)
        said = "" if text.lstrip().startswith("<") else " ".join(text.split())
    return said


def _seconds(text: str) -> float | str:
    """Return a Retry-After in seconds, or as it stands where it is a date."""
    try:
        return float(text)
    except ValueError:
        return clean(text, 64)
