"""ToolBench's answer files read as trajectories."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.tools.memory import storable
from toolhaft.types import (
    ErrorInfo,
    Provenance,
    Status,
    Step,
    StepStatus,
    Task,
    ToolCall,
    ToolSpec,
    Trajectory,
    Usage,
)
from toolhaft_rapidapi.toolbench.codes import FINISHED, GAVE_UP, observation_of
from toolhaft_rapidapi.toolbench.exporting import answer_fields
from toolhaft_rapidapi.toolbench.kept import KEY
from toolhaft_rapidapi.toolbench.messages import prompts_before
from toolhaft_rapidapi.toolbench.nodes import FINISH, CallNode, Round, read_chain, read_tree
from toolhaft_rapidapi.toolbench.reading import read_json, take_count, take_list, take_object, take_text

_FILE = re.compile(r"(?P<id>[A-Za-z0-9-]+)_(?:(?P<model>.+?)_)?(?P<method>(?:DFS|CoT|BFS|UCT)[\w@.-]*)")
_MOST_TRIES = 1_000


def load_answer(
    path: Path | str, *, task: Task | None = None, provenance: Provenance = "replayed"
) -> Trajectory:
    """Read an answer file; the query's id, the model and the method are taken from its name.

    Args:
        path: ``<query id>_<method>.json``, or anything else.
        task: What it answers, with its gold; None makes a task of the query in the file.
        provenance: What is said of its observations. The files do not tell live calls from simulated ones.

    Raises:
        UsageError: It cannot be read.
        FormatError: It is no answer file; the message has file and JSON pointer.
    """
    path = Path(path)
    name = path.name.removesuffix(".gz").removesuffix(".json")
    found = _FILE.fullmatch(name)
    facts = found.groupdict() if found is not None else {}
    return import_answer(
        read_json(path),
        task=task,
        task_id=facts.get("id") or name,
        method=facts.get("method") or "",
        model=facts.get("model") or "",
        provenance=provenance,
        where=str(path),
    )


def import_answer(
    value: Any,
    *,
    task: Task | None = None,
    task_id: str = "",
    method: str = "",
    model: str = "",
    provenance: Provenance = "replayed",
    where: str = "answer",
) -> Trajectory:
    """Return an answer as a trajectory.

    Each turn of the model is a step. What ``Finish`` gives the user is the thought of the step that ends
    there, and the trajectory's answer; a thought beside it is the step's note. Of several ends the one in
    ``final_answer`` is taken. What no field can say is kept in ``settings["toolbench"]``.

    Args:
        value: The parsed file.
        task: What it answers; None makes one of the query in the file, with ``task_id``.
        task_id: The query's id.
        method: Name of the search, the trajectory's planner.
        model: Who answered, if known.
        provenance: What is said of the observations.
        where: The file, for messages.

    Raises:
        FormatError: It is no answer; the message has the JSON pointer.
    """
    source = take_object(value, where)
    generation = take_object(source.get("answer_generation"), f"{where}#/answer_generation")
    rounds, layout = _read_rounds(source, where)
    query = take_text(generation.get("query", ""), f"{where}#/answer_generation/query")
    reader = _Reader(generation, rounds, provenance, where)
    kept = {"layout": layout, "method": method, "forward_args": _forward_args(source, where), **reader.kept()}
    base = Trajectory(
        id=f"{task_id or 'answer'}-{method or layout}",
        task=task or Task(id=task_id or "answer", instruction=query),
        tools=reader.tools,
        planner=method or ("DFS" if layout == "tree" else "CoT"),
        model=model,
        usage=Usage(
            model_calls=reader.count("query_count"),
            tool_calls=sum(not call.ends for each in rounds for call in each.calls),
            input_tokens=reader.count("total_tokens"),
        ),
        settings={KEY: kept},
    )
    taken = [reader.finish(base, end) for end in reader.ends()]
    exact = (each for each in taken if not _differing(each, generation))
    best = next(exact, taken[0])
    differing = _differing(best, generation)
    if not differing:
        return best
    return replace(best, settings={KEY: {**best.settings[KEY], "answer": differing}})


def _differing(trajectory: Trajectory, generation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a trajectory does not say by itself, as the file has them; None is lacking."""
    said = answer_fields(trajectory)
    return {
        name: generation.get(name)
        for name in {**said, **generation}
        if said.get(name) != generation.get(name)
    }


