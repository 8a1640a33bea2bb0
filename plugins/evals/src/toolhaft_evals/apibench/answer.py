"""What an answer says: the domain that it names, and the call that it proposes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolhaft.evaluators.state_check import declines
from toolhaft_evals.apibench.calls import LONGEST, Call, find_calls, unescape
from toolhaft_evals.apibench.database import API, Database, same_api, squeeze

_DOMAIN = re.compile(
    r"<<<domain>>>\s*:\s*(?P<a>[^\n<,]{1,120})|'domain'\s*:\s*\\?['\"](?P<b>[^'\"\\]{1,120})"
)
_MARKED = re.compile(
    r"(?:<<<api_call>>>|['\"]api_call['\"])\s*:(?P<call>.*?)(?=<<<\w{1,40}>>>|['\"]api_provider|\Z)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it was read.

    Attributes:
        domain: The domain that it names; empty if it names none.
        calls: Those that may be the proposed one, in order; of a declared call, none of its arguments.
        declared: Whether the answer says which text is its call.
        call_text: That text.
        refused: Whether it says nothing, or that it cannot.
    """

    domain: str
    calls: tuple[Call, ...]
    declared: bool
    call_text: str
    refused: bool


def read_answer(text: str) -> Answer:
    """Read an answer.

    ``<<<api_call>>>:`` and ``'api_call':`` declare the call; without them the whole text may hold it.
    """
    text = text[:LONGEST]
    plain = unescape(text)
    marked = _MARKED.search(plain)
    domain = _DOMAIN.search(plain)
    call_text = marked["call"].strip(" ,\n\\") if marked else plain.strip()
    return Answer(
        domain=((domain["a"] or domain["b"]).strip() if domain else ""),
        calls=_outermost(find_calls(call_text)) if marked else tuple(find_calls(call_text)),
        declared=marked is not None,
        call_text=call_text,
        refused=not text.strip() or (not marked and declines(text)),
    )


def _outermost(calls: Iterable[Call]) -> tuple[Call, ...]:
    found: list[Call] = []
    for call in calls:
        if not any(outer.closed and call.text in outer.text for outer in found):
            found.append(call)
    return tuple(found)


def proposed(answer: Answer, database: Database, gold: Sequence[API]) -> tuple[Call | None, tuple[API, ...]]:
    """Return the call that an answer proposes, and the rows that it calls.

    It is the first call of an API that is known. If there is none, it is the first call with arguments,
    in running text only one of a name that the database has: there, others are code around it.
    """
    text = squeeze(answer.call_text)
    if same := [row for row in gold if row.call is None and squeeze(row.source) == text]:
        return None, tuple(same)
    if rows := database.by_text.get(text):
        return rows[0].call, rows
    for call in answer.calls:
        rows = (*[row for row in gold if same_api(call, row)], *database.find(call))
        if rows:
            return call, rows
    for call in answer.calls:
        if call.arguments and (answer.declared or database.knows(call.callee)):
            return call, ()
    return None, ()
