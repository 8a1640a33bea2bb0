"""ToolBench's training conversations, made of trajectories.

Source: Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs" (ICLR
2024), section 3.2, and the layout of the published training files: one conversation for each call on the way
to the answer, whose last turn is to be learnt. Deviation: rollouts that end without an answer are left out
unless asked for, where the reference keeps give-ups; what built-in heuristics, replays or scripts did is left
out unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from toolhaft.types import Trajectory
from toolhaft_rapidapi.toolbench.kept import Kept
from toolhaft_rapidapi.toolbench.messages import train_messages

_CUE = "with a function call to actually excute your step."
"""The reference's system prompt, as spelled there, before its form for text models is put in."""
_FORM = " Your output should follow this format:\nThought:\nAction\nAction Input:\n"
_FUNCTIONS = "\nSpecifically, you have access to the following APIs: "


def export_conversations(
    trajectories: Iterable[Trajectory],
    *,
    thoughts: bool = False,
    gave_up: bool = False,
    origins: Sequence[str] = ("model",),
) -> list[dict[str, Any]]:
    """Return training conversations: ``{"id": "Step 4: ...", "conversations": [{"from", "value"}]}``.

    Args:
        trajectories: What was done.
        thoughts: Keep a thought that came beside a call. The reference drops it, and keeps those alone that
            came in a turn of their own, which it puts before the next call.
        gave_up: Take rollouts that gave up, too.
        origins: Who may have made the steps; rollouts of anybody else are left out.
    """
    found: list[dict[str, Any]] = []
    for trajectory in trajectories:
        status = trajectory.status
        if not set(trajectory.origins) <= set(origins):
            continue
        if status in ("answered", "asked") or (gave_up and status == "gave_up"):
            found += _conversations(trajectory, thoughts=thoughts)
    return found


def _conversations(trajectory: Trajectory, *, thoughts: bool) -> list[dict[str, Any]]:
    found = []
    for messages in _messages(trajectory):
        if "function_call" not in messages[-1]:
            continue
        turns = [{"from": "system", "value": _system(messages[0], trajectory)}]
        before = ""
        for message in messages[1:]:
            role = message["role"]
            if role == "assistant" and "function_call" not in message:
                before += message.get("content") or ""
                continue
            value = message.get("content") or ""
            if role == "assistant":
                value = _written(message, before, thoughts=thoughts)
                before = ""
            turns.append({"from": role, "value": value})
        number = len(messages) - 1
        found.append({"id": f"Step {number}: {trajectory.task.instruction}", "conversations": turns})
    return found


def _messages(trajectory: Trajectory) -> list[list[dict[str, Any]]]:
    """Return the messages as imported where they are not what the trajectory says, if they can be used."""
    kept = Kept.of(trajectory).answer.get("train_messages")
    if isinstance(kept, list) and kept and all(_is_usable(messages) for messages in kept):
        return kept
    return train_messages(trajectory)


def _is_usable(messages: Any) -> bool:
    if not isinstance(messages, list) or not messages:
        return False
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return False
        call = message.get("function_call", {"name": "", "arguments": ""})
        if not isinstance(call, dict) or not {"name", "arguments"} <= set(call):
            return False
        if not isinstance(message.get("content", ""), str | None):
            return False
    return True


def _written(message: dict[str, Any], before: str, *, thoughts: bool) -> str:
    said = before
    if thoughts and message.get("content"):
        said = f"{before}\n{message['content']}" if before else str(message["content"])
    call = message["function_call"]
    return f"\nThought: {said}\nAction: {call['name']}\nAction Input: {call['arguments']}"


def _system(message: dict[str, Any], trajectory: Trajectory) -> str:
    text = str(message.get("content", ""))
    formed = text.replace(_CUE, _CUE + _FORM) if _CUE in text else text + _FORM
    return f"{formed}{_FUNCTIONS}{Kept.of(trajectory).functions(trajectory)!r}"
