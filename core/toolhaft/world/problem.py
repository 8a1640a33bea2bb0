"""What a service answers when it refuses a request."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


class RequestProblem(Exception):
    """A refusal, sent as problem+json.

    Args:
        status: HTTP status.
        detail: One sentence for the caller.
        errors: What is wrong where: ``detail`` with a ``pointer`` into the body or a ``parameter`` name.
        headers: More headers of the answer.

    Source: RFC 9457, sections 3 and 3.1; ``errors`` is the extension member of its example.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: tuple[dict[str, str], ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": _phrase(self.status),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = list(self.errors)
        return members


class FaultProblem(RequestProblem):
    """A refusal that a task has scripted; the same request may go well later."""


MISTAKES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What documents, rules and records that do not fit together raise while a request is served."""


def mistake(operation: str, error: Exception) -> RequestProblem:
    """Return the refusal for a request that an operation cannot deal with."""
    what = f"{operation} does not work on this state: {type(error).__name__} {error}"
    return RequestProblem(500, what[:300])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a status that nobody has named
        return "Refused"


def not_found(what: str, name: str) -> RequestProblem:
    """Return the refusal of a request for something that does not exist."""
    return RequestProblem(404, f"There is no {what} {name}")


def conflict(detail: str) -> RequestProblem:
    """Return the refusal of a request that does not fit the present state."""
    return RequestProblem(409, detail)


def invalid(detail: str, *, pointer: str | None = None, parameter: str | None = None) -> RequestProblem:
    """Return the refusal of a value that its schema alone does not rule out."""
    place = {"parameter": parameter} if parameter else {"pointer": pointer or "#"}
    return RequestProblem(422, detail, errors=({"detail": detail, **place},))
