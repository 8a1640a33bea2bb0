"""A tool as its owner's curation leaves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from toolhaft.curation.changing import Changed, change
from toolhaft.curation.projection import project
from toolhaft.curation.rate import Turns
from toolhaft.curation.rules import Changes
from toolhaft.errors import FormatError, ToolError
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.source import ToolSource
from toolhaft.tools.wrappers import ToolWrapper
from toolhaft.types import JSONPart, Part, TextPart, ToolSpec, from_value, to_value

KIND = "curated"
_EFFECTS = ("read", "write", "irreversible")


class CuratedTool(ToolWrapper):
    """A tool with other names, arguments and results than the one behind it.

    Args:
        inner: The tool.
        changes: What is different.
        least_effect: An effect below this one is not taken from the changes.
    """

    def __init__(self, inner: Tool, changes: Changes, *, least_effect: str = "read") -> None:
        super().__init__(inner)
        self.changes = changes
        self.changed: Changed = change(inner.spec, changes)
        spec = self.changed.spec
        if _EFFECTS.index(spec.effect) < _EFFECTS.index(least_effect):
            spec = replace(spec, effect=inner.spec.effect)
        self._spec = spec
        self._turns = None if changes.rate is None else Turns(changes.rate)

    @property
    def spec(self) -> ToolSpec:  # type: ignore[override]
        """What the model sees."""
        return self._spec

    def place(self) -> AbstractAsyncContextManager[Any]:
        """Return one of its places: its own where the curation limits them, else the inner tool's."""
        return self.inner.place() if self.changes.concurrency is None else Tool.place(self)

    def request(self, arguments: Mapping[str, Any]) -> Any:
        """Return what the inner tool would send."""
        return self.inner.request(self.changed.back(arguments))

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Call the inner tool in its turn, and return what is chosen of its result."""
        given = self.changed.back(arguments)
        if self._turns is not None:
            await self._turns.wait()
        try:
            result = await self.inner.call(given, context)
        except ToolError as error:
            name, _, place = error.where.partition("#")
            if name == self.inner.spec.name:
                error.where = f"{self._spec.name}#{place}" if place else self._spec.name
            error.hint = self._in_new_names(error.hint)
            raise
        if isinstance(result, ToolResult):
            notes = tuple(self._in_new_names(note) for note in result.notes)
            result = replace(result, notes=notes, rest=self._in_new_names(result.rest))
        return self._chosen(result) if self.changes.result else result

    def _in_new_names(self, text: str) -> str:
        """Return what the inner tool says of its arguments with the names that the model knows."""
        for old, changed in self.changes.arguments.items():
            if changed.rename and old in text:
                text = text.replace(f"'{old}'", f"'{changed.rename}'")
                text = re.sub(rf"(?<![\w.'-]){re.escape(old)}(?==)", changed.rename, text)
        return text

    def _chosen(self, result: Any) -> Any:
        value = result.value if isinstance(result, ToolResult) else result
        if not isinstance(value, dict | list):
            return result
        try:
            chosen = project(value, self.changes.result, self._spec.name)
        except FormatError as error:  # the call was made all the same
            note = f"The result is whole: {error.what}"
            made = result if isinstance(result, ToolResult) else ToolResult(value=result)
            return replace(made, notes=(*made.notes, note))
        if not isinstance(result, ToolResult):
            return chosen
        # What the tool shows of its value is shown of the chosen part; what it says beside it stays.
        parts: tuple[Part, ...] = tuple(part for part in result.parts if not isinstance(part, JSONPart))
        if parts:
            shown: Part = TextPart(text=chosen) if isinstance(chosen, str) else JSONPart(value=chosen)
            parts = (shown, *parts)
        return replace(result, value=chosen, parts=parts)

    def binding(self) -> dict[str, Any] | None:
        """Return what a catalog file keeps, or None if the inner tool cannot be kept."""
        inner = self.inner.binding()
        if inner is None:
            return None
        return {
            "kind": KIND,
            "format": 1,
            "changes": to_value(self.changes, Changes),
            "spec": to_value(self.inner.spec),
            "inner": inner,
        }


class CuratedSource(ToolSource):
    """Makes curated tools again from catalog files.

    Args:
        source: Gives the source of a kind by name; settings such as ``auth`` are already in it.
    """

    def __init__(self, *, source: Callable[[str], ToolSource]) -> None:
        self._source = source
        self._made: dict[str, ToolSource] = {}

    async def load(self, location: Any) -> Any:
        """Raise: curated tools are in catalog files."""
        raise FormatError("curated tools are opened with their catalog file", where=str(location)[:200])

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make a curated tool again.

        The file may be a stranger's, so that an effect may be stricter than the inner tool's, but not milder.

        Raises:
            FormatError: The binding is damaged, or the spec is not what its changes make of the inner one.
        """
        inner_binding = binding.get("inner")
        kind = inner_binding.get("kind") if isinstance(inner_binding, Mapping) else None
        if binding.get("format") != 1 or not isinstance(kind, str) or kind == KIND:
            raise FormatError("not a binding of a curated tool of format 1", where=spec.name)
        changes = from_value(Changes, binding.get("changes"), where=spec.name)
        inner_spec = from_value(ToolSpec, binding.get("spec"), where=spec.name)
        expected = change(inner_spec, changes).spec
        if replace(expected, name=spec.name) != spec:
            raise FormatError("the tool is not what its curation makes of it", where=spec.name)
        if kind not in self._made:
            self._made[kind] = self._source(kind)
        inner = self._made[kind].bind(inner_spec, inner_binding)  # type: ignore[arg-type]
        made = CuratedTool(inner, changes, least_effect=inner_spec.effect)
        return made if made.spec.name == spec.name else _named(made, spec.name)

    async def close(self) -> None:
        """Close the sources of the inner tools."""
        made, self._made = self._made, {}
        for source in made.values():
            await source.close()


def _named(tool: Tool, name: str) -> Tool:
    from toolhaft.tools.wrappers import NamedTool

    return NamedTool(tool, name)
