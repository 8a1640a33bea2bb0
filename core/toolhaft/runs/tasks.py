"""Files of tasks: JSON lines, JSON, YAML, or one instruction a line; every error has its line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.types import Task, from_value

_LONGEST_LINE = 10_000_000
_LARGEST_DOCUMENT = 100_000_000
_LONGEST_ID = 200
_FIELDS = frozenset(field.name for field in fields(Task))


def read_tasks(path: Path, *, skip: Callable[[FormatError], None] | None = None) -> Iterator[Task]:
    """Iterate over the tasks of a file.

    ``.jsonl`` and ``.ndjson`` hold a JSON value a line, ``.json``, ``.yaml`` and ``.yml`` a list; each row is
    a task (``instruction``, and where wanted ``id`` and the other fields of `toolhaft.types.Task`) or a text,
    the instruction. A file with any other ending holds one instruction a line. Blank lines are passed over;
    fields that a task does not have land in its ``metadata``.

    Args:
        path: Of the file.
        skip: Is told about each bad row, which is left out; without it the first one raises.

    Raises:
        UsageError: The file cannot be read, or has no tasks.
        FormatError: A row is no task, or two tasks have one id; ``where`` has the line.
    """
    ids: set[str] = set()
    for value, number, where in _rows(path, skip):
        try:
            task = _task(value, number, where)
            if task.id in ids:
                raise FormatError(f"two tasks have the id {task.id!r}", where=where)
        except FormatError as error:
            if skip is None:
                error.hint = error.hint or "Mend the row, or leave out bad ones with --skip-bad"
                raise
            skip(error)
            continue
        ids.add(task.id)
        yield task
    if not ids:
        raise UsageError("there are no tasks in it", where=str(path), hint="Write one instruction a line")


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes.

    Raises:
        UsageError: It cannot be read.
    """
    digest = sha256()
    with _reading(path) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _task(value: Any, number: int, where: str) -> Task:
    given = {"instruction": value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise FormatError("neither a task nor an instruction", where=where)
    row: dict[Any, Any] = {"id": f"line-{number}"} | given
    if isinstance(row["id"], int) and not isinstance(row["id"], bool):
        row["id"] = str(row["id"])
    more = {str(name): item for name, item in row.items() if name not in _FIELDS}
    known = {name: item for name, item in row.items() if name in _FIELDS}
    if more:
        own = known.get("metadata")
        known["metadata"] = {**more, **own} if isinstance(own, dict) else more
    task = from_value(Task, known, where=where)
    if not task.instruction.strip():
        raise FormatError("the instruction is empty", where=where)
    if not 0 < len(task.id) <= _LONGEST_ID or not task.id.isprintable():
        raise FormatError(f"an id has 1 to {_LONGEST_ID} printable characters", where=where)
    return task


def _rows(path: Path, skip: Callable[[FormatError], None] | None) -> Iterator[tuple[Any, int, str]]:
    """Iterate over ``(value, number, where)``."""
    ending = path.suffix.lower()
    if ending in (".json", ".yaml", ".yml"):
        for number, value in enumerate(_document(path, ending)):
            yield value, number + 1, f"{path}#/{number}"
        return
    lines = ending in (".jsonl", ".ndjson")
    for number, data in _lines(path):
        where = f"{path}:{number}"
        try:
            text = _text(data, where)
            if text:
                yield (_json(text, where) if lines else text), number, where
        except FormatError as error:
            if skip is None:
                error.hint = error.hint or "Mend the line, or leave out bad ones with --skip-bad"
                raise
            skip(error)


def _document(path: Path, ending: str) -> list[Any]:
    with _reading(path) as file:
        data = file.read(_LARGEST_DOCUMENT + 1)
    if len(data) > _LARGEST_DOCUMENT:
        raise FormatError(
            f"more than {_LARGEST_DOCUMENT} bytes", where=str(path), hint="Write it as JSON lines (.jsonl)"
        )
    text = _text(data, str(path))
    rows = _json(text, str(path)) if ending == ".json" else _yaml(text, str(path))
    if not isinstance(rows, list):
        raise FormatError("not a list of tasks", where=str(path), hint="Write a list, or JSON lines (.jsonl)")
    return rows


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with _reading(path) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise FormatError(f"a line of more than {_LONGEST_LINE} bytes", where=f"{path}:{number}")
            yield number, line


def _text(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8: {error.reason}", where=where, hint="Save it as UTF-8") from None
    if "\0" in text:
        raise FormatError("it holds NUL characters: this is no text", where=where)
    return text


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _yaml(text: str, where: str) -> Any:
    from toolhaft.openapi.documents.document import Limits
    from toolhaft.openapi.documents.yaml12 import read_yaml

    limits = Limits(max_bytes=_LARGEST_DOCUMENT, depth=100, nodes=5_000_000, seconds=60)
    return read_yaml(text, limits, where).value


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UsageError(
            f"cannot read the tasks: {error.strerror or error}", where=str(path), hint="Check the path"
        ) from None
