"""The states of all runs, each of its own."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.types import Task
from toolhaft.world.changes import Changes
from toolhaft.world.contract import Contract, RawRequest
from toolhaft.world.copying import copy_json
from toolhaft.world.end_state import end_state
from toolhaft.world.preparation import Fault, Preparation
from toolhaft.world.problem import MISTAKES, FaultProblem, RequestProblem, mistake, not_found
from toolhaft.world.scope import Scope
from toolhaft.world.service import TODAY, Limit, Request, Service, Setting, State

RUN_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")
MOST_RUNS = 2_000
MOST_ROWS = 5_000
"""Writes that one run may make."""


@dataclass(slots=True)
class _Run:
    """One run: its state, and what was called in it."""

    state: State
    faults: tuple[Fault, ...] = ()
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    good: Counter[str] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def check_limit(self, service: str, limit: Limit | None, now: float, *, reads: bool) -> None:
        """Count a call of a service; raise if there were too many and it only reads.

        A client sends a read again by itself when it has waited, a write it does not: to refuse writes,
        too, would let the speed of a machine decide what an agent sees.
        """
        if limit is None:
            return
        began, calls = self.windows.get(service, (now, 0))
        if now - began >= limit.seconds:
            began, calls = now, 0
        if reads and calls >= limit.calls:
            wait = max(1, math.ceil(began + limit.seconds - now))
            detail = f"More than {limit.calls} calls within {limit.seconds:g} s; wait {wait} s"
            raise RequestProblem(429, detail, headers={"Retry-After": str(wait)})
        self.windows[service] = (began, calls + 1)

    def check_faults(self, operation: str) -> None:
        """Raise if this call is one that is to fail."""
        for position, fault in enumerate(self.faults):
            due = fault.tool == operation and self.good[operation] >= fault.after
            if due and self.failed[position] < fault.times:
                self.failed[position] += 1
                wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                raise FaultProblem(fault.status, fault.detail, headers=wait)


class Store:
    """Makes a run's state when it is first used, and carries requests out on it.

    Safe to use from several threads.

    Args:
        services: What the world consists of.
        data: Fixed data by service name.
        seed: Of everything that is drawn.
        clock: Seconds, for limits of rates; never for anything that an answer holds.
    """

    def __init__(
        self,
        services: Sequence[Service],
        data: Mapping[str, Any],
        *,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seed = seed
        self._services = {service.name: service for service in services}
        self._settings = {name: Setting(data=data[name] or {}, seed=seed) for name in self._services}
        self._beginning: State = {
            "today": TODAY.isoformat(),
            **{name: service.begin(self._settings[name]) for name, service in self._services.items()},
            "writes": [],
        }
        self._runs: dict[str, _Run] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def state(self, run: str, task: Task | None = None) -> State:
        """Return a copy of a run's state, of a task's run what `end_state` keeps of it."""
        with self._lock:
            state = self._run(run).state
            copied: State = copy_json(end_state(state, self._beginning, task) if task else state)
            return copied

    def reset(self, run: str) -> None:
        """Put a run back to the beginning; one that was never used costs nothing."""
        with self._lock:
            self._runs.pop(run, None)

    def prepare(self, run: str, preparation: Preparation) -> None:
        """Put a run to the beginning that a task wants.

        Raises:
            RequestProblem: A change of its setup cannot be made; the run is as if it was reset.
        """
        with self._lock:
            self._runs.pop(run, None)
            prepared = self._run(run)
            try:
                Changes(prepared.state).apply(
                    preparation.setup, Scope(arguments={}, state=prepared.state, today=TODAY.isoformat())
                )
                _check_shape(prepared.state, self._beginning)
            except RequestProblem:
                del self._runs[run]
                raise
            prepared.faults = preparation.faults

    def perform(self, run: str, service: str, contract: Contract, raw: RawRequest) -> Any:
        """Carry a request out and return the body of the answer.

        Raises:
            RequestProblem: The request is refused; nothing was changed.
        """
        with self._lock:
            current = self._run(run)
            limit, reads = self._services[service].limit, contract.method == "GET"
            current.check_limit(service, limit, self._clock(), reads=reads)
        arguments = contract.read(raw)
        key = arguments.get("Idempotency-Key")
        with self._lock:
            current = self._run(run)
            if key is not None and (contract.id, key) in current.answers:
                return current.answers[contract.id, key]
            current.check_faults(contract.id)
            answer = self._carry_out(current, service, contract, arguments)
            current.good[contract.id] += 1
            if key is not None:
                current.answers[contract.id, key] = answer
            return answer

    def _carry_out(self, run: _Run, service: str, contract: Contract, arguments: dict[str, Any]) -> Any:
        writes = contract.method != "GET"
        if writes and len(run.state["writes"]) >= MOST_ROWS:
            raise RequestProblem(429, "This run has written too often; reset it")
        request = Request(arguments=arguments, state=run.state[service], setting=self._settings[service])
        try:
            # Copied, so that an answer under way does not change with the state.
            answer = copy_json(self._services[service].operations[contract.id](request))
        except MISTAKES as error:  # a setup may have taken away what an operation relies on
            raise mistake(contract.id, error) from error
        if writes:
            run.state["writes"].append({"service": service, "operation": contract.id, "arguments": arguments})
        return answer

    def _run(self, name: str) -> _Run:
        if name not in self._runs:
            if not RUN_NAME.fullmatch(name):
                raise not_found("run", name[:80])
            if len(self._runs) >= MOST_RUNS:
                raise RequestProblem(503, "There are too many runs; reset those that are done")
            self._runs[name] = _Run(state=copy_json(self._beginning))
        return self._runs[name]


def _check_shape(state: State, beginning: State) -> None:
    """Raise unless a state that was set up has the services, tables and records that it must have."""
    for name, whole in beginning.items():
        now = state.get(name)
        if not isinstance(whole, dict):
            if now != whole:
                raise RequestProblem(422, f"A setup cannot change /{name}")
            continue
        if not isinstance(now, dict):
            raise RequestProblem(422, f"A setup cannot change /{name} itself")
        if extra := set(now) - set(whole):
            raise RequestProblem(422, f"There is no /{name}/{min(extra)}")
        for table, rows in whole.items():
            if type(now.get(table)) is not type(rows):
                raise RequestProblem(422, f"A setup cannot change /{name}/{table} itself")
            _check_records(now[table], rows, f"/{name}/{table}")


def _check_records(now: Any, rows: Any, place: str) -> None:
    """Raise unless a table that held records alone still does."""
    if isinstance(rows, dict) and rows and all(isinstance(row, dict) for row in rows.values()):
        for key, row in now.items():
            if not isinstance(row, dict):
                raise RequestProblem(422, f"A record is no object: {place}/{key}")
