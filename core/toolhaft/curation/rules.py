"""What a curation file says, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from toolhaft.types import Effect

Words = tuple[str, ...] | str
_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which tools are meant: those to which everything given here applies.

    Attributes:
        name: Glob patterns of tool names; one of them must fit.
        tag: Tags, in any case; the tool must have one of them.
        path: Glob patterns of the path as the document writes it; ``*`` stands for part of one segment,
            ``**`` for any number of segments.
        method: HTTP methods, in any case.
        regex: Python regular expression, searched in ``NAME METHOD PATH``.
        effect: Effects, as imported.
        deprecated: Whether the document calls the operation deprecated.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    name: Words = ()
    tag: Words = ()
    path: Words = ()
    method: Words = ()
    regex: str = ""
    effect: Words = ()
    deprecated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentChange:
    """What changes of one argument; None leaves as it is.

    Attributes:
        rename: What the model calls it.
        describe: Its description.
        default: Sent when the model gives no value; it need not give one any more.
        fix: Always sent; the model neither sees the argument nor can give it. ``null`` fixes nothing.
        hide: An optional argument that the model does not see and that is never sent.
        choices: The values that are left to choose from.
        examples: Values that make sense.
        required: Whether the model must give it; an argument that the API requires stays required.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    rename: str | None = None
    describe: str | None = None
    default: Any = None
    fix: Any = None
    hide: bool | None = None
    choices: tuple[Any, ...] | None = None
    examples: tuple[Any, ...] | None = None
    required: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often a tool is called at most.

    Attributes:
        calls: Calls in ``seconds``.
        seconds: Length of the window.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    calls: int
    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changes of one tool; None and empty leave as it is.

    Attributes:
        rename: New name; ``{name}`` stands for the old one.
        describe: New description; ``{description}`` stands for the old one.
        tags: Tags to add.
        arguments: Argument, as imported -> what changes of it.
        result: JSONPath (RFC 9535). One path gives what it selects: a value, or a list of values where it
            may select several. A list of paths keeps these parts of the result in their places.
        examples: Arguments that make sense, under the names the model sees.
        effect: What a call does to the world.
        repeatable: Safe to send again.
        private: Its results are private data.
        timeout: Seconds a call may take.
        concurrency: Calls at once.
        inverse: Name of the tool that undoes it.
        rate: How often it is called at most.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    rename: str | None = None
    describe: str | None = None
    tags: tuple[str, ...] = ()
    arguments: dict[str, ArgumentChange] = field(default_factory=dict)
    result: Words = ()
    examples: tuple[dict[str, Any], ...] = ()
    effect: Effect | None = None
    repeatable: bool | None = None
    private: bool | None = None
    timeout: float | None = None
    concurrency: int | None = None
    inverse: str | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Changes):
    """Changes, and the tools they are for.

    Attributes:
        match: Which tools; a text is a pattern of names.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    match: Match | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """A curation file.

    Attributes:
        curation: Format, 1.
        select: Only tools that one of these fits are kept; empty keeps all.
        exclude: Tools that one of these fits are left out.
        rules: Applied in their order; of two that say different things of a tool, the later counts.
        where: The file, for messages.
    """

    __pydantic_config__: ClassVar[Any] = _CLOSED

    curation: Literal[1]
    select: tuple[Match | str, ...] = ()
    exclude: tuple[Match | str, ...] = ()
    rules: tuple[Rule, ...] = ()
    where: str = ""


def together(first: Changes, second: Changes) -> Changes:
    """Return two changes of one tool as one; where both say something, the second counts.

    The name and description that ``{name}`` and ``{description}`` stand for are put in by whoever applies
    the changes one after the other; here the second text simply replaces the first.
    """
    from dataclasses import fields, replace

    found: dict[str, Any] = {}
    for each in fields(Changes):
        value = getattr(second, each.name)
        if each.name == "tags":
            found["tags"] = tuple(dict.fromkeys([*first.tags, *second.tags]))
        elif each.name == "arguments":
            merged = dict(first.arguments)
            for key, change in second.arguments.items():
                merged[key] = _argument(merged[key], change) if key in merged else change
            found["arguments"] = merged
        elif value not in (None, ()):
            found[each.name] = value
    return replace(first, **found)


def _argument(first: ArgumentChange, second: ArgumentChange) -> ArgumentChange:
    from dataclasses import fields, replace

    given = {each.name: getattr(second, each.name) for each in fields(second)}
    return replace(first, **{key: value for key, value in given.items() if value is not None})
