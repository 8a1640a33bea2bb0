"""How tool search grows with the catalog: writing, opening, indexing, searching, changing one tool, choosing.

Usage: python benchmarks/search_scale.py [--sizes 22567,100000,1000000] [--keep DIR] [--retriever bm25]
       [--queries 200] [--data DIR]

The catalogs are those of benchmarks/synthetic_tools.py; up to its number of tools, they are the RapidAPI
crawl as it is. ``--keep`` is a folder where catalogs and their indexes stay for the next time. Each group of
figures is measured in a process of its own. Times are of the wall clock, or of the processor where that is
said. Memory is what is resident in the end (``peak``: at the most); what is mapped from files is told by
itself, for it goes when others need the memory. A query is the beginning of a description, words left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from search_agent import make_queries
from shared_data import default_folder
from synthetic_tools import Perturbing, SyntheticTool, real_tools

from toolhaft import Agent, Catalog, ToolSpec, load_catalog
from toolhaft.hooks.registry import Registry
from toolhaft.retrievers.base import Retriever
from toolhaft.testing import ScriptedModel
from toolhaft.tools.catalog_writing import write_catalog

Figures = dict[str, Any]
K = 8
NEW = "search_scale_new_tool"


def resident() -> dict[str, float]:
    """Return what is in memory now, in MB: all of it, and what is mapped from files."""
    found = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssFile"):
            found[name] = int(value.split()[0]) / 1e3
    return {"memory": found["VmRSS"], "mapped": found.get("RssFile", 0.0)}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


class Stopwatch:
    """Seconds of the wall clock and of the processor since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def wall(self) -> float:
        """Return seconds of the wall clock."""
        return time.perf_counter() - self._wall

    def cpu(self) -> float:
        """Return seconds of the processor."""
        return time.process_time() - self._cpu


async def write(path: Path, given: argparse.Namespace) -> Figures:
    """Write a catalog of ``given.count`` tools."""
    real = real_tools(given.data)
    watch = Stopwatch()
    write_catalog(path, Perturbing(real).tools(given.count), name=path.stem)
    return {"write s": watch.wall(), "write CPU s": watch.cpu(), "file MB": path.stat().st_size / 1e6}


async def open_file(path: Path, _given: argparse.Namespace) -> Figures:
    """Open a catalog and read one spec."""
    watch = Stopwatch()
    catalog = await load_catalog(path)
    opened = watch.wall()
    catalog.specs().named(next(catalog.specs().names()))
    read = watch.wall() - opened
    memory = resident()["memory"]
    return {"open ms": opened * 1e3, "one spec ms": read * 1e3, "memory when open MB": memory}


async def index(path: Path, given: argparse.Namespace) -> Figures:
    """Index a catalog for the first time."""
    catalog = await load_catalog(path)
    retriever = Registry.default().retriever(given.retriever)
    watch = Stopwatch()
    await retriever.index(catalog.specs())
    folder = path.with_name(f"{path.name}.index")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "engine": retriever.engine,
        "index s": watch.wall(),
        "index CPU s": watch.cpu(),
        "peak while indexing MB": peak(),
        "index MB": size / 1e6,
    }


async def search(path: Path, given: argparse.Namespace) -> Figures:
    """Open the index and search."""
    catalog = await load_catalog(path)
    queries = make_queries(catalog, given.queries)
    retriever = Registry.default().retriever(given.retriever)
    reopen = Stopwatch()
    await retriever.index(catalog.specs())
    reopened = reopen.wall()
    times = [await _timed(retriever, query) for query in queries]
    warm = sorted([await _timed(retriever, query) for query in queries])
    memory = resident()
    return {
        "reopen ms": reopened * 1e3,
        "first query ms": times[0] * 1e3,
        "query p50 ms": statistics.median(warm) * 1e3,
        "query p99 ms": warm[int(len(warm) * 0.99)] * 1e3,
        "memory MB": memory["memory"],
        "of it mapped MB": memory["mapped"],
    }


