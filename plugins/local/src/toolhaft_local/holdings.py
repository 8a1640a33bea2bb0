"""What the weight files of a folder hold, by their headers, and whether the configuration fits them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import ModelError
from toolhaft_local.folder import ModelFolder

_LARGEST_HEADER = 100_000_000
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_SLACK = 10_000
"""Weights that a model may have beyond those of its files: tables that it computes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What files hold: how many tensors, and how many numbers in them."""

    tensors: int
    numbers: int


def count_weights(files: Sequence[Path]) -> Holdings:
    """Return what safetensors files hold; only their headers are read.

    Raises:
        ModelError: A header is damaged.
    """
    tensors = numbers = 0
    for file in files:
        for entry in _header(file):
            shape = entry.get("shape") if isinstance(entry, dict) else None
            if not isinstance(shape, list) or not all(isinstance(side, int) for side in shape):
                raise _damaged(file)
            tensors += 1
            numbers += math.prod(shape)
    return Holdings(tensors=tensors, numbers=numbers)


def check_fits(folder: ModelFolder, held: Holdings, transformers: Any) -> None:
    """Raise unless a configuration asks for about as many weights as the files hold.

    A configuration of a few bytes could ask for more memory than there is. Quantised weights are left to
    transformers, for several of them share a number.

    Raises:
        ModelError: It asks for more.
    """
    config = folder.config
    for source in (config, config.get("text_config")):
        for name in _LAYERS:
            layers = source.get(name) if isinstance(source, dict) else None
            if isinstance(layers, int) and not isinstance(layers, bool) and not 0 < layers <= held.tensors:
                raise _misfit(folder, f"{layers} layers, and its files hold {held.tensors} tensors")
    if "quantization_config" in config:
        return
    import torch

    known = transformers.AutoConfig.from_pretrained(str(folder.path), local_files_only=True)
    with torch.device("meta"):
        empty = transformers.AutoModelForCausalLM.from_config(known)
    wanted = sum(weight.numel() for weight in empty.parameters())
    if wanted > 1.01 * held.numbers + _SLACK:
        raise _misfit(folder, f"{wanted} weights, and its files hold {held.numbers}")


def _header(file: Path) -> list[Any]:
    try:
        with file.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            if not 2 <= size <= min(_LARGEST_HEADER, file.stat().st_size - 8):
                raise _damaged(file)
            header = json.loads(opened.read(size))
    except OSError as error:
        raise ModelError(f"the weights cannot be read: {error.strerror}", where=str(file)) from None
    except (ValueError, RecursionError):
        raise _damaged(file) from None
    if not isinstance(header, dict):
        raise _damaged(file)
    return [entry for name, entry in header.items() if name != "__metadata__"]


def _damaged(file: Path) -> ModelError:
    return ModelError(
        "the model cannot be loaded: the file is no safetensors file",
        where=str(file),
        hint="Download it anew",
    )


def _misfit(folder: ModelFolder, what: str) -> ModelError:
    return ModelError(
        f"its configuration asks for {what}",
        where=str(folder.path / "config.json"),
        hint="Download the folder anew",
    )
