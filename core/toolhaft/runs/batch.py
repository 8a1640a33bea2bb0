"""Working off a batch of jobs that is kept in a journal: begun, resumed, stopped, and counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from toolhaft.errors import JournalError, JournalMismatchError, ModelError, ToolhaftError
from toolhaft.runs.executor import Executor, Finished, Home, Job
from toolhaft.runs.journal import Journal
from toolhaft.runs.outages import Outages
from toolhaft.runs.reopening import SETTLED, retry_positions
from toolhaft.runs.statements import ClaimedJob, count_outcomes, count_refused

Verdict = Literal["done", "failed", "uncertain", "stopped", "held", "again", "lost"]
"""What is to become of a job whose work ended: ``done``, ``failed`` and ``uncertain`` are final. ``stopped``
and ``held`` (by the batch's budget) leave it waiting for the next start; ``again`` gives it out again;
``lost`` leaves it to the process that took it over."""

MOST_ATTEMPTS = 3
"""How often a job is given out before what keeps it from ending is its result."""
_POLL = 0.5
_MOST_AHEAD = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch has come.

    Attributes:
        total: Jobs in all.
        finished: Jobs that are done, failed or uncertain, by status.
        running: Jobs under way in this process and its workers.
        seconds: Since this start.
        here: Jobs finished since this start.
    """

    total: int
    finished: Mapping[str, int]
    running: int
    seconds: float
    here: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How a batch ended, or where it stopped.

    Attributes:
        counts: Jobs by status: ``done``, ``failed``, ``uncertain``, ``waiting``, ``leased``.
        outcomes: Jobs that ended, by how: ``answered``, ``loop`` and so on, and ``uncertain``.
        refused: Jobs that ended with a call refused, which waits for a person's leave.
        here: Jobs finished since this start.
        resumed: Jobs of which something was known when this start took them up.
        lost_workers: Worker processes that died.
        spent: By the whole batch: model calls, tool calls, tokens, cost.
        stopped: Why it ended before all jobs had, or empty.
        advice: What to do then.
        seconds: Of this start.
    """

    counts: Mapping[str, int]
    outcomes: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    here: int = 0
    resumed: int = 0
    lost_workers: int = 0
    spent: Mapping[str, float] = field(default_factory=dict)
    stopped: str = ""
    advice: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 where every job ended with an answer, 4 where a person is needed for one, else 3.

        A person is needed for what is uncertain, for leave, and to answer what is asked back.
        """
        if self.counts.get("uncertain") or self.refused or self.outcomes.get("asked"):
            return 4
        answered = sum(self.outcomes.get(name, 0) for name in ("answered", SETTLED))
        return 0 if answered == sum(self.counts.values()) else 3


class BatchRunner:
    """Gives the jobs of a journal to an executor until none is left.

    Args:
        journal: Open, its jobs added.
        job: What is done to each.
        executor: Where.
        concurrency: Jobs under way at once.
        rollout_id: What the ids of rollouts begin with; the position follows.
        restart: Whether a job that wrote nothing may begin anew where its journal does not fit what is
            asked now.
        watch: Told how far it came, at most a few times a second.
    """

    def __init__(
        self,
        journal: Journal,
        job: Job,
        executor: Executor,
        *,
        concurrency: int,
        rollout_id: str,
        restart: bool = False,
        watch: Callable[[Progress], None] | None = None,
    ) -> None:
        self._journal = journal
        self._job = job
        self._executor = executor
        self._concurrency = concurrency
        self._rollout_id = rollout_id
        self._restart = restart
        self._watch = watch
        self._counts: Counter[str] = Counter()
        self._here = 0
        self._total = 0
        self._running: set[int] = set()
        self._claimed: set[int] = set()
        self._unsettled = 0
        self._again: Counter[int] = Counter()
        self._resumed = 0
        self._lost = 0
        self._outages = Outages(concurrency)
        self._stopped = ""
        self._advice = ""
        self._ended = asyncio.Event()
        self._begun = time.monotonic()
        self._shown = 0.0

    def stop(self, why: str = "interrupted", advice: str = "Start it again to go on") -> None:
        """Give out no more jobs, and have those under way end before their next call."""
        if not self._stopped:
            self._stopped, self._advice = why, advice
        self._ended.set()
        self._executor.stop()

    async def run(self) -> BatchResult:
        """Work until every job has ended, nothing more can be done, or it is stopped.

        Jobs that did not end wait for the next start.

        Raises:
            JournalError: The journal cannot be written any more.
            ToolhaftError: The job cannot be opened.
        """
        self._counts.update(await self._journal.count())
        self._total = self._counts.total()
        self._show(always=True)
        work = self._executor.run(
            self._job, self._items(), JournalHome(self._journal), concurrency=self._concurrency
        )
        try:
            async with asyncio.TaskGroup() as settling, aclosing(work) as results:  # type: ignore[type-var]
                # Not one after the other: what ends at the same time is committed together.
                async for finished in results:
                    self._unsettled += 1
                    settling.create_task(self._settle(finished))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        await self._journal.release()
        if self._outages.stopped:
            reopen = partial(retry_positions, positions=self._outages.unreached)
            self._here -= len((await self._journal.transact("meta", reopen)).waiting)
        return BatchResult(
            counts=await self._journal.count(),
            outcomes=await self._journal.transact("meta", count_outcomes),
            refused=await self._journal.transact("meta", count_refused),
            here=self._here,
            resumed=self._resumed,
            lost_workers=self._lost,
            spent=await self._journal.spent(),
            stopped=self._stopped,
            advice=self._advice,
            seconds=time.monotonic() - self._begun,
        )

    async def _items(self) -> AsyncIterator[dict[str, Any]]:
        """Claim jobs before they are asked for, so that no place waits until a claim is committed."""
        number = max(1, min(_MOST_AHEAD, self._concurrency) // 2)
        coming = self._claim(number)
        try:
            while not self._stopped:
                self._ended.clear()
                claimed = await coming
                if claimed or await self._wait_for_more():
                    coming = self._claim(number)
                else:
                    return
                for job in claimed:
                    await self._wait_for_room()
                    if self._stopped:
                        return
                    self._claimed.discard(job.position)
                    self._running.add(job.position)
                    self._resumed += bool(job.entries)
                    yield self._item(job)
        finally:
            coming.cancel()

    def _claim(self, number: int) -> asyncio.Task[list[ClaimedJob]]:
        async def claim() -> list[ClaimedJob]:
            claimed = await self._journal.claim(number, but=self._running | self._claimed)
            self._claimed.update(job.position for job in claimed)
            return claimed

        return asyncio.create_task(claim())

    async def _wait_for_room(self) -> None:
        """Wait while as many results as there are places lie there, still to be committed.

        Without it, results would pile up in memory where jobs end faster than a disk takes them.
        """
        while self._unsettled >= self._concurrency and not self._stopped:
            self._ended.clear()
            await self._ended.wait()

    async def _wait_for_more(self) -> bool:
        """Wait until a job may be there again; false if there will be none."""
        counts = await self._journal.count()
        if counts.get("waiting"):
            return True
        if not self._running and not counts.get("leased"):
            return False
        try:
            async with asyncio.timeout(_POLL):
                await self._ended.wait()
        except TimeoutError:
            pass
        return True

    def _item(self, job: ClaimedJob) -> dict[str, Any]:
        return {
            "job": job.position,
            "rollout": f"{self._rollout_id}-{job.position}",
            "started": job.started,
            "task": job.payload,
            "entries": list(job.entries),
            "counted": bool(self._journal.limits),
        }

    async def _settle(self, finished: Finished) -> None:
        """Note what became of a job, or have it wait again."""
        position = int(finished.item["job"])
        self._running.discard(position)
        result: Mapping[str, Any] = finished.result or {}
        verdict = str(result.get("verdict", "failed"))
        if finished.failure is not None:
            self._lost += 1
            verdict, result = "again", {"error": finished.failure.to_dict()}
        if verdict == "mismatch":
            verdict = await self._settle_mismatch(position, result)
        if verdict == "again":
            self._again[position] += 1
            verdict = "failed" if self._again[position] >= MOST_ATTEMPTS else verdict
        if verdict in ("done", "failed", "uncertain"):
            await self._note(position, verdict, result)
        else:  # one that was lost may be nobody's by now; if it is another's, this does nothing
            await self._journal.release(position)
        if verdict == "held":
            self.stop("the budget of the batch is spent", "Start it again with a larger --batch-budget")
        down = self._outages.note(position, verdict, result)
        if down:
            self.stop(down)
        self._unsettled -= 1
        self._ended.set()
        self._show(always=False)

    async def _settle_mismatch(self, position: int, result: Mapping[str, Any]) -> str:
        """Return what to do with a job whose journal does not fit what is asked now."""
        if self._restart:
            return "again" if await self._journal.forget(position) else "failed"
        error = result.get("error") or {}
        advice = f"{error.get('hint')}; --resume-changed begins tasks anew that wrote nothing"
        self.stop(f"{error.get('code')}: {error.get('where')}: {error.get('what')}", advice)
        return "stopped"

    async def _note(self, position: int, verdict: str, result: Mapping[str, Any]) -> None:
        error = result.get("error")
        kept = await self._journal.finish(
            position,
            verdict,
            outcome=str(result.get("outcome", "error")),
            error=json.dumps(error) if error else None,
            result=str(result.get("trajectory", "")),
        )
        if kept:
            self._counts[verdict] += 1
            self._here += 1

    def _show(self, *, always: bool) -> None:
        now = time.monotonic()
        if self._watch is None or (now - self._shown < 0.2 and not always):
            return
        self._shown = now
        finished = {name: self._counts[name] for name in ("done", "failed", "uncertain")}
        self._watch(
            Progress(
                total=self._total,
                finished=finished,
                running=len(self._running),
                seconds=now - self._begun,
                here=self._here,
            )
        )


class JournalHome(Home):
    """The place where the journal is kept, for jobs that run anywhere."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def tell(self, message: Mapping[str, Any]) -> None:
        """Take ``{"op": "end", "entry": ...}``: what came of a call or question."""
        self._journal.end(message["entry"])

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``{"op": "begin", "entry": ...}``: may a call or question be made?"""
        return await self._journal.begin(message["entry"])


async def judged(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Await the work on one job; whatever it raises becomes a verdict, so that the others go on.

    Args:
        work: Gives ``verdict``, ``outcome``, ``trajectory`` and ``error``.
    """
    try:
        return await work
    except JournalMismatchError as error:
        return {"verdict": "mismatch", "outcome": "mismatch", "error": error.to_dict()}
    except JournalError as error:
        return {"verdict": "lost", "outcome": "lost", "error": error.to_dict()}
    except ToolhaftError as error:
        again = error.retryable and error.effect == "none" and isinstance(error, ModelError)
        return {"verdict": "again" if again else "failed", "outcome": "error", "error": error.to_dict()}
    # Planners, models and retrievers are foreign code: a bug that one job meets must not end the others.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        what = f"{type(error).__name__}: {error}"[:500]
        shown = ToolhaftError(what, hint="This is a bug; run the task alone to see where", code="E-CRASH")
        return {"verdict": "failed", "outcome": "error", "error": shown.to_dict()}
