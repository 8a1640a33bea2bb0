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


@pytest.mark.parametrize("worth_skipping", [0, 10**9], ids=["skipping", "adding"])
def test_the_ten_best_have_the_scores_of_rank_bm25(shared, monkeypatch, tmp_path, worth_skipping):
    monkeypatch.setattr(searching, "_WORTH_SKIPPING", worth_skipping)
    folder = shared / "toolbench" / "retrieval"
    documents = [
        Document(
            name=record["id"],
            terms=tokenize(f"{record['api_name']} {record['tool_name']} {record.get('description') or ''}"),
            parent=record["tool_name"],
        )
        for record in read_lines(folder / "corpus.jsonl.gz")
    ]
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
