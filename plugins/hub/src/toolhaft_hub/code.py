"""A call written as Python code: parsed and written, never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import FormatError

LONGEST = 20_000
"""Characters of code that are read."""
_DEEPEST = 50
_FENCED = re.compile(r"```\w*\n(.*?)\n?```", re.DOTALL)
_PARTS = ast.Name | ast.Attribute | ast.Call | ast.Subscript
_KEPT = _PARTS | ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.Set
"""What may stand as an argument of a card's call as it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """What stands in a card's call and is no literal: a name, or the call of something else."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCall:
    """A call as Python writes it.

    Attributes:
        callee: Dotted name of what is called.
        positional: Values without a name: literals, or `Source`.
        keywords: Names with their values, in order.
    """

    callee: str
    positional: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        given = [_written(value) for value in self.positional]
        given += [f"{name}={_written(value)}" for name, value in self.keywords]
        return f"{self.callee}({', '.join(given)})"


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A call with what had to be mended to read it.

    Attributes:
        call: The call.
        mended: One sentence per thing that was not as it should be.
    """

    call: PythonCall
    mended: tuple[str, ...] = ()


def parse_call(code: str, *, where: str = "", sources: tuple[Source, ...] = ()) -> PythonCall:
    """Read code that makes one call whose arguments are literals.

    Imports before the call and a name that takes its result are passed over. Nothing is run.

    Args:
        code: For example what a language model wrote.
        where: For the message.
        sources: Code that may stand as an argument nevertheless, word for word.

    Raises:
        FormatError: It is no such code.
    """
    return _read(_call_node(_tree(code, where), where), code, _Reading(where, allowed=sources))


def parse_card_call(code: str, *, where: str = "") -> ParsedCall:
    """Read the call of a card, which people wrote, more leniently than `parse_call`.

    Names, nested calls and lists of them are kept as `Source`; unquoted model names are quoted; a stray full
    stop, prompts and fences of code, and what is done with the loaded model are dropped; literal arguments
    that are unpacked are named. Whatever is mended is told.

    Raises:
        FormatError: No call can be read.
    """
    reading = _Reading(where, lenient=True)
    text = _bare(code.strip(), reading)
    call = _read(_first_call(_tree(text, where), reading), text, reading)
    return ParsedCall(call, tuple(dict.fromkeys(reading.mended)))


def _bare(text: str, reading: _Reading) -> str:
    """Return code without what stands around it in documents."""
    fenced = _FENCED.fullmatch(text)
    if fenced is not None:
        text = fenced[1].strip()
        reading.mended.append("fences stood around the call")
    if text.startswith(">>> "):
        text = re.sub(r"^(?:>>>|\.\.\.) ?", "", text, flags=re.MULTILINE)
        reading.mended.append("a prompt stood before the call")
    if text.endswith(")."):
        text = text[:-1]
        reading.mended.append("a full stop stood after the call")
    return text


def _first_call(tree: ast.Module, reading: _Reading) -> ast.Call:
    """Return the call by which a card's code begins, without what is done with what it gives."""
    made = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    node = made[0].value if made and isinstance(made[0], ast.Expr | ast.Assign) else None
    if len(made) > 1:
        reading.mended.append("several statements stand there; the first is taken")
    if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Call):
        reading.mended.append("several calls stand side by side; the first is taken")
        node = node.elts[0]
    found = _innermost(node)
    if found is None:
        return _call_node(tree, reading.where)
    if found is not node:
        reading.mended.append("what is done with the model is left out")
    return found


def _innermost(node: ast.expr | None) -> ast.Call | None:
    """Return the call that a chain such as ``load(...).signatures['x']`` begins with."""
    found = None
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        found = node if isinstance(node, ast.Call) else found
        node = node.func if isinstance(node, ast.Call) else node.value
    return found


@dataclass(slots=True)
class _Reading:
    """How a call is read: where it stands, what is let through, and what was mended so far."""

    where: str
    lenient: bool = False
    allowed: tuple[Source, ...] = ()
    mended: list[str] = field(default_factory=list)


