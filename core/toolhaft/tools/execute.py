"""One call from the model's wish to the observation: found, checked, allowed, made, cut, labelled."""

from __future__ import annotations

import asyncio
import inspect
import time
from dataclasses import replace
from typing import Any

from toolhaft.errors import (
    InvalidArgumentsError,
    RefusedError,
    ToolError,
    ToolhaftError,
    ToolTimeoutError,
    UnknownToolError,
)
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.context import RunContext
from toolhaft.tools.memory import canonical
from toolhaft.tools.policy import CallRequest
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    ErrorInfo,
    Exchange,
    JSONPart,
    Observation,
    Part,
    TextPart,
    ToolCall,
    ToolSpec,
)

_NAME_SHOWN = 64


class ToolCrashError(ToolhaftError):
    """A tool raised something that is not a `ToolError`: a bug in the tool, for its author to see."""

    code = "E-TOOL-CRASH"


async def execute(
    call: ToolCall, tools: ToolSet, context: RunContext, *, reuse_reads: bool = False
) -> Observation:
    """Check a call, ask for leave, make it, and return what came back.

    The model's errors and the tool's come back as observations. The call must have been reserved in the
    budget before.

    Args:
        call: What the model asked for; nothing in it is trusted.
        tools: What is offered.
        context: Policy, labels, memory, limits.
        reuse_reads: Let an earlier answer to the same read stand, if nothing was written since.

    Raises:
        ToolCrashError: The tool has a bug.
        ToolhaftError: Anything else that is for the programmer.
    """
    started = time.monotonic()
    tool = tools.get(call.name)
    spec = tool.spec if tool is not None else None
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    try:
        if tool is None or spec is None:
            raise UnknownToolError(call.name, tools.names)
        _check(call, spec, tools)
        earlier = context.memory.recall(call, reads=reuse_reads)
        if earlier is not None:
            return earlier
        sources = context.labels.of_arguments(call.arguments)
        await _ask_leave(call, spec, sources, context)
        result = await _make(tool, spec, call, tools, context)
    except ToolError as error:
        observation = _failure(call, spec, error, context)
    else:
        observation = _success(call, tool.spec, result, context)
    observation = replace(observation, seconds=time.monotonic() - started, arguments_from=sources)
    if spec is not None:
        _note(call, spec, observation, context)
    return observation


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
    call: ToolCall, spec: ToolSpec, sources: tuple[tuple[str, tuple[str, ...]], ...], context: RunContext
) -> None:
    request = CallRequest(
        spec=spec,
        arguments=call.arguments,
        labels=sources,
        context=context.labels.read,
        private=context.private,
        private_labels=frozenset(context.private_labels),
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


async def _make(tool: Tool, spec: ToolSpec, call: ToolCall, tools: ToolSet, context: RunContext) -> Any:
    limit = spec.timeout if spec.timeout is not None else context.tool_timeout
    left = context.meter.remaining_seconds()
    if left is not None:
        limit = min(limit, left)
    call_context = CallContext(key=f"{context.id}-{call.id}", artifacts=context.artifacts, seed=context.seed)
    try:
        async with tools.place(spec), asyncio.timeout(limit):
            return await tool.call(call.arguments, call_context)
    except TimeoutError:
        raise ToolTimeoutError(
            f"no result after {limit:g} seconds",
            where=spec.name,
            retryable=spec.effect == "read" or spec.repeatable,
            effect="none" if spec.effect == "read" else "uncertain",
        ) from None
    except ToolhaftError:
        raise
    # A tool is foreign code: whatever it raises is named after it, and goes on to the programmer.
    except Exception as error:
        said = context.secrets.redact(str(error))[:300]
        raise ToolCrashError(
            f"the tool {spec.name!r} raised {type(error).__name__}: {said}",
            where=spec.source,
            hint="Raise toolhaft.ToolError in a tool for what the model should read and react to",
        ) from error


def _success(call: ToolCall, spec: ToolSpec, result: Any, context: RunContext) -> Observation:
    if not isinstance(result, ToolResult):
        result = ToolResult(value=result)
    parts = result.parts or (_part(result.value, spec, context),)
    shown, cut = _cap(tuple(_redact(part, context) for part in parts), context.result_cap)
    return Observation(
        call_id=call.id,
        tool=spec.name,
        parts=shown,
        provenance=result.provenance,
        labels=(f"tool:{spec.name}",),
        exchanges=_redact_exchanges(result.exchanges, context),
        truncated=cut,
        effect=spec.effect,
    )


def _failure(call: ToolCall, spec: ToolSpec | None, error: ToolError, context: RunContext) -> Observation:
    fields = context.secrets.redact_value(error.to_dict())
    return Observation(
        call_id=call.id,
        tool=spec.name if spec is not None else call.name[:_NAME_SHOWN],
        error=ErrorInfo(**fields),
        labels=(f"tool:{spec.name}",) if spec is not None else (),
        exchanges=_redact_exchanges(error.exchanges, context),
        effect=spec.effect if spec is not None else "read",
    )


def _note(call: ToolCall, spec: ToolSpec, observation: Observation, context: RunContext) -> None:
    """Remember the call, and what the model is about to read."""
    made = observation.error is None or observation.error.effect != "none"
    if made or spec.effect == "read":
        context.memory.remember(call, observation)
    label = f"tool:{spec.name}"
    context.labels.add(label, observation.text())
    context.untrusted = context.untrusted or spec.untrusted
    if spec.private and observation.error is None:
        context.private = True
        context.private_labels.add(label)


def _part(value: Any, spec: ToolSpec, context: RunContext) -> Part:
    if isinstance(value, str):
        return TextPart(value)
    if isinstance(value, Artifact):
        return ArtifactPart(value)
    if isinstance(value, bytes):
        if context.artifacts is None:
            return TextPart(f"[{len(value)} bytes; this run keeps no artifacts]")
        return ArtifactPart(
            context.artifacts.put(value, media_type="application/octet-stream", name=f"{spec.name}.bin")
        )
    try:
        canonical(value)
    except (TypeError, ValueError, RecursionError):
        raise ToolError(
            f"the tool returned a {type(value).__name__}, which is not JSON", where=spec.name
        ) from None
    return JSONPart(value)


def _redact(part: Part, context: RunContext) -> Part:
    if isinstance(part, TextPart):
        return TextPart(context.secrets.redact(part.text))
    if isinstance(part, JSONPart):
        return JSONPart(context.secrets.redact_value(part.value))
    return part


def _redact_exchanges(exchanges: tuple[Exchange, ...], context: RunContext) -> tuple[Exchange, ...]:
    redact = context.secrets.redact
    if not context.secrets.knows_any:
        return exchanges
    return tuple(
        replace(
            exchange,
            url=redact(exchange.url),
            request_body=redact(exchange.request_body),
            response_body=redact(exchange.response_body),
            request_headers=tuple((name, redact(value)) for name, value in exchange.request_headers),
            response_headers=tuple((name, redact(value)) for name, value in exchange.response_headers),
        )
        for exchange in exchanges
    )


def _cap(parts: tuple[Part, ...], cap: int) -> tuple[tuple[Part, ...], int]:
    """Cut the content to at most ``cap`` characters in all; what does not fit becomes cut text."""
    kept: list[Part] = []
    cut = 0
    left = cap
    for part in parts:
        if isinstance(part, ArtifactPart):
            kept.append(part)
            continue
        text = part.text if isinstance(part, TextPart) else canonical(part.value)
        if len(text) <= left:
            kept.append(part)
            left -= len(text)
            continue
        cut += len(text) - left
        kept.append(TextPart(f"{text[:left]}\n[{len(text) - left} more characters were cut]"))
        left = 0
    return tuple(kept), cut
