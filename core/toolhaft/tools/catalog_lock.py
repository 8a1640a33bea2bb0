"""Locks: what was approved of each tool, and the refusal of what is something else now.

A server or document that shows a harmless description until it is trusted, and another one afterwards, is the
"rug pull" of tool catalogs. A lock keeps what a person approved; a tool that is not that any more can neither
be called nor say anything to a model until it is approved again.

Source: Invariant Labs, "MCP Security Notification: Tool Poisoning Attacks" (2025), which names the attack.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from toolhaft.errors import FormatError, RefusedError, UnknownNameError, UsageError
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_diff import compare_specs
from toolhaft.tools.catalog_hash import PARTS, digest, hash_catalog, hash_tool
from toolhaft.tools.catalog_schema_diff import Change
from toolhaft.tools.policy import UNAPPROVED
from toolhaft.tools.wrappers import ToolWrapper
from toolhaft.types import FORMAT, ToolSpec, from_value, to_value

ENDING = ".lock.json"
_LARGEST = 200_000_000
_NAMES = {"schema": "arguments", "wire": "requests", "rest": "tags, examples or result"}
"""Part -> what a person calls it, where that is another word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTool:
    """A tool as it was approved.

    Attributes:
        hashes: Part -> hash; see `toolhaft.tools.catalog_hash.ToolHash`.
        spec: What was shown to whoever approved it, the schema of the result left out.
    """

    hashes: dict[str, str]
    spec: ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What was approved of a catalog.

    Attributes:
        tools: Name -> the tool as approved.
        name: Of the catalog.
    """

    tools: Mapping[str, LockedTool]
    name: str = ""

    def drift(self, tool: Tool, *, chosen: Collection[str] = ()) -> str:
        """Return why the tool is not what was approved, or empty if it is.

        Args:
            tool: The tool as it is.
            chosen: Parts that the caller chose anew, ``hosts`` for example, which are not compared.
        """
        locked = self.tools.get(tool.spec.name)
        if locked is None:
            return "it was never approved"
        now = hash_tool(tool.spec, tool.binding()).to_dict()
        parts = [
            _NAMES.get(part, part)
            for part in PARTS
            if part not in chosen and now[part] != locked.hashes.get(part)
        ]
        return f"changed since it was approved: {', '.join(parts)}" if parts else ""

    def changes(self, tool: Tool) -> list[Change]:
        """Return what changed of a tool since it was approved; an unknown tool is one textual change."""
        locked = self.tools.get(tool.spec.name)
        if locked is None:
            return [Change(kind="additive", pointer="", what="the tool is new")]
        now = hash_tool(tool.spec, tool.binding())
        found = compare_specs(locked.spec, replace(tool.spec, returns=None))
        if now.wire != locked.hashes.get("wire"):
            found.append(Change(kind="breaking", pointer="/wire", what="requests are made otherwise"))
        if now.rest != locked.hashes.get("rest") and all(change.kind != "textual" for change in found):
            found.append(Change(kind="breaking", pointer="/returns", what="what is said of results changed"))
        return found

    def approve(self, catalog: Catalog, names: Iterable[str]) -> Lock:
        """Return the lock with these tools as they are now; those that are gone are left out.

        Raises:
            UnknownNameError: Neither catalog nor lock has a tool of a name.
        """
        tools = dict(self.tools)
        for name in names:
            if name in catalog:
                tools[name] = _locked(original(catalog[name]))
            elif name in tools:
                del tools[name]
            else:
                raise UnknownNameError("tool", name, catalog.names, where=catalog.name)
        return Lock(tools=tools, name=self.name or catalog.name)


def lock_catalog(catalog: Catalog) -> Lock:
    """Return a lock that approves every tool as it is."""
    return Lock(tools={name: _locked(original(catalog[name])) for name in catalog}, name=catalog.name)


def apply_lock(catalog: Catalog, lock: Lock, *, chosen: Collection[str] = ()) -> Catalog:
    """Return the catalog with every tool refused that is not what the lock approved.

    Such a tool keeps its name and says to a model what was approved of it, never the new text. Tools are
    compared when they are first used. For ``chosen`` see `Lock.drift`.
    """

    def checked(tool: Tool) -> Tool:
        reason = lock.drift(tool, chosen=chosen)
        return Unapproved(tool, reason, lock.tools.get(tool.spec.name)) if reason else tool

    approved = {name: tool.hashes for name, tool in lock.tools.items()}
    return catalog.wrap(checked, version=digest([approved, sorted(chosen)]))


class Unapproved(ToolWrapper):
    """A tool that is not what was approved: it can be looked at, and not be called.

    Args:
        inner: The tool as it is now.
        reason: What is the matter.
        approved: What was approved; None if it never was.
    """

    def __init__(self, inner: Tool, reason: str, approved: LockedTool | None) -> None:
        super().__init__(inner)
        self._reason = reason
        note = f"Not approved, cannot be called: {reason}."
        base = approved.spec if approved else ToolSpec(name=inner.spec.name)
        self._spec = replace(
            base,
            name=inner.spec.name,
            description=f"{note} {base.description}".strip(),
            effect="irreversible",
            repeatable=False,
            untrusted=True,
            hosts=inner.spec.hosts,
            source=inner.spec.source,
            metadata={**base.metadata, UNAPPROVED: reason},
        )

    @property
    def spec(self) -> ToolSpec:  # type: ignore[override]
        """What was approved, marked as no longer true."""
        return self._spec

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Refuse the call.

        Raises:
            RefusedError: Always.
        """
        self._refuse()

    def binding(self) -> dict[str, Any] | None:
        """Refuse to be kept in a file under the approved spec.

        Raises:
            RefusedError: Always.
        """
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RefusedError(
            f"the tool is not approved: {self._reason}",
            where=self.spec.name,
            hint=f"See and approve it: toolhaft tools lock CATALOG --approve {self.spec.name}",
        )


