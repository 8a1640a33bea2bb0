"""How ``hybrid`` weighs its retrievers, learned from queries whose tools are known."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from toolhaft.cli.catalogs import LockedOpening
from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.cli.progress import ProgressBar, waiting
from toolhaft.cli.search_asked import Asked
from toolhaft.errors import UsageError
from toolhaft.retrievers.hybrid import Hybrid
from toolhaft.runs.learning_fusion import judge_rankings, learn_fusion
from toolhaft.runs.searching import check_gold, names_of

if TYPE_CHECKING:
    from toolhaft.retrievers.learned_fusion import LearnedFusion
    from toolhaft.runs.learning_fusion import JudgedRankings
    from toolhaft.runs.search_sets.base import SearchQuery
    from toolhaft.types import ToolSpec

_FEWEST = 10
_FEW = 100
_LEARNED = ("fusion", "weights", "depth", "parent_boost", "learned")
"""Settings of ``hybrid`` that stand in the file."""


def learn_weights(
    location: str, asked: Asked, opening: LockedOpening, *, retriever: str, output: Path, as_json: bool
) -> None:
    """Learn, write the file, and print how good it is; everything is checked before anything is indexed.

    Args:
        location: A catalog, or a folder of queries that brings its own tools.
        asked: Which queries.
        opening: How the catalog is opened.
        retriever: ``hybrid``, with settings behind it.
        output: The file.
        as_json: Print JSON.

    Raises:
        ToolhaftError: Something of this cannot be.
    """
    _check_output(output)
    hybrid = _make_hybrid(retriever)
    before = hybrid.fused_by
    with ExitStack() as stack:
        found, specs = asked.read(location, opening, stack)
        pool = names_of(specs)
        check_gold(found.queries, pool)
        queries = _usable(found.queries, frozenset(pool))
        judged = _judge(hybrid, specs, queries, before.depth)
    with waiting("Learning weights"):
        learned = learn_fusion(judged, learned_on=found.name, before=before)
    learned.save(output)
    use = _reference(retriever, output)
    if as_json:
        counts = {"tools": len(pool), "queries": len(queries)}
        print_json({"output": str(output), "retriever": use, **counts, **asdict(learned)})
    else:
        print_line(f"{found.name}: {len(pool):,} tools, {len(queries):,} queries\n")
        _print(learned)
        print_line(f"\nWritten to {output}   (--retriever '{use}')")
    _warn(learned, len(found.queries) - len(queries))


def _judge(
    hybrid: Hybrid, specs: Sequence[ToolSpec], queries: Sequence[SearchQuery], depth: int
) -> JudgedRankings:
    bar = ProgressBar()

    async def judge() -> JudgedRankings:
        try:
            hybrid.progress = bar.reach
            await hybrid.index(specs)
            wanted: list[tuple[str, Collection[str]]] = [(query.text, query.gold) for query in queries]
            tell = partial(bar.reach, title="Asking queries")
            return await judge_rankings(hybrid, specs, wanted, depth, progress=tell)
        finally:
            await hybrid.close()

    with bar.showing("Indexing tools", len(specs)):
        return asyncio.run(judge())


def _usable(queries: Sequence[SearchQuery], pool: frozenset[str]) -> list[SearchQuery]:
    usable = [query for query in queries if not pool.isdisjoint(query.gold)]
    if len(usable) < _FEWEST:
        raise UsageError(
            f"{len(usable)} queries that need a tool of the catalog are too few to learn weights from",
            where=usable[0].where,
            hint=f"Give {_FEW} or more, at least {_FEWEST}; until then keep the weights that hybrid has",
        )
    return usable


def _make_hybrid(written: str) -> Hybrid:
    from toolhaft.hooks.registry import Registry

    made = Registry.default().retriever(written)
    if not isinstance(made, Hybrid):
        raise UsageError(
            f"the retriever {written[:80]!r} has no weights to learn",
            hint="Name hybrid: --retriever 'hybrid?retrievers=bm25,dense'",
        )
    return made


def _check_output(output: Path) -> None:
    if output.is_dir():
        raise UsageError("the output is a folder", where=str(output), hint="Name a file: -o weights.json")
    try:
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the weights cannot be written: {said}",
            where=str(output),
            hint="Name a place that can be written",
        ) from None


def _reference(written: str, output: Path) -> str:
    """Return how the retriever is named that uses what was learned."""
    name, _, settings = written.partition("?")
    kept = [each for each in settings.split("&") if each and each.partition("=")[0] not in _LEARNED]
    return f"{name}?{'&'.join([*kept, f'learned={quote(str(output))}'])}"


def _print(learned: LearnedFusion) -> None:
    titles = {
        "ndcg@5 with equal weights": "equal",
        "ndcg@5 with the weights before": "those it had",
        "ndcg@5": "learned",
        "ndcg@5 of queries left out": "learned, asked what was left out",
    }
    print_table(
        ("WEIGHTS", "NDCG@5"),
        [(title, f"{100 * learned.learned_on[name]:.1f}") for name, title in titles.items()],
    )
    weights = ", ".join(f"{name} {weight:g}" for name, weight in learned.weights.items())
    boost = f", lifted by the service with {learned.parent_boost:g}" if learned.parent_boost else ""
    print_line(f"\n{learned.fusion} of {weights}, of {learned.depth} candidates each{boost}")


def _warn(learned: LearnedFusion, unused: int) -> None:
    if unused:
        notice(f"{unused:,} queries need no tool of the catalog, and were left out")
    facts = learned.learned_on
    if facts["count"] < _FEW:
        notice(f"{facts['count']} queries are few: measure on others before you use what was learned")
    if facts["ndcg@5 of queries left out"] <= facts["ndcg@5 with the weights before"]:
        notice("Asked what was left out, what was learned is no better than what it had: keep that")
