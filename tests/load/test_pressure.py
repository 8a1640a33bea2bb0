"""A disk slower than the work: jobs wait for it instead of piling up in memory."""

import asyncio
import json

import pytest

from toolhaft.runs.batch import BatchRunner
from toolhaft.runs.executor import Job, LocalExecutor, Work
from toolhaft.runs.journal import Journal

pytestmark = pytest.mark.anyio
CONCURRENCY = 8
COMMIT = 0.01


class Instant(Work):
    """Ends every job at once, and counts."""

    def __init__(self):
        self.ended = 0

    async def run(self, item, home):
        self.ended += 1
        return {"verdict": "done", "outcome": "answered", "trajectory": json.dumps({"job": item["job"]})}


class Slow:
    """A journal whose results take a while to be committed.

    Attributes:
        ahead: How many more jobs had ended than were committed, at most.
        together: How many results were on their way at once, at most.
    """

    def __init__(self, journal, work):
        self._journal = journal
        self._work = work
        self._finished = 0
        self._under_way = 0
        self.ahead = self.together = 0

    def __getattr__(self, name):
        return getattr(self._journal, name)

    async def finish(self, *arguments, **fields):
        self._under_way += 1
        self.together = max(self.together, self._under_way)
        self.ahead = max(self.ahead, self._work.ended - self._finished)
        await asyncio.sleep(COMMIT)
        kept = await self._journal.finish(*arguments, **fields)
        self._finished += 1
        self._under_way -= 1
        return kept


@pytest.mark.parametrize("jobs", [60, 240])
async def test_results_wait_together_and_never_more_than_places_allow(tmp_path, jobs):
    work = Instant()
    async with await Journal.open(tmp_path) as journal:
        await journal.add_jobs((f"t{number}", "{}") for number in range(jobs))
        slow = Slow(journal, work)
        runner = BatchRunner(
            slow, Job(target="none:none"), LocalExecutor(work), concurrency=CONCURRENCY, rollout_id="r"
        )
        result = await runner.run()
    assert result.counts == {"done": jobs}
    assert slow.ahead <= 3 * CONCURRENCY
    assert slow.together >= CONCURRENCY // 2, "results were committed one after the other"
