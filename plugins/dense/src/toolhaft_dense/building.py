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
_MOST_LAYERS = 16
"""Layers that are left apart; one more, and those that lie on the first become one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Makes tables.

    Attributes:
        cells_from: Tools from which like vectors are laid together; None never does.
    """

    cells_from: int | None

    def wants_cells(self, count: int) -> bool:
        """Tell whether so many vectors are laid together."""
        return self.cells_from is not None and count >= self.cells_from

    def searched(self, table: Table) -> Table:
        """Return a table as it is to be searched, whoever made it."""
        return table if self.wants_cells(table.size) else table.exact()

    def build(self, specs: Specs, filling: Filling) -> Table:
        """Return a table of all specs, in memory."""
        names, keys = self._read(specs, filling)
        vectors = filling.gather(keys)
        packed = pack_names(names)
        if not self.wants_cells(len(vectors)):
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
        if self.wants_cells(len(keys)):
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
        import numpy

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
        old: list[str] = []
        try:
            ids = list(kept.ids)
            if arrays is not None and len(ids) < _MOST_LAYERS:
                ids.append(beside.segments.add(*arrays).id)
            elif arrays is not None:
                rows, vectors, more = _joined([*kept.table.layers[1:], _plain(*arrays[1:])])
                keys = numpy.concatenate([*(segment.keys for segment in kept.segments[1:]), arrays[0]])
                ids, old = [ids[0], beside.segments.add(keys[rows], vectors, more).id], ids[1:]
            if all(ids):
                beside.write(version, ids, table.dead)
                beside.segments.remove(old)
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
    gone = [position for name in set(removed) - set(latest) for position in table.find(name)]
    if not latest:
        return Table(layers=table.layers, dead=table.dead.union(gone)), None
    size = table.size
    places: dict[int, ToolSpec] = {}
    for name, spec in latest.items():
        position, *others = table.find(name) or [size]
        size = max(size, position + 1)
        gone += others
        places[position] = spec
    ordered = sorted(places)
    chosen = [places[position] for position in ordered]
    keys = filling.add([passage(spec) for spec in chosen])
    vectors = filling.gather(keys)
    more = pack_names(spec.name for spec in chosen) | {"positions": numpy.array(ordered, dtype=numpy.int64)}
    return _covered(table, _plain(vectors, more), gone), (keys, vectors, more)


def _covered(table: Table, layer: Layer, gone: Sequence[int]) -> Table:
    """Return the table with one more layer and fewer tools; many layers on the first become one."""
    covered = table.covered(layer, gone)
    if len(covered.layers) <= _MOST_LAYERS:
        return covered
    _, vectors, more = _joined(covered.layers[1:])
    return Table(layers=(covered.layers[0], _plain(vectors, more)), dead=covered.dead)


def _joined(layers: Sequence[Layer]) -> tuple[Any, Quantised, dict[str, Any]]:
    """Return which rows of some layers, one behind the other, stand, and what they are as one layer."""
    import numpy

    positions = numpy.concatenate([layer.positions for layer in layers])
    _, latest = numpy.unique(positions[::-1], return_index=True)
    rows = len(positions) - 1 - latest
    names = [layer.names[place] for layer in layers for place in range(len(layer.names))]
    whole = numpy.concatenate([layer.vectors.whole for layer in layers])
    scales = numpy.concatenate([layer.vectors.scales for layer in layers])
    more = pack_names(names[row] for row in rows) | {"positions": positions[rows]}
    return rows, Quantised(whole=whole[rows], scales=scales[rows]), more


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
