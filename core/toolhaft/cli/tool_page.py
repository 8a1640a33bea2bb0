"""One tool as a person reads it: arguments and where they go, an example, effect, hosts, what was noticed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.cli.example_values import DEEPEST, example_of
from toolhaft.cli.output import print_line, print_table
from toolhaft.errors import UnknownNameError
from toolhaft.tools.base import Tool
from toolhaft.tools.policy import UNAPPROVED
from toolhaft.tools.report import OperationReport
from toolhaft.tools.subschemas import resolved
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.profiles import Profiled

_MOST_ROWS = 200
_LIMITS = {
    "const": "=",
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
    "minLength": "characters >=",
    "maxLength": "characters <=",
    "minItems": "items >=",
    "maxItems": "items <=",
    "pattern": "pattern",
    "format": "format",
    "default": "default",
}
"""Keyword of JSON Schema -> how it is shown."""
_WHY = {
    "read": "it only reads: it runs without being asked for",
    "write": "it changes something: it needs leave (--allow write, or its name)",
    "irreversible": "it cannot be undone: it needs leave (--allow irreversible, or its name)",
}


def print_page(tool: Tool, location: str, entry: OperationReport | None) -> None:
    """Print everything about a tool."""
    spec, wire = tool.spec, wire_of(tool)
    repeatable = ", repeatable" if spec.repeatable else ""
    print_line(f"{spec.name}  ({spec.effect}{repeatable})")
    print_line(f"from {spec.source}")
    if reason := spec.metadata.get(UNAPPROVED):
        print_line(f"REFUSED: {reason}. See what changed: toolhaft tools lock {shlex.quote(location)}")
    if spec.description:
        print_line()
        print_line(spec.description)
    print_line()
    _print_arguments(spec, wire)
    print_line()
    for name, value in _facts(spec, wire):
        print_line(f"{name + ':':12} {value}")
    for problem in entry.problems if entry else ():
        print_line(f"{'noticed:':12} {problem.severity}: {problem}")
    print_line()
    print_line(call_line(spec, location))


def call_line(spec: ToolSpec, location: str) -> str:
    """Return a command that calls the tool, with an example of the document or values made up by type."""
    given = dict(spec.examples[0]) if spec.examples else {}
    if not given:
        given = {key: example_of(spec.properties.get(key), spec.parameters) for key in spec.required}
    words = [
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in given.items()
    ]
    return shlex.join(["toolhaft", "call", location, spec.name, *words])


def profiled(spec: ToolSpec, profile: str | None) -> Profiled:
    """Return the arguments' schema as a provider gets it.

    Raises:
        UnknownNameError: There is no such profile.
    """
    from toolhaft.tools.profiles import PROFILES, fit

    name = next((each for each in PROFILES if each == (profile or "plain")), None)
    if name is None:
        raise UnknownNameError("profile", str(profile), PROFILES, where="--profile")
    return fit(spec.parameters, name)


def wire_of(tool: Tool) -> Mapping[str, Any]:
    """Return how a tool's requests are made, as far as its binding tells."""
    binding = None if tool.spec.metadata.get(UNAPPROVED) else tool.binding()
    wire = (binding or {}).get("wire")
    return wire if isinstance(wire, Mapping) else {}


def places_of(wire: Mapping[str, Any]) -> dict[str, str]:
    """Return argument -> where it goes: ``path``, ``query``, ``body`` ..., with its other name there."""
    found: dict[str, str] = {}
    for parameter in wire.get("parameters") or ():
        found[parameter["key"]] = _placed(parameter["place"], parameter)
    body = wire.get("body") or {}
    if body.get("key"):
        found[body["key"]] = f"body ({body.get('media_type', '')})"
    for field in () if body.get("key") else body.get("fields") or ():
        found.setdefault(field["key"], _placed("body", field))
    return found


def _placed(place: str, field: Mapping[str, Any]) -> str:
    return place if field["name"] == field["key"] else f"{place} {field['name']}"


