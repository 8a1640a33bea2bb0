"""Calls of a card's tool as the hub's Python code, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.types import ToolCall
from toolhaft_hub.card import Argument, Card
from toolhaft_hub.code import PythonCall, Source, is_identifying, parse_call

_FORWARDING = "torch.hub.load"
"""Hands every keyword it does not know to the model's own entry point."""
_IMPORTS = {
    "np": "import numpy as np\n",
    "tf": "import tensorflow as tf\n",
    "tensorflow": "import tensorflow\n",
    "hub": "import tensorflow_hub as hub\n",
    "tensorflow_hub": "import tensorflow_hub\n",
    "tfhub": "import tensorflow_hub as tfhub\n",
    "torch": "import torch\n",
}
"""By the first name of what is called, as the hubs' own examples name it."""
_ROOT = re.compile(r"(?<![\w.'\"/])(\w+)\.(?=[A-Za-z_])")
_OWN = frozenset(
    {"repo_or_dir", "model", "source", "trust_repo", "force_reload", "verbose", "skip_validation"}
)


def parameters_of(card: Card) -> dict[str, Any]:
    """Return the JSON Schema of what may be chosen in a card's call.

    What names the model is fixed. To be chosen are the call's other keywords, and of ``torch.hub.load`` the
    documented arguments too, for it hands them to the model's entry point. All are optional.
    """
    properties: dict[str, Any] = {}
    said = {argument.name: argument for argument in card.arguments}
    for name, value in card.call.keywords if card.call is not None else ():
        if not is_identifying(value):
            properties[name] = _schema(value, said.get(name))
    if card.call is not None and card.call.callee == _FORWARDING:
        fixed = {name for name, _ in card.call.keywords} | _OWN
        for argument in card.arguments:
            if argument.name.isidentifier() and argument.name not in fixed:
                properties[argument.name] = _schema(argument.value, argument)
    return {"type": "object", "properties": properties, "additionalProperties": False}


def render_call(card: Card, arguments: Mapping[str, Any]) -> str:
    """Return the Python code of a call.

    Args:
        card: Whose call.
        arguments: Fit for `parameters_of`.

    Raises:
        UsageError: The card's call is no Python, or takes no such argument.
    """
    call = card.call
    if call is None:
        raise UsageError(
            f"the call of {card.id!r} is no Python code",
            where=card.id,
            hint=f"Its source writes: {card.call_text[:200] or 'nothing'}",
        )
    known = parameters_of(card)["properties"]
    for name in arguments:
        if name not in known:
            raise UsageError(
                f"the call of {card.id!r} takes no argument {name!r}",
                hint=f"Arguments: {', '.join(known) or 'none'}",
            )
    keywords = {**dict(call.keywords), **arguments}
    made = PythonCall(callee=call.callee, positional=call.positional, keywords=tuple(keywords.items()))
    return f"{_imports_of(made)}{made}"


class CallReader:
    """Reads code as a call of one of several tools.

    Args:
        cards: Tools' names with their cards; of two with the same call the first is found.
    """

    def __init__(self, cards: Iterable[tuple[str, Card]]) -> None:
        self._cards: dict[tuple[Any, ...], tuple[str, Card]] = {}
        for name, card in cards:
            if card.call is not None:
                self._cards.setdefault(
                    _key(card.call, frozenset(parameters_of(card)["properties"])), (name, card)
                )
        self._sources = tuple(
            {
                value
                for _, card in self._cards.values()
                if card.call is not None
                for value in (*card.call.positional, *(value for _, value in card.call.keywords))
                if isinstance(value, Source)
            }
        )
        self._names = {frozenset(parameters_of(card)["properties"]) for _, card in self._cards.values()}

    def read(self, code: str, *, id: str = "call-1", where: str = "") -> ToolCall:
        """Return the tool call that code writes; the code is never run.

        Args:
            code: Imports, if any, and one call with literal arguments.
            id: Of the call.
            where: For the message.

        Raises:
            FormatError: It is no such code, or calls what no card has.
        """
        call = parse_call(code, where=where, sources=self._sources)
        for names in self._names:
            found = self._cards.get(_key(call, names))
            if found is None or frozenset(parameters_of(found[1])["properties"]) != names:
                continue
            chosen = {name: value for name, value in call.keywords if name in names}
            if not any(isinstance(value, Source) for value in chosen.values()):
                return ToolCall(id=id, name=found[0], arguments=chosen)
        raise FormatError(
            f"no card has the call {str(call)[:200]}", where=where, hint="Name a model that a card has"
        )


def _key(call: PythonCall, chosen: frozenset[str]) -> tuple[Any, ...]:
    """Return what of a call is fixed: all but the arguments that may be chosen."""
    fixed = sorted((name, repr(value)) for name, value in call.keywords if name not in chosen)
    return (call.callee, tuple(repr(value) for value in call.positional), tuple(fixed))


def _schema(value: Any, said: Argument | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    if value is not None and type(value) in kinds:
        found = {"type": kinds[type(value)], "default": value}
    if said is not None and said.description:
        found["description"] = said.description
    return found


def _imports_of(call: PythonCall) -> str:
    """Return the imports that a call's code needs, as far as its first names tell them."""
    values = (*call.positional, *(value for _, value in call.keywords))
    code = " ".join([call.callee, *(value.text for value in values if isinstance(value, Source))])
    roots = dict.fromkeys(_ROOT.findall(code))
    lines = [line for root, line in _IMPORTS.items() if root in roots]
    name = call.callee.partition(".")[0]
    if name == "pipeline" or name.startswith(("AutoModel", "TFAutoModel")):
        lines.append(f"from transformers import {name}\n")
    return "".join(lines)
