"""Texts into vectors: a transformer, its tokens' vectors pooled to one, made of length 1."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from toolhaft.errors import ConfigError, UsageError
from toolhaft_dense.batches import plan_batches
from toolhaft_dense.bert_shape import BertShape
from toolhaft_dense.onnx_files import find_graphs
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.weights import EncoderFolder

_log = logging.getLogger(__name__)
Runtime = Literal["auto", "onnx", "torch"]
BATCH_TOKENS = 512
"""Measured best on one thread: what is computed at once stays in the cache of a core."""
_CHUNK = 1_024
"""Texts after which what is encoded is handed over, so that it can be kept."""


def graph_cache() -> Path:
    """Return the user's folder of made graphs."""
    from toolhaft.settings import load_settings

    return load_settings().data_dir / "cache" / "dense-models"


class Stopped(Exception):
    """Nobody waits for the vectors any more."""


class _Computes(Protocol):
    def tokenize(self, texts: Sequence[str]) -> list[list[int]]: ...
    def run(self, rows: Sequence[Sequence[int]]) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some of the vectors that were asked for.

    Attributes:
        positions: Of their texts.
        vectors: float32, shape (positions, width), each of length 1.
    """

    positions: tuple[int, ...]
    vectors: Any = field(repr=False)


class Encoder:
    """Encodes texts with the weights of a folder; runtime and weights are loaded at the first text.

    Args:
        folder: What to load.
        runtime: ``onnx`` computes a BERT without torch, ``torch`` anything that transformers knows; ``auto``
            is ``onnx`` where it can be.
        precision: Of ``onnx``: whole numbers of 8 bits are twice as fast, and their vectors have a cosine of
            0.99 to the exact ones. ``torch`` always computes ``fp32``.
        threads: While texts are encoded; None leaves them to the runtime.
        batch_tokens: Tokens computed at once.
        cache: Where the made graph is kept; None keeps it nowhere.
    """

    def __init__(
        self,
        folder: EncoderFolder,
        *,
        runtime: Runtime = "auto",
        precision: Precision = "int8",
        threads: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
        cache: Path | None = None,
    ) -> None:
        self.folder = folder
        self._asked: Runtime = runtime
        self._asked_precision: Precision = precision
        self._threads = threads
        self._budget = batch_tokens
        self._cache = cache
        self._busy = threading.Lock()
        self._loaded: _Computes | None = None
        self._chosen: Literal["onnx", "torch"] | None = None

    @property
    def runtime(self) -> Literal["onnx", "torch"]:
        """What computes: ``onnx`` or ``torch``.

        Raises:
            ConfigError: Nothing that is installed can.
        """
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    @property
    def precision(self) -> Precision:
        """In what numbers."""
        return self._asked_precision if self.runtime == "onnx" else "fp32"

    @property
    def key(self) -> str:
        """What tells these vectors from those of every other encoder; letters, digits and hyphens."""
        return f"{self.folder.fingerprint()}-{self.precision}"

    @property
    def engine(self) -> str:
        """What computes, for people."""
        return f"{'onnxruntime' if self.runtime == 'onnx' else 'torch'} {self.precision}"

    def encode(
        self,
        texts: Sequence[str],
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Any:
        """Return one vector a text, float32, shape (texts, width), each of length 1; blocks.

        Args:
            texts: What is longer than the encoder reads is cut.
            stopped: Asked between batches whether to give up.
            progress: Called with how many texts are encoded, and how many there are.

        Raises:
            ConfigError: A module is missing, or a file of the encoder is damaged.
            UsageError: The encoder gives no numbers.
            Stopped: ``stopped`` said so.
        """
        import numpy

        vectors: Any = numpy.zeros((len(texts), self.folder.width), dtype=numpy.float32)
        for chunk in self.encode_chunks(texts, stopped, progress):
            vectors[list(chunk.positions)] = chunk.vectors
        return vectors

    def encode_chunks(
        self,
        texts: Sequence[str],
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Chunk]:
        """Yield the vectors as they are computed, some at a time; arguments and errors as in `encode`."""
        import numpy

        if not texts:
            return
        runtime = self._open()
        rows = runtime.tokenize(texts)
        plan = plan_batches([len(row) for row in rows], self._budget)
        positions: list[int] = []
        parts: list[Any] = []
        done = 0
        for batch in plan.batches:
            if stopped():
                raise Stopped
            with self._busy:  # a batch at a time: a query need not wait for a whole catalog
                parts.append(self._checked(runtime.run([rows[position] for position in batch])))
            positions.extend(batch)
            done += len(batch)
            if progress is not None:
                progress(done, len(texts))
            if len(positions) >= _CHUNK or done == len(texts):
                yield Chunk(positions=tuple(positions), vectors=numpy.concatenate(parts))
                positions, parts = [], []

    def close(self) -> None:
        """Let go of the weights; the next text loads them again."""
        self._loaded = None

    def _checked(self, vectors: Any) -> Any:
        import numpy

        lengths = numpy.einsum("ij,ij->i", vectors, vectors)
        if not (numpy.abs(lengths - 1) < 1e-3).all():
            raise UsageError(
                "the encoder gives no numbers",
                where=str(self.folder.path),
                hint="Its weights may be damaged: download it anew",
            )
        return vectors

    def _open(self) -> _Computes:
        loaded = self._loaded
        if loaded is None:
            loaded = self._load()
            self._loaded = loaded
        return loaded

    def _load(self) -> _Computes:
        if self.runtime == "torch":
            from toolhaft_dense.torch_runtime import TorchRuntime

            return TorchRuntime(self.folder, threads=self._threads)
        from toolhaft_dense.onnx_runtime import OnnxRuntime

        shape = self.folder.shape()
        if isinstance(shape, str):
            raise _other_architecture(shape, self.folder)
        return OnnxRuntime(
            self.folder,
            shape,
            head=self.folder.pooling,
            precision=self._asked_precision,
            threads=self._threads,
            cache=self._cache,
        )

    def _choose(self) -> Literal["onnx", "torch"]:
        shape = self.folder.shape()
        if self._asked != "auto":
            if self._asked == "onnx" and isinstance(shape, str):
                raise _other_architecture(shape, self.folder)
            return self._asked
        if isinstance(shape, BertShape) and self._has_onnx():
            return "onnx"
        if find_spec("torch") is None or find_spec("transformers") is None:
            if isinstance(shape, str):
                raise _other_architecture(shape, self.folder)
            raise ConfigError(
                "nothing that could compute an encoder is installed",
                hint="pip install 'toolhaft-dense[onnx]' (small), or 'toolhaft-dense[torch]'",
            )
        if isinstance(shape, str):
            _log.warning("this encoder is computed by torch, for %s: %s", shape, self.folder.path)
        return "torch"

    def _has_onnx(self) -> bool:
        if find_spec("onnxruntime") is None or find_spec("tokenizers") is None:
            return False
        if find_spec("onnx") is not None and find_spec("safetensors") is not None:
            return True
        name = f"{self.folder.fingerprint()}-{self.folder.pooling}-{self._asked_precision}"
        return self._cache is not None and bool(find_graphs(self._cache, name))


def _other_architecture(reason: str, folder: EncoderFolder) -> ConfigError:
    return ConfigError(
        f"this encoder cannot be computed without torch: {reason}",
        where=str(folder.path),
        hint="pip install 'toolhaft-dense[torch]', and leave runtime= out",
    )
