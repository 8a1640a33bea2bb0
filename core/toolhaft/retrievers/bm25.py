"""BM25 over the fields of a tool, in pure Python: the default retriever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.fields import FieldWeights, compose_tokens
from toolhaft.retrievers.okapi import Okapi, best_hits
from toolhaft.retrievers.parents import check_share, lift_by_parent
from toolhaft.text import tokenize
from toolhaft.types import Scored, ToolSpec

_BATCH = 200
"""Tools indexed between two chances for other tasks to run."""


class BM25(Retriever):
    """Finds tools by their words: name, service, tags, description and parameters.

    Scores are those of BM25 (see `Okapi`) on the words of a tool, each field's repeated by its weight. In a
    catalog so small that the usual formula cannot rank (its average idf is not positive) the smoothed idf
    stands in.

    Args:
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Share of the average idf that very common words get.
        weights: How often each field counts: a `FieldWeights` or a mapping by field name.
        parent_boost: Share of the best score among the tools of the same parent that each of them gets on
            top (see `lift_by_parent`). 0 leaves plain BM25.

    Raises:
        UsageError: A setting is out of range or names no field.
    """

    name = "bm25"

    def __init__(
        self,
        *,
        k1: float = 1.5,
        b: float = 0.75,
        epsilon: float = 0.25,
        weights: FieldWeights | Mapping[str, int] | None = None,
        parent_boost: float = 0.5,
    ) -> None:
        self._settings = (k1, b, epsilon)
        self._weights = read_weights(weights)
        self._parent_boost = check_share(parent_boost)
        self._specs: tuple[ToolSpec, ...] = ()
        self._okapi = Okapi((), *self._settings)

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; what was indexed before is forgotten."""
        import asyncio

        corpus: list[list[str]] = []
        for number, spec in enumerate(specs):
            corpus.append(compose_tokens(spec, self._weights))
            if number % _BATCH == _BATCH - 1:
                await asyncio.sleep(0)
        okapi = Okapi(corpus, *self._settings)
        if okapi.average_idf <= 0:
            okapi = Okapi(corpus, *self._settings, idf="smoothed")
        self._specs, self._okapi = tuple(specs), okapi

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog."""
        tokens = tokenize(query)
        found = self._okapi.candidates(tokens, k, self._parent_boost)
        hits = best_hits(lift_by_parent(found, self._specs, self._parent_boost), k)
        return [Scored(self._specs[number], score) for number, score in hits]


def read_weights(weights: FieldWeights | Mapping[str, Any] | None) -> FieldWeights:
    """Return field weights from a setting.

    Raises:
        UsageError: A field is unknown, or a weight is no whole number from 0 to 20.
    """
    if isinstance(weights, FieldWeights):
        given = {name: getattr(weights, name) for name in FieldWeights.__slots__}
    else:
        given = dict(weights or {})
    for name, weight in given.items():
        if name not in FieldWeights.__slots__:
            raise UsageError(
                f"there is no field {name!r} to weigh", hint=f"Fields: {', '.join(FieldWeights.__slots__)}"
            )
        if not isinstance(weight, int) or not 0 <= weight <= 20:
            raise UsageError(f"the weight of {name} is {weight!r}", hint="Use a whole number from 0 to 20")
    return FieldWeights(**given)
