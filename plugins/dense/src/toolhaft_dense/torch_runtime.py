"""An encoder computed by torch and transformers: any architecture, on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.errors import ConfigError, ToolhaftError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_dense.weights import EncoderFolder


class TorchRuntime:
    """Computes an encoder with the model class that transformers has for it.

    Args:
        folder: Of the encoder.
        threads: Of torch while texts are encoded; None leaves them.

    Raises:
        ConfigError: torch or transformers is missing, or the weights are damaged.

    Source: N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019, section 3 (mean pooling); computed with
    transformers alone, for sentence-transformers takes ten times as long to import.
    """

    def __init__(self, folder: EncoderFolder, *, threads: int | None) -> None:
        self._folder = folder
        self._threads = threads
        self._tokenizer, self._model, self.device = load_weights(folder)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text."""
        readable = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        found = self._tokenizer(readable, truncation=True, max_length=self._folder.longest)
        rows: list[list[int]] = found["input_ids"]
        return rows

    def run(self, rows: Sequence[Sequence[int]]) -> Any:
        """Return one vector of length 1 for the tokens of each text, computed at once."""
        import torch

        before = torch.get_num_threads()
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            return self._vectors(torch, rows)
        finally:
            torch.set_num_threads(before)

    def _vectors(self, torch: Any, rows: Sequence[Sequence[int]]) -> Any:
        given = self._tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            tokens = self._model(**given).last_hidden_state
            if self._folder.pooling == "first":
                pooled = tokens[:, 0]
            else:
                mask = given["attention_mask"].unsqueeze(-1).to(tokens.dtype)
                pooled = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()


def load_weights(folder: EncoderFolder) -> tuple[Any, Any, str]:
    """Return tokenizer, model (in evaluation mode) and device: ``cuda`` where there is one, or ``cpu``.

    Raises:
        ConfigError: torch or transformers is missing, or the weights are damaged.
    """
    loading = call_alone(_load, folder)
    if loading.error is not None:
        raise _explained(loading.error, folder)
    tokenizer, model, device = loading.value
    return tokenizer, model, str(device)


def _load(folder: EncoderFolder) -> tuple[Any, Any, str]:
    import torch
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
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.to(device), device


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
