"""What a tool is to a model, and what a model asks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Effect = Literal["read", "write", "irreversible"]


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ToolSpec:
    """A tool as data: everything a model, a retriever and a policy need to know.

    Attributes:
        name: Unique in its catalog, ``^[a-zA-Z0-9_-]{1,64}$``.
        description: For the model; untrusted if the tool was imported.
        parameters: JSON Schema 2020-12 of the arguments, an object schema.
        effect: ``read`` changes nothing, ``write`` changes something that can be changed back,
            ``irreversible`` cannot be undone (money, messages).
        repeatable: Safe to send again with the same key, as PUT is; reads always are.
        tags: Words to find it by, as the source gives them.
        source: Where it comes from: ``python:module.function``, ``openapi:https://...#/paths/...``.
        parent: The API or service it belongs to.
        returns: JSON Schema of the result, if known.
        private: Its results are the user's private data.
        untrusted: Its results may hold text that strangers wrote.
        hosts: Origins (``https://host:port``) that a call speaks to; empty for local tools.
        timeout: Seconds a call may take; None is the context's default.
        concurrency: Calls that may run at once; None is no limit.
        inverse: Name of the tool that undoes it, if its author declared one.
        examples: Arguments that make sense, for search and documentation.
        metadata: More facts as JSON values, for plugins.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    effect: Effect = "write"
    repeatable: bool = False
    tags: tuple[str, ...] = ()
    source: str = ""
    parent: str = ""
    returns: dict[str, Any] | None = None
    private: bool = False
    untrusted: bool = True
    hosts: tuple[str, ...] = ()
    timeout: float | None = None
    concurrency: int | None = None
    inverse: str | None = None
    examples: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    format: int = 1

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the required arguments."""
        return tuple(self.parameters.get("required") or ())

    @property
    def properties(self) -> dict[str, Any]:
        """Schemas of the arguments by name."""
        found = self.parameters.get("properties")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that a model asks for; nothing has been checked yet.

    Attributes:
        id: Unique in the rollout.
        arguments: Parsed arguments; empty if ``problem`` is set.
        problem: Why the arguments could not be parsed, or empty.
        raw: The arguments as the model wrote them, kept when ``problem`` is set or a repair was made.
        repaired: The text was mended before it parsed; such a call is never executed if it writes.
    """

    id: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    raw: str = ""
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A retrieval hit.

    Attributes:
        item: The tool.
        score: Higher is better; the scale is the retriever's own.
    """

    item: ToolSpec
    score: float
