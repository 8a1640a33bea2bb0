"""Whether a world can be relied on: every task can be done, and none is done by doing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import count, islice
from pathlib import Path

from toolhaft.errors import ToolhaftError
from toolhaft.types import Task, ToolSpec
from toolhaft.world.answer_check import AnswerChecks
from toolhaft.world.contract import Contract
from toolhaft.world.documents import document_path, service_names, world_folder, world_title
from toolhaft.world.finding import Finding, Inspection, finding_of
from toolhaft.world.importing import import_service
from toolhaft.world.lint_names import KnownOperation, name_findings, rests_on
from toolhaft.world.lint_service import BY_SERVER, lint_service, stray_files
from toolhaft.world.lint_task import TaskLint
from toolhaft.world.loading import LoadedService, load_service
from toolhaft.world.reach import reach_of
from toolhaft.world.store import Store
from toolhaft.world.tasks import LocatedTask, read_task, task_files, task_rows

_MOST_FINDINGS = 1_000
_PACE = 1_000
"""Seconds between two calls as limits of rates see them: a solution is not held up by one."""


def lint_world(folder: Path | str | None = None) -> list[Finding]:
    """Return what is wrong with a world's services and tasks; an empty list is a clean world.

    Args:
        folder: None is the bundled world.
    """
    return list(inspect_world(folder).findings)


def inspect_world(folder: Path | str | None = None) -> Inspection:
    """Look a world's services and tasks over.

    For every task that can be done its reference solution is carried out in a run of its own: it must pass
    the task's checks, doing nothing must not, and every single check must be one that can fail. Tasks that
    use a service that does not load are not judged.

    Args:
        folder: None is the bundled world.
    """
    look = _Look()
    found = tuple(islice(look.findings(folder), _MOST_FINDINGS))
    return Inspection(
        findings=found, services=len(look.services), operations=len(look.operations), tasks=look.tasks
    )


def quick_findings(tasks: Iterable[Task], folder: Path | str | None = None) -> list[Finding]:
    """Return what is wrong with the names in tasks, without carrying anything out.

    That is: tools, services and collections that do not exist, approvals that nothing needs and faults that
    no agent meets. It costs what loading the world costs, which is kept for who starts it next.

    Args:
        tasks: Of a file or of the world.
        folder: The world's; None is the bundled one. If a part of it does not load, that alone is found.
    """
    try:
        home = world_folder(folder)
        parts = {name: load_service(name, home) for name in service_names(home)}
        operations: dict[str, KnownOperation] = {}
        for part in parts.values():
            if found := list(_add_operations(part, home, operations)):
                return found
    except ToolhaftError as error:
        return [finding_of(error, "world")]
    state = _store(parts, seed=0).state("quick")
    located = (LocatedTask(task=task, file="", pointer="") for task in tasks)
    return [finding for row in located for finding in name_findings(row, operations, state)]


class _Look:
    """One look over a world; counts what it has seen."""

    def __init__(self) -> None:
        self.services: dict[str, LoadedService] = {}
        self.operations: dict[str, KnownOperation] = {}
        self.tasks = 0

    def findings(self, folder: Path | str | None) -> Iterator[Finding]:
        """Iterate over what is wrong."""
        try:
            home = world_folder(folder)
            names = service_names(home)
            world_title(home)
        except ToolhaftError as error:
            yield finding_of(error, "world")
            return
        yield from stray_files(home)
        for name in names:
            try:
                part = self.services[name] = load_service(name, home)
            except ToolhaftError as error:
                yield finding_of(error, "service", file=str(document_path(name, home)))
                continue
            yield from _add_operations(part, home, self.operations)
        lost = [name for name in names if name not in {row.service for row in self.operations.values()}]
        answers = AnswerChecks({name: part.document for name, part in self.services.items()})
        for part in self.services.values():
            yield from lint_service(part, home, answers)
        located, broken = _read_tasks(home)
        yield from broken
        if not located and not broken:
            yield Finding(code="tasks", message="there are no tasks", file=str(home / "tasks"))
        judged = [row for row in located if not (lost and rests_on(row, self.operations, lost))]
        if skipped := len(located) - len(judged):
            message = f"{skipped} of {len(located)} tasks use {', '.join(lost)} and are not judged"
            yield Finding(code="not-judged", message=message, file=str(home / "tasks"))
        yield from self._tasks(judged, answers)

    def _tasks(self, located: list[LocatedTask], answers: AnswerChecks) -> Iterator[Finding]:
        reaches = {name: reach_of(part.rules) for name, part in self.services.items() if part.rules}
        stores: dict[int, Store] = {}
        for row in located:
            self.tasks += 1
            seed = row.task.metadata["seed"]
            if seed not in stores:
                stores[seed] = _store(self.services, seed)
            yield from TaskLint(row, stores[seed], self.operations, answers, reaches).run()


def _add_operations(
    part: LoadedService, home: Path, operations: dict[str, KnownOperation]
) -> Iterator[Finding]:
    """Add a service's operations to those that are known, and tell which of them are no good tools."""
    name, file = part.service.name, str(document_path(part.service.name, home))
    try:
        imported = import_service(name, home)
    except ToolhaftError as error:
        yield finding_of(error, "service", file=file)
        return
    for row in imported.report.operations:
        if row.outcome != "imported":
            reason = "; ".join(row.reasons)
            yield Finding(code="tool-lost", message=reason, file=file, pointer=row.pointer)
    tools = {spec.name: spec for spec, _ in imported.tools}
    for contract in part.contracts:
        if contract.id in operations:
            other = operations[contract.id].service
            message = f"an operation of {other} is named {contract.id}, too"
            yield Finding(code="operation-twice", message=message, file=file)
        elif contract.id in tools:
            spec = tools[contract.id]
            if wrong := _other_arguments(spec, contract):
                yield Finding(code="arguments-differ", message=wrong, file=file)
            operations[contract.id] = KnownOperation(
                service=name, contract=contract, effect=spec.effect, repeatable=spec.repeatable
            )
        else:
            message = f"the tool of the operation {contract.id} has another name"
            yield Finding(code="tool-lost", message=message, file=file)


