"""Compared retrievers as HTML: figures with intervals, recall over k, and every query with its hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.evaluators.ranking_comparison import Figure, RankingComparison, RankingResult
from toolhaft.report.cleaning import clean_json
from toolhaft.report.curves import curve_class, curves_plot
from toolhaft.report.html import document_html
from toolhaft.report.markup import Html, count, duration, plain, tag
from toolhaft.report.observation import value_html
from toolhaft.report.plots import difference_plot, scale_of, share_plot
from toolhaft.report.search_queries import AskedQuery, queries_html
from toolhaft.report.visible import make_line
from toolhaft.types import Pairing, from_value, to_value

__all__ = ["AskedQuery", "render_search"]

_MOST_CATEGORIES = 60
_MOST_TOOLS = 15
_WORDS = {"ndcg": "NDCG", "recall": "Recall", "all": "All gold", "mrr": "Reciprocal rank"}
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    comparison: RankingComparison
    queries: tuple[AskedQuery, ...]
    title: str
    notes: tuple[str, ...]


def render_search(
    comparison: RankingComparison,
    queries: Sequence[AskedQuery],
    *,
    title: str,
    tools: int,
    notes: Sequence[str] = (),
    settings: Mapping[str, Any],
    redact: Callable[[str], str] | None = None,
) -> str:
    """Return one self-contained HTML document; everything but its filters works without scripts.

    Args:
        comparison: What was found.
        queries: Each with its gold and what every retriever found for it.
        title: Heading.
        tools: How many were searched.
        notes: What a reader must know besides.
        settings: How it was run, as JSON values.
        redact: Removes secrets from a text; applied to every text.
    """
    whole = _Page(comparison=comparison, queries=tuple(queries), title=title, notes=tuple(notes))
    page = from_value(_Page, clean_json(to_value(whole), redact))
    found = page.comparison
    main = tag(
        "main",
        tag(
            "div",
            _headline(found),
            _notes(page.notes),
            _curves(found),
            _figures(found),
            _differences(found),
            _by_category(found),
            _times(found),
            _missed_tools(found),
            queries_html(found, page.queries),
            class_="comparison",
        ),
        tag(
            "details",
            tag("summary", tag("h2", "Record"), tag("span", "how it was run", class_="hint")),
            value_html(clean_json(dict(settings), redact), 20_000),
            class_="record",
        ),
        id="main",
    )
    below = f"{count(len(found.results), 'retriever')}, {count(tools, 'tool')}"
    return document_html(page.title, main, f"{below}, {len(page.queries):,} queries", folds=False)


def metric_words(metric: str) -> str:
    """Return a figure's name as people say it: ``NDCG at 5``."""
    kind, _, k = metric.partition("@")
    return f"{_WORDS.get(kind, kind)} at {k}"


def _headline(comparison: RankingComparison) -> Html:
    words = metric_words(comparison.metric)
    best = max(comparison.results, key=lambda result: result.figures[comparison.metric].mean)
    figure = best.figures[comparison.metric]
    best_is = f"{make_line(best.name, 60)} finds best: " if len(comparison.results) > 1 else ""
    said = [f"{best_is}{words} is {_percent(figure)}."]
    said += [_say(pairing, words) for pairing in comparison.pairings[comparison.metric][:4]]
    return tag(
        "section",
        tag("h2", "In short", class_="aside"),
        *[tag("p", sentence) for sentence in said],
        class_="headline",
    )


def _say(pairing: Pairing, words: str) -> str:
    a, b = make_line(pairing.a, 60), make_line(pairing.b, 60)
    if pairing.low is None or pairing.high is None:
        return f"{_queries(pairing.tasks)}: too few to tell {b} from {a}."
    span = f"95 % interval {_signed(pairing.low)} to {_signed(pairing.high)}"
    if not pairing.shown:
        return f"No difference shown between {b} and {a}: {_signed(pairing.difference)} points, {span}."
    p = pairing.adjusted_p if pairing.adjusted_p is not None else pairing.mcnemar_p
    doubt = "; wins and losses do not confirm it" if p is not None and p > _LEVEL else ""
    more = "above" if pairing.difference > 0 else "below"
    return f"{b} is {100 * abs(pairing.difference):.1f} points of {words} {more} {a}, {span}{doubt}."


def _queries(number: int) -> str:
    return "1 query" if number == 1 else f"{number:,} queries"


def _notes(notes: Sequence[str]) -> Html | None:
    if not notes:
        return None
    rows = [tag("li", plain(note, 1_000), dir="auto") for note in notes[:50]]
    return tag("section", tag("h2", "To read these figures"), tag("ul", *rows, class_="remarks"))


def _curves(comparison: RankingComparison) -> Html:
    legend = [
        tag("li", tag("span", class_=f"swatch {curve_class(i)}"), make_line(result.name, 60))
        for i, result in enumerate(comparison.results)
    ]
    return tag(
        "section",
        tag("h2", "Recall"),
        tag(
            "p",
            "Which share of the tools that a query needs is among the first k, and the 95 % interval of it.",
            class_="hint",
        ),
        curves_plot(
            [(result.name, result.curve) for result in comparison.results], title="Recall over k", below="k"
        ),
        tag("ul", *legend, class_="legend"),
    )


def _figures(comparison: RankingComparison) -> Html:
    results = comparison.results
    rows = [
        tag(
            "tr",
            tag("th", metric_words(name), scope="row"),
            *[
                tag("td", *_figure_cell(result.figures[name]), data_name=make_line(result.name, 40))
                for result in results
            ],
        )
        for name in results[0].figures
    ]
    heads = ["Figure", *(make_line(result.name, 40) for result in results)]
    return _table("Figures", "In percent, with 95 % intervals over the queries.", heads, rows)


