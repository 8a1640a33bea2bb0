"""What a term weighs: inverse document frequency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from toolhaft.retrievers.lexical.base import IndexSettings


class Idf:
    """Weighs terms by the number of documents that hold them.

    Args:
        size: Number of documents.
        counts: Number of documents -> how many terms are in that many; what is not above zero is left out.
        settings: Which formula.
    """

    def __init__(self, size: int, counts: Mapping[int, int], settings: IndexSettings) -> None:
        self._size = size
        terms = 0
        total = 0.0
        for frequency, count in counts.items():
            if frequency > 0 and count > 0:
                terms += count
                total += count * self._okapi(frequency)
        average = total / terms if terms else 0.0
        self._smoothed = settings.idf == "smoothed" or (settings.idf == "auto" and average <= 0)
        self._floor = settings.epsilon * average

    def weigh(self, frequencies: Sequence[int]) -> list[float]:
        """Return the idf of terms that are in so many documents."""
        if self._smoothed:
            size = self._size
            return [math.log(1 + (size - n + 0.5) / (n + 0.5)) for n in frequencies]
        values = (self._okapi(n) for n in frequencies)
        return [self._floor if value < 0 else value for value in values]

    def _okapi(self, frequency: int) -> float:
        return math.log(self._size - frequency + 0.5) - math.log(frequency + 0.5)
