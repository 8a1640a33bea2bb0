"""The rule of the published scripts: the first row whose arguments occur in the call decides by its domain.

Source: Patil et al., "Gorilla: Large Language Model Connected with Massive APIs" (2023), section 3.3, as
its evaluation scripts carry it out. Deviation: they parse with tree-sitter, which makes something of broken
code, too; here a call is found by its name and its parentheses, so that of text that is no Python the
verdict may differ.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from toolhaft_evals.apibench.calls import is_python, parsed
from toolhaft_evals.apibench.database import API, Database, first_call
from toolhaft_evals.apibench.trees import BrokenSource, SourceTree

_LONGEST = 20_000
"""Characters of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibleVerdict:
    """What the published scripts would say.

    Attributes:
        verdict: ``correct``, ``wrong`` or ``hallucination``.
        row: Position of the first row that fits; -1 if none does, None if nothing was read.
        source: What was read as code.
    """

    verdict: str
    row: int | None
    source: str | None


def judge_compatible(text: str, domains: Collection[str], database: Database) -> CompatibleVerdict:
    """Judge an answer as the published scripts do.

    Args:
        text: As the model wrote it.
        domains: Those of the gold API.
        database: Its ``hub`` says which of the three scripts is meant.
    """
    source = cut_call(text[:_LONGEST], marker_needed=database.hub == "torchhub")
    if source is None:
        return CompatibleVerdict(verdict="wrong", row=None, source=None)
    declared = "api_call" in text
    # Of running text around code, the scripts make what their parser recovers: nothing, six times in seven.
    row = first_fitting(source, database) if declared or is_python(source) else None
    if row is None:
        return CompatibleVerdict(verdict="hallucination", row=-1, source=source)
    verdict = "correct" if row.domain in domains else "wrong"
    return CompatibleVerdict(verdict=verdict, row=row.position, source=source)


def cut_call(text: str, *, marker_needed: bool) -> str | None:
    """Return what is read as code: from ``api_call`` to ``api_provider``, else the whole text or nothing."""
    parts = text.split("api_call")
    if len(parts) == 1:
        return None if marker_needed else text
    part = parts[1].split("api_provider")[0]
    # Without a colon or a parenthesis the scripts cut all the same, two characters off and one.
    begins = part.index(":") + 2 if ":" in part else 2
    ends = part.rindex(")") + 1 if ")" in part else len(part) - 1
    return part[begins:ends]


def first_fitting(source: str, database: Database) -> API | None:
    """Return the first row whose arguments all occur in the sub-tree that the source has for its callee."""
    tree = parsed(source)
    trees = SourceTree(tree, source) if tree is not None else BrokenSource(source)
    for row in database.rows:
        callee, wanted = _published_row(row.source, database.hub)
        # Where no sub-tree has the callee, the scripts go on with the one they looked at last.
        if wanted and all(text in (trees.find(callee) or trees.last) for text in wanted):
            return row
    return None


@lru_cache(maxsize=10_000)
def _published_row(source: str, hub: str) -> tuple[str, tuple[str, ...]]:
    """Return the callee of a row and the texts that are looked for; none where the scripts skip the row."""
    tree = parsed(source)
    if tree is None:
        call = first_call(source)
        if call is None:
            return "", ()
        pieces = [
            (one.name, one.text, f"{one.name}={one.text}" if one.name else one.text) for one in call.arguments
        ]
        return call.callee, _wanted(pieces, hub)
    made = tree.body[0].value if tree.body and isinstance(tree.body[0], ast.Expr) else None
    if isinstance(made, ast.Tuple) and made.elts:
        made = made.elts[0]
    if not isinstance(made, ast.Call):
        return "", ()
    text = SourceTree(tree, source).text
    arguments: list[ast.expr | ast.keyword] = [*made.args, *made.keywords]
    pieces = [
        (one.arg or "", text(one.value), text(one))
        if isinstance(one, ast.keyword)
        else ("", text(one), text(one))
        for one in arguments
    ]
    return text(made.func), _wanted(pieces, hub)


def _wanted(pieces: Iterable[tuple[str, str, str]], hub: str) -> tuple[str, ...]:
    """Return the texts that each of the three scripts takes of ``(name, value, whole argument)``."""
    if hub == "torchhub":
        texts = [value for name, value, whole in pieces if name and re.search("repo_or_dir|model", whole)]
    elif hub.startswith("tensorflow"):
        texts = [value if name and re.search("model ?=", whole) else whole for name, value, whole in pieces]
    else:
        texts = [value for _, value, _ in pieces]
    return tuple(text.strip("'") for text in texts)
