"""One call from the model's wish to the observation: found, checked, allowed, made, cut, labelled."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any, get_args

from toolhaft.errors import (
    EffectState,
    InvalidArgumentsError,
    RefusedError,
    ToolCrashError,
    ToolError,
    ToolhaftError,
    ToolTimeoutError,
    UnknownToolError,
)
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.content import contents, error_info, redact_exchanges
from toolhaft.tools.context import RunContext
from toolhaft.tools.handles import artifacts_in
from toolhaft.tools.policy import CallRequest, carries
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Derivation, Observation, Provenance, ToolCall, ToolSpec

__all__ = ["ToolCrashError", "execute", "note_call"]

_PROVENANCES = get_args(Provenance)
_NAME_SHOWN = 64


async def execute(
    call: ToolCall,
    tools: ToolSet,
    context: RunContext,
    *,
    reuse_reads: bool = False,
    note: bool = True,
) -> Observation:
    """Check a call, ask for leave, make it, and return what came back.

    The model's errors and the tool's come back as observations. The call must have been reserved in the
    budget before.

    Args:
        call: What the model asked for; nothing in it is trusted.
        tools: What is offered.
        context: Policy, labels, memory, limits.
        reuse_reads: Let an earlier answer to the same read stand, if nothing was written since.
        note: Give artifacts their handles and remember the call at once; of calls that are made at the
            same time, the caller does that in their order with `note_call`, so that the record does not
            depend on which answered first.

    Raises:
        ToolCrashError: The tool has a bug.
        ToolhaftError: Anything else that is for the programmer.
    """
    started = time.monotonic()
    tool = tools.get(call.name)
    spec = tool.spec if tool is not None else None
    journal, key = context.journal, ""
    fields: dict[str, Any] = {}
    try:
        if tool is None or spec is None:
            raise UnknownToolError(call.name, tools.names)
        _check(call, spec, tools)
        earlier = context.memory.recall(call, reads=reuse_reads)
        if earlier is not None:
            return _reused(call, earlier, tools, note=note)
        given = context.handles.resolve(spec, call.arguments)
        fields["arguments_from"] = sources = context.labels.of_arguments(given, spec.parameters)
        key = f"{context.id}-{context.memory.ordinal(call)}"
        recorded = await journal.find_call(key, call, spec) if journal is not None else None
        if recorded is None:
            await _ask_leave(call, spec, sources, tools, context)
        # What is made of private data is private too: a tool that spells it otherwise must not wash it.
        if (recorded is None or recorded.made) and (spec.private or carries(sources, context.private_labels)):
            context.private = True
            context.private_labels.add(f"tool:{spec.name}")
        if recorded is not None and recorded.observation is not None:
            # Others of the same step come as far as they came the first time before one is answered.
            await asyncio.sleep(0)
            return note_call(call, recorded.observation, tools, context) if note else recorded.observation
        if journal is not None:
            await journal.begin_call(key, call, spec)
        made_by = Derivation(
            tool=spec.name,
            arguments=context.secrets.redact_value(call.arguments),
            parents=tuple(artifact.id for artifact in artifacts_in(given)),
            call_id=call.id,
        )
        fields |= contents(await _make(tool, spec, given, key, context), spec, context, made_by)
    except ToolError as error:
        fields["error"] = error_info(error, context.secrets)
        fields["exchanges"] = redact_exchanges(error.exchanges, context.secrets)
        if (said := error.details.get("provenance")) in _PROVENANCES:  # a simulated failure says so, too
            fields["provenance"] = said
    observation = Observation(
        call_id=call.id,
        tool=spec.name if spec is not None else call.name[:_NAME_SHOWN],
        labels=(f"tool:{spec.name}",) if spec is not None else (),
        effect=spec.effect if spec is not None else "read",
        # What no journal records must not take a time of its own: a replay takes another.
        seconds=time.monotonic() - started if key or journal is None else 0.0,
        **fields,
    )
    if journal is not None and spec is not None and key:
        await journal.end_call(key, spec, observation)
    return note_call(call, observation, tools, context) if note else observation


def note_call(call: ToolCall, observation: Observation, tools: ToolSet, context: RunContext) -> Observation:
    """Remember a call, and what the model is about to read.

    Args:
        call: What the model asked for.
        observation: What came back.
        tools: What is offered.
        context: Its handles, labels and memory are added to.

    Returns:
        The observation with handles in place of its artifacts.
    """
    tool = tools.get(call.name)
    if tool is None:
        return observation
    spec = tool.spec
    observation = context.handles.settle(observation)
    for artifact in observation.artifacts():
        context.labels.add_artifact(artifact, f"tool:{spec.name}")
    made = observation.error is None or observation.error.effect != "none"
    if made or spec.effect == "read":
        context.memory.remember(call, observation)
    tools.note(call, observation)
    context.labels.add(f"tool:{spec.name}", observation.text())
    context.untrusted = context.untrusted or spec.untrusted
    return observation


def _reused(call: ToolCall, earlier: Observation, tools: ToolSet, *, note: bool) -> Observation:
    if note:
        tools.note(call, earlier)
    return earlier


def _check(call: ToolCall, spec: ToolSpec, tools: ToolSet) -> None:
    if call.problem:
        raise InvalidArgumentsError(
            f"the arguments could not be read: {call.problem}",
            where=spec.name,
            hint="Send one JSON object",
        )
    if call.repaired and spec.effect != "read":
        raise InvalidArgumentsError(
            "the arguments are not valid JSON; they are not guessed for a tool that writes",
            where=spec.name,
            hint="Send one valid JSON object",
        )
    tools.check(spec, call.arguments)


async def _ask_leave(
    call: ToolCall,
    spec: ToolSpec,
    sources: tuple[tuple[str, tuple[str, ...]], ...],
    tools: ToolSet,
    context: RunContext,
) -> None:
    request = CallRequest(
        spec=spec,
        arguments=call.arguments,
        labels=sources,
        context=context.labels.read,
        private=context.private,
        private_labels=_private_elsewhere(spec, tools, context.private_labels),
        untrusted=context.untrusted,
    )
    decision = context.policy.decide(request)
    if decision.verdict == "allow":
        return
    if decision.verdict == "ask" and context.approver is not None:
        answer = context.approver(request, decision)
        if await answer if inspect.isawaitable(answer) else answer:
            return
        raise RefusedError(f"the call was not approved: {decision.reason}", where=spec.name)
    raise RefusedError(
        f"the call was refused: {decision.reason}",
        where=spec.name,
        hint=f"A person can allow it with --allow {spec.name} (allow={spec.name!r})"
        if decision.verdict == "ask"
        else "",
    )


def _private_elsewhere(spec: ToolSpec, tools: ToolSet, private: Iterable[str]) -> frozenset[str]:
    """Leave out the private sources that speak to no host but those the call goes to: these know already."""
    found = []
    for label in private:
        source = tools.get(label.removeprefix("tool:"))
        hosts = source.spec.hosts if source is not None else ()
        if not hosts or not set(spec.hosts) <= set(hosts):
            found.append(label)
    return frozenset(found)


async def _make(
    tool: Tool, spec: ToolSpec, arguments: Mapping[str, Any], key: str, context: RunContext
) -> Any:
    limit = spec.timeout if spec.timeout is not None else context.tool_timeout
    call_context = CallContext(key=key, artifacts=context.artifacts, seed=context.seed)
    effect: EffectState = "none"
    left = context.meter.remaining_seconds()
    try:
        async with asyncio.timeout(left) if left is not None else nullcontext() as whole, tool.place():
            effect = "none" if spec.effect == "read" else "uncertain"
            async with asyncio.timeout(limit) as own:
                return await tool.call(arguments, call_context)
    except TimeoutError as error:
        if whole is not None and whole.expired():
            what = "no result before the rollout's time was over"
        elif own.expired():
            what = f"no result after {limit:g} seconds"
        else:
            what = f"it gave up waiting: {_said(error, context)}"
        raise ToolTimeoutError(
            what, where=spec.name, retryable=spec.effect == "read" or spec.repeatable, effect=effect
        ) from None
    except ToolhaftError:
        raise
    except asyncio.CancelledError as error:
        current = asyncio.current_task()
        if current is None or current.cancelling():
            raise
        raise _crash(spec, error, effect, context) from error
    # A tool is foreign code: whatever it raises is named after it, and goes on to the programmer. Even
    # sys.exit(), which would otherwise end the event loop for everybody.
    except (Exception, SystemExit) as error:
        raise _crash(spec, error, effect, context) from error


def _crash(spec: ToolSpec, error: BaseException, effect: Any, context: RunContext) -> ToolCrashError:
    return ToolCrashError(
        f"the tool {spec.name!r} raised {type(error).__name__}: {_said(error, context)}",
        where=spec.source,
        hint="Raise toolhaft.ToolError in a tool for what the model should read and react to",
        effect=effect,
    )


def _said(error: BaseException, context: RunContext) -> str:
    return context.secrets.redact(str(error))[:300]
