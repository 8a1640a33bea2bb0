"""Judgements in a file, so that a score can be made again without any model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.report.files import read_lines
from toolhaft.types import FORMAT, from_value, to_json, to_value
from toolhaft_evals.judge.verdict import Vote

Ballot = tuple[Vote, ...]
"""The questions of one vote: a second look and the like follow the first."""


def key_of(*parts: Any) -> str:
    """Return the SHA-256 of what was judged and how: the same key, the same question."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Judgements:
    """Ballots by their key, in a file of JSON lines that is added to; None keeps them in memory.

    Args:
        path: Made when the first judgement is kept. A last line that was cut off is judged again.

    Raises:
        FormatError: A line is damaged or of a newer format; the message has file and line.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self._path = Path(path) if path is not None else None
        self._found: dict[str, tuple[Ballot, ...]] = {}
        self._torn = b""
        if self._path is not None and self._path.is_file():
            for line, where in read_lines(self._path, "Name a file of judgements"):
                if not line.endswith(b"\n"):
                    self._torn = line  # a writer that was killed: what it wrote last is judged again
                    break
                key, ballots = _read(line, where)
                self._found[key] = ballots

    def find(self, key: str) -> tuple[Ballot, ...] | None:
        """Return what was judged under a key."""
        return self._found.get(key)

    def keep(self, key: str, task: str, ballots: Sequence[Ballot]) -> None:
        """Keep what was judged.

        Raises:
            UsageError: The file cannot be written.
        """
        self._found[key] = tuple(ballots)
        if self._path is None:
            return
        line = {
            "format": FORMAT,
            "key": key,
            "task": task,
            "ballots": to_value(tuple(ballots), tuple[Ballot, ...]),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                if self._torn:
                    file.truncate(file.tell() - len(self._torn))
                    self._torn = b""
                file.write(to_json(line) + b"\n")
        except OSError as error:
            raise UsageError(
                f"the judgements cannot be written: {error.strerror}", where=str(self._path)
            ) from None


def _read(line: bytes, where: str) -> tuple[str, tuple[Ballot, ...]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where) from None
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise FormatError("a judgement without its key", where=where, hint="Judge again into a new file")
    if value.get("format") != FORMAT:
        raise FormatError(f"format {value.get('format')!r}, where {FORMAT} is known", where=where)
    return value["key"], from_value(tuple[Ballot, ...], value.get("ballots"), where=where)
