"""Records of GPT4Tools: ``{instruction, input, output}``, and what models said to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.types import Gold, Prediction, Task
from toolhaft_evals.answers import load_predictions, scripted
from toolhaft_evals.files import read_objects, text_of
from toolhaft_evals.gpt4tools.transcript import Transcript, read_transcript


def gold_of(task: Task) -> Transcript:
    """Return the gold transcript of a task.

    Raises:
        UsageError: It has none, or one that neither uses a tool nor answers.
    """
    output = task.metadata.get("output")
    found = read_transcript(output) if isinstance(output, str) else Transcript()
    if not found.steps and found.answer is None:
        raise UsageError(
            "gpt4tools needs a gold transcript",
            where=f"task {task.id}",
            hint='Give the task metadata.output: "Thought: Do I need to use a tool? Yes\\nAction: ..."',
        )
    return found


def load_tasks(path: Path) -> tuple[Task, ...]:
    """Read records; one without an ``id`` gets its number, from 1.

    Raises:
        UsageError: There is no such file, or a folder has not just one ``.json`` or ``.jsonl``.
        FormatError: A record is not of this form, or an id stands twice.
    """
    file = _only_file(path)
    tasks: dict[str, Task] = {}
    for number, (row, where) in enumerate(read_objects(file), start=1):
        task = Task(
            id=_identifier(row, number),
            instruction=text_of(row, "instruction", where),
            gold=Gold(facts=_facts(row, where)),
            metadata={"output": text_of(row, "output", where), "input": row.get("input", "")},
        )
        if task.id in tasks:
            raise FormatError(f"the id {task.id!r:.60} stands twice", where=where)
        try:
            steps = len(gold_of(task).steps)
        except UsageError as error:
            raise FormatError(error.what, where=where, hint=error.hint) from None
        tasks[task.id] = _tagged(task, steps)
    if not tasks:
        raise FormatError("there is no record in it", where=str(file))
    return tuple(tasks.values())


def load_outputs(path: Path, tasks: Sequence[Task]) -> tuple[Prediction, ...]:
    """Read what a model said: rows with ``output`` or ``text``, by ``id`` or in the order of the records.

    Raises:
        UsageError: There is no such file.
        FormatError: A row has no text, is for no task, or an id stands twice.
    """

    def read(row: dict[str, Any], number: int, where: str) -> Prediction:
        text = text_of(row, "output" if "output" in row else "text", where)
        return Prediction(task_id=_identifier(row, number), text=text, model=str(row.get("model", "")))

    known = {task.id for task in tasks}
    found = load_predictions([path], read)
    if strange := [said.task_id for said in found if said.task_id not in known]:
        raise FormatError(f"the id {strange[0]!r:.60} is no task", where=str(path))
    return found


def make_floors(tasks: Sequence[Task]) -> dict[str, list[Prediction]]:
    """Return the references: never a tool, and the gold transcript fed back."""
    idle = "Thought: Do I need to use a tool? No\nAI: I do not know."
    return {
        "floor: no tool": [scripted(task, idle) for task in tasks],
        "ceiling: gold": [scripted(task, task.metadata["output"]) for task in tasks],
    }


def _tagged(task: Task, steps: int) -> Task:
    from dataclasses import replace

    kind = "no tool" if not steps else "one tool" if steps == 1 else "several tools"
    return replace(task, tags=(kind,))


def _identifier(row: dict[str, Any], number: int) -> str:
    given = row.get("id")
    return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else f"record-{number}"


def _facts(row: dict[str, Any], where: str) -> tuple[str, ...]:
    facts = row.get("facts", [])
    if not isinstance(facts, list) or not all(isinstance(fact, str) and fact.strip() for fact in facts):
        raise FormatError("'facts' is no list of texts", where=where)
    return tuple(facts)


def _only_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    files = sorted([*path.glob("*.json"), *path.glob("*.jsonl")])
    if len(files) != 1:
        raise UsageError(
            f"there are {len(files)} files of records", where=str(path), hint="Name the file with --data"
        )
    return files[0]
