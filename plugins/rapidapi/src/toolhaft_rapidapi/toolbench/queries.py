"""ToolBench's queries read as tasks, and written back.

A query is an instruction with the APIs that the model is given (``api_list``) and those of them that it needs
(``relevant APIs``). Names are those of the catalog ``rapidapi:FILE`` of the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.report import Problem
from toolhaft.types import Gold, Task
from toolhaft_rapidapi.importing import Import, import_records
from toolhaft_rapidapi.layouts import Found, read_query
from toolhaft_rapidapi.naming import Naming
from toolhaft_rapidapi.reading import Reading
from toolhaft_rapidapi.record import APIRecord
from toolhaft_rapidapi.toolbench.reading import read_json, take_list, take_object, take_text, write_json

RELEVANT = "relevant APIs"
_HINT = "A query has `query` and `query_id`, and as a rule `api_list` and `relevant APIs`"
_MOST_QUERIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Queries of one or more files.

    Attributes:
        tasks: In the order of the files. The id is the query's, with the file's name before it where
            several files have the same. ``metadata`` holds ``query_id``, ``file``, ``candidates`` (names of
            the tools, None in the open domain), ``api_list`` and ``relevant`` as the file has them, and
            ``unresolved``: pairs that are not in the query's own ``api_list``.
        candidates: By task, the APIs it is given by their names, as the query itself describes them.
        imported: All of them together, as the catalog has them; its report names APIs that could not be read.
    """

    tasks: tuple[Task, ...]
    candidates: Mapping[str, Mapping[str, APIRecord]]
    imported: Import


def load_queries(paths: Path | str | Sequence[Path | str], *, naming: Naming = "readable") -> list[Task]:
    """Read query files as tasks; see `Queries`.

    Raises:
        UsageError: A file cannot be read.
        FormatError: A file holds no queries; the message has file and JSON pointer.
    """
    return list(read_queries(paths, naming=naming).tasks)


def read_queries(paths: Path | str | Sequence[Path | str], *, naming: Naming = "readable") -> Queries:
    """Read query files, with the APIs they are given; arguments and errors as of `load_queries`."""
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise UsageError("no query file is named", hint="Name one or more .json or .json.gz files")
    found = [query for file in files for query in _read_file(file)]
    if len(found) > _MOST_QUERIES:
        raise FormatError(f"more than {_MOST_QUERIES:,} queries", where=str(files[0]))
    reading = Reading(
        records=[record for query in found for record in query.records],
        problems=[problem for query in found for problem in query.problems],
        from_queries=True,
    )
    imported = import_records(reading, naming=naming, live=False)
    names = {_key(record): name for name, record in imported.records.items()}
    tasks: list[Task] = []
    candidates: dict[str, dict[str, APIRecord]] = {}
    for query, identity in zip(found, _ids(found), strict=True):
        given = {names[_key(record)]: record for record in query.records if _key(record) in names}
        tasks.append(_task(query, identity, given))
        candidates[identity] = given
    return Queries(tasks=tuple(tasks), candidates=candidates, imported=imported)


