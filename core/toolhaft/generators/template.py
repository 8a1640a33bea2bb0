"""The generators of the core: tasks from sampled tools, with gold that was proved where it can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from random import Random
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.generators.asking import answer_to
from toolhaft.generators.base import Drops, Environment, Generator
from toolhaft.generators.drafts import Draft, Kind, Proved
from toolhaft.generators.harvest import harvest
from toolhaft.generators.instructions import Teacher, TemplateTeacher
from toolhaft.generators.pool import ValuePool
from toolhaft.generators.proving import Prover
from toolhaft.generators.sampling import Refusal, sample_category, sample_chain, sample_one
from toolhaft.generators.values import ValueChooser
from toolhaft.generators.wording import is_named, is_said
from toolhaft.tools.catalog import Catalog
from toolhaft.types import Gold, Task, ToolSpec

Sampler = Callable[[Sequence[ToolSpec], ValueChooser, Random], Iterator[Draft | Refusal]]
_IN_VAIN = 12
_LONGEST = 2_000
_HARVEST = "harvest"


class SampledGenerator(Generator):
    """Samples tools, makes the calls, and has a teacher say what was done.

    Args:
        teacher: Who writes the instructions; by default `TemplateTeacher`.
        calls: Most calls of read tools that find out which values exist; 0 makes none. Without an
            environment they go to the catalog itself.
        phrasings: Instructions for each set of calls.
        longest: Longest instruction, in characters.

    Raises:
        UsageError: A number makes no sense.
    """

    kind: Kind = "one-tool"
    sampler: Sampler

    def __init__(
        self,
        *,
        teacher: Teacher | None = None,
        calls: int = 400,
        phrasings: int = 1,
        longest: int = _LONGEST,
    ) -> None:
        for name, number, least in (
            ("calls", calls, 0),
            ("phrasings", phrasings, 1),
            ("longest", longest, 20),
        ):
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise UsageError(f"{name} is {number!r}", hint=f"Give a whole number of at least {least}")
        self.teacher = teacher or TemplateTeacher()
        self.calls = calls
        self.phrasings = phrasings
        self.longest = longest

    async def generate(
        self,
        catalog: Catalog,
        *,
        n: int,
        seed: int = 0,
        environment: Environment | None = None,
        drops: Drops | None = None,
    ) -> AsyncIterator[Task]:
        """Yield tasks; see `Generator.generate`.

        Raises:
            UsageError: ``n`` is less than 1, or the catalog has no tools.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise UsageError(f"n is {n!r}", hint="Give a whole number of at least 1")
        specs = tuple(catalog.specs())
        if not specs:
            raise UsageError("the catalog has no tools", where=catalog.name)
        drops = drops if drops is not None else Drops()
        seen: set[str] = set()
        count = 0
        async with aclosing(self._prove(catalog, specs, seed, environment, drops)) as proofs:
            async for proved, usable in proofs:
                count += 1
                for number in range(self.phrasings):
                    task = await self._task(proved, f"{seed}/{count}/{number}", len(seen), seed, drops)
                    if task is None:
                        continue
                    key = " ".join(task.instruction.casefold().split())
                    if key in seen:
                        drops.add("an exact copy of another", task.instruction)
                        continue
                    seen.add(key)
                    usable()
                    yield task
                    if len(seen) == n:
                        return

    async def _prove(
        self,
        catalog: Catalog,
        specs: Sequence[ToolSpec],
        seed: int,
        environment: Environment | None,
        drops: Drops,
    ) -> AsyncGenerator[tuple[Proved, Callable[[], None]], None]:
        """Yield drafts that went well, each with what is called if a task came of it.

        A tool of which nothing came twelve times in a row is left out from then on.
        """
        chooser = ValueChooser(await self._find_values(catalog, environment, seed))
        prover = Prover(environment, chooser, run=f"gold-{self.kind}")
        random = Random(f"{self.kind}/{seed}")
        vain: Counter[str] = Counter()
        barren = 0
        for draft in type(self).sampler(specs, chooser, random):
            tools = [draft.tool] if isinstance(draft, Refusal) else [step.spec.name for step in draft.steps]
            barren += 1
            if barren > _IN_VAIN * (len(specs) + 1):
                return
            if vain[tools[-1]] >= _IN_VAIN:
                continue
            vain[tools[-1]] += 1
            found = draft if isinstance(draft, Refusal) else await prover.prove(draft, random)
            if isinstance(found, Refusal | str):
                reason = found.reason if isinstance(found, Refusal) else found
                drops.add(_plain(reason), f"{', '.join(tools)}: {reason}")
                continue
            fruits: list[str] = []
            yield found, lambda fruits=fruits, tool=tools[-1]: fruits.append(tool)  # type: ignore[misc]
            if fruits:
                vain[tools[-1]] = barren = 0

    async def _find_values(self, catalog: Catalog, environment: Environment | None, seed: int) -> ValuePool:
        if not self.calls:
            return ValuePool()
        if environment is None:
            return (await harvest(catalog, seed=seed, most=self.calls)).pool
        name = f"{_HARVEST}-{self.kind}"
        tools = await environment.catalog(name)
        try:
            # All that the environment offers may be asked, though tasks are made of a part of it only.
            return (await harvest(tools, seed=seed, most=self.calls)).pool
        finally:
            await tools.close()
            await environment.reset(name)

    async def _task(self, proved: Proved, words: str, number: int, seed: int, drops: Drops) -> Task | None:
        text = " ".join((await self.teacher.write(proved, seed=f"{self.kind}/{words}")).split())
        if problem := self._problem(text, proved):
            drops.add(problem, text)
            return None
        return make_task(proved, text, id=f"{self.kind}-{seed}-{number:05}", teacher=self.teacher)

    def _problem(self, text: str, proved: Proved) -> str:
        """Return why an instruction cannot be used, or nothing."""
        if not text:
            return "the teacher wrote nothing"
        if len(text) > self.longest:
            return "the instruction is too long"
        for planned in proved.draft.steps:
            if is_named(planned.spec, text):
                return "the instruction names a tool"
            for name, value in planned.arguments.items():
                if not is_said(value, text, name):
                    return "an argument is not in the instruction"
        return ""