def _other_arguments(spec: ToolSpec, contract: Contract) -> str:
    """Return how the arguments of a tool differ from what the server reads; nothing if they do not."""
    given = set(spec.parameters.get("properties", ()))
    read = set(contract.argument_names) - BY_SERVER  # the call itself has the key
    if given == read:
        return ""
    wrong = ", ".join(sorted(given ^ read))
    return f"the tool {spec.name} and the server do not take the same arguments: {wrong}"


def _read_tasks(home: Path) -> tuple[list[LocatedTask], list[Finding]]:
    """Return the tasks that can be read, and what is wrong with the others."""
    located: dict[str, LocatedTask] = {}
    findings: list[Finding] = []
    folder = home / "tasks"
    if not folder.is_dir():
        return [], []
    try:
        files = task_files(folder)
    except ToolhaftError as error:
        return [], [finding_of(error, "tasks")]
    for file in files:
        try:
            for place, row in task_rows(file):
                try:
                    task = read_task(row, place)
                except ToolhaftError as error:
                    identifier = str(row.get("id", ""))[:80] if isinstance(row, dict) else ""
                    findings.append(_about(finding_of(error, "task-malformed"), identifier))
                    continue
                first = located.setdefault(task.task.id, task)
                if first is not task:
                    message = f"the id is taken by {first.file}#{first.pointer}"
                    findings.append(
                        Finding(
                            code="id-twice",
                            message=message,
                            task=task.task.id,
                            file=task.file,
                            pointer=f"{task.pointer}/id",
                        )
                    )
        except ToolhaftError as error:
            findings.append(finding_of(error, "tasks", file=str(file)))
    return list(located.values()), findings


def _about(finding: Finding, task: str) -> Finding:
    return Finding(
        code=finding.code, message=finding.message, task=task, file=finding.file, pointer=finding.pointer
    )


def _store(services: Mapping[str, LoadedService], seed: int) -> Store:
    return Store(
        [part.service for part in services.values()],
        {name: part.data for name, part in services.items()},
        seed=seed,
        clock=partial(next, count(0, _PACE)),
    )
