"""What choosing the tools of a rollout costs, in steps of the model loop of the same run.

Usage: python benchmarks/search_agent.py [--catalog FILE] [--queries 400] [--rounds 5] [--k 8] [--data DIR]

The catalog is that of the RapidAPI crawl (of the bundled world where there is no such data), kept in a file,
and its index is warm. Choosing is all that `Agent` does before the first model call: the search, the tools
that the hits mention, and the specs of what is offered; the queries choose more tools than a catalog holds on
to. A step is one model call and one tool call of an agent with as many tools, against the stub endpoint of
benchmarks/loop.py. Both are client CPU, in turns; the best of the rounds counts, because other load only adds
to it. A query is the beginning of a tool's description with words left out; no quality is measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from shared_data import default_folder
from synthetic_tools import real_tools

from toolhaft import Agent, Catalog, ToolSpec, load_catalog
from toolhaft.models.chat import ChatModel
from toolhaft.secrets import SecretStore
from toolhaft.testing import ScriptedModel
from toolhaft.tools.base import RawTool
from toolhaft.tools.catalog_writing import write_catalog

HERE = Path(__file__).resolve().parent
STEPS = 20
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Name of the city that is asked about."},
        "days": {"type": "integer", "description": "How many days to look ahead.", "default": 1},
        "unit": {"type": "string", "enum": ["metric", "imperial"], "description": "System of units."},
    },
    "required": ["city"],
}
ABOUT = "tells the weather of a city over some days, with wind, rain and temperature."


def make_queries(catalog: Catalog, count: int) -> list[str]:
    """Return beginnings of descriptions without some of their words."""
    chance = random.Random(0)
    found: list[str] = []
    specs = catalog.specs()
    while len(found) < count:
        words = specs[chance.randrange(len(specs))].description.split()[:40]
        if len(words) >= 8:
            found.append(" ".join(word for word in words if chance.random() < 0.7))
    return found


async def weather(**arguments: object) -> dict[str, object]:
    """Return the result of every tool of the loop."""
    return {"city": arguments["city"], "sky": "clear", "temperature": 12.5}


def loop_agent(port: int, k: int) -> Agent:
    """Return an agent that carries out the stub's instructions with so many tools."""
    tools = [
        RawTool(
            ToolSpec(name=f"tool_{n}", description=f"{n}: {ABOUT}", parameters=SCHEMA, effect="read"), weather
        )
        for n in range(k)
    ]
    secrets = SecretStore({"key": "sk-benchmark-0123456789"})
    model = ChatModel(f"http://127.0.0.1:{port}/v1#stub", api_key="memory:key", secrets=secrets)
    return Agent(tools, model=model, k=k, secrets=secrets, budget={"steps": 100, "model_calls": 100})


async def compare(path: Path, given: argparse.Namespace, port: int) -> None:
    """Measure both in turns and print them."""
    catalog = await load_catalog(path)
    queries = make_queries(catalog, given.queries)
    choosing = Agent(catalog, model=ScriptedModel([]), k=given.k)
    started = time.perf_counter()
    retriever = await choosing.retriever()
    print(f"{len(catalog):,} tools, {retriever.engine or retriever.name}")
    print(f"opening the index: {(time.perf_counter() - started) * 1e3:.0f} ms")
    stepping = loop_agent(port, given.k)
    await stepping.run("What is the weather in Oslo?")
    best = {"choosing": float("inf"), "the search of it": float("inf"), "a step": float("inf")}
    runs = 1
    for _ in range(given.rounds):
        begun = time.process_time()
        for query in queries:
            tools, _event = await choosing.offering.choose(query)
            if len(tools.specs) < given.k:
                sys.exit(f"only {len(tools.specs)} tools were chosen for {query!r}")
        chosen = time.process_time()
        for query in queries:
            await retriever.rank(query, given.k)
        ranked = time.process_time()
        run = await stepping.run("What is the weather in Oslo?")
        runs += 1
        if run.answer != "Done.":
            sys.exit(f"the loop ended with {run.trajectory.status}: {run.answer!r}")
        ended = time.process_time()
        took = {
            "choosing": (chosen - begun) / len(queries),
            "the search of it": (ranked - chosen) / len(queries),
            "a step": (ended - ranked) / (STEPS + 1),
        }
        best = {name: min(best[name], seconds) for name, seconds in took.items()}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count") as answer:
        asked = json.load(answer)["count"]
    if asked != runs * (STEPS + 1):
        sys.exit(f"not counted: the stub gave {asked} completions, not {runs * (STEPS + 1)}")
    for name, seconds in best.items():
        print(f"{name:18}{seconds * 1e3:8.2f} ms of CPU")
    print(f"choosing {given.k} tools costs {best['choosing'] / best['a step']:.2f} steps; the aim is 2")
    await choosing.close()
    await catalog.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What choosing tools costs.")
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--data", type=Path, default=default_folder("toolbench"))
    given = parser.parse_args()
    stub = [sys.executable, HERE / "peers" / "stub.py", str(STEPS)]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(stub, stdout=subprocess.PIPE) as server:
        try:
            port = int(server.stdout.readline() if server.stdout else 0)
            path = given.catalog
            if path is None:
                path = Path(folder) / "crawl.catalog"
                write_catalog(path, real_tools(given.data), name="crawl")
            asyncio.run(compare(path, given, port))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
