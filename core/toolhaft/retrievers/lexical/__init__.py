"""The search engine of the retriever `bm25`: an index of terms in pure Python or in arrays.

`build_index` and `open_index` choose the engine by size. Only the array engine imports numpy.
"""

from toolhaft.retrievers.lexical.base import Document, Hit, IndexSettings, TermIndex
from toolhaft.retrievers.lexical.choosing import build_index, open_index

__all__ = ["Document", "Hit", "IndexSettings", "TermIndex", "build_index", "open_index"]
