"""Compared retrievers printed for people, and written for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from toolhaft.cli.output import print_line, print_table
from toolhaft.evaluators.reading import points

if TYPE_CHECKING:
    from toolhaft.evaluators.ranking_comparison import Figure, RankingComparison, RankingResult
    from toolhaft.report.search import AskedQuery
    from toolhaft.types import Pairing

_MOST_CATEGORIES = 40
_MISSED = 10
_SHOWN = 90


def print_ranking_comparison(
    comparison: RankingComparison, texts: Mapping[str, str], notes: Sequence[str]
) -> None:
    """Print the tables: figures, differences, categories, times, what is missed.

    Args:
        comparison: What was found.
        texts: Of the queries, by id.
        notes: What a reader must know besides.
    """
    results = comparison.results
    names = list(results[0].figures)
    print_table(
        ("FIGURE", *(result.name for result in results)),
        ((name, *(_cell(result.figures[name]) for result in results)) for name in names),
    )
    print_line("In percent, with 95 % intervals over the queries.")
    if comparison.pairings[comparison.metric]:
        _print_pairings(comparison)
    _print_categories(comparison)
    print_line()
    print_table(("RETRIEVER", "INDEX", "QUERY (HALF)", "SLOWEST", "ENGINE"), map(_times, results))
    _print_missed(comparison, texts)
    if notes:
        print_line()
    for note in notes:
        print_line(f"- {note}")


def comparison_value(comparison: RankingComparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    value: dict[str, Any] = asdict(comparison)
    return value


def record_pieces(
    comparison: RankingComparison, asked: Sequence[AskedQuery], settings: Mapping[str, Any]
) -> Iterator[bytes]:
    """Yield the record of a measurement as JSON: settings, figures, and each query with its hits."""
    head = {"format": 1, "settings": dict(settings), "comparison": comparison_value(comparison)}
    yield json.dumps(head)[:-1].encode() + b', "queries": [\n'
    for number, query in enumerate(asked):
        yield (b",\n" if number else b"") + json.dumps(asdict(query)).encode()
    yield b"\n]}\n"


def _print_pairings(comparison: RankingComparison) -> None:
    several = len(comparison.pairings[comparison.metric]) > 1
    rows = [
        (pairing.b, metric, *_pair_cells(pairing, several))
        for pairings in zip(*(comparison.pairings[metric] for metric in _compared(comparison)), strict=True)
        for metric, pairing in zip(_compared(comparison), pairings, strict=True)
    ]
    print_line()
    print_table(
        (
            f"AGAINST {comparison.results[0].name}",
            "FIGURE",
            "DIFFERENCE",
            "95 %",
            "WIN/TIE/LOSS",
            "P",
            "DETECTABLE",
        ),
        rows,
    )
    if several:
        print_line(f"P of {comparison.metric} is adjusted for the number of retrievers (Holm).")


def _compared(comparison: RankingComparison) -> list[str]:
    """Return the figures whose differences are printed: those at the depth of the deciding one."""
    k = comparison.metric.partition("@")[2]
    return [
        name for name in comparison.pairings if name.partition("@")[2] == k and not name.startswith("mrr")
    ]


def _pair_cells(pairing: Pairing, several: bool) -> tuple[str, ...]:
    interval = "too few queries"
    if pairing.low is not None and pairing.high is not None:
        interval = f"{points(pairing.low)} to {points(pairing.high)}"
    p = pairing.adjusted_p if several and pairing.adjusted_p is not None else pairing.mcnemar_p
    return (
        points(pairing.difference),
        interval,
        f"{pairing.wins}/{pairing.ties}/{pairing.losses}",
        "-" if p is None else "<0.0001" if p < 0.0001 else f"{p:.4f}",
        "-" if pairing.detectable is None else points(pairing.detectable).lstrip("+"),
    )


def _print_categories(comparison: RankingComparison) -> None:
    categories = list(comparison.results[0].by_category)
    if len(categories) < 2:
        return
    metric = comparison.metric
    print_line()
    print_table(
        ("CATEGORY", "QUERIES", *(f"{metric} {result.name}" for result in comparison.results)),
        (
            (
                category,
                str(comparison.results[0].by_category[category][metric].queries),
                *(_cell(result.by_category[category][metric]) for result in comparison.results),
            )
            for category in categories[:_MOST_CATEGORIES]
        ),
    )
    if len(categories) > _MOST_CATEGORIES:
        print_line(f"{len(categories) - _MOST_CATEGORIES} smaller categories are not shown")


def _times(result: RankingResult) -> tuple[str, ...]:
    slowest = [f"{_duration(seconds)} ({query[:40]})" for query, seconds in result.slowest[:1]]
    return (
        result.name,
        _duration(result.index_seconds),
        _duration(result.query_seconds),
        slowest[0] if slowest else "-",
        result.engine or "-",
    )


def _print_missed(comparison: RankingComparison, texts: Mapping[str, str]) -> None:
    k = comparison.depths[-1]
    if comparison.missed_queries:
        print_line()
        print_table(
            (f"MISSED AT {k}", "QUERY", "TEXT"),
            (
                (f"{100 * share:.0f} %", query, " ".join(texts[query].split())[:_SHOWN])
                for query, share in comparison.missed_queries[:_MISSED]
            ),
        )
        total = len(comparison.missed_queries)
        print_line(
            f"{total:,} queries lack a tool that they need; the first {min(total, _MISSED)} are shown."
        )
    if comparison.missed_tools:
        print_line()
        print_table(
            ("TOOL MOST MISSED", f"MISSED AT {k}", "WANTED"),
            (
                (name, str(missed), str(wanted))
                for name, (missed, wanted) in list(comparison.missed_tools.items())[:_MISSED]
            ),
        )


def _cell(figure: Figure) -> str:
    return f"{100 * figure.mean:.1f} ({100 * figure.low:.1f}-{100 * figure.high:.1f})"


def _duration(seconds: float) -> str:
    if seconds <= 0:
        return "-"
    return f"{1000 * seconds:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s"
