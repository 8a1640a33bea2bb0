"""The index in arrays: for large catalogs, held in memory or mapped from a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import (
    Document,
    Hit,
    IndexSettings,
    TermIndex,
    check_shares,
    clean_query,
)
from toolhaft.retrievers.lexical.composing import average_of, merged, segment_of, small_segment_of
from toolhaft.retrievers.lexical.keeping import Keeper
from toolhaft.retrievers.lexical.kept_segments import keep_removed, keep_segment, open_segment
from toolhaft.retrievers.lexical.manifest import KeptPart, Manifest, made_with
from toolhaft.retrievers.lexical.searching import Search
from toolhaft.retrievers.lexical.segment import Segment

KIND = "arrays"
_ODD = (IndexError, ValueError, ArithmeticError, MemoryError)
"""What arrays that do not fit each other lead to."""
_RATIO = 8
"""How many times as large as the next a segment is at least."""


class ArrayIndex(TermIndex):
    """Documents in segments.

    Args:
        segments: The first is the largest; all were made with one average length.
        settings: How documents are scored.
        keeper: Writes what changes.
        version: Of the content.
        next_order: Of the next document to be added.
        parts: Files of segments that are in the keeper's folder.

    Source: N. Lester, A. Moffat, J. Zobel, "Fast on-line index construction by geometric partitioning", CIKM
    2005; here the largest part is merged with the others only when these reach an eighth of it.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        settings: IndexSettings,
        keeper: Keeper,
        *,
        version: str = "",
        next_order: int = 0,
        parts: Sequence[KeptPart] = (),
    ) -> None:
        self.settings = settings
        self.version = version
        self._keeper = keeper
        self._next = next_order
        self._parts = {part.digest: part for part in parts}
        self._use(segments)
        self._removed = {segment.file.digest: len(segment.removed.rows) for segment in segments}

    @classmethod
    def build(
        cls,
        documents: Iterable[Document],
        settings: IndexSettings,
        *,
        folder: Path | None = None,
        version: str = "",
        progress: Callable[[int], None] | None = None,
    ) -> ArrayIndex:
        """Index documents; see `toolhaft.retrievers.lexical.choosing.build_index`."""
        keeper = Keeper(folder if version else None, made_with(settings), KIND)
        segment = segment_of(documents, settings, keeper, progress)
        order = int(segment.file.array("orders").max()) + 1 if segment.size else 0
        index = cls([segment] if segment.size else [], settings, keeper, version=version, next_order=order)
        index._keep()
        return index

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, settings: IndexSettings) -> ArrayIndex:
        """Map what a folder keeps.

        Raises:
            FormatError: It is damaged.
            OSError: It cannot be read.
        """
        keeper = Keeper(folder, made_with(settings), KIND, manifest.generation)
        index = cls(
            [open_segment(folder, part, settings) for part in manifest.parts],
            settings,
            keeper,
            version=manifest.version,
            next_order=manifest.next_order,
            parts=manifest.parts,
        )
        if all(segment.file.is_checked for segment in index._segments):
            # Small: what its first query needs is prepared in a few milliseconds.
            index.top({"": 1.0}, 1, parent_share=1.0)
        return index

    def _use(self, segments: Sequence[Segment]) -> None:
        self._segments = tuple(segments)
        self._search = Search(segments, self.settings)

    @property
    def engine(self) -> str:
        """What does the work, for people."""
        return f"numpy arrays, {len(self):,} tools"

    def __len__(self) -> int:
        return self._search.live

    def top(
        self, query: Mapping[str, float], k: int, *, parent_share: float = 0.0, category_share: float = 0.0
    ) -> list[Hit]:
        """Return the k best documents that share a term with the query, equal scores in their order."""
        check_shares(parent_share, category_share)
        try:
            return self._search.top(clean_query(query), k, parent_share, category_share)
        except _ODD as error:
            if (damage := self._damage(error)) is None:
                raise
            raise damage from error

    def change(self, put: Iterable[Document] = (), remove: Iterable[str] = (), *, version: str = "") -> None:
        """Add, replace and remove documents, in the folder too if there is one.

        New documents become a segment of their own, scored with the average length that all had when the
        largest segment was made; segments are merged as they grow, all of them when the others reach an
        eighth of it.
        """
        added = {document.name: document for document in put}
        removed = set(remove)
        try:
            self._change(added, removed, version)
        except _ODD as error:
            if (damage := self._damage(error)) is None:
                raise
            raise damage from error

    def detach(self) -> None:
        """Hold what changes from now on in memory alone."""
        self._keeper.give_up("")

    def _change(self, added: Mapping[str, Document], removed: Set[str], version: str) -> None:
        segments = list(self._segments)
        orders: dict[str, int] = {}
        for number, segment in enumerate(segments):
            rows = {name: segment.row_named(name) for name in removed | added.keys()}
            gone = {name: row for name, row in rows.items() if row is not None}
            if not gone:
                continue
            places = segment.file.take("orders", np.array(list(gone.values())))
            orders |= {
                name: place for name, place in zip(gone, places.tolist(), strict=True) if name not in removed
            }
            segments[number] = segment.without(list(gone.values()))
        if added:
            places = [orders.get(name, self._next + i) for i, name in enumerate(added)]
            average = average_of(segments[0]) if segments else 0.0
            segments.append(small_segment_of(list(added.values()), places, average, self.settings))
            self._next += len(added)
        self._use(self._merge(segments))
        self.version = version
        self._keep()

    def _damage(self, error: Exception) -> FormatError | None:
        """Return what arrays that do not fit each other lead to as what it is: a damaged file.

        Checksums do not keep anybody from writing such arrays on purpose. Those that this process wrote fit.
        """
        opened = [segment.file for segment in self._segments if not segment.file.trusted]
        if not opened:
            return None
        return opened[0].damaged(f"its arrays do not fit each other ({type(error).__name__})")

    def _merge(self, segments: list[Segment]) -> list[Segment]:
        """Merge segments so that each is several times as large as the next, and few of it are gone."""
        segments = [segment for segment in segments if segment.live]
        while len(segments) > 2 and segments[-1].size * _RATIO >= segments[-2].size:
            segments[-2:] = [merged(segments[-2:], self.settings, None)]
        if not segments:
            return []
        first = segments[0]
        rest = sum(segment.size for segment in segments[1:])
        if rest * _RATIO >= first.size or len(first.removed.rows) * _RATIO > first.size:
            return [merged(segments, self.settings, self._keeper)]
        return segments

    def _keep(self) -> None:
        """Write what is not yet in the folder."""
        keeper = self._keeper
        if keeper.folder is None:
            return
        parts: list[KeptPart] = []
        for segment in self._segments:
            part = self._parts.get(segment.file.digest) or keep_segment(segment, keeper)
            count = len(segment.removed.rows)
            if part is not None and count != self._removed.get(part.digest, 0):
                part = keep_removed(segment, part, keeper)
                self._removed[segment.file.digest] = count
            if part is None:
                return
            parts.append(part)
        self._parts = {part.digest: part for part in parts}
        keeper.commit(parts, self.version, self._next)
