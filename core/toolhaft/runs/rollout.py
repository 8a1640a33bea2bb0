"""The journal of one rollout: what it asks and tells, as messages to whoever keeps the batch's journal."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toolhaft.errors import BudgetExceededError, JournalError, JournalMismatchError, UncertainError
from toolhaft.runs.crash import crash_point
from toolhaft.runs.executor import Home
from toolhaft.secrets import SecretStore
from toolhaft.tools.content import error_info
from toolhaft.tools.journal import CallJournal, EventClock, ModelQuestion, RecordedCall
from toolhaft.tools.memory import canonical
from toolhaft.types import (
    Completion,
    Message,
    Observation,
    ToolCall,
    ToolSpec,
    from_json,
    from_value,
    to_json,
    to_value,
)

_KEPT = 4096
_ARGUMENTS = 2000
"""Characters of a call's arguments that are kept, for a person who has to find out whether it was made."""


class Fingerprints:
    """Digests of messages and tools, each made once for as long as the object is the same.

    Args:
        secrets: What they know is no part of a digest: keys may change between two runs.
    """

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._known: dict[int, tuple[object, str]] = {}

    def of(self, value: Message | ToolSpec) -> str:
        """Return the digest of a message, or of what a model is shown of a tool."""
        found = self._known.get(id(value))
        if found is not None and found[0] is value:
            return found[1]
        shown = _said(value) if isinstance(value, Message) else _shown(value)
        digest = _digest(self._secrets.redact(shown))
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[id(value)] = value, digest
        return digest

    def of_all(self, values: Sequence[Message | ToolSpec]) -> str:
        """Return the digest of a sequence."""
        return _digest("".join(map(self.of, values)))


