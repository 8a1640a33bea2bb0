"""Calls in a text, read from their literals alone; nothing is ever run.

Every call is read by itself, and every argument of it by itself, so that what stands around a call, or is
broken elsewhere, never decides how it is read.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 100_000
"""Characters of a text that are searched for calls."""
_CALLS = 200
_PIECES = 64
_LONGEST_PIECE = 4_000
_SPAN = 2_000
"""Characters of one call."""
# Possessive and bounded, so that no text is read twice.
_CALLEE = re.compile(r"(?<!\w)[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+){0,20}+(?=\()")
_STRING = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*+'|\"(?:[^\"\\\n]|\\.)*+\"", re.DOTALL)
_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*", re.ASCII)
_BREAK = re.compile(r"[()\[\]{},]")
_OPEN, _CLOSE = "([{", ")]}"
_ESCAPED = re.compile(r"\\(n|t|r|\"|')")
_PLAIN = {"n": "\n", "t": "\t", "r": "\n", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call.

    Attributes:
        name: Its keyword; empty for a positional one.
        value: Its value, written in one way for all ways that mean the same.
        text: As it stands in the source, without the keyword.
        readable: Whether it is an expression of Python.
    """

    name: str
    value: str
    text: str
    readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it stands in a text.

    Attributes:
        callee: What is called, dotted: ``torch.hub.load``.
        arguments: In their order.
        text: The whole call.
        closed: Whether its last parenthesis is there.
    """

    callee: str
    arguments: tuple[Argument, ...]
    text: str
    closed: bool = True

    @property
    def readable(self) -> bool:
        """Whether it is closed and every argument is an expression."""
        return self.closed and all(argument.readable for argument in self.arguments)


def unescape(text: str) -> str:
    """Return a text whose quotes and line ends were escaped once too often, as published answers are."""
    return _ESCAPED.sub(lambda match: _PLAIN[match[1]], text)


def find_calls(text: str) -> Iterator[Call]:
    """Yield the calls of a text in order, those within arguments too; at most 200 of them."""
    text = text[:LONGEST]
    for number, match in enumerate(_CALLEE.finditer(text)):
        if number >= _CALLS:
            return
        yield read_call(text, match.start(), match.end())


def read_call(text: str, start: int, opening: int) -> Call:
    """Return the call whose callee begins at ``start`` and whose parenthesis stands at ``opening``."""
    ends, end, closed = _split(text[: opening + _SPAN], opening)
    pieces = [text[a:b] for a, b in ends]
    arguments = tuple(_argument(piece) for piece in pieces if piece.strip())
    return Call(callee=text[start:opening], arguments=arguments, text=text[start:end], closed=closed)


def read_value(source: str) -> str | None:
    """Return an expression in its one way of writing, or None if it is none.

    It is parsed, never run: a literal is written as its value, anything else as it would be formatted.
    """
    if len(source) > _LONGEST_PIECE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what odd escapes in a model's text are worth saying
            tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    try:
        return repr(ast.literal_eval(tree))
    except (ValueError, TypeError, MemoryError, RecursionError):
        pass
    try:
        return ast.unparse(tree)
    except (ValueError, RecursionError):
        return None


def is_python(source: str) -> bool:
    """Return whether a text of at most 100,000 characters is Python."""
    if len(source) > LONGEST:
        return False
    return parsed(source) is not None


def parsed(source: str) -> ast.Module | None:
    """Return the syntax tree of a text, or None if it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source[:LONGEST])
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _argument(piece: str) -> Argument:
    match = _NAMED.match(piece)
    name, text = (match[1], piece[match.end() :]) if match else ("", piece)
    text = text.strip()
    value = read_value(text)
    return Argument(
        name=name,
        value="".join(text.split()) if value is None else value,
        text=text,
        readable=value is not None,
    )


def mask_strings(text: str) -> str:
    """Return a text with its string literals blanked out, so that what is in them is no code."""
    return _STRING.sub(lambda match: "\0" * len(match[0]), text)


def leading_string(text: str) -> str:
    """Return the string literal that a text begins with; empty if it begins with none."""
    match = _STRING.match(text)
    return match[0] if match else ""


def _split(text: str, opening: int) -> tuple[list[tuple[int, int]], int, bool]:
    """Return where the arguments stand, where the call ends, and whether it is closed."""
    masked = mask_strings(text[opening:])
    pieces: list[tuple[int, int]] = []
    depth, begins = 0, opening + 1
    for match in _BREAK.finditer(masked):
        character, position = match[0], opening + match.start()
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
            if depth == 0:
                return [*pieces, (begins, position)], position + 1, True
        elif depth == 1 and len(pieces) < _PIECES:
            pieces.append((begins, position))
            begins = position + 1
    return [*pieces, (begins, len(text))], len(text), False
