"""Kept vectors: segments, written once, told apart by what is in them."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft_dense.arrays_file import DAMAGES, open_arrays, write_arrays
from toolhaft_dense.quantised import Quantised
from toolhaft_dense.texts import KEY

_log = logging.getLogger(__name__)
_ENDING = ".vectors"
_MOST_SEGMENTS = 16
"""Segments that are left apart; one more, and the small ones become one."""
_OWN = re.compile(r"[0-9a-f]{32}\.vectors")
_ABANDONED = 24 * 3600 * 10**9


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Vectors that were written together.

    Attributes:
        id: Digest of what is in it; empty where it is not on disk.
        keys: Of their texts, uint8, shape (rows, KEY).
        vectors: One a row.
        more: Further arrays of the file.
    """

    id: str
    keys: Any = field(repr=False)
    vectors: Quantised = field(repr=False)
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def _sorted(self) -> tuple[Any, Any]:
        import numpy

        short = _short(self.keys)
        order = numpy.argsort(short, kind="stable")
        return short[order], order

    def find(self, keys: Any) -> Any:
        """Return the row of each key, shape (keys,), or -1."""
        import numpy

        short, order = self._sorted
        if not len(short):
            return numpy.full(len(keys), -1)
        rows = order[numpy.searchsorted(short, _short(keys)).clip(max=len(short) - 1)]
        # Half of a key is looked up, for whole ones sort slowly; that two begin alike is all but impossible,
        # and then one of them is encoded once more.
        return numpy.where((self.keys[rows] == keys).all(axis=1), rows, -1)


class SegmentFolder:
    """The segments of one folder, which several processes may write at once.

    Args:
        folder: Made when something is written.
        width: Numbers in a vector.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder = folder
        self._width = width

    def open(self, ids: Iterable[str] | None = None) -> list[Segment]:
        """Return segments, the oldest first; damaged ones are told of, removed and left out.

        Args:
            ids: Which; None is all that are there.

        Raises:
            ConfigError: The folder cannot be read.
        """
        found = (self._open(id) for id in (self._list() if ids is None else ids))
        return [segment for segment in found if segment is not None]

    def add(self, keys: Any, vectors: Quantised, more: Mapping[str, Any] | None = None) -> Segment:
        """Write a segment and return it, as it lies on disk.

        Args:
            keys: uint8, shape (rows, KEY).
            vectors: One a row.
            more: Further arrays.

        Raises:
            ConfigError: The folder cannot be written.
        """
        digest = hashlib.blake2b(keys.tobytes(), digest_size=16)
        for name, array in sorted((more or {}).items()):
            digest.update(name.encode() + array.tobytes())
        id = digest.hexdigest()
        arrays = {"keys": keys, "scales": vectors.scales, "whole": vectors.whole, **(more or {})}
        try:
            self._sweep()
            write_arrays(self._file(id), arrays)
        except OSError as error:
            raise _unusable(self.folder, error) from None
        found = self._open(id)
        return found or Segment(id="", keys=keys, vectors=vectors, more=more or {})

    def merge(self, segments: Sequence[Segment]) -> list[Segment]:
        """Return the segments as they are while they are few, else with the small ones made one on disk."""
        import numpy

        if len(segments) <= _MOST_SEGMENTS:
            return list(segments)
        by_size = sorted(segments, key=lambda segment: -len(segment.vectors))
        left = sum(len(segment.vectors) for segment in by_size)
        large: list[Segment] = []
        for segment in by_size:  # one that is larger than all smaller ones together is not written again
            left -= len(segment.vectors)
            if len(segment.vectors) <= left:
                break
            large.append(segment)
        small = by_size[len(large) :]
        if len(small) < 2:
            return list(segments)
        keys = numpy.concatenate([segment.keys for segment in small])
        _, first = numpy.unique(keys, axis=0, return_index=True)
        joined = Quantised(
            whole=numpy.concatenate([segment.vectors.whole for segment in small])[first],
            scales=numpy.concatenate([segment.vectors.scales for segment in small])[first],
        )
        merged = self.add(numpy.ascontiguousarray(keys[first]), joined)
        self.remove([segment.id for segment in small if segment.id != merged.id])
        return [*large, merged]

    def remove(self, ids: Iterable[str]) -> None:
        """Remove segments; whoever has one open keeps what is mapped."""
        for id in ids:
            if id:
                try:
                    self._file(id).unlink(missing_ok=True)
                except OSError as error:
                    _log.warning("cannot be removed: %s", error)

    def remove_abandoned(self, kept: Iterable[str]) -> None:
        """Remove segments that are not among the kept ones, and that nobody has just written."""
        used = set(kept)
        old = time.time_ns() - _ABANDONED
        self.remove(id for id in self._list() if id not in used and _age(self._file(id)) < old)

    def _list(self) -> list[str]:
        try:
            files = list(self.folder.glob(f"*{_ENDING}"))
        except OSError as error:
            raise _unusable(self.folder, error) from None
        ages = {file.name.removesuffix(_ENDING): _age(file) for file in files if _OWN.fullmatch(file.name)}
        return sorted(ages, key=lambda id: (ages[id], id))

    def _file(self, id: str) -> Path:
        return self.folder / f"{id}{_ENDING}"

    def _open(self, id: str) -> Segment | None:
        try:
            return self._read(id)
        except FileNotFoundError:
            return None  # another process has just made it part of a larger one
        except DAMAGES as error:
            _log.warning("kept vectors are damaged and are made anew: %s: %s", self._file(id), error)
            self.remove([id])
            return None

    def _read(self, id: str) -> Segment:
        import numpy

        arrays, checks = open_arrays(self._file(id))
        keys, whole, scales = arrays.pop("keys"), arrays.pop("whole"), arrays.pop("scales")
        if keys.ndim != 2 or keys.shape[1] != KEY or keys.dtype != numpy.uint8:
            raise ValueError(f"the keys are {keys.dtype} of shape {keys.shape}")
        if whole.shape != (len(keys), self._width) or whole.dtype != numpy.int8:
            raise ValueError(f"the vectors are {whole.dtype} of shape {whole.shape}")
        if scales.shape != (len(keys),) or scales.dtype != numpy.float32:
            raise ValueError(f"the scales are {scales.dtype} of shape {scales.shape}")
        if not ((scales >= 0) & (scales <= 1)).all():
            raise ValueError("there are vectors that are not of length 1")
        vectors = Quantised(whole=whole, scales=scales, checks=partial(checks.check_rows, "whole"))
        return Segment(id=id, keys=keys, vectors=vectors, more=arrays)

    def _sweep(self) -> None:
        """Remove what processes that were killed while they wrote have left; none writes for a day."""
        for file in self.folder.glob(f".*{_ENDING}.*"):
            if 0 < _age(file) < time.time_ns() - _ABANDONED:
                file.unlink(missing_ok=True)


def _short(keys: Any) -> Any:
    import numpy

    return numpy.ascontiguousarray(keys[:, :8]).view(numpy.uint64)[:, 0]


def _age(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _unusable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the folder of kept vectors cannot be used: {error.strerror or error}",
        where=str(folder),
        hint="Name another one: folder=..., or folder=False to keep nothing",
    )