class _Reader:
    """Makes steps of rounds."""

    def __init__(
        self, generation: Mapping[str, Any], rounds: Sequence[Round], provenance: Provenance, where: str
    ) -> None:
        self._generation = generation
        self._rounds = rounds
        self._provenance = provenance
        self._where = f"{where}#/answer_generation"
        self._functions = self._read_functions()
        self._messages = self._read_messages()
        self.tools = tuple(
            spec_of(each, f"{self._where}/function/{place}")
            for place, each in enumerate(self._functions)
            if each.get("name") != FINISH
        )

    def count(self, name: str) -> int:
        return take_count(self._generation.get(name, 0), f"{self._where}/{name}")

    def kept(self) -> dict[str, Any]:
        first = self._messages[0] if self._messages else []
        found: dict[str, Any] = {
            "finish": next((each for each in self._functions if each.get("name") == FINISH), {}),
            "null_content": all("content" in each for each in first if each.get("role") == "assistant"),
        }
        if first and first[0].get("role") == "system" and isinstance(first[0].get("content"), str):
            found["system"] = first[0]["content"]
        return found

    def ends(self) -> Iterator[int | None]:
        """Yield the rounds that may be the end, the likeliest first; None for no end."""
        final = self._generation.get("final_answer")
        gave_up = self._generation.get("finish_type") == "give_up"
        wanted = GAVE_UP if gave_up else FINISHED
        found = [
            place
            for place, each in enumerate(self._rounds)
            for call in each.calls
            if call.ends and call.code == wanted
        ]
        named = [
            place for place in found if any(call.arguments == final for call in self._rounds[place].calls)
        ]
        if found and self._generation.get("valid_data") is not False:
            yield from dict.fromkeys([*named, *found][:_MOST_TRIES])
        else:
            yield None

    def finish(self, base: Trajectory, end: int | None) -> Trajectory:
        """Return the trajectory with its steps, the way to one end marked."""
        path = self._path(end)
        steps: list[Step] = []
        extras: dict[str, dict[str, Any]] = {}
        for place, each in enumerate(self._rounds):
            step, extra = self._step(place, each, on_path=place in path)
            if place in path and path.index(place) < len(self._messages):
                prompts = prompts_before(self._messages[path.index(place)])
                extra |= {"prompts": prompts} if prompts else {}
            steps.append(step)
            extras |= {str(place): extra} if extra else {}
        status: Status = "gave_up"
        answer = ""
        if end is not None:
            status = "answered" if steps[end].status == "answered" else "gave_up"
            answer = answer_text(next(call for call in self._rounds[end].calls if call.ends))
        kept = {**base.settings[KEY], "steps": extras}
        error = self._spent(base) if end is None else None
        return replace(
            base,
            steps=tuple(steps),
            answer=answer,
            answer_step=end if end is not None else (len(steps) - 1 if steps else None),
            status="budget" if error is not None else status,
            error=error,
            settings={KEY: kept},
        )

    def _spent(self, base: Trajectory) -> ErrorInfo | None:
        most = base.settings[KEY]["forward_args"].get("max_query_count")
        if isinstance(most, int) and not isinstance(most, bool) and 0 < most <= base.usage.model_calls:
            return ErrorInfo(code="E-BUDGET", what=f"all {most} model_calls of the search were used")
        return None

    def _path(self, end: int | None) -> list[int]:
        path: list[int] = []
        while end is not None:
            path.append(end)
            end = self._rounds[end].parent
        return path[::-1]

    def _step(self, place: int, each: Round, *, on_path: bool) -> tuple[Step, dict[str, Any]]:
        extra: dict[str, Any] = {}
        finish = next((call for call in each.calls if call.ends), None)
        calls = [call for call in each.calls if call is not finish]
        status: StepStatus = "continued" if on_path else "abandoned"
        thought = each.thought or ""
        if finish is not None:
            extra = {"finish": finish.arguments, "said": finish.observation}
            extra |= {"position": each.calls.index(finish)} if calls else {}
            status = "answered" if finish.code == FINISHED else "gave_up"
        note = ""
        if status == "answered" and finish is not None:
            extra |= {"thought": each.thought} if each.thought is not None else {}
            thought, note = answer_text(finish), thought
        elif each.thought == "" and each.calls:
            extra["thought"] = ""
        expected = each.leaf and status in ("abandoned", "gave_up")
        extra |= {"pruned": each.pruned} if each.pruned != expected else {}
        extra |= {"number": each.number} if each.number != place + 1 else {}
        blank = [number for number, call in enumerate(calls) if not call.arguments]
        extra |= {"blank": blank} if blank else {}
        made = [self._call(call, f"{place + 1}-{number + 1}") for number, call in enumerate(calls)]
        step = Step(
            id=place,
            parent=each.parent,
            thought=thought,
            calls=tuple(made),
            observations=tuple(
                observation_of(
                    call.observation,
                    call.code or 0,
                    call_id=asked.id,
                    tool=call.name,
                    provenance=self._provenance,
                )
                for call, asked in zip(calls, made, strict=True)
            ),
            status=status,
            offered=tuple(spec.name for spec in self.tools),
            usage=Usage(model_calls=1, tool_calls=len(calls)),
            note=note,
        )
        return step, extra

    def _call(self, call: CallNode, number: str) -> ToolCall:
        arguments, problem = read_arguments(call.arguments)
        return ToolCall(
            id=f"call-{number}", name=call.name, arguments=arguments, problem=problem, raw=call.arguments
        )

    def _read_functions(self) -> list[dict[str, Any]]:
        found = take_list(self._generation.get("function", []), f"{self._where}/function")
        return [take_object(each, f"{self._where}/function/{place}") for place, each in enumerate(found)]

    def _read_messages(self) -> list[list[dict[str, Any]]]:
        where = f"{self._where}/train_messages"
        found = take_list(self._generation.get("train_messages", []), where)
        for place, each in enumerate(found):
            for number, message in enumerate(take_list(each, f"{where}/{place}")):
                take_object(message, f"{where}/{place}/{number}")
        return found


