"""Writing arrays into one file that can be checked and mapped; see `segment_file` for reading it.

Format 2: a page of 4,096 bytes that begins with `MAGIC`, the length of the facts (4 bytes, little-endian) and
their blake2b digest (32 bytes), then the facts as JSON; the arrays, each at a multiple of 64 bytes, up to a
whole number of blocks; one checksum of 8 bytes a block (see `blocks`).
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, BinaryIO

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.blocks import BLOCK, check_blocks

MAGIC = b"toolhaft terms 2"
PAGE = 4_096
_ALIGNED = 64
KINDS = {
    "lengths": "<u4",
    "parents": "<u4",
    "parent_hashes": "<u8",
    "parent_lengths": "<u4",
    "parent_starts": "<u8",
    "parent_postings": "<u4",
    "parent_rows": "<u4",
    "parent_row_starts": "<u8",
    "categories": "<u8",
    "orders": "<u4",
    "names": "<u1",
    "name_starts": "<u8",
    "name_hashes": "<u8",
    "name_rows": "<u4",
    "terms": "<u8",
    "starts": "<u8",
    "frequencies": "<u4",
    "frequency_counts": "<u4",
    "postings": "<u4",
    "peaks": "<f4",
    "removed": "<u4",
    "removed_terms": "<u4",
    "removed_counts": "<u4",
}
"""Array -> type of its values."""


class SegmentWriter:
    """Writes arrays one after the other; the file is not valid before `finish`.

    Args:
        stream: Empty, can be sought in.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._stream.seek(PAGE)
        self._sections: dict[str, tuple[int, int]] = {}
        self._length = 0
        self._open = bytearray()
        self._checks: list[Any] = []
        self._blocks = 0

    def begin(self, name: str) -> None:
        """Begin an array, named as in `KINDS`."""
        self._append(bytes(-self._length % _ALIGNED))
        self._sections[name] = (PAGE + self._length, 0)

    def write(self, name: str, values: Any) -> None:
        """Append values to the array that was begun last."""
        array = np.ascontiguousarray(values, dtype=KINDS[name])
        start, count = self._sections[name]
        self._sections[name] = (start, count + len(array))
        self._append(memoryview(array).cast("B") if len(array) else b"")

    def put(self, name: str, values: Any) -> None:
        """Write a whole array."""
        self.begin(name)
        self.write(name, values)

    def finish(self, facts: dict[str, Any]) -> str:
        """Write checksums and the first page; return the digest of the facts, which names this content."""
        self._append(bytes(-self._length % BLOCK))
        checks = np.concatenate(self._checks) if self._checks else np.zeros(0, "<u8")
        data = checks.astype("<u8").tobytes()
        self._stream.write(data)
        told = {
            **facts,
            "sections": self._sections,
            "blocks": self._blocks,
            "checks": blake2b(data, digest_size=32).hexdigest(),
            "size": PAGE + self._length + len(data),
        }
        page = json.dumps(told).encode()
        digest = blake2b(page, digest_size=32)
        self._stream.seek(0)
        head = MAGIC + len(page).to_bytes(4, "little") + digest.digest() + page
        self._stream.write(head.ljust(PAGE, b"\0"))
        self._stream.flush()
        return digest.hexdigest()

    def _append(self, data: Any) -> None:
        self._stream.write(data)
        self._length += len(data)
        if len(self._open) + len(data) < BLOCK:
            self._open += data
            return
        view = memoryview(data)
        if self._open:
            missing = BLOCK - len(self._open)
            self._check(bytes(self._open) + bytes(view[:missing]))
            view = view[missing:]
        whole = len(view) // BLOCK * BLOCK
        if whole:
            self._check(view[:whole])
        self._open = bytearray(view[whole:])

    def _check(self, data: Any) -> None:
        checks = check_blocks(data, self._blocks)
        self._checks.append(checks)
        self._blocks += len(checks)
