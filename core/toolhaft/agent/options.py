"""How a batch is worked off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toolhaft.errors import UsageError
from toolhaft.runs.executor import Executor
from toolhaft.runs.file import Durability
from toolhaft.runs.journal import LEASE
from toolhaft.runs.reopening import check_retried, check_verdicts

LIMITS = ("model_calls", "tool_calls", "tokens", "cost")
"""What a batch as a whole may have a budget of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is worked off; nothing here changes what its jobs are.

    Attributes:
        concurrency: Jobs under way at once, in all.
        executor: Name of the executor, or one.
        workers: Processes, where the executor has such.
        budget: Of the whole batch: any of ``model_calls``, ``tool_calls``, ``tokens``, ``cost``.
        durability: ``full`` or ``normal``; see `toolhaft.runs.journal.Journal.open`.
        join: Work beside a process that runs the batch already.
        resume_changed: Go on although tasks or settings are others than the batch was begun with.
        retry: Outcomes of jobs that are to be tried again; see `toolhaft.runs.reopening.RETRIED`.
        settle: Id of an uncertain task -> ``done`` or ``not-done``: what a person says of its writes.
        lease: Seconds after which another process may take over the jobs of one that fell silent.
    """

    concurrency: int = 8
    executor: str | Executor = "local"
    workers: int = 2
    budget: Mapping[str, float] | None = None
    durability: Durability = "full"
    join: bool = False
    resume_changed: bool = False
    retry: Sequence[str] = ()
    settle: Mapping[str, str] = field(default_factory=dict)
    lease: float = LEASE

    def __post_init__(self) -> None:
        for name in ("concurrency", "workers"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 10_000:
                raise UsageError(f"{name} is {value!r}", hint="Give a whole number from 1 to 10,000")
        if self.durability not in ("full", "normal"):
            raise UsageError(f"durability is {self.durability!r}", hint="Give 'full' or 'normal'")
        check_retried(self.retry)
        check_verdicts(self.settle)
        if self.join and (self.retry or self.settle):
            raise UsageError(
                "retry and settle need the batch for themselves",
                hint="Do it when no other process works on it, without --join",
            )
        for name, limit in (self.budget or {}).items():
            if name not in LIMITS:
                raise UsageError(
                    f"a batch has no budget of {name!r}", hint=f"It may have one of {', '.join(LIMITS)}"
                )
            if not limit >= 0:
                raise UsageError(
                    f"the batch's budget of {name} is {limit!r}", hint="Give a number of at least 0"
                )
