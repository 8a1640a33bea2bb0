"""Checksums of a file's arrays by blocks, so that only what is used need be checked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

from toolhaft.retrievers.lexical.blocks import BLOCK, check_blocks
from toolhaft_dense.damaged import DamagedError

_AT_ONCE = 4_096 * BLOCK
_DIGEST = 16
_SUM = 8


class Checks:
    """Checks the bytes of a file's arrays, each block once.

    Args:
        file: For errors.
        data: The bytes of all arrays, mapped.
        sums: What `write_checks` wrote for them; None where it is a file of earlier times, which has none.

    Attributes:
        places: Where an array begins, and how many bytes a row of it has, by its name.

    Raises:
        DamagedError: The checksums themselves are not what was written.
    """

    def __init__(self, file: Path, data: Any, sums: bytes | None) -> None:
        import numpy

        self._file = file
        self._data = data
        self._sums: Any = None
        self.places: dict[str, tuple[int, int]] = {}
        if sums is None:
            return
        if _digest(sums[:-_DIGEST]) != sums[-_DIGEST:]:
            raise DamagedError("its checksums are damaged", file)
        self._sums = numpy.frombuffer(sums[:-_DIGEST], dtype="<u8")
        self._unchecked: Any = numpy.ones(len(self._sums), dtype=bool)

    def check_rows(self, name: str, first: int, last: int) -> None:
        """Check some rows of an array.

        Args:
            name: Of the array.
            first: Row.
            last: The row behind them.

        Raises:
            DamagedError: They are not what was written.
        """
        start, width = self.places[name]
        self._check(start + first * width, start + last * width)

    def _check(self, start: int, stop: int) -> None:
        if self._sums is None or stop <= start:
            return
        first, last = start // BLOCK, -(-stop // BLOCK)
        if not self._unchecked[first:last].any():
            return
        for begin in range(first * BLOCK, last * BLOCK, _AT_ONCE):
            end = min(begin + _AT_ONCE, last * BLOCK)
            found = check_blocks(_whole(self._data[begin:end]), begin // BLOCK)
            if (found != self._sums[begin // BLOCK : end // BLOCK]).any():
                raise DamagedError("its arrays are not what was written", self._file)
        self._unchecked[first:last] = False


def length_of_checks(size: int) -> int:
    """Return how many bytes the checksums of so many bytes take up."""
    return -(-size // BLOCK) * _SUM + _DIGEST


def write_checks(stream: BinaryIO, start: int, size: int) -> None:
    """Write checksums of bytes of a file behind them.

    Args:
        stream: Can be read and written.
        start: Of the bytes.
        size: Of them.
    """
    import numpy

    sums = []
    for begin in range(0, size, _AT_ONCE):
        stream.seek(start + begin)
        content = numpy.frombuffer(stream.read(min(_AT_ONCE, size - begin)), dtype=numpy.uint8)
        sums.append(check_blocks(_whole(content), begin // BLOCK).astype("<u8").tobytes())
    joined = b"".join(sums)
    stream.seek(start + size)
    stream.write(joined + _digest(joined))


def _whole(data: Any) -> Any:
    """Return bytes with zeros up to a whole number of blocks."""
    import numpy

    missing = -len(data) % BLOCK
    if missing:
        data = numpy.concatenate([data, numpy.zeros(missing, dtype=numpy.uint8)])
    return memoryview(numpy.ascontiguousarray(data)).cast("B")


def _digest(sums: bytes) -> bytes:
    return hashlib.blake2b(sums, digest_size=_DIGEST).digest()
