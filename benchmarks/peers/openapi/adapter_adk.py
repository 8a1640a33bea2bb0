"""Google's ADK: a toolset of a document."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from driver import load
from google.adk.tools.openapi_tool.openapi_spec_parser.openapi_toolset import OpenAPIToolset


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    tools = asyncio.run(OpenAPIToolset(spec_dict=load(path)).get_tools())
    found = []
    for tool in tools:
        declared = tool._get_declaration()
        found.append(
            {
                "name": declared.name,
                "description": declared.description,
                "parameters": tool._operation_parser.get_json_schema(),
            }
        )
    return found


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document, each argument placed by the tool's own map."""
    toolset = OpenAPIToolset(spec_dict=document, allow_private_network_access=True)
    tool = (await toolset.get_tools())[0]
    parameters = tool._operation_parser.get_parameters()
    keys = {(p.param_location, p.original_name): p.py_name for p in parameters}
    arguments: dict[str, Any] = {}
    for place, values in places.items():
        if place in ("body", "form"):
            whole = next((p for p in parameters if p.param_location == "body" and not p.original_name), None)
            if whole is not None or not isinstance(values, dict):
                arguments[whole.py_name if whole else "body"] = values
                continue
            place = "body"
        for name, value in values.items():
            arguments[keys.get((place, name), name)] = value
    said = await tool.call(args=arguments, tool_context=None)
    if isinstance(said, dict) and "error" in said:
        raise RuntimeError(said["error"])
