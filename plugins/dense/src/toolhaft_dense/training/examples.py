"""What a retriever learns from: tools, and queries with the tools that answer them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from toolhaft.errors import UsageError
from toolhaft.types import ToolSpec
from toolhaft_dense.texts import passage

QueryOrigin = Literal["given", "trajectory", "synthetic"]
"""``given``: read from a file of queries; ``trajectory``: somebody's run; ``synthetic``: made here."""
LONGEST_QUERY = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningQuery:
    """A query and what answers it.

    Attributes:
        positives: Positions of tools that answer it, at least one.
        negatives: Positions of tools that are known not to, for instance offered and passed over.
        origin: Who made it.
    """

    text: str
    positives: tuple[int, ...]
    negatives: tuple[int, ...] = ()
    origin: QueryOrigin = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningSet:
    """Tools and queries.

    Attributes:
        tools: Each once.
        queries: Those to learn from; each text once.
        tests: Queries that are only measured, once before and once after training.
        left_out: What was not taken, by reason.
        hashes: SHA-256 of what was read, by its name.
    """

    tools: tuple[ToolSpec, ...]
    queries: tuple[LearningQuery, ...]
    tests: tuple[LearningQuery, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    def passages(self) -> list[str]:
        """Return what the encoder is shown of each tool: the same as when it serves."""
        return [passage(tool) for tool in self.tools]

    def groups(self) -> list[str]:
        """Return for each tool its service; a tool without one stands alone."""
        return [group_of(tool, str(position)) for position, tool in enumerate(self.tools)]

    def counts(self) -> dict[str, int]:
        """Return how many queries there are by who made them."""
        return dict(Counter(query.origin for query in self.queries))

    def digest(self) -> str:
        """Return the SHA-256 of everything that is learned, in its order."""
        found = hashlib.sha256()
        for text in self.passages():
            found.update(f"{text}\0".encode("utf-8", "replace"))
        for query in self.queries:
            line = f"{query.text}\0{query.positives}\0{query.negatives}\0{query.origin}\1"
            found.update(line.encode("utf-8", "replace"))
        return found.hexdigest()

    def with_queries(self, more: Iterable[LearningQuery]) -> LearningSet:
        """Return the set with more queries to learn from."""
        return replace(self, queries=(*self.queries, *more))


class Collector:
    """Gathers tools and queries, each once."""

    def __init__(self) -> None:
        self._tools: list[ToolSpec] = []
        self._known: dict[tuple[str, ...], int] = {}
        self._queries: dict[tuple[bool, str], LearningQuery] = {}
        self.left_out: Counter[str] = Counter()
        self.hashes: dict[str, str] = {}

    def add_tool(self, key: tuple[str, ...], tool: ToolSpec) -> int:
        """Return the position of a tool; one that is known by its key is not added again."""
        found = self._known.get(key)
        if found is not None:
            self.left_out["tools that are there already"] += 1
            return found
        self._known[key] = len(self._tools)
        self._tools.append(tool)
        return self._known[key]

    def position(self, key: tuple[str, ...]) -> int | None:
        """Return the position of a tool by its key."""
        return self._known.get(key)

    def add_query(self, query: LearningQuery, *, test: bool = False) -> None:
        """Take a query; the tools of one that is there already are put together with its own."""
        query = replace(query, text=query.text[:LONGEST_QUERY])
        if not query.text.strip() or not query.positives:
            reason = "queries without a word" if not query.text.strip() else "queries that nothing answers"
            self.left_out[reason] += 1
            return
        key = (test, " ".join(query.text.casefold().split()))
        before = self._queries.get(key)
        if before is not None:
            self.left_out["queries that are there already"] += 1
            query = replace(
                before,
                positives=(*before.positives, *query.positives),
                negatives=(*before.negatives, *query.negatives),
            )
        positives = tuple(dict.fromkeys(query.positives))
        negatives = tuple(place for place in dict.fromkeys(query.negatives) if place not in positives)
        self._queries[key] = replace(query, positives=positives, negatives=negatives)

    def collected(self) -> LearningSet:
        """Return what was gathered.

        Raises:
            UsageError: There are not two tools.
        """
        if len(self._tools) < 2:
            where = ", ".join(self.hashes)
            hint = "Name a folder of ToolBench's layout, or a catalog"
            raise UsageError(f"{len(self._tools)} tools are too few to tell apart", where=where, hint=hint)
        # A query of the test that is learned as well would be no test.
        tested = {words for test, words in self._queries if test}
        learned = [q for (test, words), q in self._queries.items() if not test and words not in tested]
        if lost := len(self._queries) - len(tested) - len(learned):
            self.left_out["queries that are tested"] += lost
        return LearningSet(
            tools=tuple(self._tools),
            queries=tuple(learned),
            tests=tuple(query for (test, _), query in self._queries.items() if test),
            left_out=dict(self.left_out),
            hashes=dict(self.hashes),
        )


def group_of(tool: ToolSpec, alone: str) -> str:
    """Return what tells a tool's service from every other one.

    Args:
        tool: Any.
        alone: What is used where it belongs to none.
    """
    if not tool.parent:
        return f"\0{alone}"
    return "\t".join((*tool.tags[:1], tool.parent))


def hold_out_services(
    learning: LearningSet, share: float, seed: int = 0
) -> tuple[list[LearningQuery], list[LearningQuery]]:
    """Return the queries to learn, and those held out: their tools are then no query's positives.

    A query with tools of both sides is in neither. Synthetic queries are never measured, and those of
    services held out are not learned.

    Args:
        learning: Tools and queries.
        share: Of the services, in [0, 0.5].
        seed: Of the choice; a service's side depends on it and on its name alone.
    """
    groups = learning.groups()
    apart = {group for group in set(groups) if _draw(group, seed) < share}
    learned: list[LearningQuery] = []
    held_out: list[LearningQuery] = []
    for query in learning.queries:
        sides = {groups[place] in apart for place in query.positives}
        if sides == {False}:
            learned.append(query)
        elif sides == {True} and query.origin != "synthetic":
            held_out.append(query)
    return learned, held_out


def pairs_of(queries: Sequence[LearningQuery], repeats: int = 1) -> list[tuple[int, int]]:
    """Return each query's position with the position of each tool that answers it.

    Args:
        queries: Those that are learned.
        repeats: How often each pair stands there, unless it was made.
    """
    times = [1 if query.origin == "synthetic" else repeats for query in queries]
    return [
        (number, place)
        for number, query in enumerate(queries)
        for place in query.positives
        for _ in range(times[number])
    ]


def _draw(group: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}\0{group}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:6]) / 2**48
