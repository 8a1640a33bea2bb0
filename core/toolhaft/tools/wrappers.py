"""Views of a catalog's tools: a subset, other names, several as one, and tools wrapped in tools."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from toolhaft.errors import RefusedError, UsageError
from toolhaft.tools.base import CallContext, Tool, ToolResult, check_name
from toolhaft.tools.handles import artifacts_in
from toolhaft.tools.memory import canonical
from toolhaft.tools.specs import MergedSpecs, RenamedSpecs, Specs, WrappedSpecs, specs_of
from toolhaft.types import ArtifactPart, ToolSpec


class View(Mapping[str, Tool]):
    """Tools that others hold; ``_index`` has their names, in order."""

    _index: Mapping[str, Any]

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


class Subset(View):
    """Some of the tools."""

    def __init__(self, tools: Mapping[str, Tool], names: Sequence[str]) -> None:
        self._tools = tools
        self._index = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Tool:
        if name not in self._index:
            raise KeyError(name)
        return self._tools[name]

    def specs(self) -> Specs:
        """Return their specs."""
        return RenamedSpecs(specs_of(self._tools), {name: name for name in self._index})


class Renamed(View):
    """The tools under other names, old name -> new name."""

    def __init__(self, tools: Mapping[str, Tool], names: Mapping[str, str]) -> None:
        self._tools = tools
        self._made: dict[str, Tool] = {}
        self._old: dict[str, str] = {}
        self._index = self._old
        for old, new in names.items():
            check_name(new)
            if new in self._old:
                raise UsageError(f"two tools would be named {new!r}", hint="Choose different names")
            self._old[new] = old

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            old = self._old[name]
            found = self._tools[old]
            made = self._made[name] = found if old == name else NamedTool(found, name)
        return made

    def specs(self) -> Specs:
        """Return their specs under the new names."""
        return RenamedSpecs(specs_of(self._tools), self._old)


class Merged(View):
    """The tools of several mappings."""

    def __init__(self, parts: Sequence[Mapping[str, Tool]]) -> None:
        self._parts = tuple(parts)
        self._home: dict[str, Mapping[str, Tool]] = {}
        self._index = self._home
        for part in parts:
            for name in part:
                if name in self._home:
                    raise UsageError(
                        f"two catalogs have a tool named {name!r}",
                        hint="Give one a prefix: catalog.prefix('shop_')",
                    )
                self._home[name] = part

    def __getitem__(self, name: str) -> Tool:
        return self._home[name][name]

    def specs(self) -> Specs:
        """Return their specs, those of one mapping after the other."""
        return MergedSpecs([specs_of(part) for part in self._parts])


class Wrapped(View):
    """The tools, each wrapped once when it is first used; see `toolhaft.tools.catalog.Catalog.wrap`."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        wrapper: Callable[[Tool], Tool],
        version: str = "",
        *,
        keeps_specs: bool = False,
    ) -> None:
        self._version = version
        self._keeps_specs = keeps_specs
        self._tools = tools
        self._index = tools
        self._wrapper = wrapper
        self._made: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        if name not in self._made:
            self._made[name] = self._wrapper(self._tools[name])
        return self._made[name]

    def specs(self) -> Specs:
        """Return the specs of the wrapped tools; those that nobody used are wrapped for it and let go."""
        specs = specs_of(self._tools)
        return specs if self._keeps_specs else WrappedSpecs(specs, self._spec, self._version)

    def _spec(self, name: str) -> ToolSpec:
        made = self._made.get(name)
        return made.spec if made is not None else self._wrapper(self._tools[name]).spec


class ToolWrapper(Tool):
    """A tool around another; subclasses change what they are about and pass the rest on."""

    def __init__(self, inner: Tool) -> None:
        self.inner = inner

    @property
    def spec(self) -> ToolSpec:  # type: ignore[override]
        """The inner tool's spec."""
        return self.inner.spec

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Call the inner tool."""
        return await self.inner.call(arguments, context)

    def place(self) -> AbstractAsyncContextManager[Any]:
        """Return one of the inner tool's places."""
        return self.inner.place()

    def request(self, arguments: Mapping[str, Any]) -> Any:
        """Return what the inner tool would send."""
        return self.inner.request(arguments)

    def binding(self) -> dict[str, Any] | None:
        """Return the inner tool's binding."""
        return self.inner.binding()

    async def close(self) -> None:
        """Close the inner tool."""
        await self.inner.close()