class RolloutJournal(CallJournal):
    """Asks and tells a journal about one rollout.

    Args:
        home: Where the journal is kept.
        job: Position of the job.
        id: Of the rollout.
        started: When the job was first claimed.
        entries: What was recorded of the rollout before: see `toolhaft.runs.statements.ClaimedJob`.
        secrets: Everything is redacted by them before it is told.
        tools: Digests of the tools, shared by the rollouts of one process.
        counted: Whether the batch has a budget, so that leave must be had for every call.

    Attributes:
        uncertain: Whether a write was found of which nobody knows whether it was carried out.
    """

    def __init__(
        self,
        home: Home,
        *,
        job: int,
        id: str,
        started: str,
        entries: Iterable[Mapping[str, Any]] = (),
        secrets: SecretStore,
        tools: Fingerprints | None = None,
        counted: bool = False,
    ) -> None:
        self.id = id
        self.started = started
        self.clock = EventClock()
        self.uncertain = False
        self._home = home
        self._job = job
        self._entries = {str(entry["key"]): entry for entry in entries}
        self._secrets = secrets
        self._tools = tools or Fingerprints(secrets)
        self._messages = Fingerprints(secrets)
        self._counted = counted
        self._asked = 0
        self._questions: dict[int, str] = {}

    async def find_call(self, key: str, call: ToolCall, spec: ToolSpec) -> RecordedCall | None:
        """See `CallJournal.find_call`."""
        entry = self._entries.get(key)
        if entry is None:
            self._stop_here()
            return None
        where = f"call {key} of {spec.name}"
        if entry["status"] == "started":
            again = entry["effect"] == "read" or bool(entry["repeatable"])
            if again and (spec.effect == "read" or spec.repeatable):
                self._stop_here()
                return RecordedCall(observation=None)
            observation = self._uncertain(call, spec)
            self._end(key, spec, observation, status="uncertain", at=float(entry["at"]))
        else:
            observation = from_json(Observation, str(entry["result"]), where=where)
        self.uncertain = self.uncertain or entry["status"] != "done"
        self.clock.replay(float(entry["at"]))
        crash_point("replayed-call")
        return RecordedCall(observation=observation, made=bool(entry["made"]))

    async def begin_call(self, key: str, call: ToolCall, spec: ToolSpec) -> None:
        """See `CallJournal.begin_call`."""
        self._stop_here()
        if spec.effect != "read" or self._counted:
            entry = self._entry(key, "tool", spec.name, spec.effect, spec.repeatable)
            asked = self._secrets.redact(canonical(call.arguments))[:_ARGUMENTS]
            await self._begin(entry | {"at": self.clock.running(), "request": asked})
        crash_point("before-call")

    async def end_call(self, key: str, spec: ToolSpec, observation: Observation) -> None:
        """See `CallJournal.end_call`."""
        crash_point("after-call")
        refused = observation.error is not None and observation.error.code == "E-TOOL-REFUSED"
        self._end(key, spec, observation, status="done", at=self.clock.tick(), made=not refused)

    async def begin_completion(self, question: ModelQuestion) -> Completion | int:
        """See `CallJournal.begin_completion`."""
        number, self._asked = self._asked, self._asked + 1
        request = self._request(question)
        entry = self._entries.get(f"model-{number}")
        if entry is not None and entry["result"] is not None:
            if entry["request"] != request:
                raise self._mismatch(number, str(entry["request"]), request)
            await asyncio.sleep(0)
            self.clock.replay(float(entry["at"]))
            crash_point("replayed-completion")
            return from_json(Completion, str(entry["result"]), where=f"completion {number} of {self.id}")
        self._stop_here()
        self._questions[number] = request
        if self._counted:
            row = self._entry(f"model-{number}", "model", question.model, "read", True)
            await self._begin(row | {"request": request})
        crash_point("before-completion")
        return number

    async def end_completion(self, number: int, completion: Completion) -> Completion:
        """See `CallJournal.end_completion`."""
        crash_point("after-completion")
        if self._secrets.knows_any:
            value = self._secrets.redact_value(to_value(completion))
            completion = from_value(Completion, value, where=f"completion {number} of {self.id}")
        usage = completion.usage
        row = self._entry(f"model-{number}", "model", completion.model, "read", True)
        row |= {
            "status": "done",
            "request": self._questions.pop(number),
            "result": to_json(completion).decode(),
            "at": self.clock.tick(),
            "spend": {
                # What was begun with leave of the batch's budget was counted then.
                "model_calls": 0 if self._counted else 1,
                "tokens": max(0, usage.input_tokens) + max(0, usage.output_tokens),
                "cost": max(0.0, usage.cost),
            },
        }
        self._home.tell({"op": "end", "entry": row})
        return completion

    def _entry(self, key: str, kind: str, name: str, effect: str, repeatable: bool) -> dict[str, Any]:
        return {
            "job": self._job,
            "key": key,
            "kind": kind,
            "name": name,
            "effect": effect,
            "repeatable": repeatable,
        }

    async def _begin(self, entry: dict[str, Any]) -> None:
        answer = await self._home.ask({"op": "begin", "entry": entry})
        if answer.get("lost"):
            raise JournalError(
                "another process took this job over: this one was silent for too long",
                where=self.id,
                hint="Nothing was done twice; give jobs a longer lease on a machine as busy as this",
                code="E-JOURNAL-LEASE",
            )
        spent = answer.get("spent")
        if spent:
            error = BudgetExceededError(str(spent), float(answer["limit"]))
            error.what = f"the batch's {error.what.removeprefix('the ')}"
            error.hint = f"Start it again with more: --batch-budget {spent}=n"
            error.code = "E-BUDGET-BATCH"
            raise error

    def _end(
        self,
        key: str,
        spec: ToolSpec,
        observation: Observation,
        *,
        status: str,
        at: float,
        made: bool = True,
    ) -> None:
        row = self._entry(key, "tool", spec.name, spec.effect, spec.repeatable)
        row |= {"status": status, "result": to_json(observation).decode(), "at": at, "made": made}
        if made and spec.effect == "read" and not self._counted:
            row["spend"] = {"tool_calls": 1}
        self._home.tell({"op": "end", "entry": row})

    def _uncertain(self, call: ToolCall, spec: ToolSpec) -> Observation:
        error = UncertainError(
            "the process ended while this call was under way: it may or may not have been carried out, "
            "and it is not made again",
            where=spec.name,
            hint="Do not repeat it; a person must look whether it was done",
            effect="uncertain",
        )
        return Observation(
            call_id=call.id,
            tool=spec.name,
            error=error_info(error, self._secrets),
            labels=(f"tool:{spec.name}",),
            effect=spec.effect,
        )

    def _request(self, question: ModelQuestion) -> str:
        avoided = [[call.name, call.arguments] for call in question.avoid]
        parts = {
            "model": question.model,
            "messages": self._messages.of_all(question.messages),
            "tools": self._tools.of_all(question.tools),
            "avoid": _digest(json.dumps(avoided, sort_keys=True, default=str)) if avoided else "",
            "seed": question.seed,
        }
        return json.dumps(parts)

    def _mismatch(self, number: int, recorded: str, asked: str) -> JournalMismatchError:
        before, now = _parts(recorded), _parts(asked)
        changed = [name for name in now if before.get(name) != now[name]]
        return JournalMismatchError(
            f"question {number + 1} to the model is not the recorded one: {' and '.join(changed)} changed",
            where=self.id,
            hint="Run it with the tools, prompts and model it was begun with, or begin a new batch",
            details={"changed": changed, "question": number},
        )

    def _stop_here(self) -> None:
        if self.stopping:
            raise asyncio.CancelledError


def _shown(spec: ToolSpec) -> str:
    return f"{spec.name}\0{spec.description}\0{canonical(spec.parameters)}"


def _said(message: Message) -> str:
    calls = [
        [call.id, call.name, call.arguments, call.problem, call.raw, call.repaired] for call in message.calls
    ]
    artifacts = [artifact.id for artifact in message.artifacts]
    return canonical([message.role, message.text, message.call_id, message.name, calls, artifacts])


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _parts(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
