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
        if len(self._ends) and self._ends[-1] != len(self._text):
            raise ValueError("the names end elsewhere than their text")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        start = int(self._ends[row - 1]) if row else 0
        content: bytes = self._text[start : int(self._ends[row])].tobytes()
        return content.decode("utf-8", "surrogatepass")

    def find(self, name: str) -> int | None:
        """Return the row of a name, the first of several, or None."""
        import numpy

        wanted = _hash(name.encode("utf-8", "surrogatepass"))
        rows = numpy.flatnonzero(self._hashes == numpy.uint64(wanted))
        return next((int(row) for row in rows if self[int(row)] == name), None)


def _hash(name: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
