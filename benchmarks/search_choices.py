"""Measure every choice behind the ranking of `bm25`, on development sets alone.

python benchmarks/search_choices.py [--sets NAME,...] [--only WORD] [-o choices.json]

Each row is the ranking as it is with one thing changed: the change of NDCG@5, in points, as the mean over the
development sets of ``search_sets.py``, all of equal weight, with a paired bootstrap interval of 95 % (queries
that stand in several sets are drawn together). A change that is no gain is not in the product. The scores are
computed here by sparse matrices (scipy), with the product's own words, pairs and fields; the row "engine" is
the retriever itself, which must agree. Measured set by set, so that one is held at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import search_choice_words as words
from scipy import sparse
from search_sets import Query, SearchSet, load_set, load_sets
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.fields import FieldWeights, compose_fields
from toolhaft.retrievers.pairs import PAIR_WEIGHT
from toolhaft.retrievers.queries import DAMPING
from toolhaft.text import tokenize

warnings.filterwarnings("ignore", category=FutureWarning, module="scipy")
DEFAULTS = BM25()
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


def figures(ranked: Sequence[int], gold: set[int], wanted: int) -> tuple[float, float]:
    """Return NDCG@5 and recall@5, as `toolhaft.evaluators.ranking` defines them."""
    hits = [row in gold for row in ranked[:5]]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(5, wanted)))
    return sum(hit / math.log2(place + 2) for place, hit in enumerate(hits)) / ideal, sum(hits) / wanted


def measure(bags: Bags, choice: Choice) -> Any:
    """Return NDCG@5 and recall@5 of each query."""
    rows = []
    for scores, gold, query in zip(score(bags, choice), bags.gold, bags.set.queries, strict=True):
        order = np.lexsort((np.arange(len(scores)), -scores))[:5]
        rows.append(figures([int(row) for row in order if scores[row] > 0], gold, len(query.gold)))
    return np.array(rows)


def measure_engine(chosen: SearchSet) -> Any:
    """Return the same of the retriever itself."""

    async def search() -> list[tuple[float, float]]:
        retriever = BM25()
        await retriever.index(chosen.specs)
        places = {spec.name: row for row, spec in enumerate(chosen.specs)}
        rows = []
        for query in chosen.queries:
            ranked = [places[name] for name, _ in await retriever.rank(query.text, 5)]
            gold = {places[name] for name in query.gold if name in places}
            rows.append(figures(ranked, gold, len(query.gold)))
        return rows

    return np.array(asyncio.run(search()))


def fields(**changes: float) -> dict[str, float]:
    return {**WEIGHTS, **changes}


def choices() -> list[tuple[str, str, Choice]]:
    """Return group, label and ranking of every row."""
    now = Choice()
    rows: list[tuple[str, str, Choice]] = [("", "as it is", now)]

    def row(group: str, label: str, **changes: Any) -> None:
        rows.append((group, label, replace(now, **changes)))

    row(
        "name",
        "with the words of its parent",
        fields=fields(name=0, full_name=WEIGHTS["name"]),
        paired=("full_name", "description"),
    )
    for name, others in (
        ("name", (0, 1, 3, 8)),
        ("parent", (0, 1, 3)),
        ("tags", (0, 2, 3)),
        ("description", (0, 2)),
        ("parameters", (0, 2)),
    ):
        for weight in others:
            row("field weights", f"{name} {weight}", fields=fields(**{name: weight}))
    row("field weights", "parameters: names alone", fields=fields(parameters=0, parameter_names=1))
    row("field weights", "fields of results", fields=fields(results=1))
    row("field weights", "examples", fields=fields(examples=1))
    for k1 in (1.2, 1.5, 2.5, 3.0):
        row("saturation", f"k1 {k1}", k1=k1)
    for b in (0.0, 0.4, 0.6, 0.9):
        row("document length", f"b {b}", b=b)
    row("idf", "smoothed", idf="smoothed")
    for power in (0.25, 0.5):
        row("idf", f"rarer words heavier, power {power}", idf_power=power)
    for share in (0.0, 0.3, 0.6, 0.9, 1.6, 2.0):
        row("parent as a document", f"share {share}", parent=share)
    for share in (0.25, 0.5, 1.0):
        row("parent otherwise", f"best tool's score, share {share}", parent=share, kind="max")
        row("parent otherwise", f"mean score, share {share}", parent=share, kind="mean")
    row("parent otherwise", "document with all repeats, share 0.6", parent=0.6, kind="all repeats")
    for share in (0.1, 0.25):
        row("category", f"best score, share {share}", category=share)
    for weight in (0.0, 0.2, 0.3, 0.6, 0.8):
        row("pairs", f"weight {weight}", pair=weight)
    row("pairs", "of the description alone", paired=("description",))
    row("pairs", "of parent too", paired=("name", "description", "parent"))
    row("pairs", "of all fields", paired=tuple(WEIGHTS))
    for damping in (0.0, 0.25, 0.5, 1.0):
        row("repeats in the query", f"power {damping}", damping=damping)
    for label, query in words.QUERY_RULES.items():
        row("query", label, query=query)
    for label, after in AFTERWARDS.items():
        row("afterwards", label, after=after)
    for label, tokens in words.TOKENS.items():
        row("terms", label, tokens=tokens)
    for weight in (0.1, 0.2):
        row(
            "terms",
            f"character 5-grams too, weight {weight}",
            tokens=words.with_grams,
            query=words.gram_query(weight),
        )
    return rows


def coverage(power: float) -> Callable[[Any, Bags], Any]:
    """Multiply scores by the share of the query's words, by rarity, that a tool holds."""

    def apply(scores: Any, bags: Bags) -> Any:
        bag = (bags.bag(Choice(pair=0.0)) > 0).astype(float)
        queries = (bags.queries(Choice(pair=0.0, damping=0.0, idf_power=1.0), bag)).tocsr()
        held = np.asarray((queries @ bag.T).todense())
        return scores * (held / np.maximum(np.asarray(queries.sum(axis=1)), 1e-9)) ** power

    return apply


