"""The leaderboard's questions, answers and result files as they are published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.types import Prediction, Task, ToolCall, ToolSpec, Usage
from toolhaft_evals.answers import load_predictions
from toolhaft_evals.bfcl.checker import written_name
from toolhaft_evals.bfcl.decoding import Decoded, decode_calls
from toolhaft_evals.files import find_file, need_file, read_objects, text_of

CATEGORIES = (
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
    "live_relevance",
)
RELEVANCE = "live_relevance"
"""The category in which any call is right."""
_UNANSWERED = ("irrelevance", "live_irrelevance", RELEVANCE)
_NOT_YET = re.compile(r"java|multi_turn|memory|web_search|exec|sql|rest|chatable|format")
_KINDS = {
    "dict": "object",
    "float": "number",
    "tuple": "array",
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "array": "array",
}


def check_category(category: str) -> str:
    """Return a category that can be scored.

    Raises:
        UsageError: It is one that is not there yet.
        UnknownNameError: There is no such category.
    """
    if category in CATEGORIES:
        return category
    if _NOT_YET.search(category):
        raise UsageError(
            f"the category {category!r:.60} is not there yet",
            hint=f"Python single-turn categories are: {', '.join(CATEGORIES)}",
        )
    raise UnknownNameError("category", category, CATEGORIES)


def find_categories(folder: Path) -> list[str]:
    """Return the categories that a folder has questions of.

    Raises:
        UsageError: There is none that can be scored.
    """
    found = [name for name in CATEGORIES if find_file(folder, f"BFCL_v4_{name}.json")]
    if not found:
        raise UsageError(
            "there are no questions of Python single-turn categories in it",
            where=str(folder),
            hint="Name a folder with BFCL_v4_simple_python.json and possible_answer/ with --data",
        )
    return found


def load_tasks(folder: Path, categories: Iterable[str] = ()) -> tuple[Task, ...]:
    """Read questions with their acceptable answers.

    Raises:
        UsageError: A category is not there yet, or a file is missing.
        FormatError: A row is not as published, or a question has no answer.
    """
    chosen = [check_category(name) for name in categories] or find_categories(folder)
    return tuple(task for name in chosen for task in _load_category(folder, name))


def _load_category(folder: Path, category: str) -> Iterable[Task]:
    name = f"BFCL_v4_{category}.json"
    answers: dict[str, Any] = {}
    if category not in _UNANSWERED:
        for row, where in read_objects(need_file(folder / "possible_answer", name, what="file of answers")):
            answers[text_of(row, "id", where)] = row.get("ground_truth")
    for row, where in read_objects(need_file(folder, name, what="file of questions")):
        identifier = text_of(row, "id", where)
        answer = [] if category in _UNANSWERED else answers.get(identifier)
        if not isinstance(answer, list):
            raise FormatError(f"the question {identifier!r:.60} has no answer", where=where)
        if not all(_is_answer(one) for one in answer):
            raise FormatError(
                f"an answer to {identifier!r:.60} is not {{function: {{parameter: [values]}}}}",
                where=str(folder / "possible_answer" / name),
            )
        functions = row.get("function")
        if not isinstance(functions, list) or not all(_is_function(one) for one in functions):
            raise FormatError("'function' is no list of functions", where=where)
        yield Task(
            id=identifier,
            instruction=_question(row.get("question"), where),
            tags=(category,),
            metadata={"category": category, "functions": functions, "possible_answer": answer},
        )


def _is_function(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("parameters"), dict)
    )


def _is_answer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) == 1
        and all(
            isinstance(accepted, dict) and all(isinstance(one, list) for one in accepted.values())
            for accepted in value.values()
        )
    )


def _question(value: Any, where: str) -> str:
    turns = value if isinstance(value, list) else []
    messages = [message for turn in turns if isinstance(turn, list) for message in turn]
    said = [
        message["content"]
        for message in messages
        if isinstance(message, dict) and isinstance(message.get("content"), str)
    ]
    if not said:
        raise FormatError("'question' holds no message", where=where)
    return "\n".join(said)


def load_results(path: Path, tasks: Sequence[Task]) -> tuple[Prediction, ...]:
    """Read the results of a model: a result file of the leaderboard, or a folder of such files.

    Results of questions that are not among the tasks are left out.

    Raises:
        UsageError: There is no such file, or it holds no result of these tasks.
        FormatError: A row has no ``id`` or no ``result``, or a question is answered twice.
    """
    files = sorted(path.rglob("*_result.json*")) if path.is_dir() else [path]
    if path.is_dir() and not files:
        raise UsageError("there is no *_result.json in it", where=str(path))
    known = {task.id for task in tasks}
    found = tuple(said for said in load_predictions(files, _prediction) if said.task_id in known)
    if not found:
        raise UsageError("it holds no result of these questions", where=str(path))
    return found


def _prediction(row: dict[str, Any], _: int, where: str) -> Prediction:
    result = row.get("result", row.get("text"))
    if result is None:
        raise FormatError("'result' is missing", where=where)
    usage = Usage(
        input_tokens=_count(row.get("input_token_count")), output_tokens=_count(row.get("output_token_count"))
    )
    # A text is decoded by the evaluator, so that what cannot be read is told apart from silence.
    decoded = Decoded() if isinstance(result, str) else decode_calls(result)
    return Prediction(
        task_id=text_of(row, "id", where),
        text=result if isinstance(result, str) else "",
        calls=tool_calls(decoded),
        model=str(row.get("model", "")),
        usage=usage,
    )


def tool_calls(decoded: Decoded) -> tuple[ToolCall, ...]:
    """Return decoded calls as a trajectory holds them; a problem becomes a call that cannot be read."""
    if decoded.problem:
        return (ToolCall(id="call-1", name="", problem=decoded.problem),)
    return tuple(
        ToolCall(id=f"call-{number}", name=name, arguments=dict(arguments))
        for number, call in enumerate(decoded.calls, start=1)
        for name, arguments in call.items()
    )


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def tool_specs(task: Task) -> tuple[ToolSpec, ...]:
    """Return the functions of a task as tools: dots in names as ``_``, types as those of JSON Schema."""
    return tuple(
        ToolSpec(
            name=re.sub(r"[^a-zA-Z0-9_-]", "_", written_name(function["name"], "underscored"))[:64],
            description=str(function.get("description", "")),
            parameters=_schema(function["parameters"], 0),
            effect="read",
            source=f"bfcl:{task.id}",
        )
        for function in task.metadata["functions"]
    )


def _schema(value: Any, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict) or depth > 20:
        return {}
    found: dict[str, Any] = {}
    kind = value.get("type")
    if isinstance(kind, str) and kind in _KINDS:
        found["type"] = _KINDS[kind]
    if isinstance(value.get("description"), str):
        found["description"] = value["description"]
    if isinstance(value.get("enum"), list):
        found["enum"] = value["enum"]
    if isinstance(value.get("properties"), dict):
        found["properties"] = {name: _schema(one, depth + 1) for name, one in value["properties"].items()}
    if isinstance(value.get("items"), dict):
        found["items"] = _schema(value["items"], depth + 1)
    if isinstance(value.get("required"), list):
        found["required"] = [name for name in value["required"] if isinstance(name, str)]
    if depth == 0:
        found = {"properties": {}, **found, "type": "object"}
    return found
