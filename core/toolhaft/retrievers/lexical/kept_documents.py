"""Documents of a small index as one file of lines, so that their texts need not be split into terms anew."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.base import Document
from toolhaft.retrievers.lexical.keeping import Keeper
from toolhaft.retrievers.lexical.manifest import KeptPart
from toolhaft.retrievers.lexical.plain_files import open_plain

KIND = "documents"
_LARGEST = 200_000_000
"""Bytes of the file that are read."""
_MOST_TERMS = 1_000_000
"""Terms of one document, repeats counting."""


def keep_documents(documents: Iterable[tuple[int, Document]], keeper: Keeper) -> KeptPart | None:
    """Write documents with their orders; return the file, or None if it cannot be written."""
    digest = blake2b(digest_size=32)

    def write(stream: BinaryIO) -> None:
        for order, document in documents:
            terms = Counter(document.terms)
            row = [order, document.name, document.parent, document.category, terms]
            line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            stream.write(line)

    place = keeper.write("documents", write)
    return None if place is None else KeptPart(file=place.name, digest=digest.hexdigest())


def read_documents(folder: Path, part: KeptPart) -> list[tuple[int, Document]]:
    """Return documents with their orders.

    Raises:
        FormatError: The file is not what was written.
        OSError: It cannot be read.
    """
    place = folder / part.file
    with open_plain(place) as file:
        data = file.read(_LARGEST)
    if blake2b(data, digest_size=32).hexdigest() != part.digest:
        raise FormatError("the search index is damaged: it is not what was written", where=str(place))
    found: list[tuple[int, Document]] = []
    try:
        for line in data.splitlines():
            order, name, parent, category, counts = json.loads(line)
            if not 0 <= sum(counts.values()) <= _MOST_TERMS:
                raise ValueError("too many terms")
            if not isinstance(order, int) or not all(
                isinstance(text, str) for text in (name, parent, category)
            ):
                raise ValueError("of another kind")
            terms = [term for term, count in counts.items() for _ in range(count)]
            found.append((order, Document(name=name, terms=terms, parent=parent, category=category)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise FormatError("the search index is damaged: it cannot be read", where=str(place)) from None
    return found
