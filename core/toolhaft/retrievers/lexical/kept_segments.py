"""Segments as files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.keeping import Keeper
from toolhaft.retrievers.lexical.manifest import KeptPart
from toolhaft.retrievers.lexical.segment import Segment, check_removed
from toolhaft.retrievers.lexical.segment_file import SegmentFile
from toolhaft.retrievers.lexical.segment_writer import SegmentWriter


def keep_segment(segment: Segment, keeper: Keeper) -> KeptPart | None:
    """Return the file of a segment, written if it is only in memory; None if it cannot be."""
    file = segment.file
    place = file.place or keeper.write("segment", file.copy_to)
    return None if place is None else KeptPart(file=place.name, digest=file.digest)


def keep_removed(segment: Segment, part: KeptPart, keeper: Keeper) -> KeptPart | None:
    """Write which documents of a segment are there no more; None if that cannot be."""
    removed = segment.removed

    def write(stream: BinaryIO) -> None:
        writer = SegmentWriter(stream)
        writer.put("removed", removed.rows)
        writer.put("removed_terms", removed.terms)
        writer.put("removed_counts", removed.counts)
        writer.finish({"of": part.digest})

    place = keeper.write("removed", write)
    return None if place is None else KeptPart(file=part.file, digest=part.digest, removed=place.name)


def open_segment(folder: Path, part: KeptPart, settings: IndexSettings) -> Segment:
    """Map a segment.

    Raises:
        FormatError: It is damaged, or another than the manifest says.
        OSError: It cannot be read.
    """
    file = SegmentFile.open(folder / part.file)
    facts: dict[str, Any] = file.facts
    if file.digest != part.digest:
        raise FormatError("the search index is damaged: parts of two are mixed", where=file.where)
    average = facts.get("average")
    if (facts.get("k1"), facts.get("b")) != (settings.k1, settings.b) or not (
        isinstance(average, int | float) and 0 <= average < 1e12
    ):
        raise file.damaged("it was made with other settings")
    segment = Segment(file)
    if not part.removed:
        return segment
    return Segment(file, check_removed(SegmentFile.open(folder / part.removed), segment))