class OneTool(SampledGenerator):
    """Tasks that take one call."""

    name = kind = "one-tool"
    sampler = staticmethod(sample_one)


class Category(SampledGenerator):
    """Tasks that take two calls of one service, which do not depend on each other."""

    name = kind = "category"
    sampler = staticmethod(sample_category)


class Chain(SampledGenerator):
    """Tasks whose second call needs what the first one returned."""

    name = kind = "chain"
    sampler = staticmethod(sample_chain)


def make_task(proved: Proved, instruction: str, *, id: str, teacher: Teacher) -> Task:
    """Return a task with its gold, and where everything in it comes from in its metadata."""
    steps = proved.draft.steps
    facts = tuple(fact for asked in proved.asked if asked is not None for fact in asked.facts)
    parents = tuple(dict.fromkeys(step.spec.parent for step in steps if step.spec.parent))
    metadata: dict[str, Any] = {
        "generator": proved.draft.kind,
        "teacher": teacher.name,
        "instruction_by": teacher.made_by,
        "executed": proved.executed,
        "sources": [dict(step.sources) for step in steps],
    }
    if approve := [
        {"tool": call.name, "arguments": call.arguments}
        for call, step in zip(proved.calls, steps, strict=True)
        if step.spec.effect == "irreversible"
    ]:
        metadata["approve"] = approve
    if proved.executed:
        metadata["solution"] = {
            "calls": [{"tool": call.name, "arguments": call.arguments} for call in proved.calls],
            "answer": answer_to(proved),
        }
    return Task(
        id=id,
        instruction=instruction,
        gold=Gold(
            tools=tuple(dict.fromkeys(call.name for call in proved.calls)),
            calls=proved.calls,
            state=proved.state,
            facts=facts,
        ),
        tags=(proved.draft.kind, *parents),
        metadata=metadata,
    )


def _plain(reason: str) -> str:
    """Return a reason without the names in it, for counting."""
    return reason.partition(" '")[0].partition(": ")[0] if "gold call" not in reason else reason
