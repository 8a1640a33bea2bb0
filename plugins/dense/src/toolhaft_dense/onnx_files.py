"""The made graphs, kept in the user's cache: one file a model, what is done with it, and a precision."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from toolhaft.report.files import write_whole

_log = logging.getLogger(__name__)
_DIGEST = 32
GRAPH = "1"
"""Changes whenever the graphs do, so that earlier ones are not used."""


def kept_graph(folder: Path | None, name: str, make: Callable[[], bytes]) -> bytes:
    """Return a graph from its file, or make it and keep it.

    The digest of the content is part of the file's name: what is damaged is told of, and made anew. A folder
    that cannot be written costs the time to make it the next time, no more.

    Args:
        folder: Where graphs are kept; None keeps nothing.
        name: Tells this graph from every other one; letters, digits and hyphens.
        make: Makes the content.
    """
    if folder is None:
        return make()
    stem = f"{name}-{GRAPH}"
    for file in find_graphs(folder, name):
        content = _read(file)
        if content is not None and file.stem.rpartition(".")[2] == _digest(content):
            return content
        _log.warning("a kept model is damaged and is made anew: %s", file)
    content = make()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{stem}.{_digest(content)}.onnx", content)
    except OSError as error:
        _log.warning("the made model cannot be kept: %s: %s", folder, error.strerror or error)
    return content


def find_graphs(folder: Path, name: str) -> list[Path]:
    """Return the kept files of a graph: none, one, or more where it was damaged."""
    try:
        return sorted(folder.glob(f"{name}-{GRAPH}.*.onnx"))
    except OSError:
        return []


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _write(file: Path, content: bytes) -> None:
    write_whole(file, [content])
    for other in find_graphs(file.parent, file.name.partition(f"-{GRAPH}.")[0]):
        if other != file:
            other.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST // 2).hexdigest()
