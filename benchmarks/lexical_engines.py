"""The engines of lexical search behind one shape, each imported only when it is used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lexical_corpus import read_corpus


class Ours:
    """The array engine of the retriever `bm25`; ``okapi`` as rank-bm25 has it."""

    name = "toolhaft"
    kept = True
    changes = True
    share = 0.0

    def __init__(self, folder: Path) -> None:
        from toolhaft.retrievers.lexical import IndexSettings

        self.folder = folder / "toolhaft"
        self.settings = IndexSettings(idf="okapi")

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        from toolhaft.retrievers.lexical import Document
        from toolhaft.retrievers.lexical.array_index import ArrayIndex

        documents = (
            Document(name=name, parent=parent, category=category, terms=terms)
            for name, parent, category, terms in read_corpus(corpus)
        )
        ArrayIndex.build(documents, self.settings, folder=self.folder, version="1")

    def open(self) -> None:
        """Open the index that was kept."""
        from toolhaft.retrievers.lexical import open_index

        self.index: Any = open_index(self.folder, self.settings)

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        hits = self.index.top(dict.fromkeys(terms, 1.0), k, parent_share=self.share)
        return [hit.score for hit in hits]

    def add(self, name: str, terms: Sequence[str]) -> None:
        """Add or replace one document, so that it is kept and found."""
        from toolhaft.retrievers.lexical import Document

        self.index.change([Document(name=name, terms=terms, parent="new")], version=name)


class OursLifted(Ours):
    """The same with the scores of parents added, which no other engine has."""

    name = "toolhaft + parents"
    share = 1.2


class Pure:
    """The engine in pure Python, in memory."""

    name = "pure Python"
    kept = changes = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "none"

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        from toolhaft.retrievers.okapi import Okapi

        self.index = Okapi(terms for *_, terms in read_corpus(corpus))

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        return [score for _, score in self.index.top(terms, k)]


class RankBM25:
    """rank-bm25, in memory."""

    name = "rank-bm25"
    kept = changes = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "none"

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        from rank_bm25 import BM25Okapi

        self.index = BM25Okapi([terms for *_, terms in read_corpus(corpus)])

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        import numpy

        scores = self.index.get_scores(terms)
        best = numpy.argpartition(scores, -k)[-k:]
        return sorted(scores[best].tolist(), reverse=True)


class BM25S:
    """bm25s with its numpy back end, mapped."""

    name = "bm25s"
    kept = True
    changes = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bm25s"

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        import bm25s

        index = bm25s.BM25(k1=1.5, b=0.75)
        index.index([terms for *_, terms in read_corpus(corpus)], show_progress=False)
        index.save(self.folder)

    def open(self) -> None:
        """Open the index that was kept."""
        import bm25s

        self.index = bm25s.BM25.load(self.folder, mmap=True)

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        _, scores = self.index.retrieve([list(terms)], k=k, show_progress=False, n_threads=0)
        return [float(score) for score in scores[0]]


class Tantivy:
    """tantivy, one thread, terms split at spaces."""

    name = "tantivy"
    kept = changes = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tantivy"

    def _schema(self) -> Any:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_text_field("name", stored=True, tokenizer_name="raw")
        builder.add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
        return builder.build()

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        import tantivy

        self.folder.mkdir(parents=True)
        index = tantivy.Index(self._schema(), path=str(self.folder))
        writer = index.writer(heap_size=128_000_000, num_threads=1)
        for name, _, _, terms in read_corpus(corpus):
            writer.add_document(tantivy.Document(name=name, body=" ".join(terms)))
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> None:
        """Open the index that was kept."""
        import tantivy

        self.schema = self._schema()
        self.index = tantivy.Index.open(str(self.folder))
        self.searcher = self.index.searcher()
        self.writer: Any = None

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        import tantivy

        query = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(self.schema, "body", term)) for term in terms]
        )
        hits = self.searcher.search(query, k, count=False).hits
        for _, address in hits:
            self.searcher.doc(address)["name"]
        return [score for score, _ in hits]

    def add(self, name: str, terms: Sequence[str]) -> None:
        """Add or replace one document, so that it is kept and found."""
        import tantivy

        if self.writer is None:
            self.writer = self.index.writer(heap_size=128_000_000, num_threads=1)
        self.writer.delete_documents("name", name)
        self.writer.add_document(tantivy.Document(name=name, body=" ".join(terms)))
        self.writer.commit()
        self.index.reload()


class FTS5:
    """SQLite's full-text search, contentless."""

    name = "FTS5"
    kept = changes = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fts5"

    def build(self, corpus: Path) -> None:
        """Index the corpus."""
        self.folder.mkdir(parents=True)
        with sqlite3.connect(self.folder / "index.db") as file:
            file.execute("CREATE VIRTUAL TABLE documents USING fts5(body, content='', detail='column')")
            file.executemany("INSERT INTO documents(body) VALUES (?)", self._rows(corpus))
            file.execute("INSERT INTO documents(documents) VALUES ('optimize')")

    def _rows(self, corpus: Path) -> Iterator[tuple[str]]:
        for *_, terms in read_corpus(corpus):
            yield (" ".join(terms),)

    def open(self) -> None:
        """Open the index that was kept."""
        self.file = sqlite3.connect(self.folder / "index.db")

    def top(self, terms: Sequence[str], k: int) -> list[float]:
        """Return the scores of the k best."""
        query = " OR ".join(f'"{term}"' for term in terms)
        sql = "SELECT -bm25(documents) FROM documents WHERE documents MATCH ? ORDER BY 1 DESC LIMIT ?"
        return [score for (score,) in self.file.execute(sql, (query, k))]

    def add(self, name: str, terms: Sequence[str]) -> None:
        """Add or replace one document, so that it is kept and found."""
        self.file.execute("INSERT INTO documents(body) VALUES (?)", (" ".join(terms),))
        self.file.commit()


ENGINES: dict[str, Any] = {
    engine.name: engine for engine in (Ours, OursLifted, Tantivy, BM25S, FTS5, RankBM25, Pure)
}
