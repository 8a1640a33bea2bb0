"""The index in pure Python: for small catalogs, and where numpy is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
        self._documents: dict[str, Document] = {}
        self._orders: dict[str, int] = {}
        self._next = 0
        self._okapi: Okapi | None = None
        self._parents: tuple[tuple[str, ...], Okapi] | None = None
        self._rows: list[Document] = []
        self._put(documents)

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
        index._orders = {document.name: order for order, document in kept}
        index._next = manifest.next_order
        return index

    @property
    def engine(self) -> str:
        """What does the work, for people."""
        return f"pure Python, {len(self):,} tools{self._note}"

    def __len__(self) -> int:
        return len(self._documents)

    def documents(self) -> Sequence[Document]:
        """Return what is indexed, in order."""
        return sorted(self._documents.values(), key=lambda document: self._orders[document.name])

    def top(
        self, query: Mapping[str, float], k: int, *, parent_share: float = 0.0, category_share: float = 0.0
    ) -> list[Hit]:
        """Return the k best documents that share a term with the query, equal scores in their order."""
        check_shares(parent_share, category_share)
        wanted = clean_query(query)
        okapi = self._score_anew() if self._okapi is None else self._okapi
        scores = okapi.scores(wanted)
        rows = self._rows
        if parent_share or category_share:
            matched = sorted(okapi.matches(wanted))
            parents = self._score_parents(wanted) if parent_share else {}
            categories = _best_by((rows[row].category, scores[row]) for row in matched)
            found = [
                (
                    row,
                    scores[row]
                    + parent_share * parents.get(rows[row].parent, 0.0)
                    + category_share * categories.get(rows[row].category, 0.0),
                )
                for row in matched
            ]
            hits = best_hits(found, k)
        else:
            hits = best_hits(okapi.candidates(wanted, k), k)
        return [Hit(rows[row].name, score, self._orders[rows[row].name]) for row, score in hits]

    def change(self, put: Iterable[Document] = (), remove: Iterable[str] = (), *, version: str = "") -> None:
        """Add, replace and remove documents."""
        for name in remove:
            self._documents.pop(name, None)
            self._orders.pop(name, None)
        self._put(put)
        self.version = version
        self._okapi = self._parents = None
        self._keep()

    def _keep(self) -> None:
        """Write all documents to the folder: there are few."""
        if self._keeper is None or self._keeper.folder is None:
            return
        documents = ((self._orders[document.name], document) for document in self.documents())
        part = keep_documents(documents, self._keeper)
        if part is not None:
            self._keeper.commit([part], self.version, self._next)

    def _put(self, documents: Iterable[Document]) -> None:
        for document in documents:
            if document.name not in self._orders:
                self._orders[document.name] = self._next
            self._documents[document.name] = document
            self._next += 1

    def _score_parents(self, query: Mapping[str, float]) -> dict[str, float]:
        """Return the score of each parent as a document of the distinct terms of its documents."""
        if self._parents is None:
            terms: dict[str, dict[str, None]] = {}
            for row in self._rows:
                if row.parent:
                    terms.setdefault(row.parent, {}).update(dict.fromkeys(row.terms))
            settings = self._settings
            okapi = Okapi(map(list, terms.values()), settings.k1, settings.b, idf="smoothed")
            self._parents = tuple(terms), okapi
        names, okapi = self._parents
        return dict(zip(names, okapi.scores(query), strict=True))

    def _score_anew(self) -> Okapi:
        settings = self._settings
        self._rows = list(self.documents())
        terms = [document.terms for document in self._rows]
        kind = "okapi" if settings.idf == "auto" else settings.idf
        okapi = Okapi(terms, settings.k1, settings.b, settings.epsilon, idf=kind)
        if settings.idf == "auto" and okapi.average_idf <= 0:
            okapi = Okapi(terms, settings.k1, settings.b, settings.epsilon, idf="smoothed")
        self._okapi = okapi
        return okapi


def _best_by(scored: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the best score of each group, groups without a name left out, never less than 0."""
    best: dict[str, float] = {}
    for group, score in scored:
        if group:
            best[group] = max(best.get(group, 0.0), score)
    return best
