"""Whether a world can be relied on: every task can be done, and none is done by doing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path

from toolhaft.errors import ToolhaftError
from toolhaft.types import Task, ToolSpec
from toolhaft.world.contract import Contract
from toolhaft.world.documents import document_path, service_names, world_folder, world_title
from toolhaft.world.finding import Finding, finding_of
from toolhaft.world.importing import import_service
from toolhaft.world.lint_names import KnownOperation, name_findings
from toolhaft.world.lint_task import AnswerChecks, TaskLint
from toolhaft.world.loading import LoadedService, load_service
from toolhaft.world.store import Store
from toolhaft.world.tasks import LocatedTask, read_task, task_files, task_rows

_MOST_FINDINGS = 1_000
_PACE = 1_000
"""Seconds between two calls as limits of rates see them: a solution is not held up by one."""


def lint_world(folder: Path | str | None = None) -> list[Finding]:
    """Return what is wrong with a world's services and tasks; an empty list is a clean world.

    For every task that can be done its reference solution is carried out in a run of its own: it must pass
    the task's checks, doing nothing must not, and every single check must be one that can fail.

    Args:
        folder: None is the bundled world.
    """
    found: list[Finding] = []
    for finding in _findings(folder):
        found.append(finding)
        if len(found) >= _MOST_FINDINGS:
            break
    return found


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


def _findings(folder: Path | str | None) -> Iterator[Finding]:
    try:
        home = world_folder(folder)
        names = service_names(home)
        world_title(home)
    except ToolhaftError as error:
        yield finding_of(error, "world")
        return
    services: dict[str, LoadedService] = {}
    operations: dict[str, KnownOperation] = {}
    for name in names:
        try:
            part = services[name] = load_service(name, home)
        except ToolhaftError as error:
            yield finding_of(error, "service", file=str(document_path(name, home)))
            continue
        yield from _add_operations(part, home, operations)
    located, broken = _read_tasks(home)
    yield from broken
    if services:
        yield from _lint_tasks(located, services, operations)


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
    given, read = set(spec.parameters.get("properties", ())), set(contract.argument_names)
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
        return [], [Finding(code="tasks", message="there are no tasks", file=str(folder))]
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


def _lint_tasks(
    located: list[LocatedTask],
    services: dict[str, LoadedService],
    operations: dict[str, KnownOperation],
) -> Iterator[Finding]:
    stores: dict[int, Store] = {}
    answers = AnswerChecks({name: part.document for name, part in services.items()})
    for row in located:
        seed = row.task.metadata["seed"]
        if seed not in stores:
            stores[seed] = _store(services, seed)
        yield from TaskLint(row, stores[seed], operations, answers).run()


def _store(services: Mapping[str, LoadedService], seed: int) -> Store:
    return Store(
        [part.service for part in services.values()],
        {name: part.data for name, part in services.items()},
        seed=seed,
        clock=partial(next, count(0, _PACE)),
    )
