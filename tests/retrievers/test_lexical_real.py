"""The array engine on the words of real tools, against rank-bm25."""

import gzip
import json

import pytest
from rank_bm25 import BM25Okapi

from toolhaft.retrievers.lexical import Document, IndexSettings, searching
from toolhaft.retrievers.lexical.array_index import ArrayIndex
from toolhaft.text import tokenize

pytestmark = pytest.mark.slow


def read_lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


WAYS = {"skipping": (0, 0, 0.0), "promising": (0, 10**9, 0.0), "adding": (10**9, 10**9, 0.0)}


def go(monkeypatch, way):
    """Have every query take one way."""
    for name, value in zip(("_MANY_ROWS", "_WORTH_SKIPPING", "_SCANNED"), WAYS[way], strict=True):
        monkeypatch.setattr(searching, name, value)


def real_documents(folder):
    return [
        Document(
            name=record["id"],
            terms=tokenize(f"{record['api_name']} {record['tool_name']} {record.get('description') or ''}"),
            parent=record["tool_name"],
        )
        for record in read_lines(folder / "corpus.jsonl.gz")
    ]


def test_the_hundred_best_are_the_same_in_every_way(shared, monkeypatch):
    documents = real_documents(shared / "toolbench" / "retrieval")
    index = ArrayIndex.build(documents, IndexSettings(k1=2.0))
    for document in documents[::150]:
        query = {term: document.terms.count(term) ** 0.35 for term in document.terms}
        found = []
        for way in WAYS:
            go(monkeypatch, way)
            found.append(index.top(query, 100, parent_share=1.2))
        assert len(found[0]) == 100
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("way", ["skipping", "adding"])
def test_the_ten_best_have_the_scores_of_rank_bm25(shared, monkeypatch, tmp_path, way):
    go(monkeypatch, way)
    folder = shared / "toolbench" / "retrieval"
    documents = real_documents(folder)
    reference = BM25Okapi([document.terms for document in documents])
    index = ArrayIndex.build(documents, IndexSettings(idf="okapi"), folder=tmp_path, version="1")
    for record in read_lines(folder / "queries.jsonl.gz")[:60]:
        terms = tokenize(record["text"])
        scores = reference.get_scores(terms).tolist()
        found = index.top({term: float(terms.count(term)) for term in terms}, 10)
        assert [hit.score for hit in found] == pytest.approx(sorted(scores, reverse=True)[:10], abs=1e-4)
        for hit in found:
            assert scores[hit.order] == pytest.approx(hit.score, abs=1e-4)
            assert documents[hit.order].name == hit.name
