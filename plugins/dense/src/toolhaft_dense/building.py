"""Tables of tools: made from all specs, from what is kept, or from what changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.tools.specs import SpecChanges, Specs
from toolhaft.types import ToolSpec
from toolhaft_dense.beside import BesideIndex, KeptTable, explain, layer_of
from toolhaft_dense.cells import make_cells
from toolhaft_dense.filling import Filling
from toolhaft_dense.names import Names, pack_names
from toolhaft_dense.quantised import Quantised
from toolhaft_dense.table import Layer, Table
from toolhaft_dense.texts import passage

_log = logging.getLogger(__name__)
_AT_ONCE = 8_192
_FEW = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Makes tables.

    Attributes:
        cells_from: Tools from which like vectors are laid together; None never does.
    """

    cells_from: int | None

    def build(self, specs: Specs, filling: Filling) -> Table:
        """Return a table of all specs, in memory."""
        names, keys = self._read(specs, filling)
        vectors = filling.gather(keys)
        packed = pack_names(names)
        if self.cells_from is None or len(vectors) < self.cells_from:
            return Table(layers=(Layer(vectors=vectors, names=Names(packed)),))
        cells, order = make_cells(vectors)
        layer = Layer(vectors=vectors.take(order), names=Names(packed), rows=_inverse(order), cells=cells)
        return Table(layers=(layer,))

    def build_beside(self, specs: Specs, version: str, filling: Filling, beside: BesideIndex) -> Table:
        """Return a table of all specs that lies beside their catalog, or in memory where it cannot."""
        names, keys = self._read(specs, filling)
        more = pack_names(names)
        old = [segment.id for segment in filling.segments if segment.id]
        vectors = filling.gather(keys)
        if self.cells_from is not None and len(keys) >= self.cells_from:
            cells, order = make_cells(vectors)
            vectors, keys = vectors.take(order), keys[order]
            more |= {"rows": _inverse(order), "centres": cells.centres, "cell_ends": cells.ends}
        if filling.folder is not beside.segments:  # it could not be written before, and the user was told
            return Table(layers=(_plain(vectors, more),))
        try:
            segment = beside.segments.add(keys, vectors, more)
            beside.write(version, [segment.id], ())
        except (OSError, ConfigError) as error:
            _log.warning("the index is not kept: %s: %s", beside.folder, explain(error))
            return Table(layers=(_plain(vectors, more),))
        beside.segments.remove(id for id in old if id != segment.id)
        return Table(layers=(layer_of(segment),))

    def change_beside(
        self, kept: KeptTable, specs: Specs, version: str, filling: Filling, beside: BesideIndex
    ) -> Table | None:
        """Return the kept table brought up to date, or None where it had better be made anew."""
        changes = specs.changes(kept.version)
        if changes is None or not self._are_few(changes, kept):
            return None
        put, removed = [], list(changes.removed)
        for name in changes.put:
            try:
                put.append(specs.named(name))
            except KeyError:
                removed.append(name)
        table, arrays = patch(kept.table, put, removed, filling)
        try:
            ids = list(kept.ids)
            if arrays is not None:
                ids.append(beside.segments.add(*arrays).id)
            if all(ids):
                beside.write(version, ids, table.dead)
        except (OSError, ConfigError) as error:
            _log.warning("the index is not kept: %s: %s", beside.folder, explain(error))
        beside.segments.remove(filling.written)
        return table

    def _are_few(self, changes: SpecChanges, kept: KeptTable) -> bool:
        count = len(changes.put) + len(changes.removed)
        return count <= max(_FEW, kept.table.size // 10) and not kept.is_patched_up

    def _read(self, specs: Specs, filling: Filling) -> tuple[list[str], Any]:
        """Return names and keys, all vectors made sure of; of the specs only some are in memory at a time."""
        import numpy

        filling.total = len(specs)
        names: list[str] = []
        parts = []
        for some in _some_of(specs):
            names.extend(spec.name for spec in some)
            parts.append(filling.add([passage(spec) for spec in some]))
        return names, numpy.concatenate(parts)


def patch(
    table: Table, put: Sequence[ToolSpec], removed: Iterable[str], filling: Filling
) -> tuple[Table, tuple[Any, Quantised, dict[str, Any]] | None]:
    """Return the table with tools added, changed and removed, and what to write of it.

    Args:
        table: What there is.
        put: Each replaces the tool of its name, or is added.
        removed: Names; put ones stay.
        filling: Makes the vectors.
    """
    import numpy

    latest = {spec.name: spec for spec in put}
    dead = [table.find(name) for name in dict.fromkeys(removed) if name not in latest]
    gone = [position for position in dead if position is not None]
    if not latest:
        return Table(layers=table.layers, dead=table.dead.union(gone)), None
    size = table.size
    places: dict[int, ToolSpec] = {}
    for name, spec in latest.items():
        position = table.find(name)
        if position is None:
            position, size = size, size + 1
        places[position] = spec
    ordered = sorted(places)
    chosen = [places[position] for position in ordered]
    keys = filling.add([passage(spec) for spec in chosen])
    vectors = filling.gather(keys)
    more = pack_names(spec.name for spec in chosen) | {"positions": numpy.array(ordered, dtype=numpy.int64)}
    return table.covered(_plain(vectors, more), gone), (keys, vectors, more)


def _plain(vectors: Quantised, more: dict[str, Any]) -> Layer:
    from toolhaft_dense.cells import Cells

    cells = Cells(centres=more["centres"], ends=more["cell_ends"]) if "rows" in more else None
    return Layer(
        vectors=vectors,
        names=Names(more),
        positions=more.get("positions"),
        rows=more.get("rows"),
        cells=cells,
    )


def _inverse(order: Any) -> Any:
    import numpy

    rows: Any = numpy.empty(len(order), dtype=numpy.int64)
    rows[order] = numpy.arange(len(order))
    return rows


def _some_of(specs: Iterable[ToolSpec]) -> Iterator[tuple[ToolSpec, ...]]:
    each = iter(specs)
    while some := tuple(islice(each, _AT_ONCE)):
        yield some
