"""APIBench as it is published: APIs, evaluation rows, questions, and the answers of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UnknownNameError, UsageError
from toolhaft.types import Gold, Prediction, Task
from toolhaft_evals.answers import load_predictions
from toolhaft_evals.apibench.calls import unescape
from toolhaft_evals.apibench.database import Database, load_database
from toolhaft_evals.files import find_file, need_file, read_objects, text_of

_SUFFIX = "_api.jsonl"


def find_hubs(folder: Path) -> list[str]:
    """Return the names of the hubs that a folder has APIs of, sorted."""
    names = (path.name.removesuffix(".gz") for path in (folder / "api").glob("*_api.jsonl*"))
    return sorted({name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)})


def choose_hub(folder: Path, hub: str) -> str:
    """Return the hub that is meant.

    Raises:
        UsageError: The folder has none, or several and none was named.
        UnknownNameError: It does not have this one.
    """
    hubs = find_hubs(folder)
    if not hubs:
        raise UsageError(
            "there are no APIs in it",
            where=str(folder),
            hint="Name a folder with api/HUB_api.jsonl with --data",
        )
    if not hub and len(hubs) > 1:
        raise UsageError(
            f"there are {len(hubs)} hubs",
            where=str(folder),
            hint=f"Name one: {' or '.join(f'--hub {one}' for one in hubs[:5])}",
        )
    if hub and hub not in hubs:
        raise UnknownNameError("hub", hub, hubs, where=str(folder))
    return hub or hubs[0]


def open_database(folder: Path, hub: str = "") -> Database:
    """Read the APIs of a hub; raises as `choose_hub` and `load_database` do."""
    name = choose_hub(folder, hub)
    return load_database(need_file(folder / "api", f"{name}{_SUFFIX}", what="file of APIs"), hub=name)


def load_tasks(folder: Path, hub: str) -> tuple[Task, ...]:
    """Read the questions of a hub with their gold calls; the rows without a question are left out.

    Raises:
        UsageError: A file is not there.
        FormatError: A row is not as published.
    """
    # One hub's files are named after it in two ways.
    path = find_file(folder / "apibench", f"{hub.removesuffix('hub')}_eval.json") or need_file(
        folder / "apibench", f"{hub}_eval.json", what="evaluation file"
    )
    rows = read_objects(path)
    questions = _questions(folder, hub)
    tasks = []
    for number, (row, where) in enumerate(rows, start=1):
        if questions is not None and number not in questions:
            continue
        data = row.get("api_data")
        if not isinstance(data, dict):
            raise FormatError("'api_data' is no object", where=where)
        text = questions[number] if questions is not None else _instruction(text_of(row, "code", where))
        domain, call = text_of(data, "domain", where), text_of(row, "api_call", where)
        tasks.append(
            Task(
                id=f"{hub}-{number}",
                instruction=text,
                gold=Gold(answer=call),
                tags=(domain,),
                metadata={"hub": hub, "api_call": call, "domain": domain},
            )
        )
    if not tasks:
        raise FormatError("there is no question in it", where=str(path))
    return tuple(tasks)


def load_answers(path: Path, hub: str) -> tuple[Prediction, ...]:
    """Read the answers of a model, as published (``question_id``, ``text``) or as `Prediction` records.

    Raises:
        UsageError: There is no such file.
        FormatError: A line is neither, or a question is answered twice.
    """

    def read(row: dict[str, Any], _: int, where: str) -> Prediction:
        number = row.get("question_id")
        if type(number) is not int:
            raise FormatError(
                "neither 'question_id' nor 'task_id' says which question is answered",
                where=where,
                hint='Write {"question_id": 1, "text": "..."}',
            )
        model = str(row.get("model_id") or row.get("model") or "")
        return Prediction(task_id=f"{hub}-{number}", text=text_of(row, "text", where), model=model)

    found = load_predictions([path], read)
    if not found:
        raise FormatError("there is no answer in it", where=str(path))
    return found


def _questions(folder: Path, hub: str) -> dict[int, str] | None:
    path = find_file(folder / "questions" / hub, f"questions_{hub}_0_shot.jsonl")
    if path is None:
        return None
    found = {}
    for row, where in read_objects(path):
        if type(row.get("question_id")) is not int:
            raise FormatError("'question_id' is no number", where=where)
        found[row["question_id"]] = unescape(text_of(row, "text", where)).strip()
    return found


def _instruction(code: str) -> str:
    return code.partition("###Instruction:")[2].partition("###Output:")[0].strip() or code[:2_000]
