"""The specs of a catalog file, read row by row; no tool is made for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from toolhaft.tools.catalog_database import CatalogDatabase, read_spec
from toolhaft.tools.specs import SpecChanges, Specs
from toolhaft.types import ToolSpec


class FileSpecs(Specs):
    """The specs of a catalog file as it is at the moment of asking.

    They are what the file says: whether its bindings agree is checked when a tool is made.
    """

    def __init__(self, file: CatalogDatabase) -> None:
        self._file = file

    @property
    def place(self) -> Path | None:
        """The file."""
        return self._file.path

    @property
    def version(self) -> str:
        """What the content of the tools and their order is called."""
        return self._file.version

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known any more."""
        return self._file.changes(since)

    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""
        return self._file.names()

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        return self._file.spec(name)

    def several(self, names: Iterable[str]) -> list[ToolSpec]:
        """Return the specs of names in their order, read at once; those that there are not are left out."""
        return self._file.specs(names)

    def __iter__(self) -> Iterator[ToolSpec]:
        return (read_spec(name, text, self._file.path) for name, text in self._file.pages("name, spec"))

    @overload
    def __getitem__(self, index: int) -> ToolSpec: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ToolSpec]: ...
    def __getitem__(self, index: int | slice) -> ToolSpec | Sequence[ToolSpec]:
        chosen = range(len(self))[index]
        if isinstance(chosen, range):
            return super().__getitem__(index)
        rows = self._file.query("SELECT name, spec FROM tools ORDER BY rowid LIMIT 1 OFFSET ?", chosen)
        if not rows:  # the file was changed since it was counted
            raise IndexError(index)
        return read_spec(rows[0][0], rows[0][1], self._file.path)

    def __len__(self) -> int:
        return self._file.count()

    def __contains__(self, spec: object) -> bool:
        return isinstance(spec, ToolSpec) and self._file.has(spec.name) and self.named(spec.name) == spec
