"""The kinds of thing that plugins add: one hook and one abstract type each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolhaft.errors import UnknownNameError

_WORD = r"[a-z][a-z0-9]+(?:[-_.][a-z0-9]+)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing.

    Attributes:
        name: As in ``registry.names("retriever")``.
        hook: Name of the hook that registers it.
        base: ``module:name`` of the abstract type that its factories must make; empty if there is none.
        called: Whether the factory is called; a command is the named object itself.
    """

    name: str
    hook: str
    base: str
    called: bool = True


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name="source", hook="register_tool_sources", base="toolhaft.tools.source:ToolSource"),
        Kind(name="retriever", hook="register_retrievers", base="toolhaft.retrievers.base:Retriever"),
        Kind(name="reranker", hook="register_rerankers", base="toolhaft.retrievers.reranker:Reranker"),
        Kind(name="model", hook="register_models", base="toolhaft.models.base:Model"),
        Kind(name="planner", hook="register_planners", base="toolhaft.planners.base:Planner"),
        Kind(name="generator", hook="register_generators", base="toolhaft.generators.base:Generator"),
        Kind(name="evaluator", hook="register_evaluators", base="toolhaft.evaluators.base:Evaluator"),
        Kind(name="executor", hook="register_executors", base="toolhaft.runs.executor:Executor"),
        Kind(name="command", hook="register_commands", base="", called=False),
    )
}

HOOKS: dict[str, Kind] = {kind.hook: kind for kind in KINDS.values()}


def find_kind(name: str) -> Kind:
    """Return a kind by its name.

    Raises:
        UnknownNameError: There is no such kind.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise UnknownNameError("kind", name, tuple(KINDS))
    return kind


def is_legal_name(kind: Kind, name: object) -> bool:
    """Whether a plugin may register a name: lower case, at least two characters, at most 64.

    One letter before a colon would be a drive on Windows. Commands are words with single spaces.
    """
    pattern = f"{_WORD}(?: {_WORD})*" if kind.name == "command" else _WORD
    return isinstance(name, str) and len(name) <= 64 and re.fullmatch(pattern, name) is not None
