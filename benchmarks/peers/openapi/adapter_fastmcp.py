"""FastMCP: a server made from a document."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
from driver import load
from fastmcp import FastMCP


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    return asyncio.run(_listed(load(path)))


async def _listed(document: Any) -> list[dict[str, Any]]:
    tools = await _tools(document, "http://127.0.0.1:9")
    return [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools]


async def _tools(document: Any, base: str) -> list[Any]:
    server = FastMCP.from_openapi(document, client=httpx2.AsyncClient(base_url=base))
    return list(await server.list_tools())


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document, each argument placed by the tool's own map."""
    servers = document.get("servers") or [{"url": "http://127.0.0.1:9"}]
    tool = (await _tools(document, servers[0]["url"]))[0]
    keys = {(p["location"], p["openapi_name"]): key for key, p in tool._route.parameter_map.items()}
    arguments: dict[str, Any] = {}
    for place, values in places.items():
        if (place == "body" and not isinstance(values, dict)) or "$bytes" in values:
            values = {"body": values["$bytes"] if isinstance(values, dict) else values}
        for name, value in values.items():
            arguments[keys.get((place, name), name)] = value
    await tool.run(arguments)
