"""The messages of ToolBench's answer files: for each turn on the way to the answer, what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.types import Trajectory
from toolhaft_rapidapi.toolbench.kept import Kept
from toolhaft_rapidapi.toolbench.prompts import prompt
from toolhaft_rapidapi.toolbench.turns import Turn, turns

UNKNOWN_FUNCTION = "invalid_hallucination_function_name"
"""What the reference shows its model in place of the name of a function that there is not."""

Message = dict[str, Any]


def train_messages(trajectory: Trajectory) -> list[list[Message]]:
    """Return one list of messages per turn on the way to the answer, each ending with what the model said.

    Of the turns asking for an alternative (``valid`` false), each list holds the last one alone, as the
    reference has it.
    """
    kept = Kept.of(trajectory)
    said: list[Message] = [
        {"role": "system", "content": kept.system or prompt("system")},
        {"role": "user", "content": f"\n{trajectory.task.instruction}\nBegin!\n"},
    ]
    found = []
    for turn in turns(trajectory, trajectory.path()):
        said += turn.prompts
        asked, answered = _turn_messages(turn, kept)
        for number, (question, reply) in enumerate(zip(asked, answered, strict=True)):
            if number:
                said += answered[number - 1]
            said.append(question)
            if number == len(asked) - 1:
                found.append(_with_last_prompt(said))
                said += reply
    return found


def _turn_messages(turn: Turn, kept: Kept) -> tuple[list[Message], list[list[Message]]]:
    """Return what the model said in a turn, and what it was told after each."""
    if not turn.calls:
        return [{"role": "assistant", "content": turn.thought or ""}], [[]]
    asked: list[Message] = []
    answered: list[list[Message]] = []
    for number, call in enumerate(turn.calls):
        name = UNKNOWN_FUNCTION if call.code == 1 else call.name
        message: Message = {"role": "assistant"}
        thought = turn.thought if number == 0 else None
        if thought is not None or kept.null_content:
            message["content"] = thought
        message["function_call"] = {"name": name, "arguments": call.arguments}
        asked.append(message)
        answered.append([{"role": "function", "name": name, "content": call.observation}])
    return asked, answered


def _with_last_prompt(said: Sequence[Message]) -> list[Message]:
    last = max((place for place, message in enumerate(said) if message.get("valid") is False), default=-1)
    return [
        message for place, message in enumerate(said) if message.get("valid") is not False or place == last
    ]


def prompts_before(messages: Sequence[Message]) -> list[Message]:
    """Return the user's turns directly before what the model said last, the request itself left out."""
    found: list[Message] = []
    for message in reversed(messages[2:-1]):
        if message.get("role") != "user" or not isinstance(message.get("content"), str):
            break
        found.append(message)
    return found[::-1]