def _figure_cell(figure: Figure) -> tuple[Html | str, ...]:
    return f"{100 * figure.mean:.1f}", tag("small", f" {100 * figure.low:.1f} to {100 * figure.high:.1f}")


def _differences(comparison: RankingComparison) -> Html | None:
    pairings = comparison.pairings[comparison.metric]
    if not pairings:
        return None
    end = scale_of([value for one in pairings for value in (one.difference, one.low, one.high)])
    first = make_line(comparison.results[0].name, 60)
    rows = [_difference(pairing, end) for pairing in pairings]
    return tag(
        "section",
        tag("h2", f"{metric_words(comparison.metric)} against {first}"),
        tag(
            "p",
            "Each query is compared with itself. An interval that crosses zero shows no difference.",
            class_="hint",
        ),
        tag("ol", *rows, class_="shares"),
        tag(
            "div",
            *[tag("span", text) for text in (_signed(-end, 0), "0", _signed(end, 0))],
            class_="axis",
            aria_hidden="true",
        ),
    )


def _difference(pairing: Pairing, end: float) -> Html:
    p = pairing.adjusted_p if pairing.adjusted_p is not None else pairing.mcnemar_p
    facts = f"better {pairing.wins:,}, same {pairing.ties:,}, worse {pairing.losses:,}"
    if p is not None:
        facts += f", p {'< 0.0001' if p < 0.0001 else f'= {p:.4f}'}"
    span = "too few queries"
    if pairing.low is not None and pairing.high is not None:
        span = f"{_signed(pairing.low)} to {_signed(pairing.high)}"
    said = _signed(pairing.difference), tag("small", f" {span}")
    return tag(
        "li",
        tag("span", tag("strong", make_line(pairing.b, 60)), tag("small", facts), class_="arm"),
        difference_plot(pairing.difference, pairing.low, pairing.high, end),
        tag("span", tag("span", *said, class_="rate"), class_="bar-value"),
    )


def _by_category(comparison: RankingComparison) -> Html | None:
    categories = list(comparison.results[0].by_category)
    if len(categories) < 2:
        return None
    metric = comparison.metric
    blocks = [
        tag(
            "li",
            tag(
                "h3",
                make_line(category, 60).replace("_", " "),
                tag("small", f" {_queries(comparison.results[0].by_category[category][metric].queries)}"),
            ),
            tag(
                "ol",
                *[_share(result, result.by_category[category][metric]) for result in comparison.results],
                class_="shares",
            ),
        )
        for category in categories[:_MOST_CATEGORIES]
    ]
    left_out = len(categories) - len(blocks)
    more = f"… {left_out:,} more {'category' if left_out == 1 else 'categories'} not shown"
    return tag(
        "section",
        tag("h2", f"{metric_words(metric)} by category"),
        tag("ol", *blocks, class_="by-tag"),
        tag("p", more, class_="cut") if left_out else None,
    )


def _share(result: RankingResult, figure: Figure) -> Html:
    return tag(
        "li",
        tag("span", make_line(result.name, 40), class_="bar-name"),
        share_plot(figure.mean, figure.low, figure.high),
        tag("span", tag("span", *_figure_cell(figure), class_="rate"), class_="bar-value"),
    )


def _times(comparison: RankingComparison) -> Html | None:
    if not any(result.query_seconds for result in comparison.results):
        return None
    rows = [
        tag(
            "tr",
            tag("th", make_line(result.name, 60), scope="row"),
            tag("td", duration(result.index_seconds) or "–", data_name="Index"),
            tag("td", duration(result.query_seconds) or "–", data_name="Half of the queries"),
            tag("td", duration(result.slowest[0][1]) if result.slowest else "–", data_name="Slowest query"),
            tag("td", make_line(result.engine, 120) or "–", data_name="Engine"),
        )
        for result in comparison.results
    ]
    heads = ["Retriever", "Index", "Half of the queries", "Slowest query", "Engine"]
    return _table("Time", "Half of the queries took no longer than the third column says.", heads, rows)


def _missed_tools(comparison: RankingComparison) -> Html | None:
    if not comparison.missed_tools:
        return None
    k = comparison.depths[-1]
    rows = [
        tag(
            "tr",
            tag("th", make_line(name, 80), scope="row"),
            tag("td", f"{missed:,}", data_name="Missed"),
            tag("td", f"{wanted:,}", data_name="Wanted"),
        )
        for name, (missed, wanted) in list(comparison.missed_tools.items())[:_MOST_TOOLS]
    ]
    hint = f"How often a tool that a query needs was not among the first {k}, over all retrievers."
    return _table("Tools most missed", hint, ["Tool", "Missed", "Wanted"], rows)


def _table(title: str, hint: str, heads: Sequence[str], rows: Sequence[Html]) -> Html:
    return tag(
        "section",
        tag("h2", title),
        tag("p", hint, class_="hint"),
        tag(
            "div",
            tag(
                "table",
                tag("caption", title, class_="aside"),
                tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])),
                tag("tbody", *rows),
                class_="means cards",
            ),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label=title,
        ),
    )


def _percent(figure: Figure) -> str:
    return f"{100 * figure.mean:.1f} %, 95 % interval {100 * figure.low:.1f} to {100 * figure.high:.1f}"


def _signed(share: float, digits: int = 1) -> str:
    points = round(100 * share, digits)
    sign = "−" if points < 0 else "+" if points > 0 else ""
    return f"{sign}{abs(points):.{digits}f}"
