"""``toolhaft search eval``: retrievers measured on a catalog and on folders that bring their own tools."""

from __future__ import annotations

import json

import pytest

from toolhaft.errors import UsageError
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.runs.searching import check_gold

pytestmark = pytest.mark.slow

SHOP = """
openapi: 3.1.0
info: {title: Shop, version: "1"}
servers: [{url: "http://127.0.0.1:9"}]
paths:
  /orders:
    get: {operationId: listOrders, summary: List the orders, responses: {"200": {description: Orders}}}
    post: {operationId: placeOrder, summary: Place an order, responses: {"200": {description: Order}}}
  /refunds:
    post: {operationId: refundOrder, summary: Give the money of an order back, responses: {"200": {description: Done}}}
  /carts/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    delete: {operationId: emptyCart, summary: Throw a cart away, responses: {"200": {description: Done}}}
"""  # noqa: E501
QUERIES = [
    {"id": "list", "query": "show me all my orders", "tools": ["listOrders"], "category": "reads"},
    {"id": "back", "query": "I want my money back", "tools": ["refundOrder"], "category": "writes"},
    {"id": "both", "query": "place it, then throw the cart away", "tools": ["placeOrder", "emptyCart"]},
    {"id": "gone", "query": "cancel my order", "tools": ["cancelOrder", "refundOrder"], "category": "writes"},
    {"id": "none", "query": "sing a song", "tools": []},
]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.yaml").write_text(SHOP)
    lines = "\n".join(map(json.dumps, QUERIES))
    (tmp_path / "q.jsonl").write_text(lines)
    return tmp_path / "shop.yaml", tmp_path / "q.jsonl"


@pytest.fixture
def folder(tmp_path):
    """Return data in ToolBench's layout."""
    place = tmp_path / "bench"
    place.mkdir()
    rows = [
        json.dumps({"category_name": "Pets", "tool_name": "Zoo", "api_name": name, "api_description": text})
        for name, text in (("feed", "Feeds an animal"), ("wash", "Washes an animal"), ("sell", "Sells one"))
    ]
    lines = [f"{i}\t{row}" for i, row in enumerate(rows)]
    (place / "corpus.tsv").write_text("docid\tdocument_content\n" + "\n".join(lines))
    (place / "test.query.txt").write_text("1\tfeed the animal\n2\twash the animal\n")
    (place / "qrels.test.tsv").write_text("1\t0\t0\t1\n2\t0\t1\t1\n")
    return place