async def change(path: Path, given: argparse.Namespace) -> Figures:
    """Add one tool to the file, have it found, and remove it."""
    catalog = await load_catalog(path)
    retriever = Registry.default().retriever(given.retriever)
    await retriever.index(catalog.specs())
    await retriever.retrieve("warm up", 1)
    description = "Counts the zebrafish in the aquarium of the quixotic lighthouse keeper."
    tool = SyntheticTool(ToolSpec(name=NEW, description=description), {"kind": "rapidapi"})
    written = Stopwatch()
    Catalog.update_file(path, [tool])
    add = written.wall()
    caught = Stopwatch()
    await retriever.index(catalog.specs())
    catch_up = caught.wall()
    hits = await retriever.retrieve("count the zebrafish of the quixotic lighthouse", 3)
    if NEW not in [hit.item.name for hit in hits]:
        sys.exit(f"the new tool is not found: {[hit.item.name for hit in hits]}")
    removed = Stopwatch()
    Catalog.update_file(path, remove=[NEW])
    await retriever.index(catalog.specs())
    gone = removed.wall()
    if NEW in [hit.item.name for hit in await retriever.retrieve("zebrafish lighthouse", 3)]:
        sys.exit("the tool that was removed is still found")
    return {"add ms": add * 1e3, "index that ms": catch_up * 1e3, "remove both ms": gone * 1e3}


async def choose(path: Path, given: argparse.Namespace) -> Figures:
    """Choose the tools of rollouts."""
    catalog = await load_catalog(path)
    queries = make_queries(catalog, given.queries)
    agent = Agent(catalog, model=ScriptedModel([]), retriever=given.retriever, k=K)
    for query in queries[:5]:
        await agent.offering.choose(query)
    watch = Stopwatch()
    for query in queries:
        tools, _ = await agent.offering.choose(query)
        if len(tools.specs) < K:
            sys.exit(f"only {len(tools.specs)} tools were chosen")
    cpu = watch.cpu() / len(queries)
    return {f"choose {K} CPU ms": cpu * 1e3, "memory of the agent MB": resident()["memory"]}


async def _timed(retriever: Retriever, query: str) -> float:
    watch = Stopwatch()
    await retriever.retrieve(query, 10)
    return watch.wall()


STEPS: dict[str, Callable[[Path, argparse.Namespace], Awaitable[Figures]]] = {
    "write": write,
    "open": open_file,
    "index": index,
    "search": search,
    "change": change,
    "choose": choose,
}


def measure(step: str, path: Path, given: argparse.Namespace, count: int) -> Figures:
    """Run one step in a process of its own, and return its figures."""
    words = [sys.executable, __file__, "--step", step, "--file", path, "--count", count]
    words += ["--queries", given.queries, "--retriever", given.retriever, "--data", given.data]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"  {step} failed with {done.returncode}")
        return {}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(folder: Path, given: argparse.Namespace) -> None:
    """Measure every size, and print one table."""
    columns: dict[int, Figures] = {}
    for count in map(int, given.sizes.split(",")):
        path = folder / f"tools-{count}.catalog"
        found: Figures = {}
        for step in STEPS:
            if step == "write" and path.is_file():
                continue
            found |= measure(step, path, given, count)
            print(f"  {count:,}: {step} done", file=sys.stderr)
        columns[count] = found
    rows = dict.fromkeys(name for found in columns.values() for name in found)
    print(f"{'tools':26}" + "".join(f"{count:>14,}" for count in columns))
    for name in rows:
        if name == "engine":
            continue
        cells = [f"{found[name]:,.1f}" if name in found else "-" for found in columns.values()]
        print(f"{name:26}" + "".join(f"{cell:>14}" for cell in cells))
    for count, found in columns.items():
        print(f"{count:,}: {found.get('engine', '')}")


def main() -> None:
    """Measure one step, or all of them."""
    parser = argparse.ArgumentParser(description="How tool search grows with the catalog.")
    parser.add_argument("--sizes", default="22567,100000,1000000")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--retriever", default="bm25")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--data", type=Path, default=default_folder("toolbench"))
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(asyncio.run(STEPS[given.step](given.file, given))))
    elif given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        compare(given.keep, given)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), given)


if __name__ == "__main__":
    main()
