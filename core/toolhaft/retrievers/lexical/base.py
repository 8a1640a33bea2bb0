"""What an index of terms is: documents in, the best for a weighted query out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from toolhaft.errors import UsageError

_LARGEST = 1_000.0
LARGEST_SHARE = 10.0
"""Most that a lift may be of the score it is taken from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing to find.

    Attributes:
        terms: Its search terms; repeats count.
        parent: What it belongs to, a service for example; empty for none.
        category: Documents of the same category may lift each other; empty for none.
    """

    name: str
    terms: Sequence[str]
    parent: str = ""
    category: str = ""


class Hit(NamedTuple):
    """A document found.

    Attributes:
        order: Place among all documents: those that were indexed together by their number, from 0; later
            ones behind; one that replaces another at the other's place.
    """

    name: str
    score: float
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """How documents are scored.

    Attributes:
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Share of the average idf that terms in more than half of the documents get.
        idf: ``okapi`` and ``smoothed`` as of `toolhaft.retrievers.okapi.Okapi`; ``auto`` is okapi wherever
            that can rank (the average idf is positive), else smoothed.
        composition: Names the way in which the terms were made; an index made in another way is not opened.

    Raises:
        UsageError: A setting is out of range.
    """

    k1: float = 1.5
    b: float = 0.75
    epsilon: float = 0.25
    idf: Literal["auto", "okapi", "smoothed"] = "auto"
    composition: str = ""

    def __post_init__(self) -> None:
        numbers = all(isinstance(value, int | float) for value in (self.k1, self.b, self.epsilon))
        if not numbers or not (
            0 <= self.k1 <= _LARGEST and 0 <= self.b <= 1 and 0 <= self.epsilon <= _LARGEST
        ):
            raise UsageError(
                f"BM25 cannot use k1={self.k1}, b={self.b}, epsilon={self.epsilon}",
                hint="k1 and epsilon must lie between 0 and 1,000, b between 0 and 1",
            )
        if self.idf not in ("auto", "okapi", "smoothed"):
            raise UsageError(f"there is no idf {self.idf!r}", hint="Use auto, okapi or smoothed")


class TermIndex(ABC):
    """Documents by their terms; finds the best for a query.

    Attributes:
        version: Of the content, as the caller named it; empty where nothing is kept.
        engine: What does the work, for people.
    """

    version: str = ""

    @property
    @abstractmethod
    def engine(self) -> str:
        """What does the work, for people, as in ``pure Python, 221 tools``."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of documents."""

    @abstractmethod
    def top(
        self, query: Mapping[str, float], k: int, *, parent_share: float = 0.0, category_share: float = 0.0
    ) -> list[Hit]:
        """Return the k best documents that share a term with the query, equal scores in their order.

        A score is the sum of weight x idf x saturated frequency over the query's terms. On top of it come
        ``parent_share`` of the score of the parent, and ``category_share`` of the best score among the
        documents of the same category. A parent is scored as a document that holds each term of its
        documents once, among all parents, with the idf ``smoothed``.

        Args:
            query: Term -> weight; weights that are not above zero, or are not numbers, leave a term out.
            k: How many at most.
            parent_share: 0 to 10.
            category_share: 0 to 10.

        Raises:
            UsageError: A share is out of range.
            FormatError: The kept index turns out to be damaged; make it anew.
        """

    @abstractmethod
    def change(self, put: Iterable[Document] = (), remove: Iterable[str] = (), *, version: str = "") -> None:
        """Add, replace and remove documents, in the folder too if there is one.

        The cost is that of these documents, not of all.

        Args:
            put: Replace the documents of the same names at their places; others are added at the end.
            remove: Names; what is not there is no error.
            version: Of the content from now on.

        Raises:
            FormatError: The kept index turns out to be damaged; make it anew.
        """

    @abstractmethod
    def detach(self) -> None:
        """Hold what changes from now on in memory alone; the folder keeps what it has."""

    def close(self) -> None:
        """Let go of files; the index is of no use afterwards."""


def clean_query(query: Mapping[str, float]) -> dict[str, float]:
    """Return the terms whose weights are finite and above zero."""
    return {term: weight for term, weight in query.items() if 0 < weight < math.inf}


def check_shares(*shares: float) -> None:
    """Raise `UsageError` unless each share is from 0 to 10."""
    for share in shares:
        if not 0 <= share <= LARGEST_SHARE:
            raise UsageError(f"a score cannot be lifted by {share}", hint="Use a number from 0 to 10")
