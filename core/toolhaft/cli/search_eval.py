"""Retrievers asked the same queries over the same tools, scored and compared."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.cli.catalogs import LockedOpening
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.progress import ProgressBar
from toolhaft.cli.search_asked import Asked
from toolhaft.errors import UsageError
from toolhaft.evaluators.ranking import DEEPEST, metric_names
from toolhaft.runs.searching import Searches, check_gold, compare_searches, names_of, search_all

if TYPE_CHECKING:
    from toolhaft.evaluators.ranking_comparison import RankingComparison
    from toolhaft.retrievers.base import Retriever

REPORT = "search.html"
RECORD = "search.json"
_MOST_RETRIEVERS = 20
_SHALLOWEST = 10
"""Hits that are kept even if no figure looks so deep: the plot and the report show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchChoices:
    """What is measured, and how.

    Attributes:
        location: A catalog, or a folder of queries that brings its own tools.
        asked: Which queries.
        retrievers: Names, with settings behind them; the others are compared with the first.
        depths: The k of the figures, with commas.
        opening: How the catalog is opened.
    """

    location: str
    asked: Asked = field(default_factory=Asked)
    retrievers: Sequence[str] = ("bm25",)
    depths: str = "1,5,10"
    opening: LockedOpening = field(default_factory=LockedOpening)

    def settings(self) -> dict[str, Any]:
        """Return them for the record."""
        return {
            "tools": self.location,
            "queries": str(self.asked.queries) if self.asked.queries else "of the folder",
            "retrievers": list(self.retrievers),
            "k": self.depths,
            **({"part": self.asked.part} if self.asked.part else {}),
            **({"limit": self.asked.limit} if self.asked.limit else {}),
            **({"curation": str(self.opening.curate)} if self.opening.curate else {}),
            "seed": self.asked.seed,
        }


class SearchEvaluation:
    """What ``toolhaft search eval`` does; everything is checked before anything is indexed.

    Args:
        choices: What is measured, and how.
        output: Folder for the report and the rankings.

    Raises:
        ToolhaftError: Something of this cannot be.
    """

    def __init__(self, choices: SearchChoices, *, output: Path | None = None) -> None:
        self._choices = choices
        self._output = _prepared(output)
        self._depths = read_depths(choices.depths)
        self._retrievers = make_retrievers(choices.retrievers)
        self._open = ExitStack()
        try:
            self._set, self._specs = choices.asked.read(choices.location, choices.opening, self._open)
            self._pool = names_of(self._specs)
            check_gold(self._set.queries, self._pool)
        except BaseException:
            self._open.close()
            raise

    def show(self, *, as_json: bool) -> None:
        """Search, print what was found, and write the report."""
        from toolhaft.cli.search_figures import comparison_value, print_ranking_comparison

        with self._open:
            searches = self._search()
            comparison = compare_searches(
                searches, self._set.queries, self._pool, depths=self._depths, seed=self._choices.asked.seed
            )
            notes = self._notes(comparison)
            files = self._write(comparison, searches, notes)
        facts = {"set": self._set.name, "tools": len(self._pool), "queries": len(self._set.queries)}
        if as_json:
            report = str(files) if files else None
            print_json({**facts, **comparison_value(comparison), "notes": notes, "report": report})
            return
        print_line(f"{self._set.name}: {len(self._pool):,} tools, {len(self._set.queries):,} queries\n")
        print_ranking_comparison(comparison, {query.id: query.text for query in self._set.queries}, notes)
        if files is not None:
            print_line(f"\nReport: {files}")

    def _search(self) -> list[Searches]:
        judged = [query for query in self._set.queries if query.gold]
        bar = ProgressBar()
        k = max(*self._depths, _SHALLOWEST)

        async def search() -> list[Searches]:
            found = []
            for name, retriever in self._retrievers.items():
                bar.reach(0, len(self._pool), f"Indexing for {name}")
                retriever.progress = bar.reach
                tell = partial(bar.reach, title=f"Searching with {name}")
                found.append(await search_all(name, retriever, self._specs, judged, k, progress=tell))
            return found

        with bar.showing("Indexing", len(self._pool)):
            return asyncio.run(search())

    def _notes(self, comparison: RankingComparison) -> list[str]:
        notes = list(self._set.notes)
        if without := len(comparison.without_gold):
            notes.append(f"{without:,} queries name no tool, and are left out of all figures")
        if lost := comparison.not_in_pool:
            first = next(iter(lost.values()))[0]
            notes.append(
                f"{len(lost):,} queries need a tool that is not in the catalog ({first[:60]!r} first): "
                "it counts as missed"
            )
        return notes

    def _write(
        self, comparison: RankingComparison, searches: Sequence[Searches], notes: Sequence[str]
    ) -> Path | None:
        if self._output is None:
            return None
        from toolhaft.cli.search_figures import record_pieces
        from toolhaft.report.files import write_whole, writing
        from toolhaft.report.search import AskedQuery, render_search

        asked = [
            AskedQuery(
                id=query.id,
                text=query.text,
                gold=query.gold,
                category=query.category,
                hits={found.name: found.hits[query.id] for found in searches},
            )
            for query in self._set.queries
            if query.gold
        ]
        html = render_search(
            comparison,
            asked,
            title=f"Tool search: {self._set.name}",
            tools=len(self._pool),
            notes=notes,
            settings=self._choices.settings(),
        )
        with writing(self._output):
            write_whole(self._output / RECORD, record_pieces(comparison, asked, self._choices.settings()))
            write_whole(self._output / REPORT, [html.encode("utf-8", "backslashreplace")])
        return self._output / REPORT


def read_depths(text: str) -> tuple[int, ...]:
    """Return the k that ``--k 1,5,10`` names.

    Raises:
        UsageError: One is no whole number from 1 to 1,000.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    depths = tuple(int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 10)
    if len(depths) != len(words) or not depths:
        raise UsageError(f"--k is {text[:60]!r}", hint=f"Write numbers from 1 to {DEEPEST}: --k 1,5,10")
    metric_names(depths)
    return tuple(sorted(set(depths)))


def make_retrievers(written: Sequence[str]) -> dict[str, Retriever]:
    """Make each retriever from its name and settings, by what was written.

    Raises:
        UsageError: One stands twice, there are too many, or one cannot be made; see `Registry.make`.
    """
    from toolhaft.hooks.registry import Registry

    registry = Registry.default()
    if len(written) > _MOST_RETRIEVERS:
        raise UsageError(f"{len(written)} retrievers", hint=f"At most {_MOST_RETRIEVERS} are compared")
    found: dict[str, Retriever] = {}
    for name in written:
        if name in found:
            raise UsageError(f"the retriever {name[:80]!r} is named twice", hint="Name each once")
        found[name] = registry.retriever(name)
    return found


def _prepared(output: Path | None) -> Path | None:
    if output is None:
        return None
    from toolhaft.cli.run import prepare

    if (output / RECORD).exists():
        notice(f"{output / RECORD} is replaced")
    prepare(output)
    return output
