"""Making the gold calls, and keeping of what came of them what a solution can be checked by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.generators.asking import ask_of
from toolhaft.generators.base import Environment
from toolhaft.generators.calling import call_for_value
from toolhaft.generators.drafts import Asked, Draft, Planned, Proved
from toolhaft.generators.environment import ReadOnly
from toolhaft.generators.states import check_rows
from toolhaft.generators.values import Chosen, ValueChooser
from toolhaft.types import ToolCall

_SECONDS = 60.0


class Prover:
    """Carries out drafts, each from the beginning of an environment.

    Args:
        environment: Where; None leaves all drafts unproved, and refuses chains.
        chooser: Draws the arguments that stand beside a linked one.
        run: Beginning of the names of the runs.
    """

    def __init__(self, environment: Environment | None, chooser: ValueChooser, *, run: str = "gold") -> None:
        self._environment = environment
        self._chooser = chooser
        self._run = run
        self._count = 0

    async def prove(self, draft: Draft, random: Random) -> Proved | str:
        """Return the calls and what came of them, or why they make no task."""
        writes = any(planned.spec.effect != "read" for planned in draft.steps)
        if self._environment is None or (writes and isinstance(self._environment, ReadOnly)):
            if any(planned.link for planned in draft.steps):
                return "a chain can only be made where its calls can"
            return Proved(draft=draft, calls=_calls(draft.steps), asked=(None,) * len(draft.steps))
        self._count += 1
        name = f"{self._run}-{self._count}"
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._carry_out(draft, name, self._environment, random)
        except TimeoutError:
            return "the gold calls took too long"
        finally:
            await self._environment.reset(name)

    async def _carry_out(
        self, draft: Draft, name: str, environment: Environment, random: Random
    ) -> Proved | str:
        catalog = await environment.catalog(name)
        writes = any(planned.spec.effect != "read" for planned in draft.steps)
        try:
            before = await environment.state(name) if writes else {}
            made: list[Planned] = []
            results: list[Any] = []
            for planned in draft.steps:
                ready = self._complete(planned, results, random)
                if isinstance(ready, str):
                    return ready
                try:
                    results.append(await call_for_value(catalog, ready.spec.name, _all(ready, results)))
                except ToolhaftError as error:
                    return f"a gold call failed: {error.code}"
                made.append(ready)
            after = await environment.state(name) if writes else await _logs_of(environment, name)
        finally:
            await catalog.close()
        asked = _asked(made, results, random)
        if isinstance(asked, str):
            return asked
        calls = _calls(made, results)
        state = check_rows(before if writes else after, after)
        return Proved(
            draft=replace(draft, steps=tuple(made)),
            calls=calls,
            results=tuple(results),
            asked=asked,
            state=state,
            executed=True,
        )

    def _complete(self, planned: Planned, results: list[Any], random: Random) -> Planned | str:
        """Return a step with the arguments that the user gives, once the linked one is known."""
        if planned.link is None:
            return planned
        found = value_at(results[-1], planned.link.path)
        if found is None:
            return "the producer's result is empty"
        chosen = self._chooser.choose(planned.spec, random, given={planned.link.argument: found})
        if not isinstance(chosen, Chosen):
            return chosen
        own = {name: value for name, value in chosen.arguments.items() if name != planned.link.argument}
        return replace(planned, arguments=own, sources=chosen.sources)


def value_at(result: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a place of a result, the first item where there are several; None for nothing."""
    for part in path:
        if part == "*":
            result = result[0] if isinstance(result, list) and result else None
        else:
            result = result.get(part) if isinstance(result, Mapping) else None
    return result if isinstance(result, str | int) else None


async def _logs_of(environment: Environment, name: str) -> dict[str, Any]:
    """Return the lists at the top of a state, which tell that nothing was written."""
    state = await environment.state(name)
    return {key: value for key, value in state.items() if isinstance(value, list)}


def _asked(steps: list[Planned], results: list[Any], random: Random) -> tuple[Asked | None, ...] | str:
    found: list[Asked | None] = []
    for position, (planned, result) in enumerate(zip(steps, results, strict=True)):
        leads = position + 1 < len(steps) and steps[position + 1].link is not None
        if planned.spec.effect != "read" or leads:
            found.append(None)
            continue
        asked = ask_of(result, planned.arguments, random)
        if asked is None:
            return "the result holds nothing to ask for"
        found.append(asked)
    return tuple(found)


def _all(planned: Planned, results: list[Any]) -> dict[str, Any]:
    if planned.link is None:
        return dict(planned.arguments)
    return {planned.link.argument: value_at(results[-1], planned.link.path), **planned.arguments}


def _calls(
    steps: tuple[Planned, ...] | list[Planned], results: list[Any] | None = None
) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            id=f"gold-{position + 1}",
            name=planned.spec.name,
            arguments=_all(planned, (results or [])[:position]),
        )
        for position, planned in enumerate(steps)
    )
