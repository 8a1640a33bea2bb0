"""A catalog file, read tool by tool; `toolhaft.tools.catalog_writing` tells its tables.

Nothing is read before it is used, the report neither: opening costs the same for any number of tools.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_database import CatalogDatabase, parse_json
from toolhaft.tools.catalog_writing import COLLECTED, paths_of
from toolhaft.tools.file_specs import FileSpecs
from toolhaft.tools.report import Report
from toolhaft.tools.source import ToolSource
from toolhaft.tools.wrappers import ToolWrapper
from toolhaft.types import ToolSpec

_VALUES = "SELECT DISTINCT json_extract(binding, ?) FROM tools"
_HELD = 1_000
"""Tools that are held after they were asked for."""


def open_catalog_file(
    path: Path | str,
    bind: Callable[[ToolSpec, Mapping[str, Any]], Tool],
    *,
    release: Callable[[], Awaitable[None]] | None = None,
    check: Callable[[FileTools], None] | None = None,
) -> Catalog:
    """Open a catalog file; tools are read when used.

    Args:
        path: The file.
        bind: Makes a tool from its spec and binding.
        release: Awaited when the catalog is closed, after its tools.
        check: Looks at the file's tools, and raises if it may not be opened so.

    Raises:
        UsageError: There is no such file.
        FormatError: It is not a catalog, is damaged, or of a newer format.
    """
    where = Path(path)
    if not where.is_file():
        raise UsageError(
            "there is no such catalog file", where=str(where), hint="toolhaft tools import SPEC -o FILE"
        )
    tools = FileTools(where, bind, release)
    try:
        tools.check()
        if check is not None:
            check(tools)
        name = tools.name
    except ToolhaftError:
        tools.disconnect()
        raise
    return Catalog(tools, name=name, report=tools.report, close=tools.close)


class FileTools(Mapping[str, Tool]):
    """The tools of a catalog file; memory does not grow with their number.

    A tool is made when it is asked for. The last 1,000 are held, those that have something to close until
    then, and those that somebody else holds.
    """

    def __init__(
        self,
        path: Path,
        bind: Callable[[ToolSpec, Mapping[str, Any]], Tool],
        release: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._file = CatalogDatabase(path)
        self._bind = bind
        self._release = release
        self._making = threading.RLock()
        self._moment = 0
        self._made: WeakValueDictionary[str, Tool] = WeakValueDictionary()
        self._recent: dict[str, Tool] = {}
        self._closing: list[Tool] = []

    def check(self) -> None:
        """Raise `FormatError` unless the file is a catalog of a format that this version reads."""
        self._file.check()

    @property
    def name(self) -> str:
        """What the file says that a person calls the catalog."""
        return self._file.about().get("name", "")

    def specs(self) -> FileSpecs:
        """Return the specs, read from the file when they are asked for; no tool is made for it."""
        return FileSpecs(self._file)

    def report(self) -> Any:
        """Return how the import went, if that was kept: a `Report`, or what a source of another kind kept.

        Raises:
            FormatError: It is damaged.
        """
        path = self._file.path
        rows = self._file.query("SELECT value FROM about WHERE key = 'report'")
        value = parse_json(rows[0][0] or "null", path) if rows else None
        known = isinstance(value, dict) and "operations" in value
        return Report.from_dict(value, where=str(path)) if known else value

    def __getitem__(self, name: str) -> Tool:
        with self._making:  # agents on other event loops ask too
            self._forget_what_changed()
            made = self._made.get(name)
            if made is None:
                made = self._made[name] = self._make(name)
                if _closes(made):
                    self._closing.append(made)
            self._recent.pop(name, None)
            self._recent[name] = made
            if len(self._recent) > _HELD:
                del self._recent[next(iter(self._recent))]
            return made

    def _make(self, name: str) -> Tool:
        spec = self._file.spec(name)
        where = f"{self._file.path}#{name}"
        rows = self._file.query("SELECT binding FROM tools WHERE name = ?", name)
        binding = parse_json(rows[0][0] if rows else None, where)
        if not isinstance(binding, dict):
            raise FormatError("the tool's record is damaged", where=where)
        return self._bind(spec, binding)

    def _forget_what_changed(self) -> None:
        """Forget the tools that were made of what the file held before somebody changed it."""
        moment = self._file.moment()
        if moment != self._moment:
            self._moment = moment
            self._made.clear()
            self._recent.clear()

    def __contains__(self, name: object) -> bool:
        return self._file.has(name)

    def __iter__(self) -> Iterator[str]:
        return self._file.names()

    def __len__(self) -> int:
        return self._file.count()

    def values_at(self, path: str) -> list[Any]:
        """Return the different values at a JSON path in the bindings, those in tools inside tools too.

        Objects and lists come as JSON text.
        """
        if path in COLLECTED and self._file.has_table("kept"):
            rows = self._file.query("SELECT value FROM kept WHERE path = ?", path)
        else:
            rows = [row for each in paths_of(path) for row in self._file.query(_VALUES, each)]
        return [value for value in dict.fromkeys(value for (value,) in rows) if value is not None]

    async def close(self) -> None:
        """Close the tools that were made, what made them, and the file."""
        async with AsyncExitStack() as stack:
            stack.callback(self.disconnect)
            if self._release is not None:
                stack.push_async_callback(self._release)
            for made in self._closing:
                stack.push_async_callback(made.close)

    def disconnect(self) -> None:
        """Close the file alone."""
        self._file.close()


class CatalogFileSource(ToolSource):
    """Catalog files: ``catalog:petstore.catalog``, or a path that ends in ``.catalog``.

    Args:
        source: Gives the source of a kind by name; settings such as ``auth`` are already in it.
        check: Whether these settings are held against what the file keeps.
    """

    def __init__(self, *, source: Callable[[str], ToolSource], check: bool = False) -> None:
        self._source = source
        self._check = check

    async def load(self, location: Any) -> Catalog:
        """Open the file; closing the catalog closes the sources that made its tools."""
        made: dict[str, ToolSource] = {}

        def source_of(kind: str) -> ToolSource:
            if kind not in made:
                made[kind] = self._source(kind)
            return made[kind]

        def bind(spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
            try:
                return source_of(str(binding.get("kind", ""))).bind(spec, binding)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise FormatError(
                    f"the tool {spec.name!r} cannot be made from what the file keeps of it: "
                    f"{type(error).__name__}: {str(error)[:200]}",
                    where=str(location),
                    hint="Import the tools again, or mend the plugin that brings them",
                ) from error

        async def release() -> None:
            async with AsyncExitStack() as stack:  # one that fails to close keeps no other from closing
                for source in made.values():
                    stack.push_async_callback(source.close)

        def check(tools: FileTools) -> None:
            for kind in tools.values_at("$.kind"):
                source_of(str(kind)).check_kept(tools.values_at)

        return open_catalog_file(str(location), bind, release=release, check=check if self._check else None)


def _closes(tool: Tool) -> bool:
    """Whether closing the tool, or one that it is around, does anything."""
    while isinstance(tool, ToolWrapper) and type(tool).close is ToolWrapper.close:
        tool = tool.inner
    return type(tool).close is not Tool.close
