"""A trajectory's steps as ToolBench has them: thoughts and calls, ``Finish`` among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from toolhaft.types import Step, ToolCall, Trajectory
from toolhaft_rapidapi.toolbench.codes import FINISHED, GAVE_UP, text_and_code
from toolhaft_rapidapi.toolbench.kept import Kept
from toolhaft_rapidapi.toolbench.nodes import FINISH, CallNode

_SAID = {FINISHED: "the final answer was given", GAVE_UP: "this way was given up"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One step.

    Attributes:
        step: Its number; ``parent`` likewise.
        thought: None if there is no node for it.
        prompts: Messages that were shown before it alone.
        pruned: Whether the search ended here in vain.
        number: Of its last node.
    """

    step: int
    parent: int | None
    thought: str | None
    calls: tuple[CallNode, ...]
    prompts: tuple[dict[str, Any], ...] = ()
    pruned: bool = False
    number: int = 0


def turns(trajectory: Trajectory, steps: Iterable[Step]) -> Iterator[Turn]:
    """Iterate over steps in ToolBench's terms."""
    kept = Kept.of(trajectory)
    inner = {step.parent for step in trajectory.steps}
    for step in steps:
        extra = kept.of_step(step)
        thought, calls = _thought_and_calls(step, trajectory, extra)
        ended = any(call.ends and call.code == FINISHED for call in calls)
        leaf = step.id not in inner and not ended
        pruned = leaf and step.status in ("abandoned", "gave_up", "failed")
        prompts = extra.get("prompts", ())
        yield Turn(
            step=step.id,
            parent=step.parent,
            thought=thought,
            calls=calls,
            prompts=tuple(each for each in prompts if isinstance(each, dict)),
            pruned=bool(extra.get("pruned", pruned)),
            number=int(extra.get("number", step.id + 1)),
        )


def call_text(call: ToolCall) -> str:
    """Return the arguments as the model wrote them, else as JSON."""
    return call.raw or json.dumps(call.arguments, ensure_ascii=False)


def _thought_and_calls(
    step: Step, trajectory: Trajectory, extra: Any
) -> tuple[str | None, tuple[CallNode, ...]]:
    calls = []
    blank = extra.get("blank", ())
    for number, (call, observation) in enumerate(zip(step.calls, step.observations, strict=False)):
        text, code = text_and_code(observation)
        said = "" if isinstance(blank, list) and number in blank else call_text(call)
        calls.append(CallNode(name=call.name, arguments=said, observation=text, code=code))
    end = _finish(step, trajectory, extra)
    if end is None:
        thought = step.thought if step.thought or not calls else extra.get("thought")
        return thought, tuple(calls)
    calls.insert(int(extra.get("position", len(calls))), end)
    if end.code == GAVE_UP:
        return step.thought or extra.get("thought"), tuple(calls)
    return extra.get("thought"), tuple(calls)


def _finish(step: Step, trajectory: Trajectory, extra: Any) -> CallNode | None:
    """Return the ``Finish`` that a step is in ToolBench's terms, if it is one."""
    code = {"answered": FINISHED, "gave_up": GAVE_UP}.get(step.status)
    if code is None or (step.calls and "finish" not in extra):
        return None
    last = step.id == trajectory.answer_step
    arguments: dict[str, str] = {"return_type": "give_answer" if code == FINISHED else "give_up_and_restart"}
    if code == FINISHED:
        arguments["final_answer"] = trajectory.answer if last else step.thought
    elif last and trajectory.answer:
        arguments["final_answer"] = trajectory.answer
    return CallNode(
        name=FINISH,
        arguments=str(extra.get("finish", json.dumps(arguments, ensure_ascii=False))),
        observation=str(extra.get("said", json.dumps({"response": _SAID[code]}))),
        code=code,
    )