class NamedTool(ToolWrapper):
    """A tool under another name."""

    def __init__(self, inner: Tool, name: str) -> None:
        super().__init__(inner)
        self._name = name
        self._spec: ToolSpec | None = None

    @property
    def spec(self) -> ToolSpec:  # type: ignore[override]
        """The inner tool's spec with the new name."""
        if self._spec is None:
            self._spec = replace(self.inner.spec, name=self._name)
        return self._spec


class Approved(ToolWrapper):
    """A tool that asks before each call: ``catalog.wrap(lambda tool: Approved(tool, ask))``.

    Args:
        inner: The tool.
        ask: Called with spec and arguments, async or not; false refuses the call.
    """

    def __init__(
        self, inner: Tool, ask: Callable[[ToolSpec, Mapping[str, Any]], bool | Awaitable[bool]]
    ) -> None:
        super().__init__(inner)
        self._ask = ask

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Ask, then call the inner tool.

        Raises:
            RefusedError: The answer was no.
        """
        answer = self._ask(self.spec, arguments)
        if not (await answer if inspect.isawaitable(answer) else answer):
            raise RefusedError("the call was not approved", where=self.spec.name)
        return await self.inner.call(arguments, context)


class Cached(ToolWrapper):
    """A reading tool whose answers are kept by its arguments; tools that write are never cached.

    Args:
        inner: The tool.
        largest: How many answers are kept; the oldest goes first.
    """

    def __init__(self, inner: Tool, *, largest: int = 1000) -> None:
        if largest < 1:
            raise UsageError(f"largest is {largest}", where="Cached", hint="Keep at least 1 answer")
        super().__init__(inner)
        self._largest = largest
        self._kept: dict[str, Any] = {}

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return the kept answer, labelled ``cached``, or call the inner tool and keep what it says."""
        if self.spec.effect != "read":
            return await self.inner.call(arguments, context)
        key = canonical(arguments)
        if key in self._kept and _readable(self._kept[key], context):
            return as_result(self._kept[key], provenance="cached")
        result = await self.inner.call(arguments, context)
        if key not in self._kept and len(self._kept) >= self._largest:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = result
        return result


class Replayed(ToolWrapper):
    """A tool whose answers come from a recording; nothing is ever really called.

    Args:
        inner: The tool, for its spec.
        recording: Canonical arguments (`toolhaft.tools.memory.canonical`) -> value, of this tool.
    """

    def __init__(self, inner: Tool, recording: Mapping[str, Any]) -> None:
        super().__init__(inner)
        self._recording = recording

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return the recorded answer.

        Raises:
            ReplayMissError: There is none for these arguments.
        """
        key = canonical(arguments)
        if key not in self._recording:
            from toolhaft.errors import ReplayMissError

            raise ReplayMissError(
                f"the recording has no call with {key[:200]}", where=self.spec.name, hint="Record it first"
            )
        return as_result(self._recording[key], provenance="replayed")


def _readable(value: Any, context: CallContext) -> bool:
    """Whether the images and files in an answer are kept where this call may read them."""
    parts = value.parts if isinstance(value, ToolResult) else ()
    found = artifacts_in([value.value if isinstance(value, ToolResult) else value])
    found += tuple(part.artifact for part in parts if isinstance(part, ArtifactPart))
    return all(context.artifacts is not None and artifact in context.artifacts for artifact in found)


def as_result(value: Any, *, provenance: Any) -> ToolResult:
    """Return a value or result as a result of the given provenance, without its exchanges."""
    if isinstance(value, ToolResult):
        return replace(value, provenance=provenance, exchanges=())
    return ToolResult(value=value, provenance=provenance)


def prefixed(prefix: str, name: str) -> str:
    """Return the name behind a prefix; beyond 64 characters it is cut and ends in 8 digits of a hash."""
    full = prefix + name
    if len(full) <= 64:
        return full
    return f"{full[:55]}_{hashlib.sha256(full.encode()).hexdigest()[:8]}"
