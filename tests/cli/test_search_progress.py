"""Commands that index or judge many tools say on a terminal how far they are, and are silent elsewhere."""

from __future__ import annotations

import io
import json
import sys

import pytest

from toolhaft.retrievers.bm25 import BM25
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.runs.searching import search_all
from toolhaft.testing import tool_spec

pytestmark = pytest.mark.slow

MODULE = """
from toolhaft import tool

@tool(effect="read")
def list_orders() -> str:
    \"\"\"List the orders.\"\"\"
    return ""

@tool(effect="read")
def list_carts() -> str:
    \"\"\"List the carts.\"\"\"
    return ""
"""


class Terminal(io.StringIO):
    """Keeps what a terminal is sent."""

    def isatty(self):
        return True


@pytest.fixture
def on_terminal(monkeypatch, toolhaft):
    """Run a command that has a terminal for its notices; return what that was sent."""

    def command(*words):
        shown = Terminal()
        monkeypatch.setenv("TERM", "xterm")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", shown)
            assert toolhaft(*words)[0] == 0
        return shown.getvalue()

    return command


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "q.jsonl").write_text(json.dumps({"query": "orders", "tools": ["list_orders"]}))
    return f"python:{tmp_path / 'shop.py'}"


def test_each_retriever_says_how_far_its_index_and_its_searches_are(on_terminal, shop):
    words = ("--queries", "q.jsonl", "--retriever", "bm25", "--retriever", "bm25?k1=2")
    shown = on_terminal("search", "eval", shop, *words)
    parts = [
        f"{what} {name} " for name in ("bm25", "bm25?k1=2") for what in ("Indexing for", "Searching with")
    ]
    places = [shown.find(part) for part in parts]
    assert places == sorted(places)
    assert places[0] >= 0
    assert "1/1" in shown


def test_a_lint_says_how_far_it_is(on_terminal, shop):
    shown = on_terminal("tools", "lint", shop)
    assert -1 < shown.find("Comparing tools") < shown.find("Judging tools")
    assert "/2" in shown


@pytest.mark.parametrize("command", [("search", "eval", "--queries", "q.jsonl"), ("tools", "lint")])
def test_nothing_is_said_where_nobody_looks(toolhaft, shop, command):
    code, _, err = toolhaft(*command[:2], shop, *command[2:])
    assert (code, err) == (0, "")


@pytest.mark.anyio
async def test_searches_tell_when_the_index_stands_and_after_each_query():
    told = []
    queries = [SearchQuery(id=str(n), text="rain", gold=("rain",)) for n in range(2)]
    retriever = BM25()
    specs = [tool_spec("rain", description="Rain", effect="read")]
    await search_all("bm25", retriever, specs, queries, 1, progress=lambda *at: told.append(at))
    assert told == [(0, 2), (1, 2), (2, 2)]
