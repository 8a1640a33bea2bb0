"""The specs of a catalog as a sequence: read when they are asked for, and never all held."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, overload

from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.tools.base import Tool

_AND = "+"
"""Stands between a file's version and that of what is made of it."""


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

    Two are equal, and one is equal to a list or tuple, where they hold the same specs in the same order.
    """

    @property
    def place(self) -> Path | None:
        """The catalog's file, beside which an index of it may be kept; None if there is none."""
        return None

    @property
    def version(self) -> str:
        """What the content is called: another word whenever the tools, or their order, are others.

        Empty if that is not known, and then no index may be kept. A catalog file may be changed while it is
        open: whoever reads all specs asks for the version first.
        """
        return ""

    @property
    def view(self) -> str:
        """What was made of the tools of the file, by a lock for example; empty for nothing.

        Unlike the version it stays the same while the file changes.
        """
        return ""

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""

    @abstractmethod
    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name.

        Raises:
            KeyError: There is none.
        """

    def several(self, names: Iterable[str]) -> list[ToolSpec]:
        """Return the specs of names in their order, at the cost of one where that can be.

        Names that there are not are left out.
        """
        found: list[ToolSpec] = []
        for name in names:
            try:
                found.append(self.named(name))
            except KeyError:
                continue
        return found

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known."""
        return SpecChanges() if since and since == self.version else None

    def __iter__(self) -> Iterator[ToolSpec]:
        return map(self.named, self.names())

    @overload
    def __getitem__(self, index: int) -> ToolSpec: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ToolSpec]: ...
    def __getitem__(self, index: int | slice) -> ToolSpec | Sequence[ToolSpec]:
        chosen = range(len(self))[index]  # raises IndexError as a list does
        if isinstance(chosen, int):
            return self.named(next(islice(self.names(), chosen, None)))
        if chosen.step < 0:
            return tuple(reversed(self[chosen[-1] : chosen[0] + 1 : -chosen.step] if chosen else ()))
        return tuple(map(self.named, islice(self.names(), chosen.start, chosen.stop, chosen.step)))

    def __contains__(self, spec: object) -> bool:
        try:
            return isinstance(spec, ToolSpec) and self.named(spec.name) == spec
        except KeyError:
            return False

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Specs | list | tuple):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=False))

    __hash__ = None  # type: ignore[assignment]


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


class ToolSpecs(Specs):
    """The specs of tools, each of which is made when its spec is asked for."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools

    def names(self) -> Iterator[str]:
        """Yield the names, in order; no tool is made."""
        return iter(self._tools)

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a tool, or raise `KeyError`."""
        return self._tools[name].spec

    def __len__(self) -> int:
        return len(self._tools)


class RenamedSpecs(Specs):
    """Some of the specs, or others' under new names.

    Args:
        specs: Where they are.
        old: New name -> the name there, in order.
    """

    def __init__(self, specs: Specs, old: Mapping[str, str]) -> None:
        self._specs = specs
        self._old = old

    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""
        return iter(self._old)

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        old = self._old[name]
        return _renamed(self._specs.named(old), name)

    def several(self, names: Iterable[str]) -> list[ToolSpec]:
        """Return the specs of names in their order; those that there are not are left out."""
        pairs = [(name, self._old[name]) for name in names if name in self._old]
        found = {spec.name: spec for spec in self._specs.several(old for _, old in pairs)}
        return [_renamed(found[old], name) for name, old in pairs if old in found]

    def __len__(self) -> int:
        return len(self._old)


class WrappedSpecs(Specs):
    """Specs of which each may be another one than it was.

    Args:
        specs: What they were.
        read: Returns the spec of a name as it is now.
        version: Another word whenever ``read`` would make other specs of the same ones; empty if that is not
            known.
    """

    def __init__(self, specs: Specs, read: Callable[[str], ToolSpec], version: str = "") -> None:
        self._specs = specs
        self._read = read
        self._version = version

    @property
    def place(self) -> Path | None:
        """The file of what they were, if it is known what became of them."""
        return self._specs.place if self._version else None

    @property
    def version(self) -> str:
        """The version of what they were, and of what became of them."""
        before = self._specs.version if self._version else ""
        return f"{before}{_AND}{self._version}" if before else ""

    @property
    def view(self) -> str:
        """What was made of the tools of the file, by this and before it."""
        return f"{self._specs.view}{_AND}{self._version}"

    def changes(self, since: str) -> SpecChanges | None:
        """Return what changed since an earlier version, or None where that is not known."""
        before, _, wrapped = since.partition(_AND)
        return self._specs.changes(before) if wrapped and wrapped == self._version else None

    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""
        return self._specs.names()

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        return self._read(name)

    def __len__(self) -> int:
        return len(self._specs)


class MergedSpecs(Specs):
    """The specs of several, one after the other.

    Args:
        parts: None has a name that another has.
    """

    def __init__(self, parts: Sequence[Specs]) -> None:
        self.parts = tuple(parts)

    def names(self) -> Iterator[str]:
        """Yield the names, in order; no spec is read."""
        return (name for part in self.parts for name in part.names())

    def named(self, name: str) -> ToolSpec:
        """Return the spec of a name, or raise `KeyError`."""
        for part in self.parts:
            try:
                return part.named(name)
            except KeyError:
                continue
        raise KeyError(name)

    def several(self, names: Iterable[str]) -> list[ToolSpec]:
        """Return the specs of names in their order; those that there are not are left out."""
        wanted = list(names)
        found: dict[str, ToolSpec] = {}
        for part in self.parts:
            left = [name for name in wanted if name not in found]
            if left:
                found |= {spec.name: spec for spec in part.several(left)}
        return [found[name] for name in wanted if name in found]

    def __iter__(self) -> Iterator[ToolSpec]:
        return (spec for part in self.parts for spec in part)

    def __len__(self) -> int:
        return sum(map(len, self.parts))


def _renamed(spec: ToolSpec, name: str) -> ToolSpec:
    return spec if spec.name == name else replace(spec, name=name)


def as_specs(specs: Iterable[ToolSpec]) -> Specs:
    """Return specs as they are, or held in memory if they are any other collection."""
    return specs if isinstance(specs, Specs) else HeldSpecs(specs)


def specs_of(tools: Mapping[str, Tool]) -> Specs:
    """Return the specs of tools by name: read where they are kept, without making tools, if they can be."""
    read = getattr(tools, "specs", None)
    return read() if callable(read) else ToolSpecs(tools)
