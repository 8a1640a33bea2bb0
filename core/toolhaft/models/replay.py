"""Recording what a model answers, and answering from the recording.

A recording is JSON Lines, one answer a line, found again by a hash of what was asked: the messages, the
tools as the model sees them and the calls to avoid. Ids of calls are left out of it, as servers draw them
by lot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, ReplayMissError, UsageError
from toolhaft.models.base import Model
from toolhaft.types import FORMAT, Completion, Message, ToolCall, ToolSpec, from_value, to_value

if TYPE_CHECKING:
    from toolhaft.secrets import SecretStore


@dataclass(frozen=True, slots=True)
class RequestHash:
    """What was asked, as three SHA-256 digests, so that a miss can say which part differs."""

    messages: str
    tools: str
    avoid: str


class RecordingModel(Model):
    """Passes everything on to a model and appends its answers to a file.

    Args:
        inner: The model asked.
        path: The recording; it is made if missing, with its folder, and added to otherwise.
        secrets: Its filter goes over every line.
    """

    def __init__(self, inner: Model, path: str | Path, *, secrets: SecretStore | None = None) -> None:
        self.name = inner.name
        self.origin = inner.origin
        self._inner = inner
        self._path = Path(path)
        self._secrets = secrets

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the model's answer, after it was written down; errors are not recorded."""
        completion = await self._inner.complete(
            messages, tools, avoid=avoid, on_delta=on_delta, seed=seed, max_tokens=max_tokens
        )
        self._append(hash_request(messages, tools, avoid), completion)
        return completion

    async def close(self) -> None:
        """Close the model that is recorded."""
        await self._inner.close()

    def _append(self, asked: RequestHash, completion: Completion) -> None:
        from toolhaft.models.wire import dumps

        line: Any = {
            "format": FORMAT,
            "messages": asked.messages,
            "tools": asked.tools,
            "avoid": asked.avoid,
            "model": self.name,
            "completion": to_value(completion),
        }
        if self._secrets is not None:
            line = self._secrets.redact_value(line)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(dumps(line, "a recorded answer") + b"\n")
        except OSError as error:
            raise UsageError(
                f"the recording cannot be written: {error.strerror}", where=str(self._path)
            ) from None


class ReplayModel(Model):
    """Answers from a recording, and never with anything else.

    The same question asked again gets the answers that were recorded for it in turn, then from the first.

    Args:
        name: Path of the recording.

    Raises:
        UsageError: There is no such file.
        FormatError: A line of it is damaged or of a newer format.
    """

    origin = "replay"

    def __init__(self, name: str | Path) -> None:
        self._path = Path(name)
        self.name = f"replay:{name}"
        self._answers = _read(self._path)
        self._asked: dict[RequestHash, int] = {}

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the recorded answer.

        Raises:
            ReplayMissError: This was not asked when the recording was made.
        """
        asked = hash_request(messages, tools, avoid)
        answers = self._answers.get(asked)
        if not answers:
            raise self._miss(asked)
        turn = self._asked.get(asked, 0)
        self._asked[asked] = turn + 1
        completion = answers[turn % len(answers)]
        if on_delta is not None and completion.text:
            on_delta(completion.text)
        return replace(completion, origin=self.origin)

    def _miss(self, asked: RequestHash) -> ReplayMissError:
        if not self._answers:
            what = "the recording is empty"
        elif any(known.messages == asked.messages and known.avoid == asked.avoid for known in self._answers):
            what = "this conversation was recorded with other tools, or with other descriptions of them"
        elif any(known.messages == asked.messages for known in self._answers):
            what = "this conversation was recorded with other calls to avoid"
        else:
            what = "the recording holds no answer to this conversation"
        return ReplayMissError(
            what,
            where=str(self._path),
            hint="Record it again with the same task, tools, planner and prompts",
            details={"messages": asked.messages, "tools": asked.tools, "avoid": asked.avoid},
        )


def hash_request(
    messages: Sequence[Message], tools: Sequence[ToolSpec] = (), avoid: Sequence[ToolCall] = ()
) -> RequestHash:
    """Return the digests of what a model is asked; equal questions have equal digests."""
    ids: dict[str, int] = {}
    return RequestHash(
        messages=_digest([_plain_message(message, ids) for message in messages]),
        tools=_digest([[spec.name, spec.description, spec.parameters] for spec in tools]),
        avoid=_digest([_plain_call(call) for call in avoid]),
    )


def _plain_message(message: Message, ids: dict[str, int]) -> list[Any]:
    """Return what a message says, its call ids as numbers in the order of their first appearance."""
    calls = [[ids.setdefault(call.id, len(ids)), *_plain_call(call)] for call in message.calls]
    answered = ids.setdefault(message.call_id, len(ids)) if message.call_id else None
    artifacts = [artifact.id for artifact in message.artifacts]
    return [message.role, message.text, calls, answered, message.name, artifacts]


def _plain_call(call: ToolCall) -> list[Any]:
    return [call.name, call.arguments, call.raw if call.problem else ""]


def _digest(value: Any) -> str:
    from toolhaft.tools.memory import canonical

    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> dict[RequestHash, list[Completion]]:
    import orjson

    answers: dict[RequestHash, list[Completion]] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(
            f"the recording cannot be read: {error.strerror}",
            where=str(path),
            hint="Make one with RecordingModel(model, path)",
        ) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise FormatError(f"not JSON: {error}", where=where, hint="The line may be cut off") from None
        asked, completion = _read_record(record, where)
        answers.setdefault(asked, []).append(completion)
    return answers


def _read_record(record: Any, where: str) -> tuple[RequestHash, Completion]:
    if not isinstance(record, Mapping):
        raise FormatError("not a recorded answer: no JSON object", where=where)
    if record.get("format") != FORMAT:
        raise FormatError(
            f"format {record.get('format')!r} of recordings is not known",
            where=where,
            hint=f"This version of Toolhaft reads format {FORMAT}",
        )
    digests = [record.get(name) for name in ("messages", "tools", "avoid")]
    if not all(isinstance(digest, str) for digest in digests):
        raise FormatError("not a recorded answer: its digests are missing", where=where)
    completion = from_value(Completion, record.get("completion"), where=where)
    return RequestHash(*(str(digest) for digest in digests)), completion
