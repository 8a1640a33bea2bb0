"""Names of tools by position, as they lie in a file: none is read before it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any


def pack_names(names: Iterable[str]) -> dict[str, Any]:
    """Return names as arrays that `Names` reads."""
    import numpy

    written = [name.encode("utf-8", "surrogatepass") for name in names]
    ends = numpy.cumsum([len(name) for name in written], dtype=numpy.int64)
    hashes = numpy.array([_hash(name) for name in written], dtype=numpy.uint64)
    text = numpy.frombuffer(b"".join(written), dtype=numpy.uint8)
    return {"name_text": text, "name_ends": ends, "name_hashes": hashes}


class Names:
    """Reads packed names.

    Args:
        arrays: What `pack_names` made.

    Raises:
        KeyError: An array is missing.
        ValueError: They do not fit each other.
    """

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._text, self._ends = arrays["name_text"], arrays["name_ends"]
        self._hashes = arrays["name_hashes"]
        if self._text.ndim != 1 or self._ends.ndim != 1 or self._hashes.shape != self._ends.shape:
            raise ValueError("the names are of no shape that is written here")
        if not self._ends_fit():
            raise ValueError("the names end elsewhere than their text")

    def _ends_fit(self) -> bool:
        ends = self._ends
        if not len(ends):
            return not len(self._text)
        return bool(ends[0] >= 0 and ends[-1] == len(self._text) and (ends[1:] >= ends[:-1]).all())

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        start = int(self._ends[row - 1]) if row else 0
        content: bytes = self._text[start : int(self._ends[row])].tobytes()
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # made by somebody on purpose; no tool has such a name
            return content.decode("utf-8", "replace")

    def find(self, name: str) -> list[int]:
        """Return the rows of a name, ascending."""
        import numpy

        wanted = _hash(name.encode("utf-8", "surrogatepass"))
        rows = numpy.flatnonzero(self._hashes == numpy.uint64(wanted))
        return [int(row) for row in rows if self[int(row)] == name]


def _hash(name: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
