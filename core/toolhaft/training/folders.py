"""Folders that are written all or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from toolhaft.errors import UsageError


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Give a folder to write into, and move it to its place in the end; one that is there is replaced.

    Raises:
        OSError: It cannot be written; what stood there before still does.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(place.parent, re.escape(place.name))
    beside = place.with_name(f".{place.name}.{token_hex(6)}")
    beside.mkdir()
    try:
        yield beside
        for path in (*beside.rglob("*"), beside):
            _to_disk(path)
        if place.exists():
            shutil.rmtree(place)
        beside.replace(place)
        _to_disk(place.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


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
def told_clearly(place: Path, *errors: type[Exception]) -> Iterator[None]:
    """Turn what goes wrong while something of a run is written into one clear error.

    Args:
        place: What is written.
        errors: What else than `OSError` says that it cannot be, such as a library's own error.

    Raises:
        UsageError: It cannot be written, the disk being full for instance.
    """
    caught: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except caught as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        hint = "Make room or name another folder; --resume goes on from the last checkpoint"
        raise UsageError(f"cannot be written: {said}", where=str(place), hint=hint) from None


def make_output(output: Path, base: Path, *, what: str, written: Sequence[str] = ()) -> None:
    """Make the folder of a run.

    Args:
        output: The folder.
        base: What is trained; it stays as it is.
        what: That is, for messages.
        written: Folders in the output that the run replaces.

    Raises:
        UsageError: It is a file, the base's own, or cannot be made.
    """
    if output.exists() and not output.is_dir():
        raise UsageError("the output is a file", where=str(output), hint="Name a folder")
    if base.resolve() in [place.resolve() for place in (output, *(output / name for name in written))]:
        raise UsageError(f"the output is the {what}'s own folder", where=str(output), hint="Name another")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot be made: {error.strerror or error}", where=str(output), hint="Name another folder"
        ) from None


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