def _tree(code: str, where: str) -> ast.Module:
    if len(code) > LONGEST:
        raise FormatError(
            f"the code has {len(code)} characters", where=where, hint=f"At most {LONGEST} are read"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(code)
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise FormatError(f"not Python: {reason}", where=where, hint="Write one call") from None
    except (MemoryError, RecursionError):
        raise FormatError("the code is nested too deeply", where=where, hint="Write one call") from None


def _call_node(tree: ast.Module, where: str) -> ast.Call:
    made = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    if len(made) == 1 and isinstance(made[0], ast.Expr | ast.Assign) and isinstance(made[0].value, ast.Call):
        return made[0].value
    raise FormatError(
        "the code is not one call", where=where, hint="Write imports if need be, then one call and no more"
    )


def _read(node: ast.Call, code: str, reading: _Reading) -> PythonCall:
    callee, where = _dotted(node.func), reading.where
    if callee is None:
        raise FormatError("what is called has no plain name", where=where, hint="Write package.function(...)")
    positional = tuple(_value(each, code, reading) for each in node.args)
    keywords: dict[str, Any] = {}
    for name, value in _keywords(node, code, reading):
        if not name or name in keywords:
            raise FormatError("arguments are unpacked or named twice", where=where, hint="Name each once")
        keywords[name] = value
    return PythonCall(callee=callee, positional=positional, keywords=tuple(keywords.items()))


def _keywords(node: ast.Call, code: str, reading: _Reading) -> Iterator[tuple[str, Any]]:
    """Yield named arguments; the name is empty where something is unpacked."""
    for keyword in node.keywords:
        if keyword.arg is not None:
            yield keyword.arg, _value(keyword.value, code, reading)
            continue
        inner = _value(keyword.value, code, reading) if reading.lenient else None
        if not isinstance(inner, dict) or not all(name.isidentifier() for name in inner):
            yield "", None
            continue
        reading.mended.append("arguments were unpacked; they are named")
        yield from inner.items()


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _value(node: ast.expr, code: str, reading: _Reading) -> Any:
    fault = "no literal"
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError, SyntaxError):
        value = None
    else:
        if _plain(value, _DEEPEST):
            return _as_json(value)
        fault = "no JSON value"
    text = ast.get_source_segment(code, node) or ""
    if reading.lenient and _is_unquoted_name(node):
        reading.mended.append(f"a name is not quoted: {text[:80]}")
        return text
    source = Source(text)
    if source in reading.allowed or (reading.lenient and text and isinstance(node, _KEPT)):
        return source
    raise FormatError(
        f"an argument is {fault}: {text[:80]}",
        where=reading.where,
        hint="Write texts, numbers, lists or mappings",
    )


def _is_unquoted_name(node: ast.expr) -> bool:
    """Whether an expression is a model's name without quotes: ``org/some-model`` reads as arithmetic."""
    if not isinstance(node, ast.BinOp):
        return False
    parts = list(ast.walk(node))
    operators = [part for part in parts if isinstance(part, ast.operator)]
    named = any(isinstance(part, ast.Name) for part in parts)
    allowed = ast.BinOp | ast.Name | ast.Attribute | ast.Constant | ast.operator | ast.expr_context
    fits = all(isinstance(part, ast.Div | ast.Sub) for part in operators)
    return named and fits and all(isinstance(part, allowed) for part in parts)


def _plain(value: Any, deep: int) -> bool:
    if deep < 0:
        return False
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return value - value == 0.0  # neither infinite nor NaN
    if isinstance(value, list | tuple):
        return all(_plain(each, deep - 1) for each in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _plain(each, deep - 1) for name, each in value.items())
    return False


def _as_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    return value


def _written(value: Any) -> str:
    return value.text if isinstance(value, Source) else repr(value)


def is_identifying(value: Any) -> bool:
    """Whether a value of a call names what is loaded, or is code: a model never chooses these."""
    return isinstance(value, str | Source)
