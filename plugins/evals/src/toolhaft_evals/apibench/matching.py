"""The strict match: the right API, then the right arguments; the domain beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from toolhaft_evals.apibench.answer import Answer, proposed, read_answer
from toolhaft_evals.apibench.calls import Call, is_python
from toolhaft_evals.apibench.database import (
    API,
    Database,
    domains_of,
    named_arguments,
    same_api,
    squeeze,
    without_version,
)

OUTCOMES = (
    "correct",
    "wrong_arguments",
    "wrong_api",
    "hallucination",
    "unparseable",
    "refused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an answer is worth.

    Attributes:
        outcome: One of `OUTCOMES`.
        reason: One sentence.
        api: Whether the right API is called; likewise ``domain``.
        arguments: The share of arguments, of the call and of the gold one together, that agree.
        call: The call that was judged, as it stands in the answer.
        row: Position of the first row of the database that it calls; -1 if none.
        said: The domain that the answer names.
    """

    outcome: str
    reason: str
    api: bool = False
    arguments: float = 0.0
    domain: bool = False
    call: str = ""
    row: int = -1
    said: str = ""


def judge(text: str, gold: Sequence[API], database: Database) -> Judgement:
    """Judge an answer.

    Args:
        text: As the model wrote it.
        gold: The right call, once for each domain that it may have.
        database: Every API of the hub.
    """
    answer = read_answer(text)
    call, rows = proposed(answer, database, gold)
    if rows:
        return _judge_known(answer, call, rows, gold)
    if call is not None and (answer.declared or call.readable):
        if not call.readable:
            return _unread(answer, call.text, f"the call cannot be read: {call.text:.120}")
        return Judgement(
            outcome="hallucination",
            reason=f"no API of the database is called by {call.text:.160}",
            call=call.text,
            said=answer.domain,
        )
    if answer.refused:
        return Judgement(outcome="refused", reason="no call, and the answer declines or says nothing")
    return _unread(answer, "", "no call can be read in the answer")


def _unread(answer: Answer, call: str, reason: str) -> Judgement:
    return Judgement(outcome="unparseable", reason=reason, call=call, said=answer.domain)


def _judge_known(answer: Answer, call: Call | None, rows: tuple[API, ...], gold: Sequence[API]) -> Judgement:
    right = [row for row in gold if _same(call, row, answer)]
    wanted = domains_of(gold)
    domain = (
        _normal(answer.domain) in map(_normal, wanted)
        if answer.domain and right
        else bool(domains_of(rows) & wanted)
    )
    arguments = max((_agreement(call, row, answer) for row in right), default=0.0)
    if not right:
        outcome = "wrong_api"
        reason = f"another API is called: {rows[0].source:.160}, not {gold[0].source:.160}"
    elif arguments < 1:
        outcome = "wrong_arguments"
        reason = f"the right API with other arguments: {_shown(call, answer)}, not {gold[0].source:.160}"
    else:
        outcome, reason = "correct", "the right API with the right arguments"
        if not domain:
            reason += (
                f"; the domain is said to be {answer.domain!r:.80}, not {' or '.join(sorted(wanted)):.160}"
            )
    return Judgement(
        outcome=outcome,
        reason=reason,
        api=bool(right),
        arguments=arguments,
        domain=domain,
        call=_shown(call, answer),
        row=rows[0].position,
        said=answer.domain,
    )


def _same(call: Call | None, row: API, answer: Answer) -> bool:
    if call is None:
        return squeeze(row.source) == squeeze(answer.call_text)
    return same_api(call, row)


def _agreement(call: Call | None, row: API, answer: Answer) -> float:
    """Return the share of arguments that agree, of those that either call has.

    A version of a repository counts where the gold call names one.
    """
    if call is None or row.call is None or squeeze(row.source) == squeeze(answer.call_text):
        return 1.0
    if is_python(row.call.text):
        made, wanted = Counter(named_arguments(call).items()), Counter(named_arguments(row.call).items())
    else:
        made = Counter(("", argument.value) for argument in call.arguments)
        wanted = Counter(("", argument.value) for argument in row.call.arguments)
    made = Counter(
        {
            (name, without_version(value))
            if (name, without_version(value)) in wanted
            else (name, value): count
            for (name, value), count in made.items()
        }
    )
    either = (made | wanted).total()
    return (made & wanted).total() / either if either else 1.0


def _shown(call: Call | None, answer: Answer) -> str:
    return (call.text if call is not None else answer.call_text)[:200]


def _normal(domain: str) -> str:
    return " ".join(domain.split()).casefold()
