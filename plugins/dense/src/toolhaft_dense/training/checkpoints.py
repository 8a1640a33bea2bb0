"""What a checkpoint of a retriever in training holds, as safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolhaft.training.checkpoints import Checkpoints

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a run stood.

    Attributes:
        step: Steps that were done; likewise ``tokens`` and ``seconds``.
        best: The best figure on the queries held out, -1 if there is none; reached at ``best_step``.
        waited: Measurements since then.
        weights: The trained parameters by name.
        best_weights: Those of ``best_step``; empty where these are ``weights``, or nothing is held out.
        optimizer: The optimizer's state by name.
        negatives: What was mined last by the encoder in training; empty where nothing was.
    """

    step: int
    tokens: int
    seconds: float
    best: float
    best_step: int
    waited: int
    weights: Mapping[str, torch.Tensor]
    best_weights: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, torch.Tensor]
    negatives: Mapping[str, torch.Tensor]


def checkpoints_in(folder: Path) -> Checkpoints[Checkpoint]:
    """Return the checkpoints of a folder."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    def save(tensors: Mapping[str, torch.Tensor], file: Path) -> None:
        save_file({name: one.detach().cpu().contiguous() for name, one in tensors.items()}, file)

    return Checkpoints(folder, Checkpoint, save=save, load=load_file, errors=(SafetensorError,))
