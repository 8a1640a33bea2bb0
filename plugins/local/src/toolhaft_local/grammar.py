"""The tools' schemas as a grammar: what an answer may look like, token by token.

An answer is free text, or free text that ends in calls; a call names an offered tool, and its arguments fit
that tool's JSON Schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolhaft.types import ToolSpec
from toolhaft_local.arguments import argument_rules, count_orders
from toolhaft_local.calls import HERMES, HERMES_END, LLAMA, MISTRAL, MISTRAL_ARGUMENTS
from toolhaft_local.layout import Spelling

MOST_CALLS = 16
"""Calls of one answer under a grammar."""
MOST_ORDERS = 4_096
"""Alternatives for arguments in any order, of all tools; with more, the engine takes too long or refuses."""

_COMMON = """
TEXT: /(.|\\n)*/
SPACE: /[ \\n\\t]{1,8}/
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A grammar for one set of tools.

    Attributes:
        source: For llguidance.
        notes: Which schemas it cannot hold a call to, and why.
    """

    source: str
    notes: tuple[str, ...] = ()


def build_grammar(
    tools: Sequence[ToolSpec],
    *,
    spelling: Spelling,
    tokens: Mapping[str, int],
    prose: Sequence[int] = (),
    must_call: bool,
) -> Grammar:
    """Return the grammar of an answer.

    Args:
        tools: At least one.
        spelling: How the model writes calls; ``other`` has no grammar.
        tokens: Control tokens of the tokenizer; a marker that is none is matched as text.
        prose: Control tokens that may stand in free text, such as those around a thought.
        must_call: Whether free text alone will not do.
    """
    rules: list[str] = []
    notes: list[str] = []
    room = MOST_ORDERS
    for number, spec in enumerate(tools):
        orders = count_orders(spec)
        written, note = argument_rules(spec, f"arguments_{number}", any_order=orders <= room)
        room -= min(orders, room)
        rules += written
        if note:
            notes.append(f"tool {spec.name}: {note}")
    writer = _Writer(tools, tokens)
    source = {
        "hermes": writer.hermes,
        "llama": writer.llama,
        "mistral": writer.mistral,
        "mistral-named": writer.mistral_named,
    }[spelling](must_call)
    between = " | ".join(f"<[{number}]>" for number in prose)
    free = f"free: TEXT (({between}) TEXT)*\n" if between else "free: TEXT\n"
    return Grammar(source=source + free + "\n".join(rules) + "\n" + _COMMON, notes=tuple(notes))


class _Writer:
    """Writes the rules of each spelling."""

    def __init__(self, tools: Sequence[ToolSpec], tokens: Mapping[str, int]) -> None:
        self._names = [spec.name for spec in tools]
        self._tokens = tokens

    def hermes(self, must_call: bool) -> str:
        body = f"call_body SPACE? {self._mark(HERMES_END)} SPACE?"
        return self._marked(HERMES, f"SPACE? {body}", must_call) + self._bodies("arguments")

    def mistral(self, must_call: bool) -> str:
        calls = f'SPACE? "[" SPACE? call_body ("," SPACE? call_body){{0,{MOST_CALLS - 1}}} "]"'
        return self._marked(MISTRAL, calls, must_call, repeated=False) + self._bodies("arguments")

    def mistral_named(self, must_call: bool) -> str:
        bodies = " | ".join(
            f"{_quoted(name)} {self._mark(MISTRAL_ARGUMENTS)} arguments_{number}"
            for number, name in enumerate(self._names)
        )
        return self._marked(MISTRAL, "call_body", must_call) + f"call_body: {bodies}\n"

    def llama(self, must_call: bool) -> str:
        start = "call_list" if must_call else "PROSE | call_list"
        if LLAMA in self._tokens:
            start = f"{self._mark(LLAMA)}? call_list" + ("" if must_call else " | PROSE")
        return (
            f'start: {start}\ncall_list: call_body (";" SPACE? call_body){{0,{MOST_CALLS - 1}}}\n'
            "PROSE: /([^{\\s](.|\\n)*)?/\n" + self._bodies("parameters")
        )

    def _marked(self, mark: str, call: str, must_call: bool, *, repeated: bool = True) -> str:
        """Return the rules for calls that a mark opens, the first one after free text."""
        again = f"(again){{0,{MOST_CALLS - 1}}}" if repeated else ""
        rules = f"again: {self._mark(mark)} {call}\n" if repeated else ""
        if must_call:
            return f"start: {self._mark(mark)} {call} {again}\n{rules}"
        if mark in self._tokens:
            return f"start: free ({self._mark(mark)} {call} {again})?\n{rules}"
        pattern = re.sub(r"[\[\]|./]", r"\\\g<0>", mark)
        return f"start: free | opening {call} {again}\nopening[lazy]: /(.|\\n)*{pattern}/\n{rules}"

    def _mark(self, mark: str) -> str:
        """Return a marker as a terminal: its token where it has one, else its letters."""
        number = self._tokens.get(mark)
        return _quoted(mark) if number is None else f"<[{number}]>"

    def _bodies(self, field: str) -> str:
        opening = 'SPACE? ":" SPACE? '
        bodies = " | ".join(
            f'"{{" SPACE? "\\"name\\"" {opening}{_quoted(_quoted(name))} SPACE? "," SPACE? '
            f'"\\"{field}\\"" {opening}arguments_{number} SPACE? "}}"'
            for number, name in enumerate(self._names)
        )
        return f"call_body: {bodies}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
