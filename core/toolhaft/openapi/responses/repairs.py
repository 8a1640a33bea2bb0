"""What an answer blames, in the terms of the call: the argument, and the schema that it must fit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from toolhaft.openapi.responses.shapes import Failure, FieldProblem
from toolhaft.tools.subschemas import resolved
from toolhaft.types.pointer import json_pointer, unescape

if TYPE_CHECKING:
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.types import ToolSpec

_LONGEST_SCHEMA = 300
_LONGEST_HINT = 900
_PIECE = re.compile(r"[^.\[\]/]+")
_QUOTED = re.compile(r"[`'\"“‘]([A-Za-z_$][\w.\[\]$-]{0,60})[`'\"”’]")
_AROUND = frozenset(
    {"$", "#", "body", "data", "attributes", "relationships", "query", "path", "header", "headers", "cookie"}
    | {"params", "parameters", "requestbody", "request", "input", "payload", "root", "__root__", "json"}
)
"""What answers put before the name of a value."""
_SAID_ELSEWHERE = ("description", "examples", "example", "default", "title", "deprecated")


def repairs(failure: Failure, wire: Wire, spec: ToolSpec | None) -> list[dict[str, Any]]:
    """Return what to change: ``argument``, ``pointer`` into the arguments, ``message``, ``schema``.

    Args:
        failure: What the answer says.
        wire: Its names are turned back into those of arguments.
        spec: Has the schemas; None leaves them out.
    """
    keys = _keys(wire, spec)
    found: list[dict[str, Any]] = []
    for problem in failure.fields:
        entry = _repair(problem, keys, wire, spec)
        if entry is not None and all(entry["pointer"] != other["pointer"] for other in found):
            found.append(entry)
    if not found:
        for name in _QUOTED.findall(failure.detail)[:5]:
            entry = _repair(FieldProblem(place=name, message=""), keys, wire, spec)
            if entry is not None and all(entry["pointer"] != other["pointer"] for other in found):
                found.append(entry)
    return found


def repair_line(found: list[dict[str, Any]]) -> str:
    """Return one line that says what to change; empty if nothing was blamed."""
    said: list[str] = []
    for entry in found[:4]:
        name = entry["argument"] if entry["pointer"].count("/") < 2 else entry["pointer"][1:]
        facts = [entry["message"]] if entry["message"] else []
        if "schema" in entry:
            facts.append(f"it must fit {json.dumps(entry['schema'], ensure_ascii=False)}")
        said.append(f"{name!r} ({'; '.join(facts)})" if facts else repr(name))
    line = f"Change {', '.join(said)} and call again" if said else ""
    return line if len(line) <= _LONGEST_HINT else f"{line[:_LONGEST_HINT]}…"


def _keys(wire: Wire, spec: ToolSpec | None) -> dict[str, str]:
    """Return plain wire name -> argument; a path or query name stands above a body's of the same name."""
    found: dict[str, str] = {}
    for parameter in wire.parameters:
        found.setdefault(_plain(parameter.name), parameter.key)
    for field in wire.body.fields if wire.body is not None else ():
        found.setdefault(_plain(field.name), field.key)
    for key in spec.properties if spec is not None else ():
        found.setdefault(_plain(key), key)
    return found


def _repair(
    problem: FieldProblem, keys: dict[str, str], wire: Wire, spec: ToolSpec | None
) -> dict[str, Any] | None:
    whole = keys.get(_plain(problem.place))
    names = [] if whole else [unescape(name) for name in _pieces(problem.place)]
    argument, rest = whole or "", []
    for position, name in enumerate(names):
        if name.lower() in _AROUND and position < len(names) - 1 and _plain(name) not in keys:
            continue
        if name.lower() in _AROUND and position == 0 and len(names) > 1:  # FastAPI's ["query", "query"]
            continue
        argument, rest = keys.get(_plain(name), ""), names[position + 1 :]
        body = wire.body
        if not argument and body is not None and body.key:
            argument, rest = body.key, names[position:]
        break
    if not argument:
        return None
    pointer = json_pointer([argument, *rest])
    entry: dict[str, Any] = {"argument": argument, "pointer": pointer[:300], "message": problem.message}
    schema = _fragment(spec, [argument, *rest]) if spec is not None else None
    if schema:
        entry["schema"] = schema
    return entry


def _pieces(place: str) -> list[str]:
    return _PIECE.findall(place)[:20]


def _plain(name: str) -> str:
    """Return a name by which ``pageSize``, ``page_size`` and ``PageSize`` are the same."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _fragment(spec: ToolSpec, names: list[str]) -> Any:
    """Return the schema at a place in the arguments, without words; None if it is unknown or long."""
    node: Any = spec.parameters
    for name in names:
        node = _inside(spec, node, name)
        if node is None:
            return None
    node = resolved(node, spec.parameters)
    if not isinstance(node, dict):
        return None
    kept = {key: value for key, value in node.items() if key not in _SAID_ELSEWHERE}
    if "properties" in kept and isinstance(kept["properties"], dict):
        kept = {
            "type": "object",
            "properties": list(kept["properties"])[:20],
            "required": kept.get("required", []),
        }
    return kept if len(json.dumps(kept, default=str)) <= _LONGEST_SCHEMA else None


def _inside(spec: ToolSpec, node: Any, name: str) -> Any:
    node = resolved(node, spec.parameters)
    if not isinstance(node, dict):
        return None
    properties = node.get("properties")
    if isinstance(properties, dict):
        found = next((key for key in properties if key == name or _plain(key) == _plain(name)), None)
        return properties[found] if found is not None else None
    return node.get("items") if name.isdecimal() or name == "*" else None
