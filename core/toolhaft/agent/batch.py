"""A batch of tasks in a folder: begun, or resumed where it stopped, and worked off by agents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.agent.changes import changes, describe_changes
from toolhaft.agent.options import LIMITS, BatchOptions
from toolhaft.agent.parts import new_id
from toolhaft.agent.work import TARGET, AgentWork, learn_keys
from toolhaft.errors import FormatError, JournalError, UsageError
from toolhaft.runs.batch import BatchResult, BatchRunner, Progress
from toolhaft.runs.executor import Executor, Job, LocalExecutor
from toolhaft.runs.file import NAME
from toolhaft.runs.journal import Journal
from toolhaft.runs.reopening import LeftJob, retry, settle
from toolhaft.runs.statements import has_begun
from toolhaft.runs.tasks import fingerprint, read_tasks
from toolhaft.secrets import SecretStore
from toolhaft.types import Task, to_json

if TYPE_CHECKING:
    from toolhaft.agent.agent import Agent
    from toolhaft.hooks.registry import Registry
    from toolhaft.report.store import RunFiles

__all__ = ["LIMITS", "Batch", "BatchOptions", "run_batch", "run_batch_sync"]

_CHUNK = 2000
_ARTIFACTS = "artifacts"


class Batch:
    """A batch of tasks, its journal and what came of it in one folder.

    Run it again with the same folder and tasks, and it goes on where it stopped, whatever stopped it: what
    was finished is not done a second time.

    Args:
        folder: Made if it is not there.
        tasks: A file (see `toolhaft.runs.tasks.read_tasks`), or tasks; None goes on with those in the folder.
        agent: Who carries them out, in this process; or else ``settings``.
        settings: Keyword arguments of `toolhaft.agent.work.open_work`, with which every worker opens an
            agent: ``tools``, ``model`` and so on.
        target: ``module:factory`` of another job, which takes the settings, ``per_host`` and ``artifacts``;
            see `toolhaft.agent.work.AgentWork`.
        options: How it is worked off.
        skip: Told about each bad row of the file, which is left out; without it the first one raises.
        watch: Told how far the batch has come.
        warn: Takes one-line notices.
        registry: Where executors are looked up.

    Attributes:
        result: How it ended; None before.
        reopened: Ids of the tasks that had ended and were tried again.
        left: Those that were to be, and were left as they are.

    Raises:
        UsageError: Neither or both of ``agent`` and ``settings`` are given.
    """

    def __init__(
        self,
        folder: Path | str,
        tasks: Path | str | Iterable[Task] | None,
        *,
        agent: Agent | None = None,
        settings: Mapping[str, Any] | None = None,
        target: str = TARGET,
        options: BatchOptions | None = None,
        skip: Callable[[FormatError], None] | None = None,
        watch: Callable[[Progress], None] | None = None,
        warn: Callable[[str], None] | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.options = options or BatchOptions()
        if agent is not None and settings is not None:
            raise UsageError("both an agent and settings are given", hint="Give one of them")
        if agent is not None and self.options.executor != "local":
            raise UsageError(
                "an agent works in this process alone",
                hint="Give settings, with which workers open their own",
            )
        self.folder = Path(folder)
        self._tasks = Path(tasks) if isinstance(tasks, str) else tasks
        self._agent = agent
        self._settings = dict(settings) if settings is not None else None
        self._target = target
        self._skip = skip
        self._watch = watch
        self._warn = warn or _ignore
        self._registry = registry
        self._runner: BatchRunner | None = None
        self._stopped = False
        self.result: BatchResult | None = None
        self.reopened: tuple[str, ...] = ()
        self.left: tuple[LeftJob, ...] = ()

    async def run(self) -> BatchResult:
        """Work the batch off, or what is left of it.

        Raises:
            JournalError: Another process runs it, it was begun with other tasks or settings, or its journal
                is damaged or cannot be written.
            FormatError: A row of the file is no task.
            UsageError: The folder holds an evaluation, or a task whose writes are to be settled is not
                uncertain.
            ToolhaftError: An agent cannot be opened.
        """
        options = self.options
        executor = self._executor()
        self._check_folder()
        if self._tasks is None and not (self.folder / NAME).exists():
            raise JournalError(
                "there is no batch in this folder",
                where=str(self.folder),
                hint="Name its file of tasks to begin one",
                code="E-JOURNAL-MISSING",
            )
        now = self._asked()  # a file that cannot be read leaves no journal behind
        async with await Journal.open(
            self.folder, durability=options.durability, join=options.join, lease=options.lease
        ) as journal:
            for warning in journal.warnings:
                self._warn(warning)
            journal.limits = dict(options.budget or {})
            head = await self._begin(journal, now)
            await self._reopen(journal)
            if self._agent is not None:  # whoever goes on another day finds what tools made today
                self._agent.artifacts.keep_in(self.folder / _ARTIFACTS)
            self._runner = BatchRunner(
                journal,
                Job(target=self._target, settings=self._job_settings(head)),
                executor,
                concurrency=options.concurrency,
                rollout_id=str(head["id"]),
                restart=options.resume_changed,
                watch=self._watch,
            )
            if self._stopped:
                self._runner.stop()
            self.result = await self._runner.run()
            await journal.close()
        return self.result

    def run_sync(self) -> BatchResult:
        """Do what `run` does from code that is not async; Ctrl-C stops it, and it can be run again."""
        from toolhaft.tools.loop import run_sync

        return run_sync(self.run(), on_interrupt=self.stop)

    def stop(self, why: str = "interrupted") -> None:
        """Have jobs end before their next call; they wait for the next start. Call it on the event loop."""
        self._stopped = True
        if self._runner is not None:
            self._runner.stop(why)

    def export(self) -> RunFiles:
        """Write ``trajectories.jsonl`` and ``report.html`` from what has ended so far.

        Raises:
            UsageError: The batch was not run, or the files cannot be written.
        """
        from toolhaft.agent.export import export_batch
        from toolhaft.tools.artifacts import ArtifactStore

        if self.result is None:
            raise UsageError("the batch was not run", hint="Call run first")
        agent = self._agent
        return export_batch(
            self.folder,
            self.result,
            title=f"Batch {self.folder.name}",
            artifacts=agent.artifacts if agent is not None else ArtifactStore(self.folder / _ARTIFACTS),
            redact=self._secrets().redact,
        )

    def _check_folder(self) -> None:
        from toolhaft.report.store import is_evaluation

        if is_evaluation(self.folder):
            raise UsageError(
                "the folder holds an evaluation, whose report a batch would replace",
                where=str(self.folder),
                hint="Name another folder with -o",
            )

    async def _begin(self, journal: Journal, now: dict[str, Any] | None) -> dict[str, Any]:
        """Fill a new journal, or check that this is the batch it was begun with; return what it says.

        What is asked now takes the place of what was asked before as long as no job has begun.
        """
        meta = await journal.meta()
        if "batch" not in meta:
            return await self._fill(journal, now)
        head: dict[str, Any] = json.loads(meta["batch"])
        if now is None:
            return head
        changed = changes(head, now)
        if not changed:
            return head
        begun = not journal.is_owner or await journal.transact("meta", has_begun)
        resumed = self.options.resume_changed or not begun
        if "tasks" in changed:
            await self._replace(journal, changed, keep=not resumed)
        if not resumed:
            raise JournalError(
                f"the batch in this folder was begun with {describe_changes(head, now, changed)}",
                where=str(self.folder),
                hint="Begin a new one in another folder with -o, or go on all the same with --resume-changed",
                code="E-JOURNAL-CHANGED",
                details={"changed": changed},
            )
        head |= now
        await journal.set_meta({"batch": json.dumps(head)})
        return head

    async def _fill(self, journal: Journal, now: dict[str, Any] | None) -> dict[str, Any]:
        if now is None:
            raise JournalError(
                "the batch in this folder was never begun", where=str(self.folder), code="E-JOURNAL-MISSING"
            )
        head = {"id": new_id(), **now}
        rows = self._rows()
        start = 0
        while True:
            chunk = await asyncio.to_thread(lambda: list(islice(rows, _CHUNK)))
            done = len(chunk) < _CHUNK
            # The head comes with the last rows: without it the next start begins anew.
            start += await journal.add_jobs(
                chunk, start=start, meta={"batch": json.dumps(head)} if done else None
            )
            if done:
                return head

    async def _replace(self, journal: Journal, changed: list[str], *, keep: bool) -> None:
        """Take the file's tasks in place of those never begun; those begun must be the same.

        Args:
            journal: Of the batch.
            changed: Names of all that differs.
            keep: Only see whether it could be done.
        """
        rows = await asyncio.to_thread(lambda: list(self._rows()))
        conflict = await journal.replace_jobs(rows, keep=keep)
        if conflict:
            raise JournalError(
                f"the task {conflict!r} was begun, and is another or at another place in the file now",
                where=str(self.folder),
                hint="Tasks that were begun must stay as they are, with --resume-changed too; or begin a new "
                "batch in another folder with -o",
                code="E-JOURNAL-CHANGED",
                details={"changed": changed},
            )

    async def _reopen(self, journal: Journal) -> None:
        """Keep what a person says of uncertain writes, and have jobs wait that are to be tried again."""
        if self.options.settle:
            settled = await journal.transact("meta", partial(settle, verdicts=self.options.settle))
            if isinstance(settled, UsageError):
                raise settled
            self.reopened += settled.waiting
        if self.options.retry:
            retried = await journal.transact("meta", partial(retry, names=self.options.retry))
            self.reopened += retried.waiting
            self.left = retried.left

    def _rows(self) -> Iterator[tuple[str, str]]:
        redact = self._secrets().redact
        tasks = read_tasks(self._tasks, skip=self._skip) if isinstance(self._tasks, Path) else self._tasks
        for task in tasks or ():
            yield task.id, redact(to_json(task).decode())

    def _asked(self) -> dict[str, Any] | None:
        """Return what is asked now; None where the batch in the folder is to go on."""
        if self._tasks is None:
            return None
        return {"tasks": self._fingerprint(), "settings": self._described()}

    def _fingerprint(self) -> str:
        if isinstance(self._tasks, Path):
            return fingerprint(self._tasks)
        from hashlib import sha256

        self._tasks = list(self._tasks or ())
        digest = sha256()
        for task in self._tasks:
            digest.update(to_json(task))
        return digest.hexdigest()

    def _described(self) -> dict[str, Any]:
        """Return what the jobs depend on, as JSON values, for the comparison with the next start."""
        if self._agent is not None:
            from toolhaft.types import to_value

            agent = self._agent
            return {
                "model": agent.model.name,
                "planner": agent.planner.name,
                "k": agent.k,
                **({"find_tools": True} if agent.offering.find_tools else {}),
                "seed": agent.seed,
                "budget": to_value(agent.budget),
                "tools": sorted(agent.catalog.names),
            }
        if self._settings is None:
            raise UsageError("neither an agent nor settings are given", hint="Give one of them")
        found: dict[str, Any] = json.loads(json.dumps(self._secrets().redact_value(self._settings)))
        found.pop("per_host", None)
        return found

    def _job_settings(self, head: Mapping[str, Any]) -> dict[str, Any]:
        if self._agent is not None:
            return {}
        given = self._settings if self._settings is not None else dict(head["settings"])
        per_host = given.get("per_host")
        if per_host is not None and self.options.executor != "local":
            per_host = max(1, int(per_host) // self.options.workers)
        return {**given, "per_host": per_host, "artifacts": str(self.folder / _ARTIFACTS)}

    def _executor(self) -> Executor:
        chosen = self.options.executor
        if isinstance(chosen, Executor):
            return chosen
        if self._agent is not None:
            return LocalExecutor(AgentWork(self._agent))
        from toolhaft.hooks.registry import Registry

        registry = self._registry or Registry.default()
        return registry.executor(chosen, **({"workers": self.options.workers} if chosen == "process" else {}))

    def _secrets(self) -> SecretStore:
        if self._agent is not None:
            return self._agent.secrets
        secrets = SecretStore()
        settings = self._settings or {}
        learn_keys(secrets, settings.get("auth") or {})
        if settings.get("api_key"):
            learn_keys(secrets, {"api_key": settings["api_key"]})
        return secrets


async def run_batch(
    folder: Path | str,
    tasks: Path | str | Iterable[Task] | None,
    *,
    agent: Agent | None = None,
    settings: Mapping[str, Any] | None = None,
    options: BatchOptions | None = None,
) -> BatchResult:
    """Work a batch off, or what is left of it, and write its files; see `Batch`."""
    batch = Batch(folder, tasks, agent=agent, settings=settings, options=options)
    result = await batch.run()
    await asyncio.to_thread(batch.export)
    return result


def run_batch_sync(
    folder: Path | str,
    tasks: Path | str | Iterable[Task] | None,
    *,
    agent: Agent | None = None,
    settings: Mapping[str, Any] | None = None,
    options: BatchOptions | None = None,
) -> BatchResult:
    """Do what `run_batch` does from code that is not async; Ctrl-C stops it, and it can be run again."""
    batch = Batch(folder, tasks, agent=agent, settings=settings, options=options)
    result = batch.run_sync()
    batch.export()
    return result


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
