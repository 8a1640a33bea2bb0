"""Which tools there are: their vectors and names by position, in layers that are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from toolhaft_dense.cells import Cells
from toolhaft_dense.names import Names
from toolhaft_dense.quantised import Quantised
from toolhaft_dense.search import Block, VectorIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Tools that were indexed together.

    Attributes:
        vectors: One a row.
        names: One a position of the layer, in ascending order of positions.
        positions: The positions, ascending; None where they are 0, 1, 2 and so on.
        rows: Row of each position of the layer; None where they are in the same order.
        cells: Where like vectors lie together.
    """

    vectors: Quantised
    names: Names
    positions: Any = field(default=None, repr=False)
    rows: Any = field(default=None, repr=False)
    cells: Cells | None = None

    def place(self, position: int) -> int | None:
        """Return where a position stands in the layer, or None."""
        import numpy

        if self.positions is None:
            return position if position < len(self.names) else None
        found = int(numpy.searchsorted(self.positions, position))
        return found if found < len(self.positions) and self.positions[found] == position else None

    def position(self, place: int) -> int:
        """Return the position that stands at a place."""
        return place if self.positions is None else int(self.positions[place])


@dataclass(frozen=True, kw_only=True)
class Table:
    """Layers, of which a later one replaces what an earlier one says of a position.

    Attributes:
        layers: At least one; the first has the positions from 0 on.
        dead: Positions that are not found any more.
    """

    layers: tuple[Layer, ...]
    dead: frozenset[int] = frozenset()

    @cached_property
    def size(self) -> int:
        """One more than the last position."""
        return max(
            (layer.position(len(layer.names) - 1) + 1 for layer in self.layers if len(layer.names)), default=0
        )

    @property
    def has_cells(self) -> bool:
        """Whether the search looks at some of the vectors only."""
        return self.layers[0].cells is not None

    def exact(self) -> Table:
        """Return the table as one whose search looks at all vectors."""
        return Table(layers=tuple(replace(layer, cells=None) for layer in self.layers), dead=self.dead)

    @property
    def living(self) -> int:
        """How many tools are found."""
        return self.size - len(self.dead)

    @property
    def patched(self) -> int:
        """How many positions are not as the first layer says."""
        return sum(len(layer.names) for layer in self.layers[1:]) + len(self.dead)

    def name(self, position: int) -> str:
        """Return the name of a position."""
        for layer in reversed(self.layers):
            place = layer.place(position)
            if place is not None:
                return layer.names[place]
        raise IndexError(position)

    def find(self, name: str) -> list[int]:
        """Return the positions that a name has now, ascending: several where tools share it."""
        found = {layer.position(place) for layer in self.layers for place in layer.names.find(name)}
        return sorted(found - self.dead)

    def covered(self, layer: Layer, dead: Sequence[int] = ()) -> Table:
        """Return the table with one more layer, and fewer tools."""
        return Table(layers=(*self.layers, layer), dead=self.dead.union(dead))

    @cached_property
    def index(self) -> VectorIndex:
        """What searches the vectors."""
        return VectorIndex(blocks=tuple(self._block(number) for number in range(len(self.layers))))

    def _block(self, number: int) -> Block:
        import numpy

        layer = self.layers[number]
        gone = set(self.dead)
        for later in self.layers[number + 1 :]:
            gone.update(int(position) for position in later.positions)
        places = sorted(place for position in gone if (place := layer.place(position)) is not None)
        hidden = numpy.array(places, dtype=numpy.int64)
        if layer.rows is None:
            positions = layer.positions
        else:
            hidden = layer.rows[hidden]
            positions = numpy.empty(len(layer.rows), dtype=numpy.int64)
            positions[layer.rows] = numpy.arange(len(layer.rows))
        return Block(
            vectors=layer.vectors,
            positions=positions,
            hidden=hidden if len(hidden) else None,
            cells=layer.cells,
        )
