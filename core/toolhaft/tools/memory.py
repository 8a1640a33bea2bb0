"""The calls of one rollout, so that backtracking repeats no write and no needless read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.tools.schema import nesting
from toolhaft.types import Artifact, Observation, ToolCall

_DEEPEST = 200


@dataclass(slots=True)
class _Entry:
    observation: Observation
    writes_before: int
    abandoned: bool = False


class CallMemory:
    """Observations by tool and arguments."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._writes = 0
        self._asked: dict[str, int] = {}

    def ordinal(self, call: ToolCall) -> str:
        """Return what tells this call from every other of the rollout: its content and its turn.

        Models reuse the ids of calls, so these will not do for a key under which a server remembers.
        """
        key = _key(call)
        turn = self._asked[key] = self._asked.get(key, 0) + 1
        return hashlib.blake2b(f"{turn} {key}".encode("utf-8", "replace"), digest_size=8).hexdigest()

    def remember(self, call: ToolCall, observation: Observation) -> None:
        """Keep what a call returned."""
        if observation.effect != "read":
            self._writes += 1
        self._entries[_key(call)] = _Entry(observation, self._writes)

    def abandon(self, calls: Iterable[ToolCall]) -> None:
        """Mark calls as made on a branch that was given up."""
        for call in calls:
            entry = self._entries.get(_key(call))
            if entry is not None:
                entry.abandoned = True

    def recall(self, call: ToolCall, *, reads: bool) -> Observation | None:
        """Return the earlier answer to the same call where it must or may stand for a new one.

        A write made on an abandoned branch is never made again. A read is reused only if ``reads`` is
        set and nothing was written since.
        """
        entry = self._entries.get(_key(call))
        if entry is None:
            return None
        if entry.observation.effect == "read":
            usable = reads and entry.writes_before == self._writes
        else:
            usable = entry.abandoned
        if not usable or (entry.observation.failed and not _uncertain(entry.observation)):
            return None
        return replace(entry.observation, call_id=call.id, provenance="reused", seconds=0.0, exchanges=())

    @property
    def writes(self) -> int:
        """Writes made so far."""
        return self._writes


def canonical(arguments: Any) -> str:
    """Return arguments as JSON text that is equal for equal arguments; artifacts stand in it by their ids."""
    import orjson

    try:
        option = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS
        return orjson.dumps(arguments, default=_named, option=option).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates: legal here, and rare
        return json.dumps(
            arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_named
        )


def _named(value: Any) -> str:
    return value.id if isinstance(value, Artifact) else str(value)


def storable(arguments: Any) -> bool:
    """Whether arguments are a JSON object that a record can hold: no NaN, not too deep, no endless number."""
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        return False
    try:
        return nesting(arguments, _DEEPEST) <= _DEEPEST and bool(canonical(arguments))
    except (TypeError, ValueError, RecursionError):
        return False


def _key(call: ToolCall) -> str:
    return f"{call.name} {canonical(call.arguments)}"


def _uncertain(observation: Observation) -> bool:
    return observation.error is not None and observation.error.effect != "none"
