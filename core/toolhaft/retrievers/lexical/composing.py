"""Making segments of documents, and one segment of several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from toolhaft.retrievers.lexical.arrays import np
from toolhaft.retrievers.lexical.base import Document, IndexSettings
from toolhaft.retrievers.lexical.collecting import Collector, DocumentTable, keep_rows, write_segment
from toolhaft.retrievers.lexical.keeping import Keeper
from toolhaft.retrievers.lexical.merging import norms_of
from toolhaft.retrievers.lexical.segment import Segment
from toolhaft.retrievers.lexical.segment_file import SegmentFile
from toolhaft.retrievers.lexical.sources import SegmentSource

_TOLD_EVERY = 1_000
IN_MEMORY = "the search index in memory"
"""What errors call an index that has no file."""


def segment_of(
    documents: Iterable[Document],
    settings: IndexSettings,
    keeper: Keeper,
    progress: Callable[[int], None] | None = None,
) -> Segment:
    """Return a segment of documents, read once, in a file if the keeper can write one."""
    collector = Collector(settings, None if keeper.folder is None else _existing(keeper))
    try:
        for document in documents:
            collector.add(document)
            if progress is not None and len(collector) % _TOLD_EVERY == 0:
                progress(len(collector))
        table, sources = collector.finish()
        return write(keeper, lambda stream: write_segment(stream, table, sources, table.average, settings))
    finally:
        collector.close()


def small_segment_of(
    documents: Sequence[Document], orders: Sequence[int], average: float, settings: IndexSettings
) -> Segment:
    """Return a segment of documents of different names, in memory.

    Args:
        documents: Few.
        orders: Of each.
        average: The length that the other segments were made with; not above zero for that of these.
        settings: How they are scored.
    """
    collector = Collector(settings)
    for document in documents:
        collector.add(document)
    table, sources = collector.finish()
    table = replace(table, orders=np.array(orders, "<u4"))
    stream = BytesIO()
    write_segment(stream, table, sources, average if average > 0 else table.average, settings)
    collector.close()
    return _held(stream)


def merged(segments: Sequence[Segment], settings: IndexSettings, keeper: Keeper | None) -> Segment:
    """Return several segments as one, without what was removed.

    Args:
        segments: All made with one average length.
        settings: How their documents are scored.
        keeper: Where to write it, if it shall have the average length of its own documents; None makes it in
            memory, with the average length of the segments.
    """
    sources: list[SegmentSource] = []
    tables: list[DocumentTable] = []
    first = 0
    for segment in segments:
        before = average_of(segment)
        norms = norms_of(segment.file.checked("lengths"), before, settings.k1, settings.b)
        source = SegmentSource(segment, first, settings.k1, norms)
        table = _table_of(segment)
        sources.append(source)
        tables.append(keep_rows(table, source.kept, table.orders))
        first += segment.live
    table = _joined(tables)
    average = average_of(segments[0]) if keeper is None else table.average
    return write(keeper, lambda stream: write_segment(stream, table, sources, average, settings))


def average_of(segment: Segment) -> float:
    """Return the average length that a segment was made with."""
    return float(segment.file.facts["average"])


def write(keeper: Keeper | None, write: Callable[[BinaryIO], Any]) -> Segment:
    """Return a segment that a function writes, mapped from a file or, if none can be written, in memory."""
    if keeper is not None:
        place = keeper.write("segment", write)
        if place is not None:
            return Segment(SegmentFile.open(place, trusted=True))
    stream = BytesIO()
    write(stream)
    return _held(stream)


def _held(stream: BytesIO) -> Segment:
    return Segment(SegmentFile(stream.getbuffer(), IN_MEMORY, trusted=True))


def _existing(keeper: Keeper) -> str | None:
    """Return the keeper's folder if files can be made in it now."""
    folder = keeper.folder
    if folder is None or keeper.is_led_elsewhere():
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        keeper.give_up(f"cannot write: {error.strerror or error}")
        return None
    return str(folder)


def _table_of(segment: Segment) -> DocumentTable:
    file = segment.file
    rows = file.checked("name_rows")
    starts = file.checked("name_starts")
    names = file.checked("names")
    if (len(rows) and int(rows.max()) >= segment.size) or int(starts[-1]) != len(names):
        raise file.damaged("a name lies outside")
    hashes = np.zeros(segment.size, "<u8")
    hashes[rows] = file.checked("name_hashes")
    return DocumentTable(
        lengths=file.checked("lengths"),
        parents=parent_hashes_of(segment),
        categories=file.checked("categories"),
        orders=file.checked("orders"),
        names=names,
        name_starts=starts,
        name_hashes=hashes,
    )


def parent_hashes_of(segment: Segment) -> Any:
    """Return the hash of each row's parent, 0 for none."""
    hashes = np.concatenate([np.zeros(1, "<u8"), segment.file.checked("parent_hashes")])
    numbers = segment.file.checked("parents")
    if len(numbers) and int(numbers.max()) >= len(hashes):
        raise segment.file.damaged("a parent lies outside")
    return hashes[numbers]


def _joined(tables: Sequence[DocumentTable]) -> DocumentTable:
    """Return tables one after the other."""

    def join(field: str) -> Any:
        return np.concatenate([getattr(table, field) for table in tables])

    sizes = np.concatenate([np.diff(table.name_starts.astype(np.int64)) for table in tables])
    return DocumentTable(
        lengths=join("lengths"),
        parents=join("parents"),
        categories=join("categories"),
        orders=join("orders"),
        names=join("names"),
        name_starts=np.concatenate([[0], np.cumsum(sizes)]),
        name_hashes=join("name_hashes"),
    )
