"""Retrievers and re-rankers that another retriever is made of, given by name or made already."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ConfigError, PluginError, ToolhaftError

MakePart = Callable[[str, str, dict[str, Any]], Any]
"""Makes a part of a kind by its name and settings: `toolhaft.hooks.registry.Registry.make`."""

_MOST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPart:
    """A part and what messages call it.

    Attributes:
        label: Its name, with a number behind it where several have one name.
        made: The retriever or re-ranker.
        whole: What it is a part of, for messages.
    """

    label: str
    made: Any
    whole: str

    async def wait(self, work: Awaitable[Any]) -> Any:
        """Return what some work of this part comes to.

        Raises:
            ToolhaftError: The part's own, with its name before it.
            PluginError: It raised something else.
        """
        outcomes = await asyncio.gather(work, return_exceptions=True)
        outcome: Any = outcomes[0]
        if isinstance(outcome, BaseException):
            raise self.explained(outcome)
        return outcome

    def explained(self, error: BaseException) -> BaseException:
        """Return an error of this part, with its name in it."""
        if isinstance(error, ToolhaftError):
            error.what = f"the part {self.label!r} of {self.whole}: {error.what}"
            return error
        if not isinstance(error, Exception | asyncio.CancelledError):
            return error
        said = " ".join(str(error).split())[:200]
        raised = PluginError(f"the part {self.label!r} of {self.whole} raised {type(error).__name__}: {said}")
        raised.__cause__ = error
        return raised

    def checked_ranking(self, ranking: Any) -> list[tuple[str, float]]:
        """Return names with scores as this part gave them, each name once.

        Raises:
            PluginError: A score is no finite number.
        """
        best: dict[str, float] = {}
        for name, score in ranking:
            if not isinstance(score, int | float) or not math.isfinite(score):
                raise PluginError(
                    f"the part {self.label!r} of {self.whole} gives {name!r} the score {score!r:.40}",
                    hint="A retriever's scores are finite numbers: its index or its weights may be damaged",
                )
            best.setdefault(name, float(score))
        return list(best.items())


async def wait_for_all(
    parts: Sequence[NamedPart], work: Sequence[Awaitable[Any]], seconds: float
) -> list[Any]:
    """Return what the work of several parts, done side by side, comes to.

    Args:
        parts: Whose work it is.
        work: One awaitable a part.
        seconds: That the slowest may take.

    Raises:
        ToolhaftError: A part failed or took longer; the error names it, and the others are given up.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for part, task in zip(parts, tasks, strict=True):
            if task.done():
                await part.wait(task)
        for part, task in zip(parts, tasks, strict=True):
            if not task.done():
                raise ToolhaftError(
                    f"the part {part.label!r} of {part.whole} took longer than {seconds:g} s",
                    hint="Give it longer with timeout=, or leave it out",
                    retryable=True,
                )
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_parts(
    kind: str, given: Any, base: type[Any], make_part: MakePart | None, *, whole: str
) -> tuple[NamedPart, ...]:
    """Return the parts that a setting names.

    Args:
        kind: ``retriever`` or ``reranker``.
        given: Names, with commas between them or in a sequence; in the place of a name may stand a mapping
            of it to its settings, or a thing made already. A mapping alone stands for all of them.
        base: What a part must be.
        make_part: Makes those that are only named.
        whole: What they are parts of, for messages.

    Raises:
        ConfigError: The setting makes no sense.
        UnknownNameError: No plugin brings a part; the message says what to install.
    """
    entries: list[tuple[str, Any]] = []
    for entry in _entries(given):
        if isinstance(entry, base):
            entries.append((str(getattr(entry, "name", "") or kind), entry))
        elif isinstance(entry, Mapping) and entry:
            entries += [(_name(kind, name, whole), settings) for name, settings in entry.items()]
        else:
            entries.append((_name(kind, entry, whole), {}))
    if not 1 <= len(entries) <= _MOST:
        raise ConfigError(f"{whole} has {len(entries)} parts", hint=f"Name 1 to {_MOST} of kind {kind}")
    parts: list[NamedPart] = []
    for name, entry in entries:
        same = sum(part.label.partition("#")[0] == name for part in parts)
        label = f"{name}#{same + 1}" if same else name
        made = entry if isinstance(entry, base) else _made(kind, name, entry, make_part, whole)
        parts.append(NamedPart(label=label, made=made, whole=whole))
    return tuple(parts)


def _entries(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [name.strip() for name in given.split(",")]
    if isinstance(given, Sequence):
        return list(given)
    return [given]


def _name(kind: str, name: Any, whole: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(
            f"a part of {whole} is {repr(name)[:60]}", hint=f"Name a {kind}, as in bm25, or hand one over"
        )
    return name.strip()


def _made(kind: str, name: str, settings: Any, make_part: MakePart | None, whole: str) -> Any:
    if settings is not None and not isinstance(settings, Mapping):
        raise ConfigError(
            f"the settings of the part {name!r} of {whole} are {repr(settings)[:60]}",
            hint="Give a mapping from names to values",
        )
    if make_part is None:
        raise ConfigError(
            f"the part {name!r} of {whole} is only named, and there is nothing to look it up in",
            hint=f"Make it with Registry.load().retriever({whole!r}, ...), or hand over parts that are made",
        )
    try:
        return make_part(kind, name, dict(settings or {}))
    except ToolhaftError as error:
        error.what = f"the part {name!r} of {whole}: {error.what}"
        raise
