"""One vote of a judge, read strictly: what is no verdict is no vote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from toolhaft.models.parsing import parse_arguments
from toolhaft.text import shorten
from toolhaft.types import Completion, ToolSpec, Usage
from toolhaft_evals.judge.prompts import Prompt

TOOL = "give_verdict"
FAILED = "the judge failed: "
"""What the problem of a vote begins with if it was never given."""
_LONGEST_REASON = 2_000
_KEYS = frozenset({"verdict", "reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What a judge answered to one question.

    Attributes:
        prompt: Name of the prompt; ``digest`` is its SHA-256.
        verdict: One of the prompt's labels; empty if there is none.
        reason: In the judge's words.
        problem: Why there is no verdict, or empty.
        model: Who answered; likewise ``origin``.
        said: What was answered instead of a verdict, cut.
        order: Of a comparison: which of the two stood first, ``reference`` or ``candidate``.
        usage: What it cost.
    """

    prompt: str
    digest: str
    verdict: str = ""
    reason: str = ""
    problem: str = ""
    model: str = ""
    origin: str = ""
    said: str = ""
    order: str = ""
    usage: Usage = Usage()


def verdict_tool(prompt: Prompt) -> ToolSpec:
    """Return the function by which a judge gives its verdict."""
    return ToolSpec(
        name=TOOL,
        description="Give the verdict.",
        parameters={
            "type": "object",
            "properties": {
                "reason": {"type": "string", "description": "Why, in one to three sentences."},
                "verdict": {"type": "string", "enum": list(prompt.labels)},
            },
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        },
        effect="read",
        untrusted=False,
    )


def read_vote(prompt: Prompt, completion: Completion, *, order: str = "") -> Vote:
    """Return the vote in a judge's answer: one call of the function, or the JSON object alone.

    An object inside other text is no verdict: the text around it may quote it from what is judged.
    """
    found, problem = _arguments(completion)
    verdict = found.get("verdict")
    if not problem and verdict not in prompt.labels:
        problem = f"{str(verdict)[:60]!r} is none of {', '.join(prompt.labels)}"
    reason = found.get("reason", "")
    said = completion.text or " ".join(call.raw or str(call.arguments) for call in completion.calls)
    return Vote(
        prompt=prompt.name,
        digest=prompt.digest,
        verdict="" if problem else str(verdict),
        reason=shorten(reason, _LONGEST_REASON) if isinstance(reason, str) else "",
        problem=problem,
        model=completion.model,
        origin=completion.origin,
        said=shorten(said, _LONGEST_REASON) if problem else "",
        order=order,
        usage=completion.usage,
    )


def _arguments(completion: Completion) -> tuple[dict[str, Any], str]:
    if len(completion.calls) > 1:
        return {}, f"{len(completion.calls)} calls instead of one"
    if completion.calls:
        (call,) = completion.calls
        if call.name != TOOL:
            return {}, f"a call of {call.name[:60]!r} instead of {TOOL}"
        if call.problem or call.repaired:
            return {}, call.problem or "the arguments had to be mended"
        return _known(call.arguments)
    if completion.finish == "refusal":
        return {}, "the judge refused"
    text = completion.text.strip()
    if text.startswith("```") and text.endswith("```") and text.count("```") == 2:
        text = text.strip("`").removeprefix("json").strip()
    if not text.startswith("{"):
        return {}, "neither a call nor a JSON object alone"
    parsed = parse_arguments(text)
    if parsed.problem or parsed.repaired:
        return {}, parsed.problem or "a JSON object with something around it"
    if len(json.loads(text, object_pairs_hook=list)) != len(parsed.arguments):
        return {}, "a part of the verdict stands twice"
    return _known(parsed.arguments)


def _known(arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    unknown = sorted(set(arguments) - _KEYS)
    return arguments, f"{unknown[0][:60]!r} is no part of a verdict" if unknown else ""