def original(tool: Tool) -> Tool:
    """Return the tool as it is now where it is refused, else itself."""
    return tool.inner if isinstance(tool, Unapproved) else tool


def lock_beside(path: Path | str) -> Path | None:
    """Return where the lock of a catalog or document lies: ``pets.lock.json`` beside ``pets.catalog``.

    What is no path of a file has none.
    """
    try:
        return Path(path).with_suffix(ENDING)
    except ValueError:
        return None


def read_lock(path: Path | str) -> Lock:
    """Read a lock file.

    Raises:
        UsageError: It cannot be read.
        FormatError: It is no lock.
    """
    where = str(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        hint = "Make one: toolhaft tools lock CATALOG"
        raise UsageError(f"cannot read the lock: {error.strerror}", where=where, hint=hint) from None
    try:
        if len(data) > _LARGEST:
            raise ValueError(f"larger than {_LARGEST} bytes")
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not a lock: {error}", where=where) from None
    if (
        not isinstance(value, dict)
        or value.get("format") != FORMAT
        or not isinstance(value.get("tools"), dict)
    ):
        raise FormatError(f"not a lock of format {FORMAT}", where=where)
    tools = {name: _read(name, entry, where) for name, entry in value["tools"].items()}
    return Lock(tools=tools, name=str(value.get("name", "")))


def write_lock(lock: Lock, path: Path | str) -> None:
    """Write a lock; the file appears whole or not at all, and is the same for the same tools.

    Raises:
        UsageError: It cannot be written.
    """
    target = Path(path)
    whole = hash_catalog(
        (name, json.dumps(lock.tools[name].hashes, sort_keys=True)) for name in sorted(lock.tools)
    )
    head = json.dumps({"format": FORMAT, "name": lock.name, "hash": whole}, indent=1).removesuffix("\n}")
    # One line a tool: a review sees which ones changed.
    lines = [
        f"{json.dumps(name)}: {json.dumps(_written(lock.tools[name]), sort_keys=True, separators=(',', ':'))}"
        for name in sorted(lock.tools)
    ]
    text = f'{head},\n "tools": {{\n' + ",\n".join(lines) + "\n}}\n"
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise UsageError(
            f"cannot write: {error.strerror}", where=str(target), hint="Check the folder"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _locked(tool: Tool) -> LockedTool:
    hashes = hash_tool(tool.spec, tool.binding()).to_dict()
    return LockedTool(hashes=hashes, spec=replace(tool.spec, returns=None))


def _written(tool: LockedTool) -> dict[str, Any]:
    # The schema of the result is large, nothing that a model reads, and hashed all the same.
    shown = {key: value for key, value in to_value(tool.spec).items() if key != "returns"}
    spec = {key: value for key, value in shown.items() if value not in (None, "", [], {})}
    _, mark, pointer = tool.spec.source.partition("#")
    spec["source"] = mark + pointer  # where the document lay is no part of what was approved
    return {**tool.hashes, "approved": spec}


def _read(name: str, entry: Any, where: str) -> LockedTool:
    if not isinstance(entry, dict) or not isinstance(entry.get("approved"), dict):
        raise FormatError("the lock of the tool is damaged", where=f"{where}#/tools/{name}")
    hashes = {part: str(entry.get(part, "")) for part in PARTS}
    spec = from_value(ToolSpec, entry["approved"], where=f"{where}#/tools/{name}/approved")
    return LockedTool(hashes=hashes, spec=spec)
