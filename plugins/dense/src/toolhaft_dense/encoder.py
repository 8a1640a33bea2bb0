"""Texts into vectors: a transformer, its tokens' vectors pooled to one, made of length 1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from toolhaft.errors import ConfigError, ToolhaftError, UsageError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_dense.weights import EncoderFolder


class Stopped(Exception):
    """Nobody waits for the vectors any more."""


class Encoder:
    """Encodes texts with the weights of a folder; torch and the weights are loaded at the first text.

    Args:
        folder: What to load.
        batch: Texts encoded at once.
        threads: Of torch while texts are encoded; None leaves them.

    Source: N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019, section 3 (mean pooling); computed with
    transformers alone, for sentence-transformers takes ten times as long to import.
    """

    def __init__(self, folder: EncoderFolder, *, batch: int = 32, threads: int | None = None) -> None:
        self.folder = folder
        self._batch = batch
        self._threads = threads
        self._busy = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def encode(self, texts: Sequence[str], stopped: Callable[[], bool] = lambda: False) -> Any:
        """Return one vector a text, float32, shape (texts, width), each of length 1; blocks.

        Args:
            texts: What is longer than the encoder reads is cut.
            stopped: Asked between batches whether to give up.

        Raises:
            ConfigError: torch or transformers is missing, or the weights are damaged.
            UsageError: The encoder gives no numbers.
            Stopped: ``stopped`` said so.
        """
        import numpy

        vectors: Any = numpy.zeros((len(texts), self.folder.width), dtype=numpy.float32)
        # Texts of one length together: what fills up a batch to its longest text is work for nothing.
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), self._batch):
            if stopped():
                raise Stopped
            chosen = order[start : start + self._batch]
            with self._busy:  # a batch at a time: a query need not wait for a whole catalog
                vectors[chosen] = self._encode_batch([texts[number] for number in chosen])
        if not numpy.isfinite(vectors).all():
            raise UsageError(
                "the encoder gives no numbers",
                where=str(self.folder.path),
                hint="Its weights may be damaged: download it anew",
            )
        return vectors

    def close(self) -> None:
        """Let go of the weights; the next text loads them again."""
        self._loaded = None

    def _open(self) -> tuple[Any, Any]:
        if self._loaded is None:
            loading = call_alone(_load, self.folder)
            if loading.error is not None:
                raise _explained(loading.error, self.folder)
            self._loaded = loading.value
        return self._loaded

    def _encode_batch(self, texts: list[str]) -> Any:
        tokenizer, model = self._open()
        import torch

        before = torch.get_num_threads()
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            return _vectors(torch, tokenizer, model, texts, self.folder)
        finally:
            torch.set_num_threads(before)


def _vectors(torch: Any, tokenizer: Any, model: Any, texts: list[str], folder: EncoderFolder) -> Any:
    readable = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
    given = tokenizer(readable, padding=True, truncation=True, max_length=folder.longest, return_tensors="pt")
    with torch.inference_mode():
        tokens = model(**given).last_hidden_state
        if folder.pooling == "first":
            pooled = tokens[:, 0]
        else:
            mask = given["attention_mask"].unsqueeze(-1).to(tokens.dtype)
            pooled = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(pooled.float(), dim=1).numpy()


def _load(folder: EncoderFolder) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder.path), use_fast=True, local_files_only=True)
        model, report = AutoModel.from_pretrained(
            str(folder.path),
            use_safetensors=True,
            local_files_only=True,
            dtype="float32",
            output_loading_info=True,
        )
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
    missing = sorted(name for name in report.get("missing_keys") or () if "pooler" not in name)
    if missing:
        raise ConfigError(
            f"{len(missing)} weights are missing, {missing[0]} among them; they would be random",
            where=str(folder.path),
            hint="Download the encoder anew",
        )
    model.eval()
    return tokenizer, model


def _explained(error: BaseException, folder: EncoderFolder) -> BaseException:
    if isinstance(error, ToolhaftError) or not isinstance(error, Exception):
        return error
    if isinstance(error, ModuleNotFoundError):
        return ConfigError(
            f"the module {error.name!r} is not installed",
            hint="pip install 'toolhaft-dense[torch]', or torch and transformers by hand",
        )
    return ConfigError(
        f"the encoder cannot be loaded: {clean(' '.join(str(error).split()), 300) or type(error).__name__}",
        where=str(folder.path),
        hint="Its files may be damaged, or newer than the installed transformers",
    )
