"""What changed from one catalog to another, tool by tool: breaking, additive or textual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.tools.catalog_hash import CURATED, hash_tool, slim, uncurated
from toolhaft.tools.catalog_schema_diff import Change, ChangeKind, compare_schemas
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

KINDS: tuple[ChangeKind, ...] = ("breaking", "additive", "textual")
_QUIET = frozenset(["accept", "paging"])
"""Fields of a wire that tell how an answer is read and its pages are followed; no call changes with them."""
_SAID = frozenset(["server", "effect", "repeatable", "answers"])
"""Fields of a wire that stand in the spec too, or are compared by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChange:
    """What changed of one tool.

    Attributes:
        name: Of the tool.
        changes: The differences; a tool that came or went has one.
    """

    name: str
    changes: tuple[Change, ...]

    @property
    def kind(self) -> ChangeKind:
        """The gravest kind among the changes."""
        return next(kind for kind in KINDS if any(change.kind == kind for change in self.changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDiff:
    """What changed between two catalogs.

    Attributes:
        tools: The tools that changed, came or went, in the old catalog's order, new ones last.
        same: How many did not change.
    """

    tools: tuple[ToolChange, ...] = ()
    same: int = 0

    def counts(self) -> dict[str, int]:
        """Return kind -> how many tools have that as their gravest change."""
        found = Counter(tool.kind for tool in self.tools)
        return {kind: found[kind] for kind in KINDS}

    def has(self, *kinds: str) -> bool:
        """Whether any tool has a change of one of the kinds."""
        return any(change.kind in kinds for tool in self.tools for change in tool.changes)

    def __str__(self) -> str:
        counted = ", ".join(f"{count} {kind}" for kind, count in self.counts().items())
        return f"{counted}, {self.same} unchanged"

    def to_dict(self) -> dict[str, Any]:
        """Return the differences as JSON values."""
        return {
            **self.counts(),
            "unchanged": self.same,
            "tools": [
                {"name": tool.name, "kind": tool.kind, "changes": [asdict(change) for change in tool.changes]}
                for tool in self.tools
            ],
        }


def compare_catalogs(old: Catalog, new: Catalog) -> CatalogDiff:
    """Compare two catalogs tool by tool, by name.

    A tool that sends the same method to the same path under another name is a tool that went and one that
    came; the first says what it is called now.
    """
    found: list[ToolChange] = []
    same = 0
    places = {_place(new.spec(name)): name for name in new if name not in old}
    for name in old:
        if name not in new:
            spec = old.spec(name)
            renamed = places.get(_place(spec), "") if _place(spec) else ""
            what = f"the tool was removed; {renamed} does the same" if renamed else "the tool was removed"
            found.append(ToolChange(name=name, changes=(Change(kind="breaking", pointer="", what=what),)))
        elif changes := tuple(compare_tools(old[name], new[name])):
            found.append(ToolChange(name=name, changes=changes))
        else:
            same += 1
    for name in new:
        if name not in old:
            change = Change(kind="additive", pointer="", what="the tool is new")
            found.append(ToolChange(name=name, changes=(change,)))
    return CatalogDiff(tools=tuple(found), same=same)


def compare_tools(old: Tool, new: Tool) -> list[Change]:
    """Return what changed of one tool."""
    bindings = old.binding() or {}, new.binding() or {}
    before, after = hash_tool(old.spec, bindings[0]), hash_tool(new.spec, bindings[1])
    if before == after:
        return []
    found = compare_specs(old.spec, new.spec)
    if before.wire != after.wire:
        found += _wires(*bindings, known={change.pointer for change in found})
    if old.spec.returns is None or new.spec.returns is None:  # else they are compared already
        found += _answers(*bindings)
    return found


def compare_specs(old: ToolSpec, new: ToolSpec) -> list[Change]:
    """Return what changed between two specs."""
    found = list(_effects(old, new))
    if old.hosts != new.hosts:
        what = f"speaks to {_listed(new.hosts)} instead of {_listed(old.hosts)}"
        found.append(Change(kind="breaking", pointer="/hosts", what=what))
    found += compare_schemas(old.parameters, new.parameters, "/parameters")
    if old.returns is not None and new.returns is not None:
        found += compare_schemas(old.returns, new.returns, "/returns", output=True)
    elif old.returns != new.returns:
        said = "is not known any more" if new.returns is None else "is known now"
        kind: ChangeKind = "breaking" if new.returns is None else "additive"
        found.append(Change(kind=kind, pointer="/returns", what=f"the schema of the result {said}"))
    return [*found, *_texts(old, new)]


def _effects(old: ToolSpec, new: ToolSpec) -> Iterator[Change]:
    if old.effect != new.effect:
        what = f"the effect was {old.effect}, is {new.effect}"
        yield Change(kind="breaking", pointer="/effect", what=what)
    if old.repeatable != new.repeatable:
        kind: ChangeKind = "additive" if new.repeatable else "breaking"
        said = "may be repeated now" if new.repeatable else "may not be repeated any more"
        yield Change(kind=kind, pointer="/repeatable", what=f"a call {said}")
    for key in ("private", "untrusted", "inverse"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Change(kind="breaking", pointer=f"/{key}", what=f"{key} was {before}, is {after}")


def _texts(old: ToolSpec, new: ToolSpec) -> Iterator[Change]:
    for key in ("description", "tags", "parent", "examples", "timeout", "concurrency"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Change(kind="textual", pointer=f"/{key}", what=f"was {before!r:.300}, is {after!r:.300}")
    for key in dict.fromkeys((*old.metadata, *new.metadata)):
        before, after = old.metadata.get(key), new.metadata.get(key)
        if before != after:
            gone = key in ("security", "method", "path")
            kind: ChangeKind = "breaking" if gone else "textual"
            what = f"{key} was {before!r:.100}, is {after!r:.100}"
            yield Change(kind=kind, pointer=f"/metadata/{key}", what=what)


def _wires(old: Mapping[str, Any], new: Mapping[str, Any], known: set[str]) -> Iterator[Change]:
    """Yield what changed of how requests are made and does not show in the spec."""
    (old, changed), (new, changes) = uncurated(old), uncurated(new)
    for part, verb in CURATED.items():
        if changed.get(f"curated {part}") != changes.get(f"curated {part}"):
            what = f"the curation {verb} otherwise"
            yield Change(kind="breaking", pointer=f"/curation/{part}", what=what)
    before, after = _flat(old), _flat(new)
    for place in dict.fromkeys((*before, *after)):
        was, now = before.get(place), after.get(place)
        field, _, key = place.lstrip("/").partition("/")
        if was == now or field in _SAID:
            continue
        argument = f"/parameters/properties/{key}"
        if key and (was is None or now is None) and any(pointer == argument for pointer in known):
            continue  # an argument that came or went is told of already
        if field == "security" and "/metadata/security" in known:
            continue
        kind: ChangeKind = "textual" if field in _QUIET else "breaking"
        what = f"requests are made otherwise: {place.lstrip('/')} was {was!r:.120}, is {now!r:.120}"
        yield Change(kind=kind, pointer=f"/wire{place}", what=what)


def _answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what changed of what the document says of answers, by status."""
    before, after = _by_status(old), _by_status(new)
    for status in dict.fromkeys((*before, *after)):
        place = f"/wire/answers/{status}"
        if status not in after:
            yield Change(kind="breaking", pointer=place, what=f"nothing is said of status {status} any more")
        elif status not in before:
            yield Change(kind="additive", pointer=place, what=f"status {status} is described now")
        else:
            yield from compare_schemas(
                before[status].get("schema") or True, after[status].get("schema") or True, place, output=True
            )


def _by_status(binding: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    wire = uncurated(binding)[0].get("wire")
    listed = wire.get("answers") if isinstance(wire, Mapping) else None
    return {str(each.get("status")): each for each in listed or () if isinstance(each, Mapping)}


def _flat(binding: Mapping[str, Any]) -> dict[str, Any]:
    """Return place -> value; entries of lists that have a key stand by that key."""
    found: dict[str, Any] = {}
    wire = slim(binding.get("wire", binding))
    pending = [(f"/{key}", value) for key, value in wire.items()] if isinstance(wire, Mapping) else []
    for place, value in pending:
        if place == "/body" and isinstance(value, Mapping):
            pending += [(f"/{key}" if key == "fields" else f"/body.{key}", v) for key, v in value.items()]
        elif isinstance(value, list) and all(isinstance(item, dict) and "key" in item for item in value):
            pending += [(f"{place}/{item['key']}", item) for item in value]
        else:
            found[place] = value
    return found


def _place(spec: ToolSpec) -> tuple[str, str] | None:
    method, path = spec.metadata.get("method"), spec.metadata.get("path")
    return (str(method), str(path)) if method and path else None


def _listed(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts) or "no host"