def test_two_retrievers_on_a_catalog(toolhaft, shop, tmp_path):
    catalog, queries = shop
    words = ("search", "eval", catalog, "--queries", queries, "--retriever", "bm25")
    words += ("--retriever", "bm25?parent_boost=0&k1=1.2", "-k", "1,3", "-o", tmp_path / "out")
    code, out, err = toolhaft(*words, "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert (said["tools"], said["queries"], said["metric"]) == (4, 5, "ndcg@3")
    assert [result["name"] for result in said["results"]] == ["bm25", "bm25?parent_boost=0&k1=1.2"]
    figures = said["results"][0]["figures"]
    assert figures["recall@1"]["queries"] == 4
    assert figures["recall@3"]["mean"] == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert said["not_in_pool"] == {"gone": ["cancelOrder"]}
    assert said["without_gold"] == ["none"]
    assert len(said["notes"]) == 2
    assert said["pairings"]["ndcg@3"][0]["tasks"] == 4
    assert set(said["results"][0]["by_category"]) == {"reads", "writes"}
    html = (tmp_path / "out" / "search.html").read_text()
    assert said["report"].endswith("search.html")
    assert "I want my money back" in html
    assert "<svg" in html
    record = json.loads((tmp_path / "out" / "search.json").read_text())
    assert record["comparison"]["metric"] == "ndcg@3"
    assert record["queries"][0]["hits"]["bm25"][0][0] == "listOrders"

    code, out, err = toolhaft(*words)
    assert code == 0
    for text in (
        "ndcg@3",
        "AGAINST bm25",
        "too few queries",
        "MISSED AT 3",
        "TOOL MOST MISSED",
        "cancelOrder",
    ):
        assert text in out
    assert "search.json is replaced" in err


def test_the_same_again(toolhaft, folder):
    def figures():
        code, out, _ = toolhaft("search", "eval", folder, "--json")
        assert code == 0
        found = json.loads(out)
        return {name: found["results"][0][name] for name in ("figures", "by_category", "curve")}

    assert figures() == figures()


def test_a_folder_brings_its_own_tools(toolhaft, folder):
    code, out, _ = toolhaft("search", "eval", folder, "--layout", "toolbench", "--part", "test", "--limit", 1)
    assert code == 0
    assert "bench test: 3 tools, 1 queries" in out
    assert "1 of 2 queries, drawn by seed 0" in out
    assert "AGAINST" not in out


def test_settings_behind_a_retriever_work_everywhere(toolhaft, shop):
    code, out, _ = toolhaft(
        "tools", "search", shop[0], "orders", "--retriever", "bm25?parent_boost=0", "--json"
    )
    assert code == 0
    assert json.loads(out)[0]["name"] == "listOrders"


BAD = {
    "no queries": (("{catalog}",), 2, "Name a file of queries"),
    "no catalog": (("nowhere.catalog", "--queries", "{queries}"), 2, "nowhere.catalog"),
    "no such file of queries": (("{catalog}", "--queries", "gone.jsonl"), 2, "cannot read it"),
    "a folder that is none": (("{folder}/..",), 2, "Name a file of queries"),
    "a layout for a file": (("{catalog}", "--queries", "{queries}", "--layout", "toolbench"), 2, "--layout"),
    "rules for a folder": (("{folder}", "--curate", "rules.yaml"), 2, "are of a catalog"),
    "rules that are not there": (
        ("{catalog}", "--queries", "{queries}", "--curate", "rules.yaml"),
        2,
        "rules.yaml",
    ),
    "unknown layout": (("{folder}", "--layout", "toolbank"), 2, "Did you mean 'toolbench'"),
    "unknown part": (("{folder}", "--part", "dev"), 2, "unknown part 'dev'"),
    "k of nothing": (("{folder}", "-k", "0"), 2, "k = 0"),
    "k no number": (("{folder}", "-k", "five"), 2, "--k is 'five'"),
    "k of too much": (("{folder}", "-k", "5,100000"), 2, "k = 5, 100000"),
    "no k": (("{folder}", "-k", ","), 2, "--k is ','"),
    "unknown retriever": (("{folder}", "--retriever", "bm52"), 2, "Did you mean 'bm25'"),
    "unknown setting": (("{folder}", "--retriever", "bm25?boost=1"), 2, "takes no setting 'boost'"),
    "setting of another kind": (("{folder}", "--retriever", "bm25?k1=high"), 2, "Write k1=a number"),
    "setting twice": (("{folder}", "--retriever", "bm25?k1=1&k1=2"), 2, "given twice"),
    "setting out of range": (("{folder}", "--retriever", "bm25?parent_boost=-1"), 2, "parent"),
    "retriever twice": (("{folder}", "--retriever", "bm25", "--retriever", "bm25"), 2, "named twice"),
    "too many retrievers": (
        ("{folder}", *[word for i in range(21) for word in ("--retriever", f"bm25?k1=1.{i}")]),
        2,
        "21 retrievers",
    ),
    "limit of nothing": (("{folder}", "--limit", "0"), 2, "limit"),
    "a file for the report": (("{folder}", "-o", "{queries}"), 2, "Name a folder"),
    "tools of another catalog": (("{catalog}", "--queries", "other.csv"), 2, "Did you mean 'listOrders'"),
    "gold nowhere": (("{catalog}", "--queries", "goldless.jsonl"), 2, "none of 1 queries names a tool"),
    "broken line": (("{catalog}", "--queries", "broken.jsonl"), 1, "broken.jsonl:2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told(toolhaft, shop, folder, tmp_path, case):
    (tmp_path / "other.csv").write_text("query,tools\nmine,listOrder\n")
    (tmp_path / "goldless.jsonl").write_text('{"query": "a", "tools": []}')
    (tmp_path / "broken.jsonl").write_text('{"query": "a", "tools": []}\n{')
    words, code, said = BAD[case]
    places = {"catalog": shop[0], "queries": shop[1], "folder": folder}
    found, out, err = toolhaft("search", "eval", *(word.format(**places) for word in words))
    assert (found, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_an_empty_catalog_is_told():
    with pytest.raises(UsageError, match="the catalog has no tools"):
        check_gold([SearchQuery(id="a", text="a", gold=("b",))], [])


def test_whoever_searches_by_the_wrong_command_is_told_the_right_one(toolhaft, shop):
    code, _, err = toolhaft("search", shop[0], "orders")
    assert code == 2
    assert 'toolhaft tools search CATALOG "what is wanted"' in err