def read_arguments(text: str) -> tuple[dict[str, Any], str]:
    """Return the arguments in a text, and why they cannot be read, or nothing."""
    if not text.strip():
        return {}, ""
    try:
        found = json.loads(text, strict=False, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return {}, f"not JSON: {error}"
    if not isinstance(found, dict):
        return {}, f"{type(found).__name__} instead of an object"
    if not storable(found):
        return {}, "nested too deeply"
    return found, ""


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant[:40]} is no number of JSON")


def answer_text(call: CallNode) -> str:
    """Return what a ``Finish`` tells the user."""
    arguments, problem = read_arguments(call.arguments)
    if problem:
        return call.arguments
    found = arguments.get("final_answer", "")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def spec_of(function: Mapping[str, Any], where: str) -> ToolSpec:
    """Return a function of the list as a spec, its schema as it stands there.

    Raises:
        FormatError: It is no function.
    """
    return ToolSpec(
        name=take_text(function.get("name"), f"{where}/name"),
        description=take_text(function.get("description", ""), f"{where}/description"),
        parameters=take_object(function.get("parameters", {}), f"{where}/parameters"),
        effect="read",
        source="toolbench:answer",
    )


def _forward_args(source: Mapping[str, Any], where: str) -> dict[str, Any]:
    return take_object(source.get("forward_args", {}), f"{where}#/forward_args")


def _read_rounds(source: Mapping[str, Any], where: str) -> tuple[list[Round], str]:
    if "tree" in source:
        tree = take_object(source["tree"], f"{where}#/tree")
        return read_tree(tree.get("tree"), f"{where}#/tree/tree"), "tree"
    if "trys" not in source:
        raise FormatError(
            "neither tree nor trys", where=where, hint="Name an answer file, <query id>_<method>.json"
        )
    rounds: list[Round] = []
    for place, each in enumerate(take_list(source["trys"], f"{where}#/trys")):
        pointer = f"{where}#/trys/{place}"
        found = read_chain(take_object(each, pointer).get("chain"), f"{pointer}/chain")
        offset = len(rounds)
        rounds += [
            replace(one, parent=one.parent + offset) if one.parent is not None else one for one in found
        ]
    return rounds, "chains"
