"""Services that are data: a file of rules says what each operation of a document does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.evaluators.pointer import MISSING
from toolhaft.world.changes import Changes, Collection, holds
from toolhaft.world.contract import Contract
from toolhaft.world.copying import copy_json
from toolhaft.world.listing import list_answer
from toolhaft.world.problem import RequestProblem
from toolhaft.world.rule_check import check_rules
from toolhaft.world.scope import Scope
from toolhaft.world.service import Limit, Operation, Request, Service, Setting, State
from toolhaft.world.templates import fill, fill_or_missing, matches, rows_of

FIRST_ID = 900


def make_service(
    name: str, rules: Any, data: Any, contracts: Sequence[Contract], *, file: str = "", data_file: str = ""
) -> Service:
    """Make a service of a file of rules.

    Args:
        name: Of the service.
        rules: The file's value; its format is described in ``docs/how-to/write-a-world.md``.
        data: The records at the beginning, by collection.
        contracts: The operations of the service's document.
        file: Of the rules, for error messages.
        data_file: Of the data, likewise.

    Raises:
        FormatError: The rules are malformed or do not fit the document or the data; the message names the
            file and where in it.
    """
    check_rules(rules, data, contracts, file=file or f"rules/{name}.yaml", data_file=data_file)
    collections = {
        title: Collection(
            key=row["key"], prefix=row.get("prefix", ""), noun=row.get("noun") or singular(title)
        )
        for title, row in rules.get("collections", {}).items()
    }
    limit = rules.get("limit")
    return Service(
        name=name,
        begin=_beginning(collections, rules.get("last_id", FIRST_ID)),
        operations={
            operation: _operation(rule or {}, collections) for operation, rule in rules["operations"].items()
        },
        limit=Limit(calls=limit["calls"], seconds=limit["seconds"]) if limit else None,
    )


def singular(collection: str) -> str:
    """Return what one record of a collection is called."""
    words = collection.replace("_", " ")
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def _beginning(collections: Mapping[str, Collection], last_id: int) -> Any:
    def begin(setting: Setting) -> State:
        state: State = {"last_id": last_id}
        for name, collection in collections.items():
            rows = setting.data.get(name) or []
            state[name] = {row[collection.key]: copy_json(row) for row in rows}
        return state

    return begin


def _operation(rule: Mapping[str, Any], collections: Mapping[str, Collection]) -> Operation:
    def carry_out(request: Request) -> Any:
        scope = Scope(
            arguments=request.arguments, state=request.state, today=request.setting.today.isoformat()
        )
        for row in rule.get("find", ()):
            _bind(row, scope, collections)
        for row in rule.get("require", ()):
            _require(row, scope)
        changes = Changes(request.state, collections)
        changes.apply(rule.get("change", ()), scope)
        answered = False
        try:
            answer = answer_of(rule.get("answer"), scope)
            answered = True
        finally:
            if not answered:
                changes.undo()
        return answer

    return carry_out


def answer_of(template: Any, scope: Scope) -> Any:
    """Return the body of an answer."""
    if isinstance(template, dict) and "list" in template:
        return list_answer(template, scope)
    return fill(template, scope)


def _bind(row: Mapping[str, Any], scope: Scope, collections: Mapping[str, Collection]) -> None:
    """Bind a record by name, or refuse the request."""
    name = row["as"]
    scope.records[name] = None
    if not all(holds(condition, scope) for condition in row.get("when", ())):
        return
    source = row["in"]
    if "key" in row:
        key = fill_or_missing(row["key"], scope)
        if key is MISSING:  # an optional argument that was not given
            return
        found = scope.state[source].get(str(key))
    else:
        key = ""
        found = next((item for item in rows_of(source, scope) if matches(item, row["where"], scope)), None)
    if found is None and not row.get("optional"):
        noun = collections[source].noun if source in collections else "such record"
        detail = row.get("detail") or (f"There is no {noun} {key}" if key else f"There is no such {noun}")
        raise RequestProblem(row.get("status", 404), str(fill(detail, scope)))
    scope.records[name] = found


def _require(row: Mapping[str, Any], scope: Scope) -> None:
    if not all(holds(condition, scope) for condition in row.get("when", ())):
        return
    if not holds(row, scope):
        raise RequestProblem(row.get("status", 409), str(fill(row["detail"], scope)))
