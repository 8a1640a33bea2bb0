"""Named tools: iterable, filterable, composable, and lazy where their source is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.tools.base import CallContext, Tool, ToolResult, check_name
from toolhaft.tools.schema import ArgumentChecker
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path


class Catalog(Mapping[str, Tool]):
    """Tools by name. Wrapping one gives another, so filters, prefixes and approvals compose.

    Args:
        tools: Tools, or a mapping from name to tool that may make them when asked (`LazyTools`).
        name: What a person calls it.
        report: How the import went, if the catalog was imported.
        close: Called once by `close`, after the tools that were used were closed.

    Raises:
        UsageError: Two tools have one name, or a name is not legal.
    """

    def __init__(
        self,
        tools: Iterable[Tool] | Mapping[str, Tool] = (),
        *,
        name: str = "",
        report: Any = None,
        close: Callable[[], Any] | None = None,
    ) -> None:
        self._tools = tools if isinstance(tools, Mapping) else _by_name(tools)
        self.name = name
        self.report = report
        self._close = close
        self._checker = ArgumentChecker()
        self._places: dict[tuple[int, str], asyncio.Semaphore] = {}

    @classmethod
    def lazy(
        cls,
        entries: Mapping[str, Callable[[], Tool]],
        *,
        name: str = "",
        report: Any = None,
        close: Callable[[], Any] | None = None,
    ) -> Catalog:
        """Make a catalog whose tools are made when first used, by zero-argument factories."""
        return cls(LazyTools(entries), name=name, report=report, close=close)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tools, in the catalog's order."""
        return tuple(self._tools)

    def __getitem__(self, name: str) -> Tool:
        try:
            return self._tools[name]
        except KeyError:
            raise UnknownNameError("tool", name, self.names, where=self.name, hint="") from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return a tool, or ``default`` if there is none of this name."""
        return self._tools.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"<Catalog {self.name!r} of {len(self)} tools>"

    def spec(self, name: str) -> ToolSpec:
        """Return one tool's spec.

        Raises:
            UnknownNameError: There is no such tool; the nearest names are given.
        """
        return self[name].spec

    def specs(self) -> list[ToolSpec]:
        """Return every tool's spec; this makes all of them."""
        return [self._tools[name].spec for name in self._tools]

    def check(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
        """Raise `InvalidArgumentsError` unless the arguments fit the spec."""
        self._checker.check(spec, arguments)

    @asynccontextmanager
    async def place(self, spec: ToolSpec) -> AsyncIterator[None]:
        """Hold one of the tool's places, if its spec limits how many calls may run at once."""
        if spec.concurrency is None:
            yield
            return
        import asyncio

        key = (id(asyncio.get_running_loop()), spec.name)
        semaphore = self._places.setdefault(key, asyncio.Semaphore(spec.concurrency))
        async with semaphore:
            yield

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Check the arguments and call a tool, as its owner: no policy stands between.

        Returns:
            The tool's value: JSON, text, or an artifact.

        Raises:
            UnknownNameError: There is no such tool.
            InvalidArgumentsError: The arguments break its schema.
            ToolError: The call failed.
        """
        import asyncio

        from toolhaft.errors import ToolTimeoutError
        from toolhaft.tools.artifacts import ArtifactStore

        found = self[name]
        spec = found.spec
        self.check(spec, arguments)
        async with self.place(spec):
            try:
                async with asyncio.timeout(spec.timeout):
                    result = await found.call(arguments, CallContext(artifacts=ArtifactStore()))
            except TimeoutError:
                raise ToolTimeoutError(f"no result after {spec.timeout:g} seconds", where=name) from None
        return result.value if isinstance(result, ToolResult) else result

    def call_sync(self, name: str, /, **arguments: Any) -> Any:
        """Do what `call` does from code that is not async, notebooks included."""
        from toolhaft.tools.loop import run_sync

        return run_sync(self.call(name, **arguments))

    def filter(self, keep: Callable[[ToolSpec], bool]) -> Catalog:
        """Return the tools whose spec the function accepts."""
        from toolhaft.tools.wrappers import Subset

        return self._derived(Subset(self._tools, [n for n in self._tools if keep(self._tools[n].spec)]))

    def select(self, *names: str) -> Catalog:
        """Return the tools of these names, in this order.

        Raises:
            UnknownNameError: There is no such tool.
        """
        from toolhaft.tools.wrappers import Subset

        for name in names:
            if name not in self._tools:
                raise UnknownNameError("tool", name, self.names, where=self.name)
        return self._derived(Subset(self._tools, list(dict.fromkeys(names))))

    def rename(self, names: Mapping[str, str]) -> Catalog:
        """Return the catalog with some tools under new names, old name -> new name.

        Raises:
            UsageError: A new name is not legal, or taken.
            UnknownNameError: There is no tool of an old name.
        """
        from toolhaft.tools.wrappers import Renamed

        for old in names:
            if old not in self._tools:
                raise UnknownNameError("tool", old, self.names, where=self.name)
        return self._derived(Renamed(self._tools, {name: names.get(name, name) for name in self._tools}))

    def prefix(self, prefix: str) -> Catalog:
        """Return the catalog with a prefix before every name, cut and hashed where it grows too long."""
        from toolhaft.tools.wrappers import Renamed, prefixed

        return self._derived(Renamed(self._tools, {name: prefixed(prefix, name) for name in self._tools}))

    def wrap(self, wrapper: Callable[[Tool], Tool]) -> Catalog:
        """Return the catalog with each tool wrapped when it is used, for example ``wrap(Cached)``."""
        from toolhaft.tools.wrappers import Wrapped

        return self._derived(Wrapped(self._tools, wrapper))

    @classmethod
    def merge(cls, *catalogs: Catalog, name: str = "") -> Catalog:
        """Return one catalog with the tools of several.

        Raises:
            UsageError: Two hold the same name; use `prefix` or `rename` first.
        """
        from toolhaft.tools.wrappers import Merged

        async def close() -> None:
            for catalog in catalogs:
                await catalog.close()

        return cls(Merged([catalog._tools for catalog in catalogs]), name=name, close=close)

    def save(self, path: Path | str) -> None:
        """Write the catalog to a file (SQLite, format 1) that `open_catalog` opens lazily.

        Raises:
            UsageError: A tool cannot be kept in a file, or the file cannot be written.
        """
        from toolhaft.tools.catalog_file import save_catalog

        save_catalog(self, path)

    async def close(self) -> None:
        """Close the tools that were used, and what they share."""
        made = self._tools.made() if isinstance(self._tools, LazyTools) else self._tools.values()
        if not isinstance(self._tools, LazyTools) and self._close is not None:
            made = ()  # a view: what it shows belongs to the catalogs that its close ends
        for found in made:
            await found.close()
        close, self._close = self._close, None
        if close is not None:
            waiting = close()
            if waiting is not None:
                await waiting

    def _derived(self, tools: Mapping[str, Tool]) -> Catalog:
        return Catalog(tools, name=self.name, report=self.report, close=self.close)


class LazyTools(Mapping[str, Tool]):
    """Tools that are made by their factories when first asked for, once each."""

    def __init__(self, entries: Mapping[str, Callable[[], Tool]]) -> None:
        self._entries = entries
        self._made: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._entries[name]()
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def made(self) -> tuple[Tool, ...]:
        """Return the tools that were made so far."""
        return tuple(self._made.values())


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for entry in tools:
        if not isinstance(entry, Tool):
            raise UsageError(
                f"{entry!r:.80} is not a tool", hint="Decorate the function with @tool, or open a catalog"
            )
        name = entry.spec.name
        check_name(name)
        if name in found:
            raise UsageError(
                f"two tools are named {name!r}", hint="Rename one: Catalog([...]).rename({'old': 'new'})"
            )
        found[name] = entry
    return found
