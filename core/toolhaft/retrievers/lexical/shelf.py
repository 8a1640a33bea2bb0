"""The folders beside a catalog file that keep its indexes: one for each settings and view, the last few."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.keeping import is_ours
from toolhaft.retrievers.lexical.manifest import LOCK, NAME, locked, made_with, read_manifest

MOST_KEPT = 4
"""Folders that are kept beside one catalog; one of a million tools takes some 300 MB."""
_FOLDER = re.compile(r"bm25(?:-[0-9a-f]{16})?")


def folder_for(place: Path, settings: IndexSettings, view: str = "") -> Path:
    """Return where the index of a catalog file is kept.

    Args:
        place: The file.
        settings: How its tools are scored.
        view: What was made of them; see `toolhaft.tools.specs.Specs.view`.
    """
    key = blake2b(f"{made_with(settings)}\n{view}".encode("utf-8", "surrogatepass"), digest_size=8)
    return place.with_name(f"{place.name}.index") / f"bm25-{key.hexdigest()}"


def note_use(folder: Path) -> None:
    """Take note that an index was opened now, if that can be written."""
    with suppress(OSError):
        os.utime(folder / NAME, follow_symlinks=False)


def make_room(folder: Path) -> None:
    """Remove the indexes beside this one that were opened longest ago, so that few are left.

    Folders without an index, files of other names, and all that a link leads to are left as they are. One
    that is removed while it is open stays readable, and is then held in memory.
    """
    try:
        if folder.parent.is_symlink():
            return
        others = [each for each in folder.parent.iterdir() if each != folder and _holds_index(each)]
        last = sorted(others, key=lambda each: (each / NAME).lstat().st_mtime_ns, reverse=True)
    except OSError:
        return
    for each in last[MOST_KEPT - 1 :]:
        # Another process may write it, or may have removed it.
        with suppress(OSError, FormatError):
            _remove(each)


def _holds_index(folder: Path) -> bool:
    """Return whether a folder is one of an index, by its name and by what it says it keeps."""
    if not _FOLDER.fullmatch(folder.name) or folder.is_symlink():
        return False
    try:
        return read_manifest(folder) is not None
    except (FormatError, OSError):
        return False


def _remove(folder: Path) -> None:
    """Remove what is ours in a folder, and the folder if nothing else is in it."""
    with locked(folder) as alone:
        if not alone:
            return
        for place in (folder / NAME, *folder.iterdir()):
            if is_ours(place.name) and place.name != LOCK:
                place.unlink(missing_ok=True)
    (folder / LOCK).unlink(missing_ok=True)
    folder.rmdir()
