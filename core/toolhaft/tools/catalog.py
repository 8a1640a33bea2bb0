"""Named tools: iterable, filterable, composable, and lazy where their source is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.tools.base import CallContext, Tool, ToolResult, check_name
from toolhaft.tools.lazy_tools import LazyTools
from toolhaft.tools.schema import ArgumentChecker
from toolhaft.tools.specs import Specs, specs_of
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.tools.catalog_update import CatalogUpdate

_MANY = 5_000
"""Names that are compared with one that is not there."""
_ALIKE = 3


class Catalog(Mapping[str, Tool]):
    """Tools by name. Wrapping one gives another, so filters, prefixes and approvals compose.

    Use it as a context manager (``with`` or ``async with``) to close it at the end.

    Args:
        tools: Tools, or a mapping from name to tool that may make them when asked (`LazyTools`).
        name: What a person calls it.
        report: How the import went, if the catalog was imported; or a function that reads it when asked.
        close: Called once by `close`, after the tools that were used were closed.

    Attributes:
        parts: The catalogs that `merge` put together, each with its own name and report.

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
        self._report = report
        self.parts: tuple[Catalog, ...] = ()
        self._close = close
        self._checker = ArgumentChecker()
        self._closed = False
        self._artifacts: list[ArtifactStore] = []

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
    def report(self) -> Any:
        """How the import went (`toolhaft.tools.report.Report`), or None; a kept one is read when asked for.

        Raises:
            FormatError: What a catalog file kept of it is damaged.
        """
        if callable(self._report):
            self._report = self._report()
        return self._report

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tools, in the catalog's order."""
        return tuple(self._tools)

    def __getitem__(self, name: str) -> Tool:
        try:
            return self._tools[name]
        except KeyError:
            if name in self._tools:  # making the tool failed, and it is not unknown
                raise
            raise UnknownNameError("tool", name, self._near(name), where=self.name) from None

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

    def specs(self) -> Specs:
        """Return the tools' specs in the catalog's order, each read when it is asked for.

        Those of a catalog file are read from it, and no tool is made for it; that the bindings agree with
        them is checked when a tool is made.
        """
        return specs_of(self._tools)

    def check(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
        """Raise `InvalidArgumentsError` unless the arguments fit the spec."""
        self._checker.check(spec, arguments)

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Check the arguments and call a tool, as its owner: no policy stands between.

        Where the tool takes an image or file, give a `pathlib.Path` or an `toolhaft.Artifact` of
        `artifacts`.

        Returns:
            The tool's value: JSON, text, or an artifact; artifacts may stand in the JSON, and their bytes
            in `artifacts`.

        Raises:
            UnknownNameError: There is no such tool.
            InvalidArgumentsError: The arguments break its schema.
            UsageError: A file cannot be read.
            ToolError: The call failed.
        """
        import asyncio

        from toolhaft.errors import ToolTimeoutError
        from toolhaft.tools.given_files import with_origin, written

        found = self[name]
        spec = found.spec
        given, shown = written(spec, arguments, self.artifacts)
        self.check(spec, shown)
        async with found.place():
            try:
                async with asyncio.timeout(spec.timeout) as scope:
                    result = await found.call(given, CallContext(artifacts=self.artifacts))
            except TimeoutError:
                if not scope.expired():
                    raise
                raise ToolTimeoutError(
                    f"no result after {spec.timeout:g} seconds",
                    where=name,
                    retryable=spec.effect == "read" or spec.repeatable,
                    effect="none" if spec.effect == "read" else "uncertain",
                ) from None
        value = result.value if isinstance(result, ToolResult) else result
        return with_origin(value, spec.name, given, shown)

    @property
    def artifacts(self) -> ArtifactStore:
        """The images and files of calls made through the catalog and its views.

        They are held in memory until `close`, then let go; read what is to be kept before that.
        """
        if not self._artifacts:
            from toolhaft.tools.artifacts import ArtifactStore

            self._artifacts.append(ArtifactStore())
        return self._artifacts[0]

    def call_sync(self, name: str, /, **arguments: Any) -> Any:
        """Do what `call` does from code that is not async, notebooks included."""
        from toolhaft.tools.loop import run_sync

        return run_sync(self.call(name, **arguments))

    def filter(self, keep: Callable[[ToolSpec], bool]) -> Catalog:
        """Return the tools whose spec the function accepts."""
        from toolhaft.tools.wrappers import Subset

        return self.view(Subset(self._tools, [n for n in self._tools if keep(self._tools[n].spec)]))

    def select(self, *names: str) -> Catalog:
        """Return the tools of these names, in this order.

        Raises:
            UnknownNameError: There is no such tool.
        """
        from toolhaft.tools.wrappers import Subset

        for name in names:
            if name not in self._tools:
                raise UnknownNameError("tool", name, self._near(name), where=self.name)
        return self.view(Subset(self._tools, list(dict.fromkeys(names))))

    def rename(self, names: Mapping[str, str]) -> Catalog:
        """Return the catalog with some tools under new names, old name -> new name.

        Raises:
            UsageError: A new name is not legal, or taken.
            UnknownNameError: There is no tool of an old name.
        """
        from toolhaft.tools.wrappers import Renamed

        for old in names:
            if old not in self._tools:
                raise UnknownNameError("tool", old, self._near(old), where=self.name)
        return self.view(Renamed(self._tools, {name: names.get(name, name) for name in self._tools}))

    def prefix(self, prefix: str) -> Catalog:
        """Return the catalog with a prefix before every name, cut and hashed where it grows too long."""
        from toolhaft.tools.wrappers import Renamed, prefixed

        return self.view(Renamed(self._tools, {name: prefixed(prefix, name) for name in self._tools}))

    def wrap(
        self, wrapper: Callable[[Tool], Tool], *, version: str = "", keeps_specs: bool = False
    ) -> Catalog:
        """Return the catalog with each tool wrapped when it is used, for example ``wrap(Cached)``.

        Args:
            wrapper: Makes a tool of the same name around another; it may be asked more than once.
            version: Another word whenever the wrapper would make other specs of the same ones. With it, an
                index of a catalog file that is wrapped so can be kept.
            keeps_specs: The wrapper leaves every spec as it is, so that they can be read without it.
        """
        from toolhaft.tools.wrappers import Wrapped

        return self.view(Wrapped(self._tools, wrapper, version, keeps_specs=keeps_specs))

    @classmethod
    def merge(cls, *catalogs: Catalog, name: str = "", report: Any = None) -> Catalog:
        """Return one catalog with the tools of several.

        Raises:
            UsageError: Two hold the same name; use `prefix` or `rename` first.
        """
        from toolhaft.tools.wrappers import Merged

        async def close() -> None:
            async with AsyncExitStack() as stack:
                for catalog in catalogs:
                    stack.push_async_callback(catalog.close)

        tools = Merged([catalog._tools for catalog in catalogs])
        merged = cls(tools, name=name, report=report, close=close)
        merged.parts = catalogs
        return merged

    def save(self, path: Path | str) -> None:
        """Write the catalog to a file (SQLite, format 1) that `open_catalog` opens lazily.

        The file holds a hash of each tool's content and one of all of them; see `hash`.

        Raises:
            UsageError: A tool cannot be kept in a file, or the file cannot be written.
        """
        from toolhaft.tools.catalog_writing import save_catalog

        save_catalog(self, path)

    @staticmethod
    def update_file(
        path: Path | str, put: Iterable[Tool] | Mapping[str, Tool] = (), *, remove: Iterable[str] = ()
    ) -> CatalogUpdate:
        """Add tools to a catalog file, change or remove some, at a cost that only they determine.

        Catalogs that are open show it at once. See `toolhaft.tools.catalog_update.update_catalog`.
        """
        from toolhaft.tools.catalog_update import update_catalog

        return update_catalog(path, put, remove=remove)

    def hash(self) -> str:
        """Return one hash of all tools' content; equal where the tools are, on every machine.

        Where a document lay does not count, nor how an import went. This makes every tool.
        """
        from toolhaft.tools.catalog_hash import hash_catalog, hash_tool

        found = ((name, self._tools[name]) for name in sorted(self._tools))
        return hash_catalog((name, hash_tool(tool.spec, tool.binding()).whole) for name, tool in found)

    async def close(self) -> None:
        """Close the tools that were used, what they share, and `artifacts`; a second call does nothing.

        A view (a filter, a prefix ...) closes the catalogs that it shows.
        """
        if self._closed:
            return
        self._closed = True
        for store in self._artifacts:
            store.forget()
        made: Iterable[Tool] = ()
        if isinstance(self._tools, LazyTools):
            made = self._tools.made()
        elif isinstance(self._tools, dict):
            made = self._tools.values()
        async with AsyncExitStack() as stack:  # one that fails to close keeps no other from closing
            if self._close is not None:
                stack.push_async_callback(_closing, self._close)
            for found in made:
                stack.push_async_callback(found.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_sync()

    def close_sync(self) -> None:
        """Do what `close` does from code that is not async."""
        from toolhaft.tools.loop import run_sync

        run_sync(self.close())

    def view(self, tools: Mapping[str, Tool], *, report: Any = None) -> Catalog:
        """Return a catalog that shows this one's tools otherwise: it shares `artifacts`, and closes this one.

        Args:
            tools: What it shows, for example a `toolhaft.tools.wrappers.Subset`.
            report: Its own report; None is this catalog's.
        """
        shown = Catalog(tools, name=self.name, report=report or (lambda: self.report), close=self.close)
        shown._artifacts = self._artifacts
        return shown

    def _near(self, name: str) -> tuple[str, ...]:
        """Return names that may have been meant: all, or of very many those with the same first letters."""
        if len(self) <= _MANY:
            return self.names
        beginning = str(name)[:_ALIKE].casefold()
        return tuple(islice((n for n in self._tools if n[:_ALIKE].casefold() == beginning), _MANY))

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


async def _closing(close: Callable[[], Any]) -> None:
    waiting = close()
    if waiting is not None:
        await waiting


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
