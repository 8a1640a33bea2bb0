"""Make any number of tools that look real, and write them to a catalog file.

Usage: python benchmarks/synthetic_tools.py COUNT FILE.catalog [--seed 0] [--data DIR]

The tools of the RapidAPI crawl (of the bundled world where there is no such data) come first, as they are;
then each of their services again and again under another name, its texts changed: words are exchanged for
others of the same corpus, drawn by their frequency, and some are left out. Services stay together, word
frequencies and lengths stay what they were, and what a tool needs to be called is kept. The same seed gives
the same file.

Tools are made one by one and written by `toolhaft.tools.catalog_writing.write_catalog`, as `Catalog.save`
does it: no more than the real ones is ever in memory.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared_data import ROOT, default_folder

from toolhaft import open_catalog
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_writing import write_catalog
from toolhaft.types import ToolSpec

CRAWL = "rapidapi_toolenv2404/tools.jsonl.gz"
EXCHANGED = 0.3
"""Share of words of a text that are exchanged."""
LEFT_OUT = 0.05
_WORD = re.compile(r"[^\W\d_]{3,}")
_SAMPLE = 4_000
"""Tools whose words are drawn from."""
_LONGEST_NAME = 64


class SyntheticTool(Tool):
    """A tool that can be kept in a file; a call of it fails."""

    def __init__(self, spec: ToolSpec, binding: dict[str, Any] | None) -> None:
        self.spec = spec
        self._binding = binding or {"kind": "synthetic"}

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Refuse."""
        raise NotImplementedError("a synthetic tool is not called")

    def binding(self) -> dict[str, Any]:
        """Return what the real tool is made of."""
        return self._binding


def real_tools(data: Path) -> list[SyntheticTool]:
    """Return the tools of the crawl, or of the bundled world, as they are."""
    if (data / CRAWL).is_file():
        catalogs = [open_catalog(f"rapidapi:{data / CRAWL}")]
    else:
        catalogs = [open_catalog(path) for path in sorted((ROOT / "tool_specs/world").glob("*.yaml"))
                    if path.name != "world.yaml"]  # fmt: skip
    catalog = Catalog.merge(*catalogs)
    return [SyntheticTool(catalog[name].spec, catalog[name].binding()) for name in catalog]


class Perturbing:
    """Tools made of real ones.

    Args:
        tools: The real ones; those of a service share `ToolSpec.parent`.
        seed: Another one gives other words.
    """

    def __init__(self, tools: list[SyntheticTool], seed: int = 0) -> None:
        self._tools = tools
        self._seed = seed
        sample = random.Random(seed).sample(tools, min(_SAMPLE, len(tools)))
        self._words = [word for tool in sample for word in _WORD.findall(tool.spec.description)]

    def tools(self, count: int) -> Iterator[SyntheticTool]:
        """Yield so many tools, the real ones first."""
        for number in range(count):
            turn, place = divmod(number, len(self._tools))
            tool = self._tools[place]
            yield tool if turn == 0 else self._changed(tool, turn, number)

    def _changed(self, tool: SyntheticTool, turn: int, number: int) -> SyntheticTool:
        spec = tool.spec
        service = random.Random(f"{self._seed}/{turn}/{spec.parent}")  # its tools have its new name in common
        brand = "".join(service.choice(self._words).title() for _ in range(2))
        chance = random.Random(f"{self._seed}/{number}")
        heading, _, ending = spec.name.partition("_")
        name = f"{brand}_{ending or heading}"[: _LONGEST_NAME - 9] + f"_{number:x}"
        properties = {
            key: {**value, "description": self._text(str(value["description"]), chance)}
            if isinstance(value, dict) and value.get("description")
            else value
            for key, value in spec.properties.items()
        }
        changed = replace(
            spec,
            name="".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name),
            parent=f"{brand} {spec.parent}" if spec.parent else "",
            description=self._text(spec.description, chance),
            parameters={**spec.parameters, "properties": properties},
        )
        return SyntheticTool(changed, tool.binding())

    def _text(self, text: str, chance: random.Random) -> str:
        def exchanged(found: re.Match[str]) -> str:
            draw = chance.random()
            if draw < LEFT_OUT:
                return ""
            return chance.choice(self._words) if draw < LEFT_OUT + EXCHANGED else found[0]

        return _WORD.sub(exchanged, text)


def main() -> None:
    """Write a file."""
    parser = argparse.ArgumentParser(description="Make tools that look real.")
    parser.add_argument("count", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=default_folder("toolbench"))
    given = parser.parse_args()
    started = time.perf_counter()
    real = real_tools(given.data)
    read = time.perf_counter()
    write_catalog(given.file, Perturbing(real, given.seed).tools(given.count), name=given.file.stem)
    size = given.file.stat().st_size / 1e6
    print(f"read {len(real)} real tools in {read - started:.1f} s")
    print(f"wrote {given.count} tools in {time.perf_counter() - read:.1f} s, {size:.0f} MB")


if __name__ == "__main__":
    main()
