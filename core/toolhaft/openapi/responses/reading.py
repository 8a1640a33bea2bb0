"""Answers become results: their value, and in a few lines what a model should know beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolhaft.openapi.responses.parsing import Parsed, parse_body
from toolhaft.tools.base import CallContext, ToolResult

if TYPE_CHECKING:
    from toolhaft.http.message import Response
    from toolhaft.openapi.responses.answers import AnswerChecker

_LARGE = 256_000
"""Bytes from which on a body is read in a thread, so that it holds nobody else up."""


def read_response(response: Response, context: CallContext, *, name: str = "answer") -> ToolResult:
    """Return an answer as a result: JSON values, text, an artifact for other bytes, None for nothing."""
    parsed = parse_body(response, context.artifacts, name=name)
    return ToolResult(
        value=parsed.value,
        exchanges=response.exchanges,
        provenance=response.provenance,
        notes=(parsed.note,) if parsed.note else (),
    )


async def parse_response(
    response: Response, context: CallContext, checker: AnswerChecker, *, name: str
) -> tuple[Parsed, tuple[str, ...]]:
    """Return an answer's value, and lines that say where it is not what was promised."""
    if len(response.body) < _LARGE:
        return _checked(response, context, checker, name)
    from toolhaft.tools.threads import run_in_thread

    work = {"response": response, "context": context, "checker": checker, "name": name}
    found: tuple[Parsed, tuple[str, ...]] = await run_in_thread(_checked, work)
    return found


def _checked(
    response: Response, context: CallContext, checker: AnswerChecker, name: str
) -> tuple[Parsed, tuple[str, ...]]:
    parsed = parse_body(response, context.artifacts, name=name)
    note = checker.check(parsed, response.status, len(response.body))
    return parsed, tuple(line for line in (parsed.note, note) if line)
