"""Checkpoints that open without a pickle: files of tensors and one JSON document, written all or not at all.

The place in the data and the state of chance are not kept: both follow from the seed and the step.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from toolhaft.errors import FormatError, UsageError
from toolhaft.report.files import hash_file, read_at_most, read_object
from toolhaft.training.folders import remove_leftovers, told_clearly, whole_folder

KEPT = 2
_NAME = re.compile(r"step-(\d{7})")
_STATE = "state.json"
_LARGEST_STATE = 10_000_000
_HINT = "Delete this checkpoint to go on from the one before, or the folder to begin anew"
_NUMBERS: dict[str, Any] = {"int": int, "float": int | float}


class Position(Protocol):
    """What every checkpoint has."""

    @property
    def step(self) -> int:
        """Steps that were done."""


C = TypeVar("C", bound=Position)


class Checkpoints(Generic[C]):
    """The checkpoints of one run.

    Args:
        folder: Of all of them.
        kind: A dataclass with ``step``. What it holds besides numbers (``int`` and ``float``) are tensors by
            name, a file for each field.
        save: Writes tensors into a file.
        load: Reads them back.
        errors: What the two raise for a full disk or a damaged file, besides `OSError`.
    """

    def __init__(
        self,
        folder: Path,
        kind: type[C],
        *,
        save: Callable[[Mapping[str, Any], Path], None],
        load: Callable[[Path], Mapping[str, Any]],
        errors: tuple[type[Exception], ...] = (),
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._save = save
        self._load = load
        self._errors: tuple[type[Exception], ...] = (OSError, *errors)
        types = {one.name: str(one.type) for one in fields(kind)}  # type: ignore[arg-type]
        self._numbers = {name: _NUMBERS[kind] for name, kind in types.items() if kind in _NUMBERS}
        self._files = {name: f"{name}.safetensors" for name in types if name not in self._numbers}

    def write(self, checkpoint: C, fingerprint: Mapping[str, Any]) -> Path:
        """Write a checkpoint, and drop all but the last `KEPT`.

        Args:
            checkpoint: What is kept.
            fingerprint: What the run depends on; a resumed run must have the same.

        Raises:
            UsageError: It cannot be written, the disk being full for instance; the ones before still stand.
        """
        place = self._folder / f"step-{checkpoint.step:07d}"
        with told_clearly(self._folder, *self._errors):
            remove_leftovers(self._folder, _NAME.pattern)
            with whole_folder(place) as beside:
                for name, file in self._files.items():
                    self._save(getattr(checkpoint, name), beside / file)
                state = {
                    "format": 1,
                    **{name: getattr(checkpoint, name) for name in self._numbers},
                    "fingerprint": dict(fingerprint),
                    "hashes": {file: hash_file(beside / file) for file in self._files.values()},
                }
                (beside / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
            for old in list_checkpoints(self._folder)[:-KEPT]:
                shutil.rmtree(old)
        return place

    def take_up(self, fingerprint: Mapping[str, Any], *, resume: bool) -> C | None:
        """Return the last checkpoint, or None where a run begins.

        Args:
            fingerprint: What the run depends on.
            resume: Whether it is to go on; otherwise there must be no checkpoints.

        Raises:
            FormatError: The checkpoint is damaged.
            UsageError: It is of a run that was begun otherwise, or is not to be resumed.
        """
        if not resume and self._folder.exists() and any(self._folder.iterdir()):
            raise UsageError(
                "there are checkpoints of an earlier run",
                where=str(self._folder),
                hint="Go on with it (--resume), or train into another folder",
            )
        places = list_checkpoints(self._folder)
        return self._read(places[-1], fingerprint) if places else None

    def _read(self, place: Path, fingerprint: Mapping[str, Any]) -> C:
        data = read_at_most(place / _STATE, _LARGEST_STATE, what="checkpoint", hint=_HINT)
        state = read_object(data, str(place / _STATE))
        wanted = {**self._numbers, "fingerprint": dict, "hashes": dict}
        bad = [name for name, kind in wanted.items() if not isinstance(state.get(name), kind)]
        if state.get("format") != 1 or bad:
            what = f"the checkpoint is damaged or of a newer version: {', '.join(bad) or 'format'}"
            raise FormatError(what, where=str(place / _STATE), hint=_HINT)
        _check_fingerprint(state["fingerprint"], fingerprint, place)
        for file in self._files.values():
            if hash_file(place / file) != state["hashes"].get(file):
                raise FormatError("the checkpoint is damaged", where=str(place / file), hint=_HINT)
        try:
            tensors = {name: self._load(place / file) for name, file in self._files.items()}
        except self._errors as error:
            raise FormatError(f"the checkpoint is damaged: {error}", where=str(place), hint=_HINT) from None
        return self._kind(**{name: state[name] for name in self._numbers}, **tensors)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, the last one last."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if _NAME.fullmatch(path.name))


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
