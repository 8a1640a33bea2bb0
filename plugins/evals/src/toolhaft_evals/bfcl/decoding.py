"""Calls out of the text of a model, by literals alone: nothing in it is ever run.

What cannot be read is a failure that says why; a text that makes no call is an abstention. The two are
never mixed up.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.models.parsing import NotJSONError, read_json

LONGEST = 100_000
"""Characters of a text that are read."""
_DEEPEST = 60
_FENCE = re.compile(r"```[A-Za-z]*")
_CALL_LIKE = re.compile(
    r"[\w.]\(\s*(?:\)|\*|\w+\s*=)|\A[\w.]+\(.*\)\Z|\A[\[{]|\"(?:name|function|arguments|parameters)\"\s*:|<tool_call>",
    re.DOTALL,
)
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a text says.

    Attributes:
        calls: ``{function: {parameter: value}}`` each.
        problem: Why the text cannot be read, or empty.
    """

    calls: tuple[dict[str, dict[str, Any]], ...] = ()
    problem: str = ""

    @property
    def abstained(self) -> bool:
        """Whether it makes no call, and could be read."""
        return not self.calls and not self.problem


class _UnreadableError(Exception):
    """A piece of the text is no literal call."""


def decode_text(text: str) -> Decoded:
    """Return the calls of a text: ``[f(a=1), g(b='x')]``, or JSON with names and arguments.

    Backquotes around the whole text are taken away, and the brackets may be missing. Prose without
    anything that looks like a call is an abstention, as is an empty list.
    """
    if len(text) > LONGEST:
        return Decoded(problem=f"longer than {LONGEST:,} characters")
    body = text.strip()
    if (fence := _FENCE.match(body)) and body.endswith("```"):
        body = body[fence.end() :]
    body = body.strip("`\n ")
    if not body or not _CALL_LIKE.search(body):
        return Decoded()
    try:
        return Decoded(calls=tuple(_from_json(body) or _from_source(body)))
    except _UnreadableError as error:
        return Decoded(problem=str(error))


def decode_calls(value: Any) -> Decoded:
    """Return the calls of a published result that keeps them apart: ``[{function: arguments}]``.

    Arguments may be an object or the JSON text of one.
    """
    if isinstance(value, str):
        return decode_text(value)
    if not isinstance(value, list):
        return Decoded(problem=f"a result is text or a list of calls, not {type(value).__name__}")
    try:
        return Decoded(calls=tuple(_from_members(value)))
    except _UnreadableError as error:
        return Decoded(problem=str(error))


def _from_json(body: str) -> list[dict[str, dict[str, Any]]]:
    try:
        value = read_json(body)
    except NotJSONError:
        return []
    return _from_members(value if isinstance(value, list) else [value])


def _from_members(values: Sequence[Any]) -> list[dict[str, dict[str, Any]]]:
    found = []
    for value in values:
        if not isinstance(value, dict) or not value:
            raise _UnreadableError(f"{value!r:.80} is no call")
        if isinstance(value.get("name"), str) and {"arguments", "parameters"} & value.keys():
            name, arguments = value["name"], value.get("arguments", value.get("parameters"))
        elif len(value) == 1:
            ((name, arguments),) = value.items()
        else:
            raise _UnreadableError(f"{value!r:.80} names no single function")
        if isinstance(arguments, str):
            try:
                arguments = read_json(arguments or "{}")
            except NotJSONError as error:
                raise _UnreadableError(
                    f"the arguments of {name!r:.60} are not JSON: {error!s:.100}"
                ) from None
        if not isinstance(arguments, dict):
            raise _UnreadableError(f"the arguments of {name!r:.60} are no object")
        found.append({name: arguments})
    return found


def _from_source(body: str) -> list[dict[str, dict[str, Any]]]:
    source = body if body.startswith("[") else f"[{body}]"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _UnreadableError(f"no calls in Python: {error!s:.100}") from None
    if not isinstance(tree, ast.List | ast.Tuple):
        raise _UnreadableError("no list of calls")
    return [_read_call(node) for node in tree.elts]


def _read_call(node: ast.expr) -> dict[str, dict[str, Any]]:
    if not isinstance(node, ast.Call):
        raise _UnreadableError(f"{type(node).__name__} is no call")
    name = _read_name(node.func)
    if node.args:
        raise _UnreadableError(f"{name} has arguments without names")
    arguments: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in arguments:
            raise _UnreadableError(f"{name} has ** or an argument that stands twice")
        arguments[keyword.arg] = _read_literal(keyword.value, 0)
    return {name: arguments}


def _read_name(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _DEEPEST:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise _UnreadableError("what is called has no plain name")
    return ".".join([node.id, *reversed(parts)])


def _read_literal(node: ast.expr, depth: int) -> Any:
    """Return the value of a literal; anything that would have to be computed is refused."""
    if depth > _DEEPEST:
        raise _UnreadableError(f"nested more than {_DEEPEST} levels deep")
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in _WORDS:
        return _WORDS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _read_literal(node.operand, depth + 1)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.List | ast.Tuple):
        elements = [_read_literal(element, depth + 1) for element in node.elts]
        return elements if isinstance(node, ast.List) else tuple(elements)
    if isinstance(node, ast.Dict):
        return _read_object(node, depth)
    raise _UnreadableError(f"{type(node).__name__} is no literal, and nothing is computed")


def _read_object(node: ast.Dict, depth: int) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = None if key is None else _read_literal(key, depth + 1)
        if not isinstance(name, str):
            raise _UnreadableError("an object has ** or a name that is no text")
        found[name] = _read_literal(value, depth + 1)
    return found
