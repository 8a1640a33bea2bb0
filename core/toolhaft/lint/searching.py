"""Rules about searches: tools that their own words do not lead to, and tools that none can tell apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from toolhaft.lint.finding import Finding
from toolhaft.text import clean, identifier_words, shorten, tokenize
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.retrievers.base import Retriever
    from toolhaft.runs.search_sets.base import SearchQuery

FIRST = 5
"""Hits of a search among which a tool has to be."""
MOST_SEARCHES = 400
"""Tools that are searched for; of a larger catalog as many, spread over it."""
MOST_QUERIES = 2_000
_LONGEST_SENTENCE = 300
_MOST_FINDINGS = 3
"""Queries named of one tool."""
_NAMED = 3
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|[。！？]|\n\s*\n")


class Searches:
    """What searches of the catalog find.

    Args:
        specs: All tools.
        queries: Instructions with the tools that they need, such as a user's own examples.
        progress: Called with how many tools are indexed, and how many there are.
    """

    def __init__(
        self,
        specs: Sequence[ToolSpec],
        queries: Sequence[SearchQuery] = (),
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._progress = progress
        self._found: dict[str, list[Finding]] = defaultdict(list)
        self.searched = 0
        self._compare(specs)
        if len(specs) > FIRST:
            from toolhaft.tools.loop import run_sync

            run_sync(self._search(specs, queries[:MOST_QUERIES]))

    def check(self, spec: ToolSpec) -> Iterator[Finding]:
        """Find tools that searches do not find, or cannot tell from another."""
        yield from self._found.get(spec.name, ())

    async def _search(self, specs: Sequence[ToolSpec], queries: Sequence[SearchQuery]) -> None:
        from toolhaft.retrievers.bm25 import BM25

        retriever = BM25()
        retriever.progress = self._progress
        await retriever.index(specs)
        try:
            for spec in _sampled(specs):
                await self._search_itself(spec, retriever)
            known = {spec.name for spec in specs} if queries else set()
            for query in queries:
                await self._search_query(query, known, retriever)
        finally:
            await retriever.close()

    async def _search_itself(self, spec: ToolSpec, retriever: Retriever) -> None:
        sentence = first_sentence(spec.description)
        if not tokenize(sentence):
            return
        self.searched += 1
        names = [name for name, _ in await retriever.rank(sentence, FIRST)]
        if spec.name in names:
            return
        what = (
            f"a search for its own words {shorten(sentence, 60)!r} finds {_listed(names)} before it: "
            "say first what this tool does that no other does"
        )
        self._add("search-unfound", spec.name, what, cost=8)

    async def _search_query(self, query: SearchQuery, known: set[str], retriever: Retriever) -> None:
        wanted = [name for name in query.gold if name in known]
        if not wanted:
            return
        ranked = await retriever.rank(query.text, max(FIRST, len(wanted)))
        names = [name for name, _ in ranked]
        for name in wanted:
            told = sum(finding.rule == "search-missed" for finding in self._found[name])
            if name not in names and told < _MOST_FINDINGS:
                what = (
                    f"a search for {shorten(query.text, 60)!r} ({query.where or query.id}) finds "
                    f"{_listed(names)} before it: say in the description what people ask for"
                )
                self._add("search-missed", name, what, cost=4)

    def _compare(self, specs: Sequence[ToolSpec]) -> None:
        alike: dict[frozenset[str], list[ToolSpec]] = defaultdict(list)
        for spec in specs:
            name = " ".join(identifier_words(spec.name))
            if words := frozenset(tokenize(f"{name} {clean(spec.description, 4_000)}")):
                alike[words].append(spec)
        for group in alike.values():
            for position, spec in enumerate(group if len(group) > 1 else ()):
                other = group[position - 1]
                more = f" and {len(group) - 2} more" if len(group) > 2 else ""
                what = (
                    f"a search cannot tell it from {other.name}{more}: name and description have the same "
                    f"words, {differences(spec, other)}; say in each what sets it apart"
                )
                self._add("search-look-alike", spec.name, what, cost=10)

    def _add(self, rule: str, tool: str, what: str, *, cost: int) -> None:
        finding = Finding(rule=rule, tool=tool, what=what, pointer="/description", cost=cost, mend="describe")
        self._found[tool].append(finding)


def differences(spec: ToolSpec, other: ToolSpec) -> str:
    """Return what differs between two tools beside their words, for people."""
    said = []
    if spec.parent != other.parent:
        said.append(f"the service ({_quoted(spec.parent)} and {_quoted(other.parent)})")
    for mine, theirs, where in ((spec, other, "here"), (other, spec, "there")):
        alone = [name for name in mine.properties if name not in theirs.properties]
        if alone:
            said.append(f"the arguments ({_listed(alone)} only {where})")
    if spec.effect != other.effect:
        said.append(f"the effect ({spec.effect} and {other.effect})")
    return f"and what differs is {', '.join(said)}" if said else "and nothing else differs but the name"


def first_sentence(text: str) -> str:
    """Return the first sentence of a description, at most 300 characters of it."""
    return shorten(_SENTENCE_END.split(clean(text, 4 * _LONGEST_SENTENCE).strip(), 1)[0], _LONGEST_SENTENCE)


def _sampled(specs: Sequence[ToolSpec]) -> Sequence[ToolSpec]:
    if len(specs) <= MOST_SEARCHES:
        return specs
    return [specs[n * len(specs) // MOST_SEARCHES] for n in range(MOST_SEARCHES)]


def _listed(names: Sequence[str]) -> str:
    shown = [str(name)[:64] for name in names[:_NAMED]]
    if not shown:
        return "nothing"
    return ", ".join([*shown, "..."] if len(names) > _NAMED else shown)


def _quoted(parent: str) -> str:
    return repr(shorten(parent, 40)) if parent else "none"
