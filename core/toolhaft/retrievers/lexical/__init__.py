"""The search engine of the retriever `bm25`: an index of terms in pure Python or in arrays.

`build_index` and `open_index` choose the engine by size (`choosing`). Only the array engine imports numpy.

- What both are: `base` (documents, settings, the interface), `idf`, `hashing`.
- Pure Python: `pure`, kept as lines by `kept_documents`.
- Arrays, a query: `array_index` over segments; `searching` chooses the way; `term_table` finds the terms,
  `frequencies` weighs them, `posting_sums` adds them up; `parent_scores` adds services, `promising` looks
  only at documents that theirs can lift high enough; `ranking` picks the best.
- Arrays, building: `collecting` takes documents in, `composing` makes segments, `merging` joins `sources`,
  `parent_lists` writes which services hold a term.
- On disk: `shelf` has a folder for each of the last few settings; `manifest` says what belongs together,
  `keeping` and `kept_segments` are the folder, `segment` and `segment_file` read one, `segment_writer` writes
  it; `blocks` are checksums, `plain_files` opens no links.
"""

from toolhaft.retrievers.lexical.base import Document, Hit, IndexSettings, TermIndex
from toolhaft.retrievers.lexical.choosing import build_index, open_index

__all__ = ["Document", "Hit", "IndexSettings", "TermIndex", "build_index", "open_index"]
