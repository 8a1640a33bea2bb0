"""What a tool is: a spec and a call."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.types import Exchange, Part, Provenance, ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Names of tools that every provider accepts."""
KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""Names of arguments that every provider accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What a call runs in, for the tools that want to know.

    A function tool asks for it with a parameter annotated ``CallContext``; the model never sees that
    parameter.

    Attributes:
        key: Idempotency key: the same for every attempt at the same call of the same rollout.
        artifacts: Where to put and get images and files.
        seed: The rollout's seed.
    """

    key: str = ""
    artifacts: ArtifactStore | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """A result that has more to tell than its value.

    Attributes:
        value: What a Python caller gets: any JSON value.
        parts: What the model is shown; empty means ``value`` as text or JSON.
        exchanges: HTTP exchanges made.
        provenance: Where the value came from.
        notes: What the model should know of the value beside it, each one line: where it differs from
            what was promised, how to get the next page. At most 8 are kept, of 400 characters.
        rest: How to get less at once, one line; said only if the value had to be cut.
    """

    value: Any = None
    parts: tuple[Part, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    provenance: Provenance = "live"
    notes: tuple[str, ...] = ()
    rest: str = ""


class Tool(ABC):
    """Something callable with a spec. Subclass it for a tool that holds state; see `tool` for functions."""

    spec: ToolSpec

    @abstractmethod
    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Make the call.

        Args:
            arguments: Valid against ``spec.parameters``.
            context: What the call runs in.

        Returns:
            A JSON value, text, an `toolhaft.types.Artifact`, or a `ToolResult`.

        Raises:
            ToolError: What the model should read. Any other exception is a bug in the tool; a rollout
                reports it to the model as such and goes on.
        """

    def place(self) -> AbstractAsyncContextManager[Any]:
        """Return what to hold while calling it: one of ``spec.concurrency`` places, if these are limited.

        The places are the tool's own, so that every agent and every view of a catalog shares them; they
        belong to the running event loop.
        """
        limit = self.spec.concurrency
        if limit is None:
            return nullcontext()
        import asyncio

        places = self.__dict__.setdefault("_places", {})
        loop = asyncio.get_running_loop()
        if loop not in places:
            for ended in [other for other in places if other.is_closed()]:
                del places[ended]
            places[loop] = asyncio.Semaphore(max(1, limit))
        place: asyncio.Semaphore = places[loop]
        return place

    def request(self, arguments: Mapping[str, Any]) -> Any:
        """Return the `toolhaft.http.message.Request` that a call would send, or None if it sends none."""
        return None

    async def close(self) -> None:
        """Let go of connections and processes. The default has none."""

    def binding(self) -> dict[str, Any] | None:
        """Return what a catalog file must keep to make this tool again, or None if it cannot be kept.

        The dictionary has the key ``kind``: the scheme of the tool source that binds it.
        """
        return None


class RawTool(Tool):
    """A spec with any async callable that takes the arguments as one mapping."""

    def __init__(self, spec: ToolSpec, function: Callable[..., Any]) -> None:
        check_name(spec.name)
        self.spec = spec
        self._function = function

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Call the function with the arguments as keywords."""
        from toolhaft.tools.function import invoke

        return await invoke(self._function, arguments)


def check_name(name: str) -> None:
    """Raise `UsageError` unless every provider accepts the name."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is not a tool name",
            hint="Use 1 to 64 letters, digits, underscores and hyphens",
        )
