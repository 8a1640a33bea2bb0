"""The evaluator ``apibench``: is the API that an answer calls the right one?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.types import Score, Task, ToolCall, Trajectory
from toolhaft_evals.apibench.compatible import judge_compatible
from toolhaft_evals.apibench.database import API, Database, first_call, squeeze
from toolhaft_evals.apibench.matching import judge


class APIBench(Evaluator):
    """1 if the answer calls the gold API with the gold arguments, else 0.

    A version of a repository counts where the gold call names one. The domain that is named is a part of
    the score, and decides nothing: labels of the data are doubtful, and the call is what is asked for.

    Args:
        database: The APIs of the hub that the tasks are about.
        data: Folder of the data, where no database is given; likewise ``hub``.
        hub: Name of the hub, for example ``torchhub``.
        compatible: Judge as the published scripts do: the first row whose arguments occur in the call
            decides by its domain.

    Source: Patil et al., "Gorilla: Large Language Model Connected with Massive APIs" (2023), section 3.3.
    Deviation: the API and its arguments are compared, each exactly; an answer without a call is no
    hallucination but ``refused`` or ``unparseable``.
    """

    name = "apibench"

    def __init__(
        self,
        *,
        database: Database | None = None,
        data: str | Path | None = None,
        hub: str = "",
        compatible: bool = False,
    ) -> None:
        if database is None and data is not None:
            from toolhaft_evals.apibench.data import open_database

            database = open_database(Path(data), hub)
        self._database = database
        self._compatible = compatible

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task says no gold call, or there is no database to look calls up in."""
        if self._database is None:
            raise UsageError(
                "apibench needs the APIs of the hub",
                hint="Give the evaluator data=FOLDER and hub=NAME, or a database",
            )
        if not isinstance(task.metadata.get("api_call"), str) or not isinstance(
            task.metadata.get("domain"), str
        ):
            raise UsageError(
                "apibench needs the gold call and its domain",
                where=f"task {task.id}",
                hint="Give the task metadata.api_call and metadata.domain",
            )

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with the parts ``api``, ``arguments`` and ``domain`` and the outcome."""
        self.check_task(task)
        database = self._database or Database.of([])
        text = answer_text(trajectory)
        if self._compatible:
            return self._compatible_score(task, text, database)
        found = judge(text, gold_rows(task, database), database)
        return Score(
            name="apibench",
            value=float(found.outcome == "correct"),
            reason=found.reason,
            details={"call": found.call, "row": found.row, "said_domain": found.said},
            evaluator=self.name,
            parts={"api": float(found.api), "arguments": found.arguments, "domain": float(found.domain)},
            outcome=found.outcome,
        )

    def _compatible_score(self, task: Task, text: str, database: Database) -> Score:
        found = judge_compatible(text, {task.metadata["domain"]}, database)
        row = database.rows[found.row] if found.row is not None and found.row >= 0 else None
        reason = f"the first row that fits is {row.source:.160}" if row else "no row fits"
        exact = row is not None and squeeze(row.source) == squeeze(task.metadata["api_call"])
        right = row is not None and row.domain == task.metadata["domain"]
        return Score(
            name="apibench_compatible",
            value=float(found.verdict == "correct"),
            reason=reason,
            details={"row": found.row, "source": (found.source or "")[:2_000]},
            evaluator=self.name,
            parts={"api": float(exact), "domain": float(right)},
            outcome=found.verdict,
        )


class CompatibleAPIBench(APIBench):
    """The evaluator ``apibench-compat``: `APIBench` with ``compatible=True``."""

    name = "apibench-compat"

    def __init__(
        self, *, database: Database | None = None, data: str | Path | None = None, hub: str = ""
    ) -> None:
        super().__init__(database=database, data=data, hub=hub, compatible=True)


def gold_rows(task: Task, database: Database) -> tuple[API, ...]:
    """Return the gold call, once for each domain under which the database has it."""
    source, domain = task.metadata["api_call"], task.metadata["domain"]
    others = database.by_text.get(squeeze(source), ())
    return (API(position=-1, source=source, call=first_call(source), domain=domain), *others)


def answer_text(trajectory: Trajectory) -> str:
    """Return the answer; of one that makes calls alone, those calls as source text."""
    if trajectory.answer:
        return trajectory.answer
    calls: Sequence[ToolCall] = [call for step in trajectory.path() for call in step.calls]
    return "\n".join(f"{call.name}({_arguments(call.arguments)})" for call in calls)


def _arguments(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())
