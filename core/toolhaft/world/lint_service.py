"""Whether the files of a service fit together: parameters, rules and records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import nearest_names
from toolhaft.types.pointer import escape
from toolhaft.world.answer_check import AnswerChecks
from toolhaft.world.contract import Contract
from toolhaft.world.documents import data_path, documented_services, rules_path
from toolhaft.world.finding import Finding
from toolhaft.world.listing import shown_rows
from toolhaft.world.loading import LoadedService
from toolhaft.world.problem import MISTAKES, RequestProblem
from toolhaft.world.scope import Scope, references
from toolhaft.world.service import TODAY, Setting
from toolhaft.world.templates import matches

_ENDINGS = (".yaml", ".yml", ".json")
BY_SERVER = frozenset({"Idempotency-Key"})
"""Parameters that the server itself reads, whatever the rules do."""
_MOST_RECORDS = 20
"""Records of one collection that are named."""


def lint_service(part: LoadedService, home: Path, answers: AnswerChecks) -> Iterator[Finding]:
    """Iterate over parameters that no rule reads, and records that the document does not describe.

    Args:
        part: The service; one that is written in Python has nothing to look at.
        home: The world's folder.
        answers: Checks answers against the documents.
    """
    if part.rules is None:
        return
    name = part.service.name
    operations: Mapping[str, Any] = part.rules["operations"]
    for contract in part.contracts:
        unread = _unread(contract, operations[contract.id] or {})
        if unread:
            yield Finding(
                code="parameter-unread",
                message=f"the rule of {contract.id} does not use {', '.join(unread)}",
                file=str(rules_path(name, home)),
                pointer=f"/operations/{escape(contract.id)}",
            )
    for collection, position, message in _undocumented(part, answers):
        yield Finding(
            code="record-undocumented",
            message=message,
            file=str(data_path(name, home)),
            pointer=f"/{escape(collection)}/{position}",
        )


def stray_files(home: Path) -> Iterator[Finding]:
    """Iterate over files that look like parts of a world and are read by nobody."""
    known = documented_services(home)
    for folder in (home, home / "data", home / "rules"):
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.suffix not in _ENDINGS or not file.is_file():
                continue
            if file.suffix == ".yaml" and (folder == home or file.stem in known):
                continue
            nearest = nearest_names(file.stem, known)
            if file.suffix != ".yaml":
                message = f"it is not read: its name must end in .yaml, not {file.suffix}"
            else:
                message = f"it is not read: there is no document {file.name}"
                message += f"; did you mean {nearest[0]}.yaml?" if nearest else ""
            yield Finding(code="stray-file", message=message, file=str(file))


def _unread(contract: Contract, rule: Mapping[str, Any]) -> list[str]:
    """Return the arguments of an operation that its rule does not use."""
    read = {name for name, _ in references(rule)} | BY_SERVER
    answer = rule.get("answer")
    if isinstance(answer, Mapping) and "list" in answer and answer.get("page"):
        read |= {"page_size", "cursor"}
    return [name for name in contract.argument_names if name not in read]


def _undocumented(part: LoadedService, answers: AnswerChecks) -> Iterator[tuple[str, int, str]]:
    """Iterate over records that some read would answer otherwise than documented, each once."""
    state = part.service.begin(Setting(data=part.data or {}))
    scope = Scope(arguments={}, state=state, today=TODAY.isoformat())
    positions = {name: {key: n for n, key in enumerate(rows)} for name, rows in _tables(state)}
    told: dict[str, set[str]] = {}
    for contract in part.contracts:
        rule = part.rules["operations"][contract.id] or {}
        if contract.method != "GET" or rule.get("require"):
            continue
        for collection, key, answer in _answers(rule, scope):
            seen = told.setdefault(collection, set())
            if key in seen or len(seen) >= _MOST_RECORDS:
                continue
            if wrong := answers.check(part.service.name, contract, answer):
                seen.add(key)
                message = f"{contract.id} answers {key} otherwise than documented: {wrong}"
                yield collection, positions[collection][key], message


def _answers(rule: Mapping[str, Any], scope: Scope) -> Iterator[tuple[str, str, Any]]:
    """Iterate over the answers that show one record each: its collection, its key, and the answer."""
    answer, rows = rule.get("answer"), rule.get("find", ())
    if isinstance(answer, Mapping) and "list" in answer:
        collection = answer["list"]
        if rows or collection not in scope.state:
            return
        for key, record in scope.state[collection].items():
            try:
                if matches(record, answer.get("where", {}), scope):
                    (shown,) = shown_rows([record], answer, scope)
                    paged = {"total": 1, "next_cursor": None} if answer.get("page") else {}
                    yield collection, key, {answer.get("as") or collection: [shown], **paged}
            except (RequestProblem, *MISTAKES):  # it needs an argument
                continue
    elif len(rows) == 1 and "key" in rows[0] and answer == f"${{{rows[0]['as']}}}":
        for key, record in scope.state[rows[0]["in"]].items():
            yield rows[0]["in"], key, record


def _tables(state: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, rows) for name, rows in state.items() if isinstance(rows, dict))
