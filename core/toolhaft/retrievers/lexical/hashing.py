"""Terms, names and groups as whole numbers of 64 bits, the same in every process.

Two different terms of one hash would count as one term: among ten million the chance of any such pair is one
in 370,000, and all it does is a false match.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from toolhaft.retrievers.lexical.arrays import np


@lru_cache(maxsize=65_536)
def hash_text(text: str) -> int:
    """Return the hash of a text."""
    return int.from_bytes(_digest(text), "little")


def hash_group(text: str) -> int:
    """Return the hash of a parent or category, 0 for the empty one."""
    return (hash_text(text) or 1) if text else 0


def hash_texts(texts: Iterable[str]) -> Any:
    """Return the hashes of many texts as an array."""
    return np.frombuffer(b"".join(map(_digest, texts)), dtype="<u8")


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
