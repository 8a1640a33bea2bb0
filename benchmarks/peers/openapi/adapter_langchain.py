"""LangChain: functions of a document, deprecated but still there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driver import load
from langchain_classic.chains.openai_functions.openapi import openapi_spec_to_openai_fn
from langchain_community.utilities.openapi import OpenAPISpec

_PLACES = {"path": "path_params", "query": "params", "header": "headers", "cookie": "cookies", "form": "data"}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    functions, _ = openapi_spec_to_openai_fn(OpenAPISpec.from_spec_dict(load(path)))
    return functions


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document, each argument placed by the tool's own map."""
    functions, send = openapi_spec_to_openai_fn(OpenAPISpec.from_spec_dict(document))
    known = functions[0]["parameters"]["properties"]
    arguments: dict[str, Any] = {}
    for place, values in places.items():
        if place == "body":
            arguments["json" if "json" in known else "data"] = values
        else:
            arguments[_PLACES[place]] = values
    send(functions[0]["name"], arguments)
