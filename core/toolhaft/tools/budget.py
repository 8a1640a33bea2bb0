"""What is left of a budget; asked before anything is spent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from toolhaft.errors import BudgetExceededError
from toolhaft.types import Budget, Usage

if TYPE_CHECKING:
    from toolhaft.tools.journal import EventClock


class BudgetMeter:
    """Counts what a rollout spends against its `Budget`.

    Args:
        budget: The limits.
        shared: Of several rollouts together: what this one spends counts there too, and what that one has
            not is not spent here either.

    Attributes:
        cut_short: The quantity that was used up in the shared meter when this one asked it; empty if none.
        clock: Of a journaled rollout: its time then is that of its last recorded event, so that a replay
            spends the same; None is the time that passes.
    """

    def __init__(self, budget: Budget, *, shared: BudgetMeter | None = None) -> None:
        self.budget = budget
        self.shared = shared
        self.cut_short = ""
        self.steps = 0
        self.model_calls = 0
        self.tool_calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost = 0.0
        self.started = time.monotonic()
        self.clock: EventClock | None = None

    def reserve(self, *, steps: int = 0, model_calls: int = 0, tool_calls: int = 0) -> None:
        """Take from the budget, or raise and take nothing.

        Raises:
            BudgetExceededError: Something asked for, or tokens, cost or time, is used up.
        """
        budget = self.budget
        for quantity, spent, more, limit in (
            ("steps", self.steps, steps, budget.steps),
            ("model_calls", self.model_calls, model_calls, budget.model_calls),
            ("tool_calls", self.tool_calls, tool_calls, budget.tool_calls),
        ):
            if more and limit is not None and spent + more > limit:
                raise BudgetExceededError(quantity, limit)
        if budget.tokens is not None and self.input_tokens + self.output_tokens >= budget.tokens:
            raise BudgetExceededError("tokens", budget.tokens)
        if budget.cost is not None and self.cost >= budget.cost:
            raise BudgetExceededError("cost", budget.cost)
        if budget.seconds is not None and self.elapsed() >= budget.seconds:
            raise BudgetExceededError("seconds", budget.seconds)
        if self.shared is not None:
            try:
                self.shared.reserve(steps=steps, model_calls=model_calls, tool_calls=tool_calls)
            except BudgetExceededError as error:
                raise self._cut(error) from None
        self.steps += steps
        self.model_calls += model_calls
        self.tool_calls += tool_calls

    def record(self, usage: Usage) -> None:
        """Add what a model reported after the fact: tokens and cost; less than nothing is nothing."""
        if self.shared is not None:
            self.shared.record(usage)
        self.input_tokens += max(0, usage.input_tokens)
        self.output_tokens += max(0, usage.output_tokens)
        self.cost += max(0.0, usage.cost)  # in this order: of a NaN, too, 0 is what counts

    def elapsed(self) -> float:
        """Return the seconds since the rollout began, in a journaled one until its last recorded event."""
        if self.clock is not None:
            return self.clock.at
        return time.monotonic() - self.started

    def remaining_seconds(self) -> float | None:
        """Return the seconds left, at least 0, or None if time is not limited."""
        shared = self.shared.remaining_seconds() if self.shared is not None else None
        if self.budget.seconds is None:
            return shared
        passed = self.elapsed() if self.clock is None else self.clock.running()
        left = max(0.0, self.budget.seconds - passed)
        return left if shared is None else min(left, shared)

    def out_of_time(self) -> BudgetExceededError:
        """Return the error for what was ended because `remaining_seconds` had passed."""
        shared = self.shared
        if shared is not None and shared.remaining_seconds() == 0:
            return self._cut(shared.out_of_time())
        return BudgetExceededError("seconds", self.budget.seconds or 0)

    def usage(self) -> Usage:
        """Return what was spent so far."""
        return Usage(
            model_calls=self.model_calls,
            tool_calls=self.tool_calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=self.cost,
            seconds=self.elapsed(),
        )

    def _cut(self, error: BudgetExceededError) -> BudgetExceededError:
        """Note that it was the shared budget that is spent, and return the error that says so."""
        self.cut_short = error.quantity
        error.what = f"{error.what.removesuffix(' is spent')} of all rollouts together is spent"
        error.args = (error.what,)
        error.hint = f"Allow more with limit=, or --total-budget {error.quantity}=n in the shell"
        error.code = "E-BUDGET-TOTAL"
        return error
