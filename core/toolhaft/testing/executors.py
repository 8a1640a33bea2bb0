"""What a batch relies on in an executor, as a check of behaviour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.runs.executor import Executor, Finished, Home, Job, Work
from toolhaft.testing.finding import Finding

_ITEMS = 24
_AT_ONCE = 3
_JOB = Job(target="toolhaft.testing.executors:open_probe", settings={"factor": 3})


async def check_executor(executor: Executor) -> list[Finding]:
    """Check that an executor keeps the contract of `toolhaft.runs.executor.Executor`.

    Args:
        executor: With its default settings, or any others; it is used several times.
    """
    home = _Desk()
    found = await _run(executor, _JOB, home)
    findings = [_broken(what) for what in _faults(found, home)]
    if home.most > _AT_ONCE:
        findings.append(_broken(f"{home.most} items are under way where there are places for {_AT_ONCE}"))
    findings += await _check_stop(executor)
    try:
        await _run(executor, Job(target="toolhaft.testing.executors:nothing"), _Desk())
    except ToolhaftError:
        return findings
    return [*findings, _broken("a job that cannot be opened is no error")]


async def _run(executor: Executor, job: Job, home: Home) -> list[Finished]:
    return [finished async for finished in executor.run(job, _items(_ITEMS), home, concurrency=_AT_ONCE)]


def _faults(found: list[Finished], home: _Desk) -> list[str]:
    faults = []
    if sorted(finished.item for finished in found) != list(range(_ITEMS)):
        faults.append("not every item ends once")
    if any(finished.failure is not None for finished in found):
        faults.append("items fail that should not")
    elif any(finished.result != [3 * finished.item, -finished.item] for finished in found):
        faults.append("results, settings or answers from home do not arrive as they were")
    if sorted(home.told) != sorted([*range(_ITEMS), *range(_ITEMS)]):
        faults.append("not all that is told arrives at home")
    return faults


async def _check_stop(executor: Executor) -> list[Finding]:
    count = 0
    async for _ in executor.run(_JOB, _items(1_000), _Desk(), concurrency=_AT_ONCE):
        count += 1
        if count == _AT_ONCE:
            executor.stop()
    return [_broken("it goes on taking items when it was stopped")] if count > 500 else []


async def _items(number: int) -> AsyncIterator[int]:
    for item in range(number):
        yield item


def _broken(what: str) -> Finding:
    return Finding(check="executor-contract", what=what)


class _Desk(Home):
    def __init__(self) -> None:
        self.told: list[int] = []
        self.most = 0
        self._under_way: set[int] = set()

    def tell(self, message: Mapping[str, Any]) -> None:
        item = int(message["item"])
        self.told.append(item)
        self._under_way ^= {item}
        self.most = max(self.most, len(self._under_way))

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"negative": -int(message["item"])}


class Probe(Work):
    """The job of `check_executor`: multiplies, and speaks with home.

    Args:
        factor: What items are multiplied by.
    """

    def __init__(self, factor: int) -> None:
        self._factor = factor

    async def run(self, item: Any, home: Home) -> list[int]:
        """Return the product, and what home makes of the item."""
        home.tell({"item": item})
        answer = await home.ask({"item": item})
        await asyncio.sleep(0.001)
        home.tell({"item": item})
        return [item * self._factor, answer["negative"]]


async def open_probe(factor: int) -> Probe:
    """Open the job of `check_executor`."""
    return Probe(factor)
