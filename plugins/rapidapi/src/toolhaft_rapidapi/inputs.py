"""The input of a call: read, named as the file names it, and checked against the tool."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from toolhaft.tools.schema import nesting
from toolhaft.types import ToolSpec
from toolhaft_rapidapi.standard import standard_parameter

LONGEST = 200_000
"""Characters of an input that comes as text."""
_DEEPEST = 32
_TRUTH = frozenset(("true", "false", "1", "0", "yes", "no"))


def read_input(given: Any) -> dict[str, Any] | str:
    """Return ``tool_input`` as an object, or what is wrong with it.

    Args:
        given: An object, its JSON as text, or "" for none.
    """
    if isinstance(given, str):
        if len(given) > LONGEST:
            return f"the input is longer than {LONGEST} characters"
        if not given.strip():
            return {}
        try:
            given = json.loads(given, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            return f"the input is not JSON: {str(error)[:200]}"
    if given is None:
        return {}
    if not isinstance(given, dict):
        return f"the input is {type(given).__name__}, not an object"
    if nesting(given, _DEEPEST) > _DEEPEST:
        return f"the input is nested deeper than {_DEEPEST}"
    return given


def original_names(spec: ToolSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by the parameters' names in the tool's file."""
    names = _renamed(spec)
    return {names.get(key, key): value for key, value in arguments.items()}


def argument_names(spec: ToolSpec, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input in ToolBench's spelling by the tool's argument keys.

    Of several parameters that are spelled alike, such as ``id`` and ``ID``, those get a value that it fits.
    """
    keys = _keys(spec)
    return {key: value for name, value in question.items() for key in _takers(spec, keys, name, value)}


def input_problem(spec: ToolSpec, question: Mapping[str, Any]) -> str:
    """Return what is wrong with an input in ToolBench's spelling, or "".

    Models write numbers as text; what reads as the declared type is taken for it.
    """
    keys = _keys(spec)
    for name in question:
        if name not in keys:
            shown = ", ".join(list(keys)[:20]) or "none"
            return f"there is no parameter {name[:80]!r}; parameters: {shown}"
    renamed = _renamed(spec)
    for key in spec.required:
        spelled = standard_parameter(str(renamed.get(key, key)))
        if question.get(spelled) is None:
            return f"the parameter {spelled[:80]!r} is missing"
    return _misfits(spec, argument_names(spec, question))


def arguments_problem(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with arguments by the tool's own keys, or ""."""
    for key in arguments:
        if key not in spec.properties:
            return f"there is no parameter {key[:80]!r}; parameters: {', '.join(list(spec.properties)[:20])}"
    for key in spec.required:
        if arguments.get(key) is None:
            return f"the parameter {key[:80]!r} is missing"
    return _misfits(spec, arguments)


def _renamed(spec: ToolSpec) -> Mapping[str, str]:
    found = spec.metadata.get("parameters")
    return found if isinstance(found, Mapping) else {}


def _keys(spec: ToolSpec) -> dict[str, list[str]]:
    """Return argument keys by the parameters' names in ToolBench's spelling, which several may share."""
    names = _renamed(spec)
    found: dict[str, list[str]] = {}
    for key in spec.properties:
        found.setdefault(standard_parameter(str(names.get(key, key))), []).append(key)
    return found


def _takers(spec: ToolSpec, keys: Mapping[str, list[str]], name: str, value: Any) -> list[str]:
    found = keys.get(name, [name])
    if len(found) == 1:
        return found
    return [key for key in found if not _misfit(spec.properties[key], value)] or found


def _misfits(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    for key, value in arguments.items():
        if problem := _misfit(spec.properties[key], value):
            return f"the parameter {key[:80]!r} {problem}"
    return ""


def _misfit(schema: Any, value: Any) -> str:
    if not isinstance(schema, Mapping) or value is None:
        return ""
    options = schema.get("enum")
    if isinstance(options, list) and value not in options and str(value) not in map(str, options):
        return f"is none of {', '.join(map(str, options[:10]))}"
    kind = schema.get("type")
    if kind in ("integer", "number") and not _is_number(value):
        return "is no number"
    if kind == "boolean" and not isinstance(value, bool) and str(value).strip().lower() not in _TRUTH:
        return "is neither true nor false"
    if kind == "string" and isinstance(value, dict):
        return "is an object, not a text"
    return ""


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant[:40]} is no number of JSON")
