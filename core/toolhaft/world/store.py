"""The states of all runs, each of its own."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.world.contract import Contract, RawRequest
from toolhaft.world.problem import RequestProblem, not_found
from toolhaft.world.service import TODAY, Request, Service, Setting, State

RUN_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")
MOST_RUNS = 2_000
MOST_ROWS = 5_000
"""Writes that one run may make."""


class Store:
    """Makes a run's state when it is first used, and carries requests out on it.

    Safe to use from several threads.

    Args:
        services: What the world consists of.
        data: Fixed data by service name.
        seed: Of everything that is drawn.
    """

    def __init__(self, services: Sequence[Service], data: Mapping[str, Any], *, seed: int) -> None:
        self.seed = seed
        self._services = {service.name: service for service in services}
        self._settings = {name: Setting(data=data[name], seed=seed) for name in self._services}
        self._beginning: State = {
            "today": TODAY.isoformat(),
            **{name: service.begin(self._settings[name]) for name, service in self._services.items()},
            "writes": [],
        }
        self._states: dict[str, State] = {}
        self._answers: dict[str, dict[tuple[str, str], Any]] = {}
        self._lock = threading.Lock()

    def state(self, run: str) -> State:
        """Return a copy of a run's state."""
        with self._lock:
            return copy.deepcopy(self._state(run))

    def reset(self, run: str) -> None:
        """Put a run back to the beginning; one that was never used costs nothing."""
        with self._lock:
            self._states.pop(run, None)
            self._answers.pop(run, None)

    def perform(self, run: str, service: str, contract: Contract, raw: RawRequest) -> Any:
        """Carry a request out and return the body of the answer.

        Raises:
            RequestProblem: The request is refused; nothing was changed.
        """
        arguments = contract.read(raw)
        key = arguments.get("Idempotency-Key")
        with self._lock:
            state = self._state(run)
            answers = self._answers.setdefault(run, {})
            if key is not None and (contract.id, key) in answers:
                return answers[contract.id, key]
            writes = contract.method != "GET"
            if writes and len(state["writes"]) >= MOST_ROWS:
                raise RequestProblem(429, "This run has written too often; reset it")
            request = Request(arguments=arguments, state=state[service], setting=self._settings[service])
            # Copied, so that an answer under way does not change with the state.
            answer = copy.deepcopy(self._services[service].operations[contract.id](request))
            if writes:
                state["writes"].append({"service": service, "operation": contract.id, "arguments": arguments})
            if key is not None:
                answers[contract.id, key] = answer
            return answer

    def _state(self, run: str) -> State:
        if run not in self._states:
            if not RUN_NAME.fullmatch(run):
                raise not_found("run", run[:80])
            if len(self._states) >= MOST_RUNS:
                raise RequestProblem(503, "There are too many runs; reset those that are done")
            self._states[run] = copy.deepcopy(self._beginning)
        return self._states[run]
