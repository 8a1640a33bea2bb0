"""UTCP: a manual converted from a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driver import load
from utcp_http.http_communication_protocol import HttpCommunicationProtocol
from utcp_http.openapi_converter import OpenApiConverter


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    manual = OpenApiConverter(load(path)).convert()
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.inputs.model_dump(by_alias=True, exclude_none=True),
        }
        for tool in manual.tools
    ]


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document."""
    tool = OpenApiConverter(document).convert().tools[0]
    arguments: dict[str, Any] = {}
    for place, values in places.items():
        if place == "body":
            arguments["body"] = values
        else:
            arguments.update(values)
    template = tool.tool_call_template
    await HttpCommunicationProtocol().call_tool(None, tool.name, arguments, template)
