"""An encoder computed by torch and transformers: any architecture, on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft_dense.torch_weights import load_weights, torch_threads
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
        with torch_threads(self._threads):
            return self._vectors(rows)

    def _vectors(self, rows: Sequence[Sequence[int]]) -> Any:
        import torch

        given = self._tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            tokens = self._model(**given).last_hidden_state
            if self._folder.pooling == "first":
                pooled = tokens[:, 0]
            else:
                mask = given["attention_mask"].unsqueeze(-1).to(tokens.dtype)
                pooled = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
