"""Training data from two tools: tasks, solutions that were checked, and rows for a chat template."""

import asyncio
import tempfile
from pathlib import Path

from toolhaft import Catalog, tool
from toolhaft.generators.environment import ReadOnly
from toolhaft.generators.offering import Offer
from toolhaft.generators.pipeline import Pipeline, Plan
from toolhaft.generators.rows import read_rows
from toolhaft.generators.solutions import Solver
from toolhaft.hooks import Registry


@tool(effect="read")
def list_cities() -> list:
    """List the cities that are served."""
    return [{"name": "Oslo", "city_id": "CIT-1"}, {"name": "Rome", "city_id": "CIT-2"}]


@tool(effect="read")
def show_weather(city_id: str, days: int = 1) -> dict:
    """Show the weather of a city."""
    return {"city_id": city_id, "sky": "clear", "degrees": 12 + days}


async def main() -> None:
    """Make the data, and look into it."""
    catalog, registry = Catalog([list_cities, show_weather], name="weather"), Registry.load()
    environment = ReadOnly(catalog)  # only tools that read are called
    solver = Solver(
        environment, registry.planner("react"), Offer(catalog.specs()), registry.evaluator("state")
    )
    with tempfile.TemporaryDirectory() as folder:
        made = await Pipeline(
            catalog,
            Path(folder) / "data",
            [registry.generator("one-tool"), registry.generator("chain")],
            Plan(n=8, include=("scripted",)),
            environment=environment,
            solver=solver,
        ).run()
        rows = list(read_rows(Path(folder) / "data" / "rows.jsonl"))
    print(f"{made.tasks} tasks, {made.solved} solved, {len(rows)} rows")
    print([message["role"] for message in rows[0]["messages"]])
    print(
        sorted({call["function"]["name"] for m in rows[-1]["messages"] for call in m.get("tool_calls", [])})
    )
    print(rows[0]["metadata"]["labels"], rows[0]["metadata"]["instruction_by"])


asyncio.run(main())

# prints: 8 tasks, 8 solved, 8 rows
# prints: ['system', 'user', 'assistant', 'tool', 'assistant']
# prints: ['list_cities', 'show_weather']
# prints: ['scripted'] template
