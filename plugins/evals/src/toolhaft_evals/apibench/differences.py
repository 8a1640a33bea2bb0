"""Why the strict match and the published scripts say different things of one answer.

Each reason is a rule about the answer, the gold call and the database; none names a question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from toolhaft_evals.apibench.calls import find_calls, is_python, parsed, unescape
from toolhaft_evals.apibench.compatible import cut_call
from toolhaft_evals.apibench.database import API, Database, named_arguments, normal_callee, squeeze
from toolhaft_evals.apibench.matching import Judgement
from toolhaft_evals.apibench.trees import SourceTree

REASONS = {
    "domain_only": "the scripts compare domains alone; another API of the same domain is called",
    "arguments_not_compared": "the right API, but not with its arguments, which the scripts do not compare",
    "substring": "the scripts found the row by a part of an argument, as `t5-small` in `flan-t5-small`",
    "callee_ignored": "the scripts found the arguments of a row in a call of something else",
    "first_match": "the scripts take the first row that fits, and it is not the gold one",
    "gold_not_in_database": "the gold call is in no row, so that the scripts cannot find it",
    "other_arguments": "an API is called with other arguments than its row has: the scripts find no row then",
    "no_arguments": "the row has no arguments, and the scripts skip such rows",
    "not_looked_at": "the call stands in a comment or a string, or the scripts look at another of its name",
    "normalised": "the same call, written in another way than in its row",
    "error_recovery": "what the scripts cut out is no Python, and their verdict is what a parser made of it",
    "no_marker": "no call is declared, which the torchhub script counts as wrong, without reading the text",
    "other_text": "the scripts cut out another piece of the answer than the one that holds its call",
    "running_text": "no call is declared and the text is no Python: what the scripts found in it is chance",
}
"""Every reason with its meaning."""

UNEXPLAINED = "unexplained"


def verdict_of(judgement: Judgement) -> str:
    """Return the word of the published scripts that is nearest to an outcome."""
    if judgement.outcome == "correct":
        return "correct"
    return "wrong" if judgement.outcome.startswith("wrong") else "hallucination"


def explain(
    text: str,
    judgement: Judgement,
    *,
    verdict: str,
    row: int | None,
    gold: Sequence[API],
    database: Database,
) -> str:
    """Return why a strict judgement differs from a published verdict; empty if it does not.

    Args:
        text: The answer.
        judgement: Of the strict match.
        verdict: The published one: ``correct``, ``wrong`` or ``hallucination``.
        row: The row that it is based on; None or -1 if none.
        gold: The right call.
        database: Every API of the hub.

    Returns:
        A key of `REASONS`, or ``unexplained``.
    """
    ours = verdict_of(judgement)
    if ours == verdict:
        return ""
    source = cut_call(text, marker_needed=database.hub == "torchhub")
    if "api_call" not in text and source is not None and not is_python(source):
        return "running_text"
    if source is None:
        return "no_marker"
    if verdict == "correct" and ours == "wrong":
        return _less_strict(judgement)
    if verdict == "wrong" and ours == "correct":
        return "first_match"
    if ours == "hallucination" and row is not None and row >= 0:
        return _looser(source, database.rows[row])
    if not is_python(source):
        return "error_recovery"
    if squeeze(judgement.call) not in squeeze(unescape(source)):
        return "other_text"
    if not any(squeeze(each.source) in database.by_text for each in gold) and ours != "wrong":
        return "gold_not_in_database"
    if not _is_looked_at(judgement.call, source):
        return "not_looked_at"
    return _other_writing(judgement, gold, database)


def _is_looked_at(text: str, source: str) -> bool:
    tree, call = parsed(source), next(find_calls(text), None)
    if tree is None or call is None:
        return True
    return squeeze(text) in squeeze(SourceTree(tree, source).find(call.callee))


def _less_strict(judgement: Judgement) -> str:
    return {
        "wrong_api": "domain_only",
        "wrong_arguments": "arguments_not_compared",
    }[judgement.outcome]


def _other_writing(judgement: Judgement, gold: Sequence[API], database: Database) -> str:
    """Return why the scripts did not find the row that is called."""
    found = database.rows[judgement.row] if judgement.row >= 0 else gold[0]
    call = next(find_calls(judgement.call), None)
    if found.call is None or call is None or squeeze(found.source) == squeeze(judgement.call):
        return "no_arguments" if found.call is not None and not found.call.arguments else UNEXPLAINED
    same = Counter(named_arguments(call).values()) >= Counter(named_arguments(found.call).values())
    return "normalised" if same else "other_arguments"


def _looser(source: str, row: API) -> str:
    """Return how a row was found that the call does not call."""
    called = {normal_callee(call.callee) for call in find_calls(source)}
    if row.call is not None and normal_callee(row.call.callee) in called:
        return "substring"
    return "callee_ignored"
