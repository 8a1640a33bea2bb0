"""What postings are merged from: runs of a build, or segments. See `merging`."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO, Protocol

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.segment import Segment

PARTS = 64
"""Ranges of hashes, equally wide, of which terms can be read one by one."""
_BOUNDS = np.arange(1, PARTS, dtype="<u8") << np.uint64(58)


class Source(Protocol):
    """Postings in the order of their terms.

    Attributes:
        size: How many postings there are, about.
        bounds: Number of the first term in each range of hashes, and the number of terms.
    """

    size: int
    bounds: Any

    def terms(self, first: int, last: int) -> tuple[Any, Any]:
        """Return hashes, ascending, of a range of terms, and in how many documents each is."""
        ...

    def read(self, first: int, last: int) -> tuple[Any, Any, Any]:
        """Return number within a range of terms, new row and frequency of each of their postings."""
        ...


class Spill:
    """Bytes put aside: in memory while they are few, then in a file without a name if one can be had.

    Args:
        folder: Where the file is made; None for the system's.
        held: Bytes that stay in memory.
    """

    def __init__(self, folder: str | None, held: int = 16 * 1024 * 1024) -> None:
        self._folder = folder
        self._held = held
        self._stream: BinaryIO = BytesIO()
        self._length = 0
        self._in_memory = True

    def append(self, values: Any) -> int:
        """Put an array aside, and return where it begins."""
        data = memoryview(np.ascontiguousarray(values)).cast("B") if len(values) else memoryview(b"")
        start = self._length
        if self._in_memory and start + len(data) > self._held:
            self._leave_memory()
        try:
            self._stream.seek(start)
            _write_all(self._stream, data)
        except OSError:
            # The disk is full: all goes back to memory, once and for good.
            self._stream.seek(0)
            kept = BytesIO()
            while piece := self._stream.read(min(1 << 20, start - kept.tell())):
                kept.write(piece)
            self._stream.close()
            self._stream = kept
            self._in_memory = True
            self._held = 1 << 62
            self._stream.seek(start)
            self._stream.write(data)
        self._length += len(data)
        return start

    def read(self, start: int, first: int, last: int) -> Any:
        """Return values of 4 bytes of an array that begins at ``start``."""
        self._stream.seek(start + 4 * first)
        return np.frombuffer(self._stream.read(4 * (last - first)), dtype="<u4")

    def close(self) -> None:
        """Let go of the bytes."""
        self._stream.close()

    def _leave_memory(self) -> None:
        import tempfile

        self._held = 1 << 62
        try:
            stream: Any = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by `close`
        except OSError:
            return
        try:
            held = self._stream
            held.seek(0)
            while piece := held.read(1 << 20):
                _write_all(stream, memoryview(piece))
        except OSError:
            stream.close()
            return
        held.close()
        self._stream = stream
        self._in_memory = False


def _write_all(stream: BinaryIO, data: memoryview) -> None:
    """Write to a stream without a buffer, which may take less than it is given: the end of the disk, say."""
    while data:
        data = data[stream.write(data) :]


def bounds_of(hashes: Any) -> Any:
    """Return where the ranges of ascending hashes begin, and their end."""
    return np.concatenate([[0], np.searchsorted(hashes, _BOUNDS), [len(hashes)]])


class RunSource:
    """A run of documents, put aside by a build.

    Args:
        spill: Where it is put aside.
        hashes: Of its terms, ascending.
        starts: Of each term's postings among all, and their end.
        rows: Of the postings.
        frequencies: Likewise.
    """

    def __init__(self, spill: Spill, hashes: Any, starts: Any, rows: Any, frequencies: Any) -> None:
        self.size = len(rows)
        self.bounds = bounds_of(hashes)
        self._spill = spill
        self._hashes = spill.append(hashes)
        self._starts = spill.append(starts.astype("<u4"))
        self._places = (spill.append(rows), spill.append(frequencies))
        self._new_rows: Any = None
        self._counts: Any = None

    def leave_out(self, new_rows: Any) -> None:
        """Give documents other rows, and leave out those whose new row is -1."""
        self._new_rows = new_rows
        size = int(self.bounds[-1])
        terms, _, _ = self.read(0, size)
        self._counts = np.bincount(terms, minlength=size).astype("<u4")

    def terms(self, first: int, last: int) -> tuple[Any, Any]:
        """Return hashes of a range of terms, and in how many documents each is."""
        hashes = self._spill.read(self._hashes, 2 * first, 2 * last).view("<u8")
        if self._counts is not None:
            return hashes, self._counts[first:last]
        return hashes, np.diff(self._spill.read(self._starts, first, last + 1))

    def read(self, first: int, last: int) -> tuple[Any, Any, Any]:
        """Return number, row and frequency of postings."""
        starts = self._spill.read(self._starts, first, last + 1)
        rows, frequencies = (
            self._spill.read(place, int(starts[0]), int(starts[-1])) for place in self._places
        )
        terms = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        if self._new_rows is None:
            return terms, rows, frequencies
        rows = self._new_rows[rows]
        kept = rows >= 0
        return terms[kept], rows[kept], frequencies[kept]


class SegmentSource:
    """A segment, to be merged with others.

    Args:
        segment: What to read.
        first: Row to give to its first document that is there.
        k1: Of its gains.
        norms: Of its rows, by which the gains were made.
    """

    def __init__(self, segment: Segment, first: int, k1: float, norms: Any) -> None:
        self._segment = segment
        self._top = k1 + 1
        self._norms = norms
        self.bounds = bounds_of(segment.terms())
        self.size = len(segment.file.array("postings")) // 2
        kept = np.ones(segment.size, dtype=bool)
        kept[segment.removed.rows] = False
        self.kept = kept
        self._new_rows = np.where(kept, np.cumsum(kept) - 1 + first, -1)

    def terms(self, first: int, last: int) -> tuple[Any, Any]:
        """Return hashes of a range of terms, and in how many documents each is."""
        return self._segment.terms()[first:last], self._segment.frequencies(np.arange(first, last))

    def read(self, first: int, last: int) -> tuple[Any, Any, Any]:
        """Return number, row and frequency of postings; the frequency is solved from the gain."""
        terms, rows, gains = self._segment.range_of_postings(first, last)
        if len(rows) and int(rows.max()) >= self._segment.size:
            raise self._segment.file.damaged("a row lies outside")
        new_rows = self._new_rows[rows]
        kept = new_rows >= 0
        gains = gains[kept].astype(np.float64)
        room = np.maximum(self._top - gains, 1e-9)
        norms = np.maximum(self._norms[rows[kept]], 1e-9)
        # Frequencies are whole numbers; what is not exact is the gain, kept with 24 bits.
        return terms[kept], new_rows[kept], np.rint(gains * norms / room)
