"""The re-ranker ``cross-encoder``: a model that reads the query and a tool together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.retrievers.reranker import Reranker
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Scored
from toolhaft_dense.batches import plan_batches
from toolhaft_dense.encoder import BATCH_TOKENS, Runtime, graph_cache
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.rerank_model import PairModel, find_cross_encoder, open_pair_model
from toolhaft_dense.settings import check_encoding
from toolhaft_dense.texts import check_query, passage

_MOST = 1_000


class CrossEncoder(Reranker):
    """Scores each tool by a sequence classifier with one output, over the query and the tool's passage.

    Args:
        model: Folder of the model: ``config.json``, ``tokenizer.json`` and ``model.safetensors``. There is
            no default, for no package on PyPI carries one; nothing is downloaded.
        runtime: ``onnx`` computes a BERT without torch, ``torch`` anything that transformers knows; ``auto``
            is ``onnx`` where it can be.
        precision: Of ``onnx``: ``fp32``, or ``int8``, which is faster and moves scores a little.
        batch_tokens: Tokens computed at once.
        threads: While pairs are scored; None leaves them to the runtime.

    Raises:
        ConfigError: There is no such model, it may not be opened, or a setting makes no sense.

    Source: R. Nogueira, K. Cho, "Passage re-ranking with BERT", 2019, section 2; here one output, whose value
    is the score as it comes.
    """

    name = "cross-encoder"

    def __init__(
        self,
        *,
        model: str | Path,
        runtime: Runtime = "auto",
        precision: Precision = "fp32",
        batch_tokens: int = BATCH_TOKENS,
        threads: int | None = None,
    ) -> None:
        check_encoding(
            model=model, runtime=runtime, precision=precision, threads=threads, batch_tokens=batch_tokens
        )
        self._folder = find_cross_encoder(model)
        self._runtime: Runtime = runtime
        self._precision: Precision = precision
        self._budget = batch_tokens
        self._threads = threads
        self._busy = threading.Lock()
        self._loaded: PairModel | None = None

    async def rerank(self, query: str, hits: Sequence[Scored]) -> list[Scored]:
        """Return the same tools, best first by the model; equal scores in the order given.

        Raises:
            UsageError: There are more than 1,000 tools, the query is no text, or the model gives no numbers.
            ConfigError: The model cannot be loaded.
        """
        if len(hits) > _MOST:
            raise UsageError(
                f"{len(hits):,} tools are to be re-ranked", hint=f"Hand over {_MOST:,} at most: depth="
            )
        if not hits:
            return []
        asked = check_query(query)
        stop = threading.Event()
        texts = [passage(hit.item) for hit in hits]
        try:
            scores = await run_in_thread(
                self._score, {"query": asked, "texts": texts, "stopped": stop.is_set}
            )
        finally:
            stop.set()
        ranked = [Scored(hit.item, score) for hit, score in zip(hits, scores, strict=True)]
        return sorted(ranked, key=lambda hit: -hit.score)

    async def close(self) -> None:
        """Let go of the weights; the next query loads them again."""
        self._loaded = None

    def _score(self, query: str, texts: Sequence[str], stopped: Callable[[], bool]) -> list[float]:
        import numpy

        with self._busy:
            if self._loaded is None:
                self._loaded = open_pair_model(
                    self._folder,
                    runtime=self._runtime,
                    precision=self._precision,
                    threads=self._threads,
                    cache=graph_cache(),
                )
            model = self._loaded
            pairs = model.pair(query, texts)
            scores: Any = numpy.zeros(len(texts), dtype=numpy.float32)
            for batch in plan_batches([len(tokens) for tokens, _ in pairs], self._budget).batches:
                if stopped():
                    break
                scores[list(batch)] = model.run([pairs[position] for position in batch])
        if not numpy.isfinite(scores).all():
            raise UsageError(
                "the cross-encoder gives no numbers",
                where=str(self._folder.path),
                hint="Its weights may be damaged: download it anew",
            )
        return [float(score) for score in scores]