def export_queries(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Return tasks in the layout of ToolBench's query files.

    A task that was read from such a file comes back as it was; of another the id, the instruction and the
    names of the gold tools are all there is to say.
    """
    found = []
    for task in tasks:
        metadata = task.metadata
        query: dict[str, Any] = {
            "query": task.instruction,
            "query_id": metadata.get("query_id", task.id),
        }
        if isinstance(metadata.get("api_list"), list):
            query["api_list"] = metadata["api_list"]
        if isinstance(metadata.get("relevant"), list):
            query[RELEVANT] = metadata["relevant"]
        elif "query_id" not in metadata and task.gold is not None and task.gold.tools:
            query[RELEVANT] = [["", name] for name in task.gold.tools]
        found.append(query)
    return found


def write_queries(path: Path | str, tasks: Iterable[Task]) -> Path:
    """Write tasks as a query file.

    Raises:
        UsageError: The file cannot be written.
    """
    return write_json(path, export_queries(tasks))


def bare(task: Task) -> Task:
    """Return a task without what only its file needs, so that records of rollouts stay small."""
    kept = {name: value for name, value in task.metadata.items() if name not in ("api_list", "relevant")}
    return replace(task, metadata=kept)


def load_ids(path: Path | str) -> tuple[str, ...]:
    """Read a file of test ids, ``{"588": 0}``.

    Raises:
        UsageError: It cannot be read.
        FormatError: It is no such file.
    """
    return tuple(take_object(read_json(path), str(path)))


def export_ids(tasks: Iterable[Task]) -> dict[str, int]:
    """Return the query ids of tasks in the layout of ToolBench's test ids."""
    return {str(task.metadata.get("query_id", task.id)): 0 for task in tasks}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    file: str
    query_id: int | str
    text: str
    api_list: list[Any] | None
    relevant: list[Any] | None
    records: tuple[APIRecord, ...]
    problems: tuple[Problem, ...]


def _read_file(file: Path) -> list[_Query]:
    where = str(file)
    value = read_json(file)
    found = []
    for position, each in enumerate(take_list(value, where)):
        pointer = f"{where}#/{position}"
        entry = take_object(each, pointer)
        query_id = entry.get("query_id")
        if isinstance(query_id, bool) or not isinstance(query_id, int | str) or query_id == "":
            raise FormatError("a query without query_id", where=pointer, hint=_HINT)
        text = take_text(entry.get("query"), f"{pointer}/query")
        if not text.strip():
            raise FormatError("the query is empty", where=f"{pointer}/query", hint=_HINT)
        api_list = entry.get("api_list")
        relevant = entry.get(RELEVANT)
        read = Found()
        if api_list is not None and take_list(api_list, f"{pointer}/api_list"):
            read = read_query(
                entry, category=file.resolve().parent.name, file=file.name, pointer=f"/{position}"
            )
        if relevant is not None:
            _check_relevant(relevant, f"{pointer}/{RELEVANT}")
        found.append(
            _Query(
                file=file.name,
                query_id=query_id,
                text=text,
                api_list=api_list,
                relevant=relevant,
                records=tuple(read.records),
                problems=tuple(read.problems),
            )
        )
    if not found:
        raise FormatError("there are no queries", where=where, hint=_HINT)
    problems = [problem for query in found for problem in query.problems]
    if problems and not any(query.records for query in found):
        raise FormatError(problems[0].message, where=f"{where}#{problems[0].pointer}", hint=_HINT)
    return found


def _check_relevant(relevant: Any, where: str) -> None:
    for position, pair in enumerate(take_list(relevant, where)):
        if not isinstance(pair, list) or len(pair) < 2 or not all(isinstance(part, str) for part in pair):
            raise FormatError(
                "a relevant API is a list of a tool's and an API's name", where=f"{where}/{position}"
            )


def _ids(found: Sequence[_Query]) -> list[str]:
    """Return an id for each query, all different."""
    files: dict[str, set[str]] = {}
    for query in found:
        files.setdefault(str(query.query_id), set()).add(query.file)
    taken: dict[str, int] = {}
    ids = []
    for query in found:
        name = str(query.query_id)
        if len(files[name]) > 1:
            name = f"{query.file.partition('.')[0]}-{name}"
        taken[name] = taken.get(name, 0) + 1
        ids.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
    return ids


def _task(query: _Query, identity: str, given: Mapping[str, APIRecord]) -> Task:
    by_pair: dict[tuple[str, str], str] = {}
    for name, record in given.items():
        by_pair.setdefault((record.tool, record.api), name)
    gold: list[str] = []
    unresolved: list[Any] = []
    for tool, api in (_pair(pair) for pair in query.relevant or ()):
        if (tool, api) in by_pair:
            gold.append(by_pair[tool, api])
        else:
            unresolved.append([tool, api])
    metadata: dict[str, Any] = {
        "query_id": query.query_id,
        "file": query.file,
        "candidates": list(given) if query.api_list is not None else None,
        "api_list": query.api_list,
        "relevant": query.relevant,
    }
    if unresolved:
        metadata["unresolved"] = unresolved
    return Task(
        id=identity,
        instruction=query.text,
        gold=Gold(tools=tuple(dict.fromkeys(gold))) if query.relevant else None,
        tags=(query.file.partition(".")[0],),
        metadata={name: value for name, value in metadata.items() if value is not None},
    )


def _pair(pair: Sequence[str]) -> tuple[str, str]:
    """Return tool and API as the records have them, cleaned as theirs are."""
    from toolhaft.openapi.documents.cleaning import clean_string

    return clean_string(pair[0][:300]).strip(), clean_string(pair[1][:300]).strip()


def _key(record: APIRecord) -> tuple[str, ...]:
    return (*record.identity, record.method, record.url)
