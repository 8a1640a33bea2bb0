"""What was sampled, and what came of it: the stages of a task before it is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from toolhaft.types import ToolCall, ToolSpec

Kind = Literal["one-tool", "category", "chain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An argument that an earlier result holds.

    Attributes:
        argument: Its name.
        path: Where it stands in the result of the step before; ``*`` is the first item of a list.
        own: Whether it identifies what the result is about; else something that that belongs to.
    """

    argument: str
    path: tuple[str, ...]
    own: bool = True

    @property
    def listed(self) -> bool:
        """Whether it stands in a list, of which the first item is meant."""
        return "*" in self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A call to be made.

    Attributes:
        arguments: Those that the user gives; a linked one is added when the result is there.
        sources: Where each argument came from, see `toolhaft.generators.values.Chosen`.
        link: The argument that comes from the call before, if one does.
    """

    spec: ToolSpec
    arguments: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    link: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Calls that belong together."""

    kind: Kind
    steps: tuple[Planned, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user wants to know of a result.

    Attributes:
        form: ``fields`` of a thing, ``names`` of all things in a list, or the ``first`` of it.
        labels: Of the fields, in words.
        facts: What an answer must state, with the spellings of each separated by ``|``.
        said: The same as a person would say it in an answer.
    """

    form: Literal["fields", "names", "first"]
    labels: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Calls with all their arguments, and what came of them.

    Attributes:
        draft: With every argument that the user gives.
        calls: What was called, or is to be.
        results: One for each call; empty if nothing was called.
        asked: By step, what the user wants to know; only of reads.
        state: Checks of the end state, see ``docs/explanation/world.md``.
        executed: Whether the calls were made, and went well.
    """

    draft: Draft
    calls: tuple[ToolCall, ...]
    results: tuple[Any, ...] = ()
    asked: tuple[Asked | None, ...] = ()
    state: tuple[dict[str, Any], ...] = ()
    executed: bool = False
