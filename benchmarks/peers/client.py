"""One agent loop against the stub endpoint, measured in client CPU.

Usage: python client.py LOOP PORT TOOLS AGENTS ROUNDS  -> one line of JSON
"""

import asyncio
import importlib
import json
import os
import resource
import sys
import time

INSTRUCTION = "What is the weather in Oslo over the next days?"
STEPS = 20


def schema() -> dict:
    """Return the arguments' schema that every tool has."""
    return {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city that is asked about."},
            "days": {"type": "integer", "description": "How many days to look ahead.", "default": 1},
            "unit": {"type": "string", "enum": ["metric", "imperial"], "description": "System of units."},
            "language": {"type": "string", "description": "Language of the answer, two letters."},
        },
        "required": ["city"],
    }


def description(number: int) -> str:
    return f"Number {number}: tells the weather of a city over some days, with wind, rain and temperature."


def weather(city: str, days: int = 1, **_rest: str) -> dict:
    """Return the tool's result."""
    return {"city": city, "days": days, "sky": "clear", "temperature": 12.5}


def resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main() -> None:
    name, port, tools, agents, rounds = sys.argv[1], *map(int, sys.argv[2:6])
    loop = importlib.import_module(f"loop_{name}")
    ask = await loop.prepare(f"http://127.0.0.1:{port}/v1", tools)
    await ask()
    before, start = resident(), time.process_time()
    for _ in range(rounds):
        await asyncio.gather(*(ask() for _ in range(agents)))
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    steps = rounds * agents * (STEPS + 1)
    print(json.dumps({"ms_per_step": cpu * 1e3 / steps, "mb_per_agent": (peak - before) / agents,
                      "completions": (rounds * agents + 1) * (STEPS + 1)}))  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
