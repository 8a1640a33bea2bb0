"""A folder for an evaluation that is not empty: an earlier evaluation makes room, anything else stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolhaft.errors import UsageError
from toolhaft.report.files import writing

_HINT = "Name a new folder, or remove what is in this one yourself"
JOURNAL = "journal.sqlite"
"""What a folder holds in which a batch is kept."""
JOURNALS = "journals"
"""Sub-folder in which an evaluation may keep the journals of its arms."""
_KEPT = re.compile(r"[0-9a-f]{64}")
"""The name of a picture."""


def check_folder(folder: Path, marker: str) -> None:
    """Raise if a folder holds something beside `JOURNALS`, and no evaluation, or the journal of a batch.

    Args:
        folder: Need not be there.
        marker: Name of the file that every evaluation has.

    Raises:
        UsageError: It does, or cannot be read.
    """
    if (folder / JOURNAL).exists():
        raise UsageError(
            "the folder holds a batch, whose report an evaluation would replace",
            where=str(folder),
            hint="Name another folder with -o",
        )
    with writing(folder):
        if not folder.is_dir() or (folder / marker).is_file():
            return
        found = next((entry.name for entry in sorted(folder.iterdir()) if entry.name != JOURNALS), None)
    if found is not None:
        raise UsageError(
            f"the folder holds something else than an evaluation: {found[:80]}", where=str(folder), hint=_HINT
        )


def check_arms(folder: Path, places: Iterable[str], own: Mapping[str, bool]) -> None:
    """Raise if the folder of an arm holds something that no run writes.

    Args:
        folder: Of the evaluation.
        places: Names of the arms' folders in it, which need not be there.
        own: Names of what a run writes; True is a folder of pictures.

    Raises:
        UsageError: One does, or is no folder.
    """
    for place in places:
        arm = folder / place
        if not arm.exists() and not arm.is_symlink():
            continue
        with writing(arm):
            found = str(arm) if arm.is_symlink() or not arm.is_dir() else _foreign(arm, own)
        if found:
            raise UsageError(
                f"what an earlier evaluation left cannot be replaced: {found} is none of it",
                where=str(folder),
                hint=_HINT,
            )


def remove_arms(folder: Path, places: Iterable[str], own: Mapping[str, bool]) -> None:
    """Remove the folders of arms, which hold nothing else: see `check_arms`."""
    with writing(folder):
        for place in places:
            arm = folder / place
            if not arm.is_dir():
                continue
            for name, pictures in own.items():
                if pictures and (arm / name).is_dir():
                    for picture in (arm / name).iterdir():
                        picture.unlink()
                    (arm / name).rmdir()
                else:
                    (arm / name).unlink(missing_ok=True)
            arm.rmdir()


def _foreign(arm: Path, own: Mapping[str, bool]) -> str:
    """Return what in the folder of an arm no run has written, or nothing."""
    for entry in sorted(arm.iterdir()):
        pictures = own.get(entry.name)
        if pictures is None or entry.is_symlink() or entry.is_dir() != pictures:
            return str(entry)
        if pictures:
            for picture in sorted(entry.iterdir()):
                if not _KEPT.fullmatch(picture.name) or picture.is_symlink() or not picture.is_file():
                    return str(picture)
    return ""
