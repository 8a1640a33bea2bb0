"""The report of a measurement of tool search: what it says, what it draws, and that nothing in it can run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from toolhaft.evaluators.ranking_comparison import Figure, Rankings, compare_rankings
from toolhaft.report import search_queries
from toolhaft.report.curves import COLOURS, curve_class, curves_plot
from toolhaft.report.search import AskedQuery, metric_words, render_search

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script>\u202e"


class Checker(HTMLParser):
    """Counts scripts and looks whether elements nest."""

    def __init__(self):
        super().__init__()
        self.scripts = 0
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def render(names=("bm25", "other"), *, queries=12, notes=(), redact=None, categories=("a", "b")):
    gold = {f"q{i}": (f"t{i}", "shared") for i in range(queries)}
    runs = []
    for number, name in enumerate(names):
        ranked = {
            query: [tools[0], "wrong"] if (int(query[1:]) + number) % 2 else ["wrong"]
            for query, tools in gold.items()
        }
        runs.append(Rankings(name=name, ranked=ranked, seconds=dict.fromkeys(gold, 0.002), engine="arrays"))
    kinds = {query: categories[i % len(categories)] for i, query in enumerate(gold)} if categories else {}
    found = compare_rankings(runs, gold, categories=kinds)
    asked = [
        AskedQuery(
            id=query,
            text=f"What is {query}? {EVIL}",
            gold=tools,
            category=kinds.get(query, ""),
            hits={run.name: tuple((name, 1.5) for name in run.ranked[query]) for run in runs},
        )
        for query, tools in gold.items()
    ]
    return render_search(
        found, asked, title=f"Search {EVIL}", tools=99, notes=notes, settings={"k": "1,5"}, redact=redact
    )


def text_of(html):
    return re.sub(r"<[^>]+>", "|", html)


def test_what_it_says():
    html = render(notes=["one note"])
    text = text_of(html)
    for said in (
        "NDCG at 5 is",
        "NDCG at 5 against bm25",
        "No difference shown between other and bm25",
        "All gold at 10",
        "one note",
        "NDCG at 5 by category",
        "Tools most missed",
        "shared",
        "12 of 12 lack a tool that they need among the first 10",
        "What is q3?",
        "2 retrievers, 99 tools, 12 queries",
    ):
        assert said in text
    assert 'class="right"' in html


def test_nothing_from_outside_is_markup():
    html = render(names=("bm25", EVIL))
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert checker.scripts == 1
    assert "\u202e" not in html


def test_secrets_are_redacted_everywhere():
    html = render(redact=lambda text: text.replace("shared", "[secret]"))
    assert "shared" not in text_of(html)
    assert "[secret]" in html


@pytest.mark.parametrize("number", [1, 3, COLOURS + 2])
def test_one_curve_and_band_a_retriever(number):
    html = render(names=[f"r{i}" for i in range(number)], categories=())
    assert len(re.findall(r'class="curve curve-', html)) == number
    assert len(re.findall(r'class="band curve-', html)) == number
    assert ("against" in text_of(html)) == (number > 1)
    assert "by category" not in html


def test_curves_stand_where_they_should():
    figures = [Figure(mean=share, low=share - 0.1, high=share + 0.1, queries=9) for share in (0.0, 0.5, 1.0)]
    code = curves_plot([("a", figures)], title="Recall", below="k").code
    assert 'd="M44 304L374 158L704 12"' in code
    assert "k = 3: 100.0 %" in code
    assert curves_plot([], title="Recall", below="k").code.startswith("<svg")
    assert curve_class(0) == "curve-1"
    assert curve_class(COLOURS) == "curve-1 dashed"


@pytest.mark.parametrize(
    ("metric", "words"),
    [("ndcg@5", "NDCG at 5"), ("all@1", "All gold at 1"), ("mrr@10", "Reciprocal rank at 10")],
)
def test_figures_in_words(metric, words):
    assert metric_words(metric) == words


def test_many_queries_are_cut_with_a_note(monkeypatch):
    monkeypatch.setattr(search_queries, "_LISTED", 5)
    assert "… 7 more not shown" in text_of(render(names=("bm25",), categories=()))
