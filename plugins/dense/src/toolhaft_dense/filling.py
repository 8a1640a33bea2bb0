"""Vectors for texts: those that are kept, and those that have to be encoded, kept as they come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft_dense.encoder import Encoder
from toolhaft_dense.quantised import Quantised, quantise
from toolhaft_dense.segments import Segment, SegmentFolder
from toolhaft_dense.texts import KEY, text_key

_log = logging.getLogger(__name__)
_BLOCK = 8_192
Progress = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Filling:
    """Finds or makes vectors; what it made is on disk chunk by chunk, so that little is lost in a kill.

    Attributes:
        encoder: Makes them.
        segments: Where they are; grows.
        folder: Where new ones are kept; None keeps them in memory.
        fallback: Where they are kept if that folder cannot be written.
        stopped: Asked between batches whether to give up.
        progress: Called with how many texts are done, and how many there are.
        total: How many texts there will be.
        encoded: How many had to be encoded.
        written: Ids of the segments that were written.
    """

    encoder: Encoder
    segments: list[Segment]
    folder: SegmentFolder | None = None
    fallback: SegmentFolder | None = None
    stopped: Callable[[], bool] = lambda: False
    progress: Progress | None = None
    total: int = 0
    encoded: int = 0
    written: list[str] = field(default_factory=list)
    _done: int = 0

    def add(self, texts: Sequence[str]) -> Any:
        """Make sure of the vectors of some texts, and return their keys, uint8, shape (texts, KEY)."""
        import numpy

        written = [text_key(text) for text in texts]
        keys = numpy.frombuffer(b"".join(written), dtype=numpy.uint8).reshape(len(texts), KEY)
        missing: Any = numpy.ones(len(texts), dtype=bool)
        for segment in self.segments:
            places = numpy.flatnonzero(missing)
            missing[places] = segment.find(keys[places]) < 0
        wanted = {written[place]: texts[place] for place in numpy.flatnonzero(missing).tolist()}
        self._advance(len(texts) - len(wanted))
        if wanted:
            self._encode(list(wanted), list(wanted.values()))
        return keys

    def locate(self, keys: Any) -> tuple[Any, Any]:
        """Return number of the segment and row of each key, both of shape (keys,)."""
        import numpy

        numbers: Any = numpy.full(len(keys), -1)
        rows: Any = numpy.zeros(len(keys), dtype=numpy.int64)
        for number, segment in enumerate(self.segments):
            places = numpy.flatnonzero(numbers < 0)
            if not len(places):
                break
            found = segment.find(keys[places])
            places, found = places[found >= 0], found[found >= 0]
            numbers[places], rows[places] = number, found
        return numbers, rows

    def gather(self, keys: Any) -> Quantised:
        """Return the vectors of keys, copied."""
        import numpy

        blocks = list(self.blocks(*self.locate(keys)))
        return Quantised(
            whole=numpy.concatenate([block.whole for block in blocks]),
            scales=numpy.concatenate([block.scales for block in blocks]),
        )

    def blocks(self, numbers: Any, rows: Any) -> Iterator[Quantised]:
        """Yield the vectors of located keys, some thousand at a time."""
        import numpy

        width = self.encoder.folder.width
        for start in range(0, max(len(rows), 1), _BLOCK):
            part, places = numbers[start : start + _BLOCK], rows[start : start + _BLOCK]
            whole: Any = numpy.zeros((len(part), width), dtype=numpy.int8)
            scales: Any = numpy.zeros(len(part), dtype=numpy.float32)
            for number in numpy.unique(part[part >= 0]):
                here = part == number
                found = self.segments[number].vectors.take(places[here])
                whole[here], scales[here] = found.whole, found.scales
            yield Quantised(whole=whole, scales=scales)

    def _encode(self, keys: list[bytes], texts: list[str]) -> None:
        import numpy

        def advance(done: int, _: int) -> None:
            if self.progress is not None:
                self.progress(self._done + done, max(self.total, self._done + done))

        for chunk in self.encoder.encode_chunks(texts, self.stopped, advance):
            joined = b"".join(keys[position] for position in chunk.positions)
            table = numpy.frombuffer(joined, dtype=numpy.uint8).reshape(len(chunk.positions), KEY)
            self.segments.append(self._keep(table, quantise(chunk.vectors)))
        self._done += len(texts)
        self.encoded += len(texts)

    def _keep(self, keys: Any, vectors: Quantised) -> Segment:
        if self.folder is not None:
            try:
                segment = self.folder.add(keys, vectors)
            except ConfigError as error:
                self.folder, self.fallback = self.fallback, None
                if self.folder is not None:
                    _log.warning("vectors are kept in %s: %s", self.folder.folder, error)
                    return self._keep(keys, vectors)
                _log.warning("vectors are not kept, and will be made again the next time: %s", error)
            else:
                self.written.append(segment.id)
                return segment
        return Segment(id="", keys=keys, vectors=vectors)

    def _advance(self, count: int) -> None:
        self._done += count
        if self.progress is not None and count:
            self.progress(self._done, max(self.total, self._done))
