"""Cross-encoders: folders that may be opened, and what computes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from toolhaft.errors import ConfigError
from toolhaft_dense.bert_shape import BertShape
from toolhaft_dense.encoder import Runtime
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.torch_weights import load_weights, torch_threads
from toolhaft_dense.weights import EncoderFolder, find_encoder

Pair = tuple[list[int], list[int]]
"""Tokens of a query and a text, and the part that each token belongs to."""


class PairModel(Protocol):
    """What scores pairs."""

    def pair(self, query: str, texts: Sequence[str]) -> list[Pair]:
        """Return the tokens of the query with each text, cut to what the model reads."""

    def run(self, pairs: Sequence[Pair]) -> Any:
        """Return one score a pair, shape (pairs,), computed at once."""


def find_cross_encoder(model: str | Path) -> EncoderFolder:
    """Return the folder of a cross-encoder; no weight is read.

    Args:
        model: A folder as ``save_pretrained`` writes it.

    Raises:
        ConfigError: It is not there, is none that may be opened, or has another number of outputs than one.
    """
    if model is None or not str(model).strip():
        raise ConfigError("model is empty", hint="Name the folder of a cross-encoder")
    folder = find_encoder(model)
    file = folder.path / "config.json"
    config = json.loads(file.read_bytes())
    architectures = config.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else None
    if not isinstance(named, str) or not named.endswith("ForSequenceClassification"):
        raise ConfigError(
            f"the model is {repr(named)[:60]}, not a sequence classifier",
            where=f"{file}#/architectures",
            hint="A cross-encoder scores pairs of texts; what encodes one is for the retriever dense",
        )
    labels = config.get("id2label")
    outputs = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    if outputs != 1:
        raise ConfigError(
            f"the model has {repr(outputs)[:20]} outputs; one is wanted, the score",
            where=str(file),
            hint="Use a cross-encoder that was trained to rank",
        )
    return folder


def open_pair_model(
    folder: EncoderFolder, *, runtime: Runtime, precision: Precision, threads: int | None, cache: Path | None
) -> PairModel:
    """Load a cross-encoder; blocks.

    Raises:
        ConfigError: A module is missing, a file is damaged, or the runtime cannot compute it.
    """
    shape = folder.shape()
    if runtime == "auto":
        modules = ("onnxruntime", "tokenizers", "onnx", "safetensors")
        runtime = "onnx" if isinstance(shape, BertShape) and all(map(find_spec, modules)) else "torch"
    if runtime == "torch":
        return _TorchPairs(folder, threads)
    if isinstance(shape, str):
        raise ConfigError(
            f"this cross-encoder cannot be computed without torch: {shape}",
            where=str(folder.path),
            hint="pip install 'toolhaft-dense[torch]', and leave runtime= out",
        )
    if shape.kinds < 2:
        raise ConfigError(
            "the model knows no second part of a pair",
            where=f"{folder.path / 'config.json'}#/type_vocab_size",
            hint="Use a cross-encoder; this is an encoder of single texts",
        )
    from toolhaft_dense.onnx_runtime import OnnxRuntime

    made = OnnxRuntime(folder, shape, head="classifier", precision=precision, threads=threads, cache=cache)
    return _OnnxPairs(made)


class _OnnxPairs:
    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime

    def pair(self, query: str, texts: Sequence[str]) -> list[Pair]:
        pairs: list[Pair] = self._runtime.tokens.of_pairs(query, texts)
        return pairs

    def run(self, pairs: Sequence[Pair]) -> Any:
        rows, kinds = [tokens for tokens, _ in pairs], [kinds for _, kinds in pairs]
        return self._runtime.run(rows, kinds)[:, 0]


class _TorchPairs:
    def __init__(self, folder: EncoderFolder, threads: int | None) -> None:
        self._tokenizer, self._model, self._device = load_weights(folder, "cross-encoder")
        self._longest = folder.longest
        self._threads = threads

    def pair(self, query: str, texts: Sequence[str]) -> list[Pair]:
        readable = [text.encode("utf-8", "replace").decode() for text in (query, *texts)]
        found = self._tokenizer(
            [readable[0]] * len(texts),
            readable[1:],
            truncation=True,
            max_length=self._longest,
            return_token_type_ids=True,
        )
        return list(zip(found["input_ids"], found["token_type_ids"], strict=True))

    def run(self, pairs: Sequence[Pair]) -> Any:
        import torch

        names = self._tokenizer.model_input_names
        given = {"input_ids": [tokens for tokens, _ in pairs]}
        if "token_type_ids" in names:
            given["token_type_ids"] = [kinds for _, kinds in pairs]
        padded = self._tokenizer.pad(given, return_tensors="pt").to(self._device)
        with torch_threads(self._threads), torch.inference_mode():
            return self._model(**padded).logits[:, 0].float().cpu().numpy()
