"""Checksums of a file by blocks, so that only what is read need be checked.

Source: D. Lemire, O. Kaser, "Strongly universal string hashing is fast", The Computer Journal 57(11), 2014
(multilinear hashing); here modulo 2 to the 64 with fixed odd multipliers: it finds damage, no forgery. They
are mixed as in G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

from typing import Any

from toolhaft.retrievers.lexical.arrays import np

BLOCK = 16_384
"""Bytes that one checksum covers."""
_WORDS = BLOCK // 8


def _multipliers() -> Any:
    """Return odd numbers without a pattern, one for each word of a block."""
    words = np.arange(1, _WORDS + 1, dtype="<u8") * np.uint64(0x9E3779B97F4A7C15)
    words ^= words >> np.uint64(29)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(32)
    return words | np.uint64(1)


_MULTIPLIERS = _multipliers()
_STEP = np.uint64(0x94D049BB133111EB)


def check_blocks(data: Any, first: int) -> Any:
    """Return a checksum of each block: its words, each times its number, summed modulo 2 to the 64.

    Args:
        data: Bytes, as long as a whole number of blocks.
        first: Number of the first block, which counts too: blocks that changed places are found.
    """
    words = np.frombuffer(data, dtype="<u8").reshape(-1, _WORDS)
    numbers = np.arange(first, first + len(words), dtype="<u8")
    return words @ _MULTIPLIERS + (numbers + np.uint64(1)) * _STEP
