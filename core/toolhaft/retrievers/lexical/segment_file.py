"""Reading a file of arrays: mapped, never trusted.

A file that was cut short would end the process when its missing part is touched (SIGBUS), so its length is
compared before it is mapped. Its first page and the checksums are checked whenever it is opened; the arrays
at once where that takes milliseconds, else block by block as they are used.
"""

from __future__ import annotations

import json
import math
import mmap
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.blocks import BLOCK, check_blocks
from toolhaft.retrievers.lexical.plain_files import open_plain
from toolhaft.retrievers.lexical.segment_writer import KINDS, MAGIC, PAGE

CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Bytes of arrays up to which all of them are checked when the file is opened: some 10 ms."""
MOST_MAPPED = 128 * 1024 * 1024
"""Bytes that are read of a larger file until what is mapped of it is let go of."""


class SegmentFile:
    """The arrays of one file.

    Args:
        buffer: The content, mapped or in memory.
        where: What to call it in errors.
        trusted: It was just made by this process, and need not be checked.

    Attributes:
        facts: What the writer said of them.
        digest: Names this content.
        place: The file, None if it is in memory.
        trusted: As given.

    Raises:
        FormatError: It is foreign, cut short or damaged.
    """

    def __init__(self, buffer: Any, where: str, *, trusted: bool = False) -> None:
        self.where = where
        self.trusted = trusted
        self.place: Path | None = None
        self._buffer = buffer
        self.facts, self.digest = _read_page(bytes(buffer[:PAGE]), len(buffer), where)
        blocks = self.facts["blocks"]
        end = PAGE + blocks * BLOCK
        if end + blocks * 8 != len(buffer):
            raise self.damaged("its length is not what it says")
        data = bytes(buffer[end : end + blocks * 8])
        if blake2b(data, digest_size=32).hexdigest() != self.facts["checks"]:
            raise self.damaged("the checksums are not what they were")
        self._checks = np.frombuffer(data, dtype="<u8")
        self._unchecked = np.ones(blocks, dtype=bool)
        self._read = 0
        self._all_checked = trusted
        self._starts: dict[str, int] = {}
        self._arrays: dict[str, Any] = {}
        for name, (start, count) in self.facts["sections"].items():
            kind = np.dtype(KINDS[name])
            if start < PAGE or start % 8 or start + count * kind.itemsize > end:
                raise self.damaged(f"the array {name} does not lie within it")
            self._starts[name] = start - PAGE
            self._arrays[name] = np.frombuffer(buffer, dtype=kind, count=count, offset=start)
        if not trusted and blocks * BLOCK <= CHECKED_AT_ONCE:
            self._check(0, blocks)
            self._all_checked = True

    @classmethod
    def open(cls, path: Path, *, trusted: bool = False) -> SegmentFile:
        """Map a file.

        Raises:
            FormatError: It is foreign, cut short or damaged.
            OSError: It cannot be read.
        """
        with open_plain(path) as file:
            page = file.read(PAGE)
            size = file.seek(0, 2)
            _read_page(page, size, str(path))
            buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(buffer) != size:
            raise FormatError("the file is changing", where=str(path))
        opened = cls(buffer, str(path), trusted=trusted)
        opened.place = path
        return opened

    def copy_to(self, stream: BinaryIO) -> None:
        """Write the file as it is."""
        stream.write(self._buffer)

    @property
    def is_checked(self) -> bool:
        """Whether all of it was checked, or need not be."""
        return self._all_checked

    def array(self, name: str) -> Any:
        """Return a whole array, unchecked; see `check`."""
        try:
            return self._arrays[name]
        except KeyError:
            raise self.damaged(f"the array {name} is missing") from None

    def check(self, name: str, start: int, stop: int) -> None:
        """Check the blocks that hold some values of an array, if they were not yet.

        Raises:
            FormatError: They are not what was written.
        """
        if self._all_checked or stop <= start:
            return
        size = self._arrays[name].itemsize
        first = (self._starts[name] + start * size) // BLOCK
        last = (self._starts[name] + stop * size - 1) // BLOCK + 1
        if self._unchecked[first:last].any():
            self._check(first, last)

    def checked(self, name: str) -> Any:
        """Return a whole array, checked."""
        array = self.array(name)
        self.check(name, 0, len(array))
        return array

    def take(self, name: str, rows: Any) -> Any:
        """Return the values of an array at some places, checked.

        Raises:
            FormatError: They are not what was written, or lie outside.
        """
        array = self.array(name)
        if not self._all_checked and len(rows):
            if int(rows.max()) >= len(array):
                raise self.damaged(f"a number leads out of the array {name}")
            touched = (self._starts[name] + rows.astype(np.int64) * array.itemsize) // BLOCK
            for block in set(touched[self._unchecked[touched]].tolist()):
                self._check(block, block + 1)
        try:
            return array[rows]
        except IndexError:
            raise self.damaged(f"a number leads out of the array {name}") from None

    def count_read(self, size: int) -> None:
        """Take note that so many bytes were read; after many of them, let go of what is mapped.

        It counts as memory of this process for as long as it is mapped. It stays in the system's cache, and
        comes back from there when it is read again, some 0.1 ms for 4 MB; whoever reads it now is not harmed.
        """
        self._read += size
        if self._read < MOST_MAPPED or len(self._buffer) <= MOST_MAPPED:
            return
        self._read = 0
        if isinstance(self._buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self._buffer.madvise(mmap.MADV_DONTNEED)

    def damaged(self, what: str) -> FormatError:
        """Return the error to raise."""
        return FormatError(
            f"the search index is damaged: {what}", where=self.where, hint="Index the catalog anew"
        )

    def _check(self, first: int, last: int) -> None:
        data = memoryview(self._buffer)[PAGE + first * BLOCK : PAGE + last * BLOCK]
        if (check_blocks(data, first) != self._checks[first:last]).any():
            raise self.damaged(f"bytes from {PAGE + first * BLOCK:,} on are not what was written")
        self._unchecked[first:last] = False
        self.count_read((last - first) * BLOCK)


def _read_page(page: bytes, size: int, where: str) -> tuple[dict[str, Any], str]:
    """Return the facts on the first page, and their digest, checked against each other and the size."""

    def broken(what: str) -> FormatError:
        return FormatError(f"the search index is damaged: {what}", where=where, hint="Index the catalog anew")

    start = len(MAGIC) + 36
    if not page.startswith(MAGIC):
        raise broken("it does not begin as an index of this version does")
    length = int.from_bytes(page[len(MAGIC) : len(MAGIC) + 4], "little")
    text = page[start : start + length]
    digest = blake2b(text, digest_size=32)
    if len(page) < PAGE or digest.digest() != page[len(MAGIC) + 4 : start]:
        raise broken("its first page is not what was written")
    try:
        facts = json.loads(text)
        sections = facts["sections"]
        sound = (
            facts["size"] == size
            and isinstance(facts["checks"], str)
            and _whole(facts["blocks"], size)
            and all(
                name in KINDS and len(place) == 2 and all(_whole(value, size) for value in place)
                for name, place in sections.items()
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise broken("its first page cannot be read") from None
    if not sound:
        raise broken(f"it is {size:,} bytes long, and should be {facts['size']!r}")
    return facts, digest.hexdigest()


def _whole(value: Any, most: float = math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
