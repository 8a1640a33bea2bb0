"""The answer format of ToolEval: the way to the answer as a chain of messages.

Source: Qin et al., "ToolLLM" (ICLR 2024), section 3.2 and the released evaluator's input files. Deviation:
where a rollout has no answer, the reference takes a random leaf of the tree; we take the step at which the
rollout ended.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from toolhaft.errors import FormatError
from toolhaft.types import Provenance, Step, Task, ToolCall, ToolSpec, Trajectory, Usage
from toolhaft_rapidapi.toolbench.codes import FINISHED, observation_of
from toolhaft_rapidapi.toolbench.importing import answer_text, read_arguments, spec_of
from toolhaft_rapidapi.toolbench.kept import KEY, Kept
from toolhaft_rapidapi.toolbench.messages import UNKNOWN_FUNCTION
from toolhaft_rapidapi.toolbench.nodes import FINISH, CallNode
from toolhaft_rapidapi.toolbench.reading import read_json, take_list, take_object, take_text
from toolhaft_rapidapi.toolbench.turns import turns

Variant = Literal["full", "short"]
SHORT = 100
"""Characters to which the short variant cuts each message."""
_MOST_MESSAGES = 100_000
_NAME = re.compile(r"""\{'name': (?P<quote>['"])(?P<name>.{0,200}?)(?:(?P=quote)|$)""", re.DOTALL)
_ROLES = ("system", "user", "assistant", "tool")


def load_converted(path: Path | str, *, provenance: Provenance = "replayed") -> dict[str, Trajectory]:
    """Read a file of converted answers; the trajectories are keyed by query id.

    Raises:
        UsageError: It cannot be read.
        FormatError: It is no such file; the message has file and JSON pointer.
    """
    where = str(path)
    source = take_object(read_json(path), where)
    return {
        query_id: import_converted(
            value, query_id=query_id, provenance=provenance, where=f"{where}#/{query_id}"
        )
        for query_id, value in source.items()
    }


def import_converted(
    value: Any, *, query_id: str = "", provenance: Provenance = "replayed", where: str = "answer"
) -> Trajectory:
    """Return a converted answer as a trajectory: a step for each message of the assistant and of a tool.

    Messages that the short variant cut are read as far as they go: the tool's name is known, its arguments
    and what it returned are not, and the call says so under ``problem``.

    Raises:
        FormatError: It is no converted answer.
    """
    source = take_object(value, where)
    answer = take_object(source.get("answer"), f"{where}/answer")
    functions = take_list(source.get("available_tools", []), f"{where}/available_tools")
    tools = tuple(
        spec_of(take_object(each, f"{where}/available_tools/{place}"), f"{where}/available_tools/{place}")
        for place, each in enumerate(functions)
        if not (isinstance(each, Mapping) and each.get("name") == FINISH)
    )
    final = take_text(answer.get("final_answer", ""), f"{where}/answer/final_answer")
    method = take_text(answer.get("method", ""), f"{where}/answer/method")
    reader = _Reader(tools, final, provenance)
    steps = reader.read(answer.get("answer_details"), f"{where}/answer/answer_details")
    end = reader.end
    kept = {
        "method": method,
        "finish": next((each for each in functions if each.get("name") == FINISH), {}),
        "steps": reader.extras,
    }
    return Trajectory(
        id=f"{query_id or 'answer'}-{method or 'converted'}",
        task=Task(id=query_id or "answer", instruction=take_text(source.get("query"), f"{where}/query")),
        steps=tuple(steps),
        answer=reader.answer,
        answer_step=end if end is not None else (len(steps) - 1 if steps else None),
        status="gave_up" if end is None or steps[end].status != "answered" else "answered",
        tools=tools,
        planner=method,
        usage=Usage(model_calls=len(steps), tool_calls=sum(len(step.calls) for step in steps)),
        settings={KEY: kept},
    )


def export_converted(
    trajectories: Iterable[Trajectory], *, method: str = "", variant: Variant = "full"
) -> dict[str, Any]:
    """Return trajectories in ToolEval's format, keyed by the id of their task.

    Args:
        trajectories: One for each task.
        method: Named in every answer; empty takes each trajectory's own.
        variant: ``short`` writes messages of tools as text and cuts each message, as the reference answers
            that came with ToolEval are.
    """
    return {each.task.id: _converted(each, method, variant) for each in trajectories}


def _converted(trajectory: Trajectory, method: str, variant: Variant) -> dict[str, Any]:
    messages: list[tuple[str, Any]] = [("system", ""), ("user", "")]
    if variant == "short":
        messages[1] = ("user", trajectory.task.instruction)
    final = ""
    kept = Kept.of(trajectory)
    path = list(turns(trajectory, trajectory.path()))
    ended = any(call.ends for turn in path for call in turn.calls)
    for turn in path:
        if turn.thought is not None and not (ended and turn.calls):
            messages.append(("assistant", turn.thought))
        cut = kept.steps.get(str(turn.step), {}).get("message")
        for call in turn.calls:
            said = "" if call.ends else call.observation
            # The reference reads the messages of a way that ended, and the nodes of one that did not.
            name = UNKNOWN_FUNCTION if call.code == 1 and ended else call.name
            whole = {"name": name, "arguments": call.arguments, "response": said}
            messages.append(("tool", cut if cut and variant == "short" else whole))
            final = call.arguments if call.ends else final
    details: list[dict[str, Any]] = []
    for role, message in reversed(messages):
        if variant == "short":
            message = (message if isinstance(message, str) else str(message))[:SHORT]
        details = [{"role": role, "message": message, "next": details}]
    return {
        "query": trajectory.task.instruction,
        "available_tools": kept.functions(trajectory),
        "answer": {
            "method": method or kept.method or trajectory.planner,
            "total_steps": len(messages),
            "final_answer": final,
            "answer_details": details,
        },
    }


class _Reader:
    """Makes steps of the messages of one answer."""

    def __init__(self, tools: tuple[ToolSpec, ...], final: str, provenance: Provenance) -> None:
        self._offered = tuple(spec.name for spec in tools)
        self._final = final
        self._provenance = provenance
        self.extras: dict[str, dict[str, Any]] = {}
        self.end: int | None = None
        self.answer = ""

    def read(self, details: Any, where: str) -> list[Step]:
        steps: list[Step] = []
        waiting: list[tuple[Any, int | None]] = [(each, None) for each in reversed(take_list(details, where))]
        seen = 0
        while waiting:
            value, parent = waiting.pop()
            seen += 1
            if seen > _MOST_MESSAGES:
                raise FormatError(f"more than {_MOST_MESSAGES:,} messages", where=where)
            node = take_object(value, where)
            role, message = node.get("role"), node.get("message")
            if role not in _ROLES:
                raise FormatError(
                    f"{str(role)[:40]!r} is no role", where=where, hint=f"One of {', '.join(_ROLES)}"
                )
            if role in ("assistant", "tool"):
                steps.append(self._step(len(steps), parent, str(role), message, where))
                parent = len(steps) - 1
            waiting.extend(
                (each, parent) for each in reversed(take_list(node.get("next", []), f"{where}/next"))
            )
        return steps

    def _step(self, number: int, parent: int | None, role: str, message: Any, where: str) -> Step:
        base = Step(id=number, parent=parent, offered=self._offered, usage=Usage(model_calls=1))
        if role == "assistant":
            text = take_text(message, f"{where}/message")
            return _changed(base, thought=text)
        found, cut = _tool_message(message, where)
        if cut:
            self.extras[str(number)] = {"message": message}
        if found.name == FINISH:
            return self._finish(base, self._final if cut else found.arguments)
        arguments, problem = read_arguments(found.arguments)
        call = ToolCall(
            id=f"call-{number + 1}",
            name=found.name,
            arguments={} if cut else arguments,
            problem=f"only {SHORT} characters of the message were kept" if cut else problem,
            raw=found.arguments,
        )
        observation = observation_of(
            found.observation, 0, call_id=call.id, tool=found.name, provenance=self._provenance
        )
        return _changed(base, calls=(call,), observations=(observation,), tools=1)

    def _finish(self, base: Step, arguments: str) -> Step:
        call = CallNode(name=FINISH, arguments=arguments, code=FINISHED)
        read, problem = read_arguments(arguments)
        gave_up = not problem and read.get("return_type") == "give_up_and_restart"
        self.extras.setdefault(str(base.id), {}).update(finish=arguments, said="")
        if self.end is None or arguments == self._final:
            self.end, self.answer = base.id, answer_text(call)
        return _changed(base, thought=answer_text(call), status="gave_up" if gave_up else "answered")


def _changed(base: Step, *, tools: int = 0, **fields: Any) -> Step:
    return replace(base, usage=Usage(model_calls=1, tool_calls=tools), **fields)


def _tool_message(message: Any, where: str) -> tuple[CallNode, bool]:
    """Return the call in a tool's message, and whether the message was cut."""
    if isinstance(message, str):
        whole = _literal(message)
        if whole is None:
            named = _NAME.match(message)
            if named is None:
                raise FormatError("a tool's message without a name", where=f"{where}/message")
            return CallNode(name=named["name"], arguments=message), True
        message = whole
    found = take_object(message, f"{where}/message")
    return CallNode(
        name=take_text(found.get("name"), f"{where}/message/name"),
        arguments=take_text(found.get("arguments", ""), f"{where}/message/arguments"),
        observation=take_text(found.get("response", ""), f"{where}/message/response"),
    ), False


def _literal(text: str) -> Any:
    """Return the value of a short Python literal; None if it was cut."""
    if len(text) > 10 * SHORT:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
