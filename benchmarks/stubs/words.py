"""The tool of `benchmarks/batch.py`, where worker processes find it."""

from toolhaft import tool


@tool(effect="read")
async def look(word: str) -> str:
    """Look a word up."""
    return f"{word}: " + "what it means " * 20
