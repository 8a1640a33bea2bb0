"""Stages whose results are written all or not at all: a stopped loop goes on at the stage it was in."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.report.files import read_at_most, read_object, write_whole

FACTS = "facts.json"
_SETTINGS = "settings.json"
_LARGEST = 10_000_000
Stage = Callable[[Path], Mapping[str, Any]]
"""Writes into the folder it is given, and returns what is worth telling as JSON values."""


class Stages:
    """The stages of one loop in one folder.

    A stage works in a hidden folder, which becomes its own when it is done.

    Args:
        folder: Of the loop.
        settings: What it depends on; a folder begun with others is not gone on with.
        tell: Takes a line about each stage.

    Raises:
        UsageError: The folder is a file or was begun otherwise.
        FormatError: Its record is damaged.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        self.folder = folder
        self._tell = tell
        if folder.exists() and not folder.is_dir():
            raise UsageError("the output is a file", where=str(folder), hint="Name a folder")
        place = folder / _SETTINGS
        if place.exists():
            hint = "Name another folder"
            before = read_object(read_at_most(place, _LARGEST, what="settings", hint=hint), str(place))
            if before != settings:
                changed = sorted(key for key in {*before, *settings} if before.get(key) != settings.get(key))
                raise UsageError(
                    f"the loop was begun with other settings: {', '.join(changed)}",
                    where=str(folder),
                    hint="Go on with the same, or name another folder",
                )
            return
        if folder.exists() and any(folder.iterdir()):
            raise UsageError("the folder holds something else", where=str(folder), hint="Name an empty one")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(place, [json.dumps(settings, indent=1).encode()])
        except OSError as error:
            raise UsageError(
                f"cannot be written: {error.strerror or error}", where=str(folder), hint="Name another folder"
            ) from None

    def run(self, name: str, stage: Stage, *, resumes: bool = False) -> dict[str, Any]:
        """Carry out a stage, unless it is done, and return its facts.

        Args:
            name: Of the stage and its folder.
            stage: What is done.
            resumes: What a stopped attempt left is kept for the next one.

        Raises:
            ToolhaftError: The stage failed; those before it stay done.
        """
        place = self.folder / name
        if place.exists():
            self._tell(f"{name}: done before")
            return read_facts(place)
        working = self.folder / f".{name}"
        if not resumes:
            shutil.rmtree(working, ignore_errors=True)
        working.mkdir(exist_ok=True)
        started = time.monotonic()
        facts = dict(stage(working))
        facts["seconds"] = round(time.monotonic() - started, 1)
        write_whole(working / FACTS, [json.dumps(facts, indent=1).encode()])
        working.replace(place)
        said = ", ".join(
            f"{key} {value}" for key, value in facts.items() if isinstance(value, int | float | str)
        )
        self._tell(f"{name}: {said}")
        return facts


def read_facts(place: Path) -> dict[str, Any]:
    """Return what a finished stage told.

    Raises:
        UsageError: There is no record.
        FormatError: It is damaged.
    """
    hint = "Delete the stage's folder to do it again"
    return read_object(read_at_most(place / FACTS, _LARGEST, what="stage", hint=hint), str(place / FACTS))
