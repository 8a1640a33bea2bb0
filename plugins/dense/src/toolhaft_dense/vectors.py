"""Vectors on disk, memory-mapped: one folder an encoder, in it segments that are written once.

A segment is two files of NumPy's format: ``ID.keys.npy`` (a digest a row) and ``ID.vectors.npy``; ID is the
digest of the keys. The keys are written last, each file beside its place and then moved there, so that a
segment is there as a whole or not at all, and processes that write at once cannot harm each other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from toolhaft.errors import ConfigError

_log = logging.getLogger(__name__)
_KEY = 32
_MOST_SEGMENTS = 16
"""Segments that are left apart; one more makes them one."""
_MOST_ROWS = 10_000_000
_ABANDONED = 24 * 3600 * 10**9


class _Gone:
    """Stands for a segment that vanished between the listing and the opening."""


_GONE = _Gone()
_LISTINGS = 3
_DAMAGES = (
    OSError,
    ValueError,
    EOFError,
    TypeError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""What reading a file that claims to be NumPy's may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Rows that were written together.

    Attributes:
        id: Digest of its keys.
        vectors: Memory-mapped, float32, shape (rows, width), each row of length 1.
        rows: Row of each key.
    """

    id: str
    vectors: Any = field(repr=False)
    rows: Mapping[bytes, int] = field(repr=False)


class VectorStore:
    """The kept vectors of one encoder.

    Args:
        folder: Of all encoders; made when something is written.
        fingerprint: Of the encoder.
        width: Numbers in a vector.
    """

    def __init__(self, folder: Path, fingerprint: str, width: int) -> None:
        self.folder = folder / fingerprint
        self._width = width

    def open(self) -> list[Segment]:
        """Return the segments that are there, the oldest first; damaged ones are told of, and left out.

        Raises:
            ConfigError: The folder cannot be read.
        """
        for _ in range(_LISTINGS):
            found = [self._open(id) for id in self._list()]
            if all(segment is not _GONE for segment in found):
                break
        return [segment for segment in found if isinstance(segment, Segment)]

    def _list(self) -> list[str]:
        try:
            files = list(self.folder.glob("*.keys.npy"))
        except OSError as error:
            raise _unusable(self.folder, error) from None
        ages = {file.name.removesuffix(".keys.npy"): _age(file) for file in files}
        return sorted(ages, key=lambda id: (ages[id], id))

    def add(self, keys: Sequence[bytes], vectors: Any) -> Segment | None:
        """Write a segment and return it as it lies on disk, or None where it cannot be read back.

        Args:
            keys: Of the rows, each once.
            vectors: float32, shape (keys, width).

        Raises:
            ConfigError: The folder cannot be written.
        """
        import numpy

        id = _id_of(b"".join(keys))
        table = numpy.frombuffer(b"".join(keys), dtype=numpy.uint8).reshape(len(keys), _KEY)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            self._write(f"{id}.vectors.npy", vectors)
            self._write(f"{id}.keys.npy", table)
        except OSError as error:
            raise _unusable(self.folder, error) from None
        found = self._open(id)
        return found if isinstance(found, Segment) else None

    def merge(self, segments: Sequence[Segment]) -> list[Segment]:
        """Return the segments as they are while they are few, else as one that replaces them on disk."""
        import numpy

        if len(segments) <= _MOST_SEGMENTS:
            return list(segments)
        rows: dict[bytes, Any] = {}
        for segment in segments:
            for key, row in segment.rows.items():
                rows.setdefault(key, segment.vectors[row])
        merged = self.add(list(rows), numpy.stack(list(rows.values())))
        if merged is None:
            return list(segments)
        for segment in segments:
            if segment.id != merged.id:  # whoever has it open keeps what is mapped
                self._remove(segment.id)
        return [merged]

    def _open(self, id: str) -> Segment | _Gone | None:
        """Return a segment, `_GONE` where it has just vanished, None where it is damaged."""
        try:
            return self._read(id)
        except FileNotFoundError:
            if (self.folder / f"{id}.keys.npy").exists():
                reason: Exception | str = "its vectors are missing"
            else:
                return _GONE  # another process has just made it part of a larger one
        except _DAMAGES as error:
            reason = error
        _log.warning("kept vectors are damaged and are made anew: %s/%s: %s", self.folder, id, reason)
        self._remove(id)
        return None

    def _read(self, id: str) -> Segment:
        import numpy

        keys = numpy.load(self.folder / f"{id}.keys.npy", mmap_mode="r", allow_pickle=False)
        vectors = numpy.load(self.folder / f"{id}.vectors.npy", mmap_mode="r", allow_pickle=False)
        if keys.ndim != 2 or keys.shape[1] != _KEY or keys.dtype != numpy.uint8 or len(keys) > _MOST_ROWS:
            raise ValueError(f"the keys are {keys.dtype} of shape {keys.shape}")
        if vectors.shape != (len(keys), self._width) or vectors.dtype != numpy.float32:
            raise ValueError(f"the vectors are {vectors.dtype} of shape {vectors.shape}")
        if not len(keys) or not vectors.flags.c_contiguous:
            raise ValueError("there are no rows, or they lie in another order")
        joined = keys.tobytes()
        if _id_of(joined) != id:
            raise ValueError("the keys are not those that were written")
        lengths = numpy.einsum("ij,ij->i", vectors, vectors)
        if not (numpy.abs(lengths - 1) < 1e-3).all():
            raise ValueError("there are vectors that are not of length 1")
        rows = {joined[start : start + _KEY]: start // _KEY for start in range(0, len(joined), _KEY)}
        return Segment(id=id, vectors=vectors, rows=rows)

    def _write(self, name: str, array: Any) -> None:
        import numpy

        temporary = self.folder / f".{name}.{token_hex(8)}"
        try:
            with temporary.open("xb") as file:
                numpy.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.folder / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        """Remove what processes that were killed while they wrote have left; none writes for a day."""
        for file in self.folder.glob(".*.npy.*"):
            if 0 < _age(file) < time.time_ns() - _ABANDONED:
                file.unlink(missing_ok=True)

    def _remove(self, id: str) -> None:
        for kind in ("keys", "vectors"):  # the keys first: without them there is no segment
            try:
                (self.folder / f"{id}.{kind}.npy").unlink(missing_ok=True)
            except OSError as error:
                _log.warning("cannot be removed: %s", error)


def _age(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _id_of(keys: bytes) -> str:
    return hashlib.sha256(keys).hexdigest()[:32]


def _unusable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the folder of kept vectors cannot be used: {error.strerror or error}",
        where=str(folder),
        hint="Name another one: folder=..., or folder=False to keep nothing",
    )
