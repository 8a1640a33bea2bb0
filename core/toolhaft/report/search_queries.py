"""Queries of a measurement of tool search: what each needs, and what every retriever found for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toolhaft.evaluators.ranking_comparison import RankingComparison
from toolhaft.report.filters import Choice, choice, filter_html
from toolhaft.report.markup import Child, Html, count, figure, plain, tag
from toolhaft.report.visible import make_line

_LISTED = 1_000
_LONGEST = 600
_HITS = 10
_GOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuery:
    """A query with what was found for it.

    Attributes:
        id: Of the query.
        text: What was asked.
        gold: Names of the tools that it needs.
        category: What it belongs to, or empty.
        hits: By retriever, names and scores, best first.
    """

    id: str
    text: str
    gold: tuple[str, ...]
    category: str = ""
    hits: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)


def queries_html(comparison: RankingComparison, queries: Sequence[AskedQuery]) -> Html:
    """Return the queries, those whose tools were missed most first, each to be opened.

    Args:
        comparison: Says what was missed.
        queries: Cleaned.
    """
    missed = dict(comparison.missed_queries)
    order = sorted(queries, key=lambda query: -missed.get(query.id, 0.0))
    chosen = choice("tag", "Category", "any category", (query.category for query in queries))
    rows = [_row(query, missed.get(query.id, 0.0), chosen) for query in order[:_LISTED]]
    left_out = len(order) - len(rows)
    k = comparison.depths[-1]
    whole = f"{len(missed):,} of {len(order):,} lack a tool that they need among the first {k}"
    return tag(
        "section",
        tag("h2", "Queries ", tag("small", f"{whole}, and stand first")),
        filter_html([chosen], "queries", len(rows)),
        tag("div", *rows, id="tasks"),
        tag("p", f"… {left_out:,} more not shown", class_="cut") if left_out else None,
    )


def _row(query: AskedQuery, missed: float, chosen: Choice) -> Html:
    facts = " · ".join(part for part in (make_line(query.id, 60), make_line(query.category, 60)) if part)
    said = tag(
        "span",
        tag("span", make_line(query.text, 160), class_="title", dir="auto"),
        tag("span", facts, class_="facts-line"),
        class_="said",
    )
    found = "all found" if not missed else f"{100 * missed:.0f} % missed"
    badge = tag("span", found, class_=f"badge {'bad' if missed >= 1 else 'warn' if missed else 'good'}")
    return tag(
        "div",
        tag(
            "details",
            tag("summary", tag("span"), said, tag("span", badge, class_="badges")),
            _opened(query),
        ),
        class_="task",
        data_tag=chosen.numbers([query.category]),
    )


def _opened(query: AskedQuery) -> Html:
    wanted = set(query.gold)
    gold = [tag("li", tag("code", make_line(name, 80))) for name in query.gold[:_GOLD]]
    more = len(query.gold) - len(gold)
    columns = [_column(name, hits, wanted) for name, hits in query.hits.items()]
    return tag(
        "article",
        tag("p", plain(query.text, _LONGEST), dir="auto"),
        tag("h3", f"Needs {count(len(query.gold), 'tool')}"),
        tag("ul", *gold, class_="hits"),
        tag("p", f"… {more:,} more", class_="cut") if more > 0 else None,
        tag("div", *columns, class_="columns"),
        class_="asked",
    )


def _column(name: str, hits: Sequence[tuple[str, float]], wanted: set[str]) -> Html:
    rows: list[Child] = [
        tag(
            "li",
            tag("code", make_line(hit, 80)),
            tag("span", " ✓", title="it is needed", class_="found") if hit in wanted else None,
            tag("small", f" {figure(score)}"),
            class_="right" if hit in wanted else None,
        )
        for hit, score in hits[:_HITS]
    ]
    return tag(
        "div",
        tag("h3", make_line(name, 60)),
        tag("ol", *rows, class_="hits ranked") if rows else tag("p", "Nothing found", class_="hint"),
    )
