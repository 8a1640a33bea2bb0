"""A spec as changes leave it, and how arguments find their way back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.curation.rules import ArgumentChange, Changes
from toolhaft.errors import InvalidArgumentsError, SpecError
from toolhaft.tools.base import KEY
from toolhaft.tools.schema import compile_schema
from toolhaft.types import ToolSpec
from toolhaft.types.pointer import unescape

_LONGEST_DESCRIPTION = 1024
_MOST_TAGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A curated tool's spec, and its arguments on their way back.

    Attributes:
        spec: What the model sees.
        names: Argument as the model calls it -> as the tool does, where they differ.
        fixed: Sent always, under the tool's names.
        defaults: Sent where the model gives nothing, under the tool's names.
        unseen: Arguments of the tool that the model must not give.
        problems: What could not be changed, each one sentence.
    """

    spec: ToolSpec
    names: dict[str, str]
    fixed: dict[str, Any]
    defaults: dict[str, Any]
    unseen: frozenset[str]
    problems: tuple[str, ...] = ()

    def back(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the tool takes them.

        Raises:
            InvalidArgumentsError: One is given that is fixed or hidden.
        """
        found = dict(self.defaults)
        for key, value in arguments.items():
            name = self.names.get(key, key)
            if key not in self.names and key in self.unseen:
                raise InvalidArgumentsError(
                    f"the argument {key!r} is not there", where=self.spec.name, hint="Leave it out"
                )
            found[name] = value
        return {**found, **self.fixed}


def change(spec: ToolSpec, changes: Changes) -> Changed:
    """Return a tool's spec after changes; what cannot be changed is left as it is, and said."""
    problems: list[str] = []
    arguments = _Arguments(spec, problems)
    for key, wanted in changes.arguments.items():
        arguments.change(key, wanted)
    made = replace(
        spec,
        name=_filled(changes.rename, "name", spec.name) or spec.name,
        description=_described(changes.describe, spec.description)[:_LONGEST_DESCRIPTION],
        parameters=arguments.schema(),
        effect=changes.effect or spec.effect,
        repeatable=spec.repeatable if changes.repeatable is None else changes.repeatable,
        tags=tuple(dict.fromkeys([*spec.tags, *changes.tags]))[:_MOST_TAGS],
        private=spec.private if changes.private is None else changes.private,
        timeout=spec.timeout if changes.timeout is None else changes.timeout,
        concurrency=spec.concurrency if changes.concurrency is None else changes.concurrency,
        inverse=changes.inverse or spec.inverse,
        examples=changes.examples or arguments.examples(),
        returns=None if changes.result else spec.returns,
    )
    return Changed(
        spec=made,
        names=arguments.names,
        fixed=arguments.fixed,
        defaults=arguments.defaults,
        unseen=frozenset(arguments.unseen),
        problems=tuple(problems),
    )


def _filled(text: str | None, word: str, value: str) -> str:
    return "" if text is None else text.replace(f"{{{word}}}", value).strip()


def _described(text: str | None, old: str) -> str:
    """Return the new description; one that grows too long loses words of the old, not of the rule."""
    if text is None:
        return old
    mark = "{description}"
    room = _LONGEST_DESCRIPTION - len(text.replace(mark, ""))
    each = max(room // max(text.count(mark), 1), 0)
    kept = old if len(old) <= each else f"{old[: max(each - 1, 0)].rstrip()}…"[:each]
    return text.replace(mark, kept).strip() or old


class _Arguments:
    """The arguments of one tool while they change."""

    def __init__(self, spec: ToolSpec, problems: list[str]) -> None:
        self._spec = spec
        self._problems = problems
        self._properties = dict(spec.properties)
        self._required = list(spec.required)
        self._wanted: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.fixed: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}
        self.unseen: set[str] = set()

    def change(self, key: str, wanted: ArgumentChange) -> None:
        """Change one argument."""
        if key not in self._properties:
            self._problems.append(f"there is no argument {key!r}")
            return
        if wanted.fix is not None:
            if self._takes(key, wanted.fix, "fixed value"):
                self._remove(key)
                self.fixed[key] = wanted.fix
            return
        if wanted.hide and key in self._required and wanted.default is None:
            self._problems.append(f"the argument {key!r} is required, and cannot be hidden: fix it instead")
            return
        if wanted.default is not None and self._takes(key, wanted.default, "default"):
            self.defaults[key] = wanted.default
            self._required = [name for name in self._required if name != key]
        if wanted.hide:
            self._remove(key)
            return
        self._describe(key, wanted)
        if wanted.rename:
            self._rename(key, wanted.rename)

    def schema(self) -> dict[str, Any]:
        """Return the schema of what is left."""
        before = self._spec.parameters
        made = {**before, "properties": {self._wanted.get(k, k): v for k, v in self._properties.items()}}
        required = [self._wanted.get(name, name) for name in self._required]
        made.pop("required", None)
        if required:
            made["required"] = required
        if "$defs" in made:
            made["$defs"] = _reached(made)
            if not made["$defs"]:
                del made["$defs"]
        return made

    def examples(self) -> tuple[dict[str, Any], ...]:
        """Return the tool's own examples under the new names."""
        return tuple(
            {self._wanted.get(key, key): value for key, value in each.items() if key not in self.unseen}
            | {self._wanted[key]: each[key] for key in self._wanted if key in each}
            for each in self._spec.examples
        )

    def _remove(self, key: str) -> None:
        del self._properties[key]
        self._required = [name for name in self._required if name != key]
        self.unseen.add(key)

    def _describe(self, key: str, wanted: ArgumentChange) -> None:
        schema = self._properties[key]
        made = dict(schema) if isinstance(schema, dict) else {}
        if wanted.describe is not None:
            made["description"] = wanted.describe.replace("{description}", str(made.get("description", "")))
        if wanted.default is not None and key in self.defaults:
            made["default"] = wanted.default
        if wanted.choices is not None:
            kept = [value for value in wanted.choices if self._takes(key, value, "choice")]
            if kept:
                made["enum"] = kept
        if wanted.examples is not None:
            made["examples"] = list(wanted.examples)
        if wanted.required and key not in self._required and key not in self.defaults:
            self._required.append(key)
        elif wanted.required is False and key in self._required:
            self._problems.append(f"the API requires the argument {key!r}: it needs a default to be optional")
        self._properties[key] = made

    def _rename(self, key: str, name: str) -> None:
        if not KEY.fullmatch(name):
            self._problems.append(
                f"{name[:80]!r} is no name of an argument: 1 to 64 letters, digits, _ . and -"
            )
            return
        taken = {self._wanted.get(other, other) for other in self._spec.properties if other != key}
        if name in taken:
            self._problems.append(f"there is an argument {name!r} already")
            return
        if name != key:
            self._wanted[key] = name
            self.names[name] = key
            self.unseen.add(key)

    def _takes(self, key: str, value: Any, what: str) -> bool:
        """Whether a value fits the argument's schema; says so if not."""
        import jsonschema_rs

        schema = {**self._spec.parameters, "properties": {key: self._spec.properties[key]}}
        schema.pop("required", None)
        try:
            good = bool(compile_schema(schema, bounded=True).is_valid({key: value}))
        except (SpecError, ValueError, jsonschema_rs.ValidationError):  # what cannot be checked is taken
            good = True
        if not good:
            shown = repr(value)[:60]
            self._problems.append(f"the argument {key!r} does not take {shown}, its {what}")
        return good


def _reached(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definitions that a schema still refers to."""
    definitions = schema["$defs"]
    found: dict[str, Any] = {}
    waiting: list[Any] = [{key: value for key, value in schema.items() if key != "$defs"}]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/$defs/"):
                name = reference.removeprefix("#/$defs/").partition("/")[0]
                name = unescape(name)
                if name in definitions and name not in found:
                    found[name] = copy.copy(definitions[name])
                    waiting.append(definitions[name])
            waiting.extend(node.values())
    return {name: value for name, value in definitions.items() if name in found}
