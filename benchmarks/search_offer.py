"""How much of a prompt stays what it was while a rollout searches for tools: three ways to keep the offer.

Usage: python benchmarks/search_offer.py [--runs 50] [--searches 10] [--limit 24]

Providers keep what they computed of a prompt for as long as its beginning stays the same, and tools stand
there. A run is offered 8 tools for an instruction of the demo world; then it searches ten times, by other
instructions, for five tools each, and calls the best. After each of these 20 steps the prompt is the tools
as JSON and the conversation so far. The same searches go through `GrowingTools`, through the naive rule (what
was found or called last stands first; where there are too many, the last leaves), and through one that never
lets go. The share is that of the characters of all prompts but the first that equal the beginning of the
prompt before; what remains is read anew, which is what costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from pathlib import Path

from toolhaft import Catalog, Observation, ToolCall, open_catalog
from toolhaft.agent import FindTools
from toolhaft.models.rendering import chat_tools
from toolhaft.retrievers.bm25 import BM25
from toolhaft.tools.offer import GrowingTools, OfferLimit
from toolhaft.types import JSONPart
from toolhaft.world.tasks import load_tasks

ROOT = Path(__file__).resolve().parent.parent
FIRST, FOUND = 8, 5
SAID = 600
"""Characters that a step adds to the conversation."""


@dataclass(slots=True)
class Kept:
    """What the prompts of one rule came to."""

    read: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    tools: list[int] = field(default_factory=list)

    def add(self, prompts: Sequence[str], tools: int) -> None:
        """Take the prompts of one run."""
        for before, after in pairwise(prompts):
            self.read.append(len(after))
            equal = takewhile(lambda two: two[0] == two[1], zip(before, after, strict=False))
            self.same.append(sum(1 for _ in equal))
        self.tools.append(tools)


class Naive:
    """The last found or called first; the oldest leave, one by one."""

    def __init__(self, first: Sequence[str], limit: int) -> None:
        self.names, self._limit = list(first), limit

    def find(self, names: Sequence[str]) -> None:
        """Offer what was found."""
        self.names = [*names, *(name for name in self.names if name not in names)][: self._limit]

    def call(self, name: str) -> None:
        """Note a call."""
        self.find([name])


class Ours:
    """`GrowingTools`, fed as a rollout feeds it."""

    def __init__(self, catalog: Catalog, first: Sequence[str], limit: int) -> None:
        finder = FindTools(catalog)
        self._tools = GrowingTools(
            catalog, first, finder=finder, limit=OfferLimit(tools=limit, characters=10**9)
        )

    @property
    def names(self) -> list[str]:
        """What is offered, the searching tool left out: the other rules have none."""
        return list(self._tools.names[1:])

    def find(self, names: Sequence[str]) -> None:
        """Offer what was found."""
        part = JSONPart({"tools": [{"name": name} for name in names]})
        self._tools.note(
            ToolCall(id="f", name="find_tools"), Observation(call_id="f", tool="find_tools", parts=(part,))
        )
        self._tools.grow()

    def call(self, name: str) -> None:
        """Note a call."""
        self._tools.note(ToolCall(id="c", name=name), Observation(call_id="c", tool=name))


def run(
    offer: Naive | Ours, searches: Sequence[Sequence[str]], shown: Callable[[Sequence[str]], str]
) -> tuple[list[str], int]:
    """Return the prompts of one run, and the most tools that were offered."""
    prompts, said, most = [shown(offer.names)], "", len(offer.names)
    for number, names in enumerate(searches):
        offer.find(names)
        said += f"search {number} ".ljust(SAID, ".")
        prompts.append(shown(offer.names) + said)
        offer.call(names[0])
        said += f"call {number} ".ljust(SAID, ".")
        prompts.append(shown(offer.names) + said)
        most = max(most, len(offer.names))
    return prompts, most


async def measure(runs: int, searches: int, limit: int) -> None:
    """Measure and print."""
    files = sorted((ROOT / "tool_specs/world").glob("*.yaml"))
    catalog = Catalog.merge(*(open_catalog(file) for file in files if file.stem != "world"))
    texts = [task.instruction for task in load_tasks()]
    retriever = BM25()
    await retriever.index(catalog.specs())
    parts = {
        spec.name: json.dumps(shown)
        for spec, shown in zip(catalog.specs(), chat_tools(catalog.specs()), strict=True)
    }
    found = {text: [name for name, _ in await retriever.rank(text, FIRST)] for text in texts}
    rules = {"appended, batches leave": Kept(), "last used first": Kept(), "appended, none leaves": Kept()}
    for number in range(runs):
        draw = random.Random(number)
        first, *others = draw.sample([text for text in texts if len(found[text]) == FIRST], searches + 1)
        asked = [found[text][:FOUND] for text in others]
        offers = (
            Ours(catalog, found[first], limit),
            Naive(found[first], limit),
            Ours(catalog, found[first], 999),
        )
        for kept, offer in zip(rules.values(), offers, strict=True):
            kept.add(*run(offer, asked, lambda names: "".join(parts[name] for name in names)))
    print(f"{runs} runs of {searches} searches, {len(catalog)} tools, at most {limit} offered\n")
    print(f"{'RULE':26}{'SAME':>8}{'READ ANEW':>12}{'PROMPTS':>10}{'MOST TOOLS':>12}")
    for name, kept in rules.items():
        whole, same = sum(kept.read), sum(kept.same)
        anew = f"{(whole - same) // runs:,}"
        print(f"{name:26}{same / whole:8.1%}{anew:>12}{whole // runs:>10,}{max(kept.tools):>12}")
    print("\nSAME: share of the prompts' characters that stood there before; the others are characters a run")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--searches", type=int, default=10)
    parser.add_argument("--limit", type=int, default=24)
    given = parser.parse_args()
    asyncio.run(measure(given.runs, given.searches, given.limit))


if __name__ == "__main__":
    main()
