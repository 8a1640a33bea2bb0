"""Rankings as sparse matrices, each a choice: what ``search_choices.py`` measures."""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import search_choice_words as words
from scipy import sparse
from search_sets import SearchSet
from toolhaft.retrievers.fields import FieldWeights, compose_fields
from toolhaft.retrievers.pairs import PAIR_WEIGHT
from toolhaft.retrievers.queries import DAMPING
from toolhaft.text import tokenize

warnings.filterwarnings("ignore", category=FutureWarning, module="scipy")
WEIGHTS = {name: getattr(FieldWeights(), name) for name in FieldWeights.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A ranking; the defaults are the product's.

    Attributes:
        fields: Field -> weight; ``full_name`` is the name with the parent's words.
        paired: Fields that give pairs.
        parent: Share of the parent's score, by ``kind`` of it.
        query: Words of a text with their weights, before damping.
        tokens: Text -> terms.
        after: Scores, set and texts -> scores, for what changes the ranking afterwards.
    """

    fields: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    paired: tuple[str, ...] = ("name", "description")
    pair: float = PAIR_WEIGHT
    k1: float = 2.0
    b: float = 0.75
    idf: str = "okapi"
    idf_power: float = 0.0
    parent: float = 1.2
    kind: str = "document"
    category: float = 0.0
    damping: float = DAMPING
    query: Callable[[str], dict[str, float]] | None = None
    tokens: Callable[[str], list[str]] = tokenize
    grams: float = 0.0
    after: Callable[[Any, Bags], Any] | None = None


class Bags:
    """A set as matrices: for each field, how often each tool has each term.

    Args:
        chosen: The set.
        tokens: Text -> terms.
    """

    def __init__(self, chosen: SearchSet, tokens: Callable[[str], list[str]]) -> None:
        self.set = chosen
        self.tokens = tokens
        self.vocabulary: dict[str, int] = {}
        self._columns: dict[str, tuple[list[int], list[int], list[float]]] = {}
        for row, spec in enumerate(chosen.specs):
            texts = compose_fields(spec)
            names = " ".join((spec.parameters.get("properties") or {}).keys())
            self._add("name", row, texts.title)
            self._add("full_name", row, texts.name)
            for name in ("parent", "tags", "description", "parameters"):
                self._add(name, row, getattr(texts, name))
            self._add("parameter_names", row, names)
            self._add("results", row, words.schema_words(spec.returns))
            self._add("examples", row, json.dumps(spec.examples)[:2000] if spec.examples else "")
        shape = (len(chosen.specs), len(self.vocabulary))
        self.fields = {
            name: sparse.csr_matrix((values, (rows, columns)), shape=shape)
            for name, (rows, columns, values) in self._columns.items()
        }
        self._columns = {}
        self.is_pair = np.array([" " in term for term in self.vocabulary], dtype=bool)
        self.is_gram = np.array([term.startswith("~") for term in self.vocabulary], dtype=bool)
        self.parents = _groups([spec.parent for spec in chosen.specs])
        self.categories = _groups([spec.tags[0] if spec.tags else "" for spec in chosen.specs])
        places = {spec.name: row for row, spec in enumerate(chosen.specs)}
        self.gold = [{places[name] for name in query.gold if name in places} for query in chosen.queries]

    def _add(self, name: str, row: int, text: str) -> None:
        rows, columns, values = self._columns.setdefault(name, ([], [], []))
        for term, count in Counter(words.with_pairs(self.tokens(text))).items():
            rows.append(row)
            columns.append(self.vocabulary.setdefault(term, len(self.vocabulary)))
            values.append(float(count))

    def bag(self, choice: Choice) -> Any:
        """Return how often each tool has each term, by the weights of the fields."""
        total = sparse.csr_matrix((len(self.set.specs), len(self.vocabulary)))
        for name, weight in choice.fields.items():
            if weight:
                counts = self.fields[name]
                if not (choice.pair and name in choice.paired):
                    counts = counts @ sparse.diags((~self.is_pair).astype(float))
                total = total + weight * counts
        total = total.tocsr()
        total.eliminate_zeros()
        return total

    def queries(self, choice: Choice, bag: Any) -> Any:
        """Return the weight of each term in each query."""
        counts = np.asarray((bag > 0).sum(axis=0)).ravel()
        rare = np.log(1 + (bag.shape[0] - counts + 0.5) / (counts + 0.5)) / math.log(1 + bag.shape[0])
        rows, columns, values = [], [], []
        for row, query in enumerate(self.set.queries):
            weights = (choice.query or self._counts)(query.text)
            for term, weight in weights.items():
                column = self.vocabulary.get(term)
                if column is not None and weight > 0:
                    value = weight**choice.damping * (choice.pair if " " in term else 1.0)
                    rows.append(row)
                    columns.append(column)
                    values.append(value * rare[column] ** choice.idf_power)
        return sparse.csr_matrix((values, (rows, columns)), shape=(len(self.set.queries), bag.shape[1]))

    def _counts(self, text: str) -> dict[str, float]:
        return dict(Counter(words.with_pairs(self.tokens(text))))


def _groups(names: Sequence[str]) -> Any:
    """Return a number for each name; an empty one is -1."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) if name else -1 for name in names])


def gains(bag: Any, k1: float, b: float, idf: str) -> Any:
    """Return what each term adds to the score of each row."""
    size = bag.shape[0]
    lengths = np.asarray(bag.sum(axis=1)).ravel()
    counts = np.asarray((bag > 0).sum(axis=0)).ravel()
    smoothed = np.log(1 + (size - counts + 0.5) / (counts + 0.5))
    values = smoothed
    if idf == "okapi":
        plain = np.log(size - counts + 0.5) - np.log(counts + 0.5)
        average = plain[counts > 0].mean() if counts.any() else 0.0
        values = np.where(plain < 0, 0.25 * average, plain) if average > 0 else smoothed
    entries = bag.tocoo()
    norms = k1 * (1 - b + b * lengths[entries.row] / max(lengths.mean(), 1e-9))
    scored = values[entries.col] * entries.data * (k1 + 1) / (entries.data + norms)
    return sparse.csr_matrix((scored, (entries.row, entries.col)), shape=bag.shape)


def lift(scores: Any, groups: Any, kind: str) -> Any:
    """Return for each tool the best or mean score of its group."""
    known = np.flatnonzero(groups >= 0)
    lifted = np.zeros_like(scores)
    if len(known):
        order = known[np.argsort(groups[known], kind="stable")]
        starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
        if kind == "mean":
            best = np.add.reduceat(scores[:, order], starts, axis=1)
            best = best / np.diff(np.append(starts, len(order)))
        else:
            best = np.maximum.reduceat(scores[:, order], starts, axis=1)
        lifted[:, known] = best[:, groups[known]]
    return lifted


def parent_documents(bags: Bags, bag: Any, choice: Choice, queries: Any) -> Any:
    """Return for each tool the score of its parent, as a document of the words of all its tools."""
    known = np.flatnonzero(bags.parents >= 0)
    scores = np.zeros((queries.shape[0], bag.shape[0]))
    if len(known):
        ones = (np.ones(len(known)), (bags.parents[known], known))
        members = sparse.csr_matrix(ones, shape=(bags.parents.max() + 1, bag.shape[0]))
        held = (members @ (bag if choice.kind == "all repeats" else (bag > 0).astype(float))).tocsr()
        if choice.kind == "document":
            held.data = np.ones_like(held.data)
        found = np.asarray((queries @ gains(held, choice.k1, choice.b, "smoothed").T).todense())
        scores[:, known] = found[:, bags.parents[known]]
    return scores


def score(bags: Bags, choice: Choice) -> Any:
    """Return the score of each tool for each query; 0 where they share nothing."""
    bag = bags.bag(choice)
    queries = bags.queries(choice, bag)
    base = np.asarray((queries @ gains(bag, choice.k1, choice.b, choice.idf).T).todense())
    total = base
    if choice.parent:
        if choice.kind in ("max", "mean"):
            total = total + choice.parent * lift(base, bags.parents, choice.kind)
        else:
            total = total + choice.parent * parent_documents(bags, bag, choice, queries)
    if choice.category:
        total = total + choice.category * lift(base, bags.categories, "max")
    total = np.where(base > 0, total, 0.0)
    return choice.after(total, bags) if choice.after else total
