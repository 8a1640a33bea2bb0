"""The index in pure Python: for small catalogs, and where numpy is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path

from toolhaft.retrievers.lexical.base import (
    Document,
    Hit,
    IndexSettings,
    TermIndex,
    check_shares,
    clean_query,
)
from toolhaft.retrievers.lexical.keeping import Keeper
from toolhaft.retrievers.lexical.kept_documents import KIND, keep_documents, read_documents
from toolhaft.retrievers.lexical.manifest import Manifest, made_with
from toolhaft.retrievers.okapi import Okapi, best_hits
from toolhaft.retrievers.parents import Parents

_Held = Mapping[str, tuple[int, Document]]
"""Name -> order and document; never changed, for a query may be reading it in another thread."""


class PureIndex(TermIndex):
    """Documents in memory, scored by `Okapi`. A change scores all of them anew, at the next query.

    Args:
        documents: In order; of several with one name the last stands, at the place of the first.
        settings: How documents are scored.
        note: Added to `engine`.
        keeper: Writes what changes; None keeps nothing.
        version: Of the content.
    """

    def __init__(
        self,
        documents: Iterable[Document],
        settings: IndexSettings,
        *,
        note: str = "",
        keeper: Keeper | None = None,
        version: str = "",
    ) -> None:
        self._note = note
        self.version = version
        self._keeper = keeper
        self._settings = settings
        self._next = 0
        self._held: _Held = self._with({}, documents)
        self._scores: _Scores | None = None

    @classmethod
    def build(
        cls,
        documents: Iterable[Document],
        settings: IndexSettings,
        *,
        note: str = "",
        folder: Path | None = None,
        version: str = "",
    ) -> PureIndex:
        """Index documents; see `toolhaft.retrievers.lexical.choosing.build_index`."""
        keeper = Keeper(folder if version else None, made_with(settings), KIND)
        index = cls(documents, settings, note=note, keeper=keeper, version=version)
        index._keep()
        return index

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, settings: IndexSettings, note: str = "") -> PureIndex:
        """Read what a folder keeps.

        Raises:
            FormatError: It is damaged.
            OSError: It cannot be read.
        """
        keeper = Keeper(folder, made_with(settings), KIND, manifest.generation)
        kept = [pair for part in manifest.parts for pair in read_documents(folder, part)]
        index = cls(
            (document for _, document in kept), settings, note=note, keeper=keeper, version=manifest.version
        )
        index._held = {document.name: (order, document) for order, document in kept}
        index._next = manifest.next_order
        return index

    @property
    def engine(self) -> str:
        """What does the work, for people."""
        return f"pure Python, {len(self):,} tools{self._note}"

    def __len__(self) -> int:
        return len(self._held)

    def top(
        self, query: Mapping[str, float], k: int, *, parent_share: float = 0.0, category_share: float = 0.0
    ) -> list[Hit]:
        """Return the k best documents that share a term with the query, equal scores in their order."""
        check_shares(parent_share, category_share)
        held, scores = self._held, self._scores
        if scores is None or scores.held is not held:
            scores = self._scores = _Scores(held, self._settings)
        return scores.top(clean_query(query), k, parent_share, category_share)

    def change(self, put: Iterable[Document] = (), remove: Iterable[str] = (), *, version: str = "") -> None:
        """Add, replace and remove documents."""
        gone = set(remove)
        left = {name: entry for name, entry in self._held.items() if name not in gone}
        self._held = self._with(left, put)
        self.version = version
        self._keep()

    def detach(self) -> None:
        """Hold what changes from now on in memory alone."""
        self._keeper = None

    def _keep(self) -> None:
        """Write all documents to the folder: there are few."""
        if self._keeper is None or self._keeper.folder is None:
            return
        part = keep_documents(_in_order(self._held), self._keeper)
        if part is not None:
            self._keeper.commit([part], self.version, self._next)

    def _with(self, held: _Held, documents: Iterable[Document]) -> _Held:
        changed = dict(held)
        for document in documents:
            order = changed[document.name][0] if document.name in changed else self._next
            changed[document.name] = order, document
            self._next += 1
        return changed


class _Scores:
    """Scores of the documents that an index held at one moment.

    Args:
        held: The documents.
        settings: How they are scored.
    """

    def __init__(self, held: _Held, settings: IndexSettings) -> None:
        self.held = held
        self._rows = _in_order(held)
        self._settings = settings
        terms = [document.terms for _, document in self._rows]
        kind = "okapi" if settings.idf == "auto" else settings.idf
        okapi = Okapi(terms, settings.k1, settings.b, settings.epsilon, idf=kind)
        if settings.idf == "auto" and okapi.average_idf <= 0:
            okapi = Okapi(terms, settings.k1, settings.b, settings.epsilon, idf="smoothed")
        self._okapi = okapi
        self._parents: Parents | None = None

    def top(
        self, query: Mapping[str, float], k: int, parent_share: float, category_share: float
    ) -> list[Hit]:
        """Return the k best; see `toolhaft.retrievers.lexical.base.TermIndex.top`."""
        okapi, rows = self._okapi, self._rows
        if parent_share or category_share:
            scores = okapi.scores(query)
            matched = sorted(okapi.matches(query))
            parents = self._parent_scores(query) if parent_share else {}
            categories = _best_by((rows[row][1].category, scores[row]) for row in matched)
            found = (
                (
                    row,
                    scores[row]
                    + parent_share * parents.get(rows[row][1].parent, 0.0)
                    + category_share * categories.get(rows[row][1].category, 0.0),
                )
                for row in matched
            )
            hits = best_hits(found, k)
        else:
            hits = best_hits(okapi.candidates(query, k), k)
        return [Hit(rows[row][1].name, score, rows[row][0]) for row, score in hits]

    def _parent_scores(self, query: Mapping[str, float]) -> Mapping[str, float]:
        if self._parents is None:
            documents = [document for _, document in self._rows]
            parents = [document.parent for document in documents]
            terms = (document.terms for document in documents)
            self._parents = Parents(parents, terms, self._settings.k1, self._settings.b)
        return self._parents.scores(query)


def _in_order(held: _Held) -> list[tuple[int, Document]]:
    return sorted(held.values(), key=itemgetter(0))


def _best_by(scored: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the best score of each group, groups without a name left out, never less than 0."""
    best: dict[str, float] = {}
    for group, score in scored:
        if group:
            best[group] = max(best.get(group, 0.0), score)
    return best
