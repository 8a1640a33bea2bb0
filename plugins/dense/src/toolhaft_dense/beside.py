"""An index beside its catalog: opened without reading a tool, changed by what changed."""

from __future__ import annotations

import hashlib
import json
import logging
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.models.parsing import NotJSONError, read_json
from toolhaft.report.files import write_whole
from toolhaft_dense.arrays_file import DAMAGES
from toolhaft_dense.cells import Cells
from toolhaft_dense.names import Names
from toolhaft_dense.segments import Segment, SegmentFolder
from toolhaft_dense.table import Layer, Table
from toolhaft_dense.texts import COMPOSITION

_log = logging.getLogger(__name__)
_MANIFEST = "index.json"
_FORMAT = 1
_MOST_PATCHED = 1_000
_LARGEST_MANIFEST = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTable:
    """A table as it lies on disk.

    Attributes:
        table: What is searched.
        ids: Of the segments of its layers.
        version: Of the catalog, when it was made.
    """

    table: Table
    ids: tuple[str, ...]
    version: str
    segments: tuple[Segment, ...] = field(repr=False)

    @property
    def is_patched_up(self) -> bool:
        """Whether so much was changed since it was made that it had better be made anew."""
        most = max(_MOST_PATCHED, self.table.size // 4)
        return self.table.patched > most


class BesideIndex:
    """The folder of one encoder's index beside one catalog.

    Args:
        place: The catalog's file.
        key: Of the encoder.
        width: Numbers in a vector.
    """

    def __init__(self, place: Path, key: str, width: int) -> None:
        self.folder = place.with_name(f"{place.name}.index") / f"dense-{key}"
        self.segments = SegmentFolder(self.folder, width)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the folder is a link: what lies behind it is somebody's own, and is left alone."""
        return self.folder.is_symlink() or self.folder.parent.is_symlink()

    def open(self) -> KeptTable | None:
        """Return the kept table; None where there is none, or a damaged one, which is told of."""
        file = self.folder / _MANIFEST
        content = b""
        while True:
            before = content
            try:
                content = self._content(file)
                return self._read(read_json(content))
            except (FileNotFoundError, NotADirectoryError):
                return None
            except (*DAMAGES, NotJSONError, AttributeError) as error:
                if content not in (before, b""):  # another process may have replaced its segments meanwhile
                    continue
                _log.warning("the kept index is damaged and is made anew: %s: %s", file, error)
                return None

    def write(self, version: str, ids: Sequence[str], dead: Iterable[int]) -> None:
        """Make segments the layers of the kept table.

        Raises:
            OSError: The folder cannot be written.
        """
        content = {
            "format": _FORMAT,
            "composition": COMPOSITION,
            "version": version,
            "layers": list(ids),
            "dead": sorted(dead),
        }
        content["digest"] = _digest(content)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / _MANIFEST, [json.dumps(content).encode()])
        self.segments.remove_abandoned(ids)

    def _content(self, file: Path) -> bytes:
        state = file.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("it is no file of its own, but a link or a pipe")
        if state.st_size > _LARGEST_MANIFEST:
            raise ValueError("it is beyond all measure")
        return file.read_bytes()

    def _read(self, content: Any) -> KeptTable | None:
        if content["format"] != _FORMAT or content["composition"] != COMPOSITION:
            return None  # of another release: nothing is wrong with it
        if content.pop("digest", None) not in (_digest(content), None):
            raise ValueError("it is not what was written")
        ids = [str(id) for id in content["layers"]]
        if not ids or any(set(id) - set("0123456789abcdef") for id in ids):
            raise ValueError("it names no segments")
        found = self.segments.open(ids)
        if [segment.id for segment in found] != ids:
            raise ValueError("a segment is missing or damaged")
        layers = tuple(layer_of(segment) for segment in found)
        if layers[0].positions is not None or any(layer.positions is None for layer in layers[1:]):
            raise ValueError("its layers do not lie on each other")
        dead = content["dead"]
        table = Table(layers=layers, dead=frozenset(dead))
        if not all(isinstance(position, int) and 0 <= position < table.size for position in dead):
            raise ValueError("it names positions that there are not")
        return KeptTable(table=table, ids=tuple(ids), version=str(content["version"]), segments=tuple(found))


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def layer_of(segment: Segment) -> Layer:
    """Return the layer that a segment was written as.

    Raises:
        ValueError: It is none. `KeyError` likewise.
    """
    import numpy

    more: Mapping[str, Any] = segment.more
    names = Names(more)
    count = len(segment.vectors)
    if len(names) != count:
        raise ValueError("there are as many names as vectors in no layer")
    positions, rows = more.get("positions"), more.get("rows")
    for array in (positions, rows):
        if array is not None and (array.shape != (count,) or array.dtype.kind not in "iu"):
            raise ValueError("positions are of no shape that is written here")
    if positions is not None and count and (positions[0] < 0 or (positions[1:] <= positions[:-1]).any()):
        raise ValueError("positions are in no order")
    cells = None
    if rows is not None:
        if count and (int(rows.min()) < 0 or int(rows.max()) >= count or len(numpy.unique(rows)) < count):
            raise ValueError("rows lie outside of the file, or twice")
        centres, ends = more["centres"], more["cell_ends"]
        if centres.ndim != 2 or centres.shape[1] != segment.vectors.whole.shape[1] or ends.ndim != 1:
            raise ValueError("its cells are of no shape that is written here")
        if len(centres) != len(ends) or not len(ends) or ends[-1] != count or (ends[1:] < ends[:-1]).any():
            raise ValueError("its cells do not fit its vectors")
        cells = Cells(centres=centres, ends=ends)
    return Layer(vectors=segment.vectors, names=names, positions=positions, rows=rows, cells=cells)


def explain(error: BaseException) -> str:
    """Return what kept an index from being written, in words."""
    if isinstance(error, ConfigError):
        return str(error)
    return getattr(error, "strerror", None) or str(error)
