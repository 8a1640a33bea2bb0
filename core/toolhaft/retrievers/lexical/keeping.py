"""Keeping an index in a folder: files beside, the manifest last, what is not needed any more removed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.manifest import (
    LOCK,
    NAME,
    KeptPart,
    Manifest,
    locked,
    new_token,
    read_manifest,
    write_manifest,
)

_OURS = re.compile(r"(?:(?:segment|removed|documents)-[0-9a-f]{16}\.bin|[0-9a-f]{16}\.part)")
"""Names of files that may be removed: whatever else is in the folder is somebody's own."""
_ABANDONED = 3_600.0
"""Seconds after which a file that belongs to no manifest is taken to be left over."""
_logger = logging.getLogger(__name__)


class Keeper:
    """Writes the files of one index; stops for good, with one warning, when that fails.

    Args:
        folder: Where; made when something is written. None keeps nothing.
        made_with: See `toolhaft.retrievers.lexical.manifest.made_with`.
        kind: Likewise.
        generation: Of the manifest that was opened, or empty to replace whatever there is.
    """

    def __init__(self, folder: Path | None, made_with: str, kind: str, generation: str = "") -> None:
        self._folder = folder
        self._made_with = made_with
        self._kind = kind
        self._generation = generation
        self._written: list[Path] = []

    @property
    def folder(self) -> Path | None:
        """Where it is kept, None if it is not or no more."""
        return self._folder

    def write(self, name: str, write: Callable[[BinaryIO], object]) -> Path | None:
        """Write a file of a name that no other has; return its place, or None if it cannot be written.

        Args:
            name: What it begins with.
            write: Called with the empty file.
        """
        if self._folder is None or self.is_led_elsewhere():
            return None
        token = new_token()
        temporary = self._folder / f"{token}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("w+b") as file:
                write(file)
            place = self._folder / f"{name}-{token}.bin"
            temporary.replace(place)
        except OSError as error:
            temporary.unlink(missing_ok=True) if _exists(temporary) else None
            self.give_up(f"cannot write: {error.strerror or error}")
            return None
        self._written.append(place)
        return place

    def commit(self, parts: Sequence[KeptPart], version: str, next_order: int) -> None:
        """Make these files what the folder keeps."""
        folder = self._folder
        if folder is None or self.is_led_elsewhere():
            return
        manifest = Manifest(
            version=version,
            made_with=self._made_with,
            kind=self._kind,
            parts=tuple(parts),
            next_order=next_order,
            generation=new_token(),
        )
        try:
            with locked(folder) as alone:
                before = _read_leniently(folder)
                if not alone or (self._generation and (not before or before.generation != self._generation)):
                    same = before is not None and before.version == version
                    self.give_up("" if same else "another process writes it")
                    return
                write_manifest(folder, manifest)
                _tidy(folder, manifest, before)
        except FormatError as error:
            self.give_up(str(error))
            return
        except OSError as error:
            self.give_up(f"cannot write: {error.strerror or error}")
            return
        self._generation = manifest.generation
        self._written.clear()

    def is_led_elsewhere(self) -> bool:
        """Return whether the folder, or the one it is in, is a link; then nothing is kept."""
        folder = self._folder
        if folder is not None and (folder.is_symlink() or folder.parent.is_symlink()):
            self.give_up("it is reached by a symbolic link")
            return True
        return False

    def give_up(self, reason: str) -> None:
        """Keep nothing from now on, and say why unless the reason is empty."""
        if reason and self._folder is not None:
            _logger.warning("%s: the search index is held in memory only: %s", self._folder, reason)
        self._folder = None
        # No manifest names them, and what is mapped stays so; each may be as large as the whole index.
        for place in self._written:
            with suppress(OSError):
                place.unlink()
        self._written.clear()


def is_ours(name: str) -> bool:
    """Return whether a file of a kept index may have this name; whatever has another is somebody's own."""
    return name in (NAME, LOCK) or _OURS.fullmatch(name) is not None


def _read_leniently(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except (FormatError, OSError):
        return None


def _tidy(folder: Path, manifest: Manifest, before: Manifest | None) -> None:
    """Remove what the manifest before had and this one has not, and what was left over long ago."""
    needed = manifest.files()
    superseded = (before.files() if before else set()) - needed
    long_ago = time.time() - _ABANDONED
    for place in folder.iterdir():
        if not _OURS.fullmatch(place.name) or place.name in needed:
            continue
        try:
            if place.name in superseded or place.stat().st_mtime < long_ago:
                place.unlink()
        except OSError:
            # Another process was faster, or still reads it on a system that minds.
            continue


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        return False