def mention(name: str, share: float) -> Callable[[Any, Bags], Any]:
    """Raise tools of which the query says the whole name, or the parent's."""

    def apply(scores: Any, bags: Bags) -> Any:
        named = (bags.fields[name] @ sparse.diags((~bags.is_pair).astype(float)) > 0).astype(float)
        queries = (bags.queries(Choice(pair=0.0, damping=0.0), bags.bag(Choice(pair=0.0))) > 0).astype(float)
        wanted = np.asarray(named.sum(axis=1)).ravel()
        said = np.asarray((queries @ named.T).todense()) >= wanted - 0.01
        return scores * (1 + share * (said & (wanted > 0)))

    return apply


def spread(discount: float, depth: int = 30) -> Callable[[Any, Bags], Any]:
    """Pick greedily, each time discounting the words that those picked before it hold."""

    def apply(scores: Any, bags: Bags) -> Any:
        choice = Choice()
        bag = bags.bag(choice)
        weighed, queries = gains(bag, choice.k1, choice.b, choice.idf), bags.queries(choice, bag)
        picked = np.zeros_like(scores)
        for row in range(len(scores)):
            top = [tool for tool in np.argsort(-scores[row], kind="stable")[:depth] if scores[row, tool] > 0]
            if not top:
                continue
            parts = np.asarray(weighed[top].multiply(queries[row]).todense())
            parts = parts[:, parts.any(axis=0)]
            rest, left = scores[row, top] - parts.sum(axis=1), np.ones(parts.shape[1])
            most = np.maximum(parts.max(axis=0), 1e-9) if parts.size else left
            for place in range(min(5, len(top))):
                best = int(np.argmax(rest + parts @ left))
                picked[row, top[best]] = 100 - place
                left = left * (1 - discount * parts[best] / most)
                rest[best] = -1e9
        return picked

    return apply


AFTERWARDS: dict[str, Callable[[Any, Bags], Any]] = {
    "share of the query's words held, power 0.1": coverage(0.1),
    "share of the query's words held, power 0.25": coverage(0.25),
    "name said as a whole, +10 %": mention("name", 0.1),
    "parent said as a whole, +10 %": mention("parent", 0.1),
    "greedy, words held already discounted by 0.2": spread(0.2),
    "greedy, words held already discounted by 0.4": spread(0.4),
}


def interval(
    found: dict[str, Any], base: dict[str, Any], queries: dict[str, tuple[Query, ...]]
) -> tuple[float, float]:
    """Return the 95 % interval of the change, in points; a query is drawn with all the sets it stands in."""
    random = np.random.default_rng(0)
    keys = sorted({(query.id, query.text) for each in queries.values() for query in each})
    number = {key: place for place, key in enumerate(keys)}
    places = {
        name: np.array([number[query.id, query.text] for query in each]) for name, each in queries.items()
    }
    means = []
    for _ in range(1000):
        drawn = np.bincount(random.integers(0, len(keys), len(keys)), minlength=len(keys))
        changes = []
        for name in found:
            counts = drawn[places[name]]
            if counts.sum():
                changes.append(((found[name][:, 0] - base[name][:, 0]) * counts).sum() / counts.sum())
        means.append(100 * float(np.mean(changes)))
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", default="", help="names, with commas between")
    parser.add_argument("--only", default="", help="rows whose group or label holds this")
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    pattern = re.compile(chosen.only, re.IGNORECASE)
    rows = [each for each in choices() if not each[0] or pattern.search(f"{each[0]} {each[1]}")]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    queries: dict[str, tuple[Query, ...]] = {}
    names = [name for name in chosen.sets.split(",") if name]
    for loaded in map(load_set, names) if names else load_sets("development"):
        queries[loaded.name] = loaded.queries
        bags: Bags | None = None
        for group, label, choice in rows:
            if bags is None or bags.tokens is not choice.tokens:
                bags = Bags(loaded, choice.tokens)
            found.setdefault((group, label), {})[loaded.name] = measure(bags, choice)
        found.setdefault(("", "engine"), {})[loaded.name] = measure_engine(loaded)
        print(f"{loaded.name}: {100 * found['', 'as it is'][loaded.name][:, 0].mean():.1f}", flush=True)
    write(found, queries, chosen.output)


def write(
    found: dict[tuple[str, str], dict[str, Any]], queries: dict[str, tuple[Query, ...]], output: Path | None
) -> None:
    """Print the table, and write it."""
    base = found["", "as it is"]
    lines = []
    print(
        f"\n{'':24}{'':46}  NDCG@5   change   interval        "
        + " ".join(name[-9:].rjust(9) for name in base)
    )
    for (group, label), each in found.items():
        means = {name: 100 * float(values[:, 0].mean()) for name, values in each.items()}
        low, high = interval(each, base, queries)
        change = float(np.mean(list(means.values()))) - 100 * float(
            np.mean([v[:, 0].mean() for v in base.values()])
        )
        row = {
            "group": group,
            "label": label,
            "ndcg@5": float(np.mean(list(means.values()))),
            "recall@5": 100 * float(np.mean([values[:, 1].mean() for values in each.values()])),
            "change": change,
            "interval": [low, high],
            "sets": means,
        }
        lines.append(row)
        print(
            f"{group:24}{label:46}{row['ndcg@5']:8.2f} {change:+8.2f}  [{low:+5.2f}, {high:+5.2f}]  "
            + " ".join(f"{value:9.1f}" for value in means.values())
        )
    if output:
        output.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
