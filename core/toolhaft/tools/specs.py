"""The specs of a catalog as a sequence: read when they are asked for, and never all held."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from toolhaft.types import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecChanges:
    """What became of a catalog's tools since an earlier version of it.

    Attributes:
        put: Names of tools that were added, or are not what they were.
        removed: Names of tools that are there no more.
    """

    put: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Specs(Sequence[ToolSpec]):
    """Specs in the order of their catalog, each read when it is asked for.

    Attributes:
        place: The catalog's file, beside which an index of it may be kept; None if there is none.
        version: Changes whenever the content of the tools does; empty if that is not known, and then no
            index may be kept.
    """

    place: Path | None = None
    version: str = ""

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""

    @abstractmethod
    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name.

        Raises:
            KeyError: There is none.
        """

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known."""
        return SpecChanges() if since and since == self.version else None


class HeldSpecs(Specs):
    """Specs that are in memory.

    Args:
        specs: In order; names that stand twice are found by the first.
    """

    def __init__(self, specs: Iterable[ToolSpec]) -> None:
        self._specs = tuple(specs)
        self._named: dict[str, ToolSpec] = {}
        for spec in self._specs:
            self._named.setdefault(spec.name, spec)

    def names(self) -> Iterator[str]:
        """Yield the names, in order."""
        return (spec.name for spec in self._specs)

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        return self._named[name]

    @overload
    def __getitem__(self, index: int) -> ToolSpec: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ToolSpec]: ...
    def __getitem__(self, index: int | slice) -> ToolSpec | Sequence[ToolSpec]:
        return self._specs[index]

    def __iter__(self) -> Iterator[ToolSpec]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)


def as_specs(specs: Iterable[ToolSpec]) -> Specs:
    """Return specs as they are, or held in memory if they are any other collection."""
    return specs if isinstance(specs, Specs) else HeldSpecs(specs)
