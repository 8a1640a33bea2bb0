"""Checkpoints that open without a pickle: safetensors and one JSON file, written all or not at all.

The place in the pairs and the state of chance are not kept: both follow from the seed and the step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.report.files import read_at_most, read_object
from toolhaft_dense.training.sources import hash_file

if TYPE_CHECKING:
    import torch

KEPT = 2
_NAME = re.compile(r"step-(\d{7})")
_TENSORS = ("weights.safetensors", "best.safetensors", "optimizer.safetensors", "negatives.safetensors")
_STATE = "state.json"
_LARGEST_STATE = 10_000_000
_HINT = "Delete this checkpoint to go on from the one before, or the folder to begin anew"


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


def write_checkpoint(folder: Path, checkpoint: Checkpoint, fingerprint: Mapping[str, Any]) -> Path:
    """Write a checkpoint beside its place, move it there, and drop all but the last `KEPT`.

    Args:
        folder: Of all checkpoints.
        checkpoint: What is kept.
        fingerprint: What the run depends on; a resumed run must have the same.

    Raises:
        UsageError: It cannot be written, the disk being full for instance; the ones before still stand.
    """
    place = folder / f"step-{checkpoint.step:07d}"
    temporary = folder / f".{place.name}.{token_hex(6)}"
    with told_clearly(folder):
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder, _NAME.pattern)
        temporary.mkdir()
        try:
            _write(temporary, checkpoint, fingerprint)
            if place.exists():
                shutil.rmtree(place)
            temporary.replace(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        _to_disk(folder)
        for old in list_checkpoints(folder)[:-KEPT]:
            shutil.rmtree(old)
    return place


def remove_leftovers(folder: Path, name: str) -> None:
    """Remove what a killed process left beside its place, and nothing of others.

    Args:
        folder: Where it may lie.
        name: Pattern of the places' names.
    """
    left = re.compile(rf"\.{name}\.[0-9a-f]{{12}}")
    for path in folder.iterdir() if folder.is_dir() else ():
        if left.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def told_clearly(place: Path) -> Iterator[None]:
    """Turn what goes wrong while something is written into one clear error.

    Raises:
        UsageError: It cannot be written, the disk being full for instance.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:  # safetensors has an error of its own for a full disk
        said = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        hint = "Make room or name another folder; --resume goes on from the last checkpoint"
        raise UsageError(f"cannot be written: {said}", where=str(place), hint=hint) from None


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, the last one last."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if _NAME.fullmatch(path.name))


def read_checkpoint(folder: Path, fingerprint: Mapping[str, Any]) -> Checkpoint | None:
    """Return the last checkpoint, or None if there is none.

    Raises:
        FormatError: It is damaged.
        UsageError: It is of a run with other settings, data or encoder.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    places = list_checkpoints(folder)
    if not places:
        return None
    place = places[-1]
    data = read_at_most(place / _STATE, _LARGEST_STATE, what="checkpoint", hint=_HINT)
    state = read_object(data, str(place / _STATE))
    _check_state(state, place)
    _check_fingerprint(state["fingerprint"], fingerprint, place)
    for name in _TENSORS:
        if hash_file(place / name) != state["hashes"].get(name):
            raise FormatError("the checkpoint is damaged", where=str(place / name), hint=_HINT)
    try:
        tensors = [load_file(place / name) for name in _TENSORS]
    except (SafetensorError, OSError) as error:
        raise FormatError(f"the checkpoint is damaged: {error}", where=str(place), hint=_HINT) from None
    return Checkpoint(
        step=state["step"],
        tokens=state["tokens"],
        seconds=state["seconds"],
        best=state["best"],
        best_step=state["best_step"],
        waited=state["waited"],
        weights=tensors[0],
        best_weights=tensors[1],
        optimizer=tensors[2],
        negatives=tensors[3],
    )


def _write(folder: Path, checkpoint: Checkpoint, fingerprint: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    kept = (checkpoint.weights, checkpoint.best_weights, checkpoint.optimizer, checkpoint.negatives)
    for name, tensors in zip(_TENSORS, kept, strict=True):
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, folder / name)
    state = {
        "format": 1,
        "step": checkpoint.step,
        "tokens": checkpoint.tokens,
        "seconds": round(checkpoint.seconds, 3),
        "best": checkpoint.best,
        "best_step": checkpoint.best_step,
        "waited": checkpoint.waited,
        "fingerprint": dict(fingerprint),
        "hashes": {name: hash_file(folder / name) for name in _TENSORS},
    }
    (folder / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    for name in (*_TENSORS, _STATE):
        _to_disk(folder / name)


def _check_state(state: dict[str, Any], place: Path) -> None:
    numbers = dict.fromkeys(("step", "tokens", "best_step", "waited"), int)
    wanted = {**numbers, "seconds": int | float, "best": int | float, "fingerprint": dict, "hashes": dict}
    bad = [name for name, kind in wanted.items() if not isinstance(state.get(name), kind)]
    if state.get("format") != 1 or bad:
        what = f"the checkpoint is damaged or of a newer version: {', '.join(bad) or 'format'}"
        raise FormatError(what, where=str(place / _STATE), hint=_HINT)


def _check_fingerprint(before: Mapping[str, Any], now: Mapping[str, Any], place: Path) -> None:
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        said = ", ".join(f"{name} ({before.get(name)!s:.40} before)" for name in changed[:5])
        raise UsageError(
            f"the run was begun otherwise: {said}",
            where=str(place),
            hint="Resume with what it was begun with, or train into another folder",
            details={"changed": changed},
        )


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
