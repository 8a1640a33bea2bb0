"""The arguments of a call, as people write them: ``limit=5 filter.name=x tags[]=a photo=@cat.png``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError, nearest_names
from toolhaft.tools.subschemas import resolved
from toolhaft.types import ToolSpec

_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]*)\]")
_MOST_ENTRIES = 10_000


def read_arguments(
    spec: ToolSpec,
    words: Sequence[str],
    body: str | None = None,
    *,
    body_key: str = "",
    body_names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read the arguments of a call.

    A value is taken as text where the schema asks for a string, else as JSON if it is JSON. ``a.b=`` and
    ``a[b]=`` name a member, ``a[]=`` adds an entry to a list, ``a[0]=`` names one.

    Args:
        spec: The tool.
        words: ``key=value``.
        body: Text of the body, or ``@FILE``: JSON whose members are arguments, or the whole body.
        body_key: Name of the argument that is the whole body, if there is one.
        body_names: Name of a property of the body -> name of its argument.

    Raises:
        UsageError: A word names no argument of the tool, or the body cannot be read.
    """
    found = _body(spec, body, body_key, body_names or {}) if body is not None else {}
    plain: set[str] = set()
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise UsageError(f"an argument wants key=value: {word!r:.80}")
        name, steps = _split(spec, key)
        if key in plain:
            hint = f"Write {key}[]=... for each entry, or a list as JSON: '{key}=[...]'"
            raise UsageError(f"an argument names {key!r} twice", hint=hint)
        if not any(step == "" for step in steps):
            plain.add(key)
        _put(spec, found, name, steps, text)
    return found


def _split(spec: ToolSpec, key: str) -> tuple[str, list[str]]:
    """Return the argument that a key names, and the way inside it.

    Raises:
        UsageError: The tool has no such argument.
    """
    if key in spec.properties:
        return key, []
    names = [name for name in spec.properties if key.startswith((f"{name}.", f"{name}["))]
    name = max(names, key=len, default="")
    if name:
        rest = key[len(name) :]
        steps = [step[1] or step[2] for step in _STEP.finditer(rest)]
        if "".join(step.group() for step in _STEP.finditer(rest)) != rest:
            raise UsageError(f"{key!r:.80} cannot be read", hint="Write a.b=x, a[]=x or a[0]=x")
        return name, steps
    if spec.parameters.get("additionalProperties") not in (None, False):
        return key, []
    raise _unknown(spec, key, list(spec.properties), spec.name)


def _put(spec: ToolSpec, found: dict[str, Any], name: str, steps: list[str], text: str) -> None:
    """Put a value where a key says, making the objects and lists on the way."""
    schema = resolved(spec.properties.get(name), spec.parameters)
    holder: Any = found
    at: Any = name
    way = name
    for step in steps:
        inner = holder[at] if isinstance(holder, list) else holder.get(at)
        members = schema.get("properties")
        as_list = step == "" or (step.isdigit() and not isinstance(members, Mapping))
        if inner is None:
            inner = [] if as_list else {}
            holder[at] = inner
        if isinstance(inner, list) != as_list or not isinstance(inner, dict | list):
            raise UsageError(f"{way} is given in two ways", where=spec.name)
        holder = inner
        if isinstance(inner, list):
            at = _position(inner, step, way)
            schema = resolved(schema.get("items"), spec.parameters)
        else:
            at = step
            known = members if isinstance(members, Mapping) else {}
            if known and step not in known and schema.get("additionalProperties") is False:
                raise _unknown(spec, step, list(known), f"{spec.name} {way}")
            schema = resolved(known.get(step), spec.parameters)
        way += f"[{step}]" if as_list else f".{step}"
    holder[at] = read_value(schema, text)


def _position(entries: list[Any], step: str, way: str) -> int:
    position = int(step) if step else len(entries)
    if position > min(len(entries), _MOST_ENTRIES):
        raise UsageError(f"{way}[{position}] leaves out {way}[{len(entries)}]", hint=f"Write {way}[]=...")
    if position == len(entries):
        entries.append(None)
    return position


def _unknown(spec: ToolSpec, name: str, known: list[str], where: str) -> UsageError:
    nearest = nearest_names(name, known, 1)
    shown = ", ".join(known[:20]) or "none"
    hint = f"Did you mean {nearest[0]!r}? " if nearest else ""
    return UsageError(
        f"there is no argument {name!r:.80}",
        where=where,
        hint=f"{hint}Arguments: {shown}",
        code="E-ARGUMENTS",
        details={"tool": spec.name, "nearest": nearest},
    )


def read_value(schema: Mapping[str, Any], text: str) -> Any:
    """Return a value as its schema takes it."""
    kinds = _kinds(schema)
    if "null" in kinds and text == "null":
        return None
    if "string" in kinds:
        return text
    if "array" in kinds and not text.lstrip().startswith("[") and kinds <= {"array", "null"}:
        return [read_value(_plain(schema.get("items")), text)]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type")
    found = {str(kind) for kind in kinds} if isinstance(kinds, list) else {str(kinds)} if kinds else set()
    if not found:
        for key in ("anyOf", "oneOf"):
            for branch in schema.get(key) or ():
                found |= _kinds(_plain(branch))
    return found


def _body(spec: ToolSpec, body: str, body_key: str, body_names: Mapping[str, str]) -> dict[str, Any]:
    schema = resolved(spec.properties.get(body_key), spec.parameters) if body_key else {}
    if body_key and body.startswith("@") and _takes_file(schema):
        return {body_key: body}
    text, where = _text(body)
    if body_key and _kinds(schema) == {"string"} and "enum" not in schema:
        return {body_key: text}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=where) from None
    if body_key and not (
        isinstance(value, dict) and body_key in value and set(value) <= set(spec.properties)
    ):
        return {body_key: value}
    if not isinstance(value, dict):
        raise UsageError("the body is not a JSON object", where=where, hint="Write {...}")
    return {body_names.get(name, name): item for name, item in value.items()}


def _text(body: str) -> tuple[str, str]:
    if body == "-":
        return sys.stdin.read(), "standard input"
    if not body.startswith("@"):
        return body, "--body"
    where = body[1:]
    try:
        return Path(where).read_text(encoding="utf-8"), where
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read it: {error}", where=where) from None


def _takes_file(schema: Mapping[str, Any]) -> bool:
    branches = [schema, *(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    return any(isinstance(branch, Mapping) and branch.get("format") == "artifact" for branch in branches)


def _plain(schema: Any) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}
