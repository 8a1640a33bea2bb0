"""Whether one task can be done, cannot be done by doing nothing, and says what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ToolhaftError, UsageError, nearest_names
from toolhaft.evaluators.gold import check_gold
from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.evaluators.state_check import check, fits
from toolhaft.types import Gold
from toolhaft.world.answer_check import AnswerChecks
from toolhaft.world.approval import approves
from toolhaft.world.changes import kind_of
from toolhaft.world.finding import Finding
from toolhaft.world.lint_names import KnownOperation, NameLint
from toolhaft.world.mutations import mutations
from toolhaft.world.problem import MISTAKES, FaultProblem, RequestProblem, mistake
from toolhaft.world.reach import Reach
from toolhaft.world.requesting import write_request
from toolhaft.world.solution import fill_in
from toolhaft.world.tasks import KINDS, TRAITS, LocatedTask, preparation_of, reference_solution

if TYPE_CHECKING:
    from toolhaft.world.store import Store

_RUN = "lint"
_REFUSAL = "I cannot do this."
_TRIES = 6


class _RefusedCall(UsageError):
    """A call of a reference solution that was refused."""


class TaskLint:
    """Looks one task over.

    Args:
        located: The task and where it stands.
        store: Of the world, with the task's seed.
        operations: All that tasks may use.
        answers: Checks answers against the documents.
        reaches: What the rules of services can change; one written in Python is not in it.
    """

    def __init__(
        self,
        located: LocatedTask,
        store: Store,
        operations: Mapping[str, KnownOperation],
        answers: AnswerChecks,
        reaches: Mapping[str, Reach],
    ) -> None:
        self.task = located.task
        self.located = located
        self.store = store
        self.operations = operations
        self.answers = answers
        self.reaches = reaches
        self.names = NameLint(located, operations)
        self.gold = located.task.gold or Gold()
        self.findings: list[Finding] = []
        self.called: list[str] = []

    def run(self) -> list[Finding]:
        """Return what is wrong."""
        self._check_names()
        self._check_tags()
        try:
            check_gold(self.task)
        except UsageError as error:
            pointer = error.where.partition("#")[2]
            self._tell("check-malformed", f"{error.what}. {error.hint}".rstrip(". "), pointer)
            return self.findings
        try:
            self.store.prepare(_RUN, preparation_of(self.task))
        except RequestProblem as problem:
            self._tell("setup-fails", problem.detail, "/setup")
            return self.findings
        before = self.store.state(_RUN)
        self._check_untouched(before)
        answer = self._solve()
        after = self.store.state(_RUN)
        if answer is not None:
            self._check_solution(answer, before, after)
            self._check_shape(after)
        for position, row in enumerate(self.gold.state):
            self._check_row(row, before, after, f"/gold/state/{position}")
        self.store.reset(_RUN)
        return self.findings

    def _tell(self, code: str, message: str, pointer: str = "") -> None:
        self.findings.append(self.names.tell(code, message, pointer))

    def _check_names(self) -> None:
        """Check that every tool that is named exists, and that the instruction names none."""
        self.findings += self.names.findings()
        folded = self.task.instruction.casefold()
        for name in self.operations:
            if name.casefold() in folded:
                self._tell("instruction-names-tool", f"the user cannot know of {name}", "/instruction")

    def _check_tags(self) -> None:
        services = {operation.service for operation in self.operations.values()}
        known = {*KINDS, *TRAITS, *services}
        for position, tag in enumerate(self.task.tags):
            if tag not in known:
                nearest = nearest_names(tag, sorted(known))
                hint = f"; did you mean {nearest[0]}?" if nearest else ""
                self._tell("tag-unknown", f"there is no tag {tag!r:.80}{hint}", f"/tags/{position}")
        kinds = [kind for kind in KINDS if kind in self.task.tags]
        if len(kinds) != 1 and set(kinds) != {"multi_call", "cross_service"}:
            self._tell("kind", f"one tag of {', '.join(KINDS)} is needed, not {len(kinds)}", "/tags")
        for tag, holds in (
            ("ask", bool(self.gold.asks)),
            ("fault", bool(self.task.metadata.get("faults"))),
        ):
            if (tag in self.task.tags) is not holds:
                self._tell("tag-wrong", f"the tag {tag} and the task do not agree", "/tags")
        declined = "unsolvable" in self.task.tags or ("approval" in self.task.tags and not self.gold.solvable)
        if declined is self.gold.solvable:
            self._tell("tag-wrong", "the tag unsolvable and gold.solvable do not agree", "/tags")

    def _check_untouched(self, before: dict[str, Any]) -> None:
        """Check that nobody passes who does nothing."""
        if self._passes("", before):
            self._tell("passes-untouched", "doing nothing passes", "/gold")
        elif self.gold.solvable and self._passes(_REFUSAL, before):
            self._tell("passes-untouched", "declining passes", "/gold")
        elif self._passes(self.task.instruction, before):
            self._tell("passes-by-echo", "repeating the instruction passes", "/gold")

    def _passes(self, answer: str, state: dict[str, Any], status: str = "answered") -> bool:
        return check(self.task, answer, state, status=status).value >= 1.0

    def _solve(self) -> str | None:
        """Carry the reference solution out; return its answer, or None if it fails."""
        try:
            solution = reference_solution(self.task)
            results: dict[str, Any] = {}
            for position, step in enumerate(solution.calls):
                arguments = fill_in(step.arguments, results)
                result = self._call(step.tool, arguments, f"/solution/calls/{position}")
                if step.save:
                    results[step.save] = result
            return str(fill_in(solution.answer, results))
        except _RefusedCall as error:
            self._tell("solution-refused", error.what, error.where)
        except ToolhaftError as error:
            self._tell("solution-malformed", str(error), "/solution")
        return None

    def _call(self, name: str, arguments: dict[str, Any], pointer: str) -> Any:
        operation = self.operations.get(name)
        if operation is None:
            raise _RefusedCall(f"there is no tool {name!r:.80}", where=f"{pointer}/tool")
        contract = operation.contract
        for parameter in contract.parameters:
            if parameter.place == "path" and parameter.name not in arguments:
                raise _RefusedCall(f"{name} needs {parameter.name}", where=f"{pointer}/arguments")
        approved = approves(self.task.metadata.get("approve", ()), name, arguments)
        if operation.effect == "irreversible" and not approved:
            self._tell("approval-missing", f"{name} is irreversible, and approve does not name it", pointer)
        for _ in range(_TRIES):
            try:
                request = write_request(contract, arguments)
                answer = self.store.perform(_RUN, operation.service, contract, request)
            except FaultProblem:  # a client or an agent tries again
                continue
            except RequestProblem as problem:
                what = f"{name} is refused with {problem.status}: {problem.detail:.200}"
                raise _RefusedCall(what, where=pointer) from None
            except MISTAKES as error:
                raise _RefusedCall(mistake(name, error).detail, where=pointer) from None
            self.called.append(name)
            if wrong := self.answers.check(operation.service, contract, answer):
                self._tell(
                    "answer-undocumented", f"{name} answers otherwise than documented: {wrong}", pointer
                )
            return answer
        raise _RefusedCall(f"{name} still fails after {_TRIES} tries", where=pointer)

    def _check_solution(self, answer: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        status = "asked" if self.gold.asks else "answered"
        score = check(self.task, answer, after, status=status)
        for failed in score.details["failed"]:
            self._tell("solution-fails", f"the reference solution does not pass: {failed}", "/solution")
        if after["writes"] and self._passes(answer, before, status):
            self._tell("passes-by-claim", "claiming to have done it passes", "/gold/state")

    def _check_shape(self, after: dict[str, Any]) -> None:
        """Check that the tags say what the reference solution does."""
        tags, calls = set(self.task.tags), len(self.called)
        services = {self.operations[name].service for name in self.called}
        wrong = []
        if "one_call" in tags and calls != 1:
            wrong.append(f"one_call, and the solution makes {calls} calls")
        if "multi_call" in tags and calls < 2:
            wrong.append(f"multi_call, and the solution makes {calls} calls")
        if "cross_service" in tags and len(services) < 2:
            wrong.append("cross_service, and the solution uses one service")
        if ("write" in tags) is not bool(after["writes"]):
            wrong.append(f"{'' if 'write' in tags else 'not '}write, and the solution does otherwise")
        if missing := sorted(services - tags):
            wrong.append(f"without {', '.join(missing)}, which the solution uses")
        for text in wrong:
            self._tell("tag-wrong", f"the tags say {text}", "/tags")

    def _check_row(
        self, row: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any], pointer: str
    ) -> None:
        """Check that a check of the state looks at something, and that it can fail."""
        first = row["path"].lstrip("/").split("/")[0]
        if first not in before:
            self.findings.append(self.names.unknown_service(first, before, f"{pointer}/path"))
            return
        if all(find(state, row["path"]) is MISSING for state in (before, after)) and not _is_guard(
            row, before
        ):
            self._tell("pointer-nowhere", f"there is nothing at {row['path']}", f"{pointer}/path")
            return
        for name in row.get("where", {}):
            if self._leads_nowhere(row["path"], name, before, after):
                self._tell("field-nowhere", f"no record of {row['path']} has {name}", f"{pointer}/where")
                return
        if row["path"].strip("/") == "writes":
            operation = row.get("where", {}).get("operation")
            if isinstance(operation, str) and operation not in self.operations:
                return
        if self._fails(row, before):
            return
        if not self._can_change(row, before):
            message = (
                f"no operation changes what is checked at {row['path']}: the check holds whatever is done"
            )
            self._tell("check-cannot-fail", message, pointer)
            return
        if not any(
            self._fails(row, changed) for state in (after, before) for changed in mutations(row, state)
        ):
            self._tell("check-cannot-fail", "the check holds whatever is done", pointer)

    def _can_change(self, row: Mapping[str, Any], before: dict[str, Any]) -> bool:
        """Whether some operation could change what a check looks at; what a task sets up is meant so."""
        first, _, rest = str(row["path"]).strip("/").partition("/")
        where = row.get("where", {})
        if first == "writes":
            return any(
                operation.contract.method != "GET"
                and fits(name, where.get("operation", name))
                and fits(operation.service, where.get("service", operation.service))
                for name, operation in self.operations.items()
            )
        if first not in self.reaches:
            return first != "today"
        place = [first, rest.split("/")[0]]
        rows = preparation_of(self.task).setup
        if any(str(change[kind_of(change)]).strip("/").split("/")[:2] == place for change in rows):
            return True
        return self.reaches[first].touches(rest, where, before[first])

    def _fails(self, row: Mapping[str, Any], state: dict[str, Any]) -> bool:
        single = replace(self.task, gold=Gold(state=(dict(row),)))
        return check(single, "", state).value < 1.0

    def _leads_nowhere(self, path: str, name: str, *states: dict[str, Any]) -> bool:
        """Whether there are records, and none of them has a field."""
        first = name.lstrip("/").split("/")[0]
        items: list[Any] = []
        for state in states:
            rows = find(state, path)
            items += rows.values() if isinstance(rows, dict) else rows if isinstance(rows, list) else []
        return bool(items) and all(find(item, first) is MISSING for item in items)


def _is_guard(row: Mapping[str, Any], state: dict[str, Any]) -> bool:
    """Whether a check says that something is not to be made, in a place that there is."""
    parent = row["path"].rpartition("/")[0]
    return row.get("equals") == {"exists": False} and find(state, parent) is not MISSING
