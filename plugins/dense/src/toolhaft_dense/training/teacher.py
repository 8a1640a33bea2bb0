"""A cross-encoder as a teacher: it reads a query and a text together, and says how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolhaft.errors import UsageError
from toolhaft_dense.rerank_model import find_cross_encoder, open_pair_model


class CrossEncoderTeacher:
    """Scores by a model that has one output for a pair of texts, on a GPU where there is one.

    Args:
        folder: Of a cross-encoder, as the re-ranker ``cross-encoder`` takes it.

    Attributes:
        digest: What tells this teacher from others.

    Raises:
        ConfigError: It is no such folder, or it cannot be loaded.
    """

    def __init__(self, folder: str | Path) -> None:
        found = find_cross_encoder(folder)
        self.digest = found.fingerprint()
        self._path = found.path
        self._model = open_pair_model(found, runtime="torch", precision="fp32", threads=None, cache=None)

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score a text, the higher the better.

        Raises:
            UsageError: The teacher gives no numbers.
        """
        import numpy

        found = self._model.run(self._model.pair(query, texts))
        if not numpy.isfinite(found).all():
            raise UsageError("the teacher gives no numbers", where=str(self._path))
        values: list[float] = found.tolist()
        return values