def _print_arguments(spec: ToolSpec, wire: Mapping[str, Any]) -> None:
    places = places_of(wire)
    rows = []
    for name, schema, depth, required in _rows(spec):
        place = places.get(name, "body" if wire.get("body") else "") if depth == 0 else ""
        shown = f"{'  ' * depth}{name}"
        described = str(resolved(schema, spec.parameters).get("description", ""))
        rows.append(
            (
                shown,
                kind_of(schema, spec.parameters),
                "yes" if required else "",
                place,
                _first_line(described),
            )
        )
    if not rows:
        print_line("No arguments.")
    elif wire:
        print_table(("ARGUMENT", "TYPE", "REQUIRED", "GOES TO", "DESCRIPTION"), rows)
    else:
        titles = ("ARGUMENT", "TYPE", "REQUIRED", "DESCRIPTION")
        print_table(titles, [(*row[:3], row[4]) for row in rows])


def _rows(spec: ToolSpec) -> Iterator[tuple[str, Any, int, bool]]:
    """Yield name, schema, depth and whether required, members below what they are members of.

    A definition inside itself is not opened again.
    """
    above: frozenset[int] = frozenset()
    pending = [(key, node, 0, key in spec.required, above) for key, node in reversed(spec.properties.items())]
    for _ in range(_MOST_ROWS):
        if not pending:
            return
        name, node, depth, required, above = pending.pop()
        yield name, node, depth, required
        inner = resolved(node, spec.parameters)
        if isinstance(inner.get("items"), Mapping):
            inner = resolved(inner["items"], spec.parameters)
        members = inner.get("properties")
        if isinstance(members, Mapping) and depth + 1 < DEEPEST and id(members) not in above:
            needed = inner.get("required") or ()
            opened = above | {id(members)}
            pending += [
                (key, child, depth + 1, key in needed, opened) for key, child in reversed([*members.items()])
            ]
    yield "...", {}, 0, False


def _facts(spec: ToolSpec, wire: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "effect", f"{spec.effect}: {spec.metadata.get('effect') or _WHY[spec.effect]}"
    if wire:
        yield "request", f"{wire.get('method', '')} {wire.get('server', '')}{wire.get('path', '')}"
        body = wire.get("body") or {}
        types = [each["media_type"] for each in (body, *(wire.get("bodies") or ())) if each]
        if types:
            yield "body", ", ".join(dict.fromkeys(types))
    yield "hosts", ", ".join(spec.hosts) or "none: it runs here"
    yield "security", str(spec.metadata.get("security") or "none asked for")
    if spec.private or spec.inverse:
        yield "also", ", ".join(filter(None, ["private results" * spec.private, f"undone by {spec.inverse}"]))
    if spec.returns:
        yield "returns", kind_of(spec.returns, spec.returns)
    for answer in wire.get("answers") or ():
        yield "answers", f"{answer.get('status', '')} {', '.join(answer.get('media_types') or ())}".strip()
    if paging := wire.get("paging"):
        how = " by ".join(filter(None, [str(paging.get("kind", "")), str(paging.get("argument", ""))]))
        yield "pages", f"{how}; follow them with --pages N"
    for key in ("docs", "deprecated"):
        if told := spec.metadata.get(key):
            yield key, str(told)
    if spec.tags:
        yield "tags", ", ".join(spec.tags)


def kind_of(schema: Any, root: Mapping[str, Any], depth: int = 0) -> str:
    """Return a schema in a few words: ``integer, >= 1``, ``array of string``, ``a | b``."""
    schema = resolved(schema, root)
    if isinstance(schema.get("enum"), list):
        rest = " | ..." if len(schema["enum"]) > 6 else ""
        return " | ".join(str(value) if value != "" else '""' for value in schema["enum"][:6]) + rest
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list) and depth < DEEPEST:
            return " or ".join(dict.fromkeys(kind_of(branch, root, depth + 1) for branch in schema[key][:4]))
    kind = schema.get("type", "object" if "properties" in schema else "any")
    shown = "/".join(str(each) for each in kind) if isinstance(kind, list) else str(kind)
    if "array" in shown and isinstance(schema.get("items"), Mapping) and depth < DEEPEST:
        shown += f" of {kind_of(schema['items'], root, depth + 1)}"
    if "object" in shown and schema is root and isinstance(schema.get("properties"), Mapping):
        shown += f" of {', '.join(list(schema['properties'])[:12])}"
    limits = [f"{sign} {schema[key]}" for key, sign in _LIMITS.items() if key in schema]
    return ", ".join([shown, *limits])


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]
