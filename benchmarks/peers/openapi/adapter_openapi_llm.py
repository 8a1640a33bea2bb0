"""openapi-llm, which Haystack uses."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from openapi_llm.client.config import ClientConfig
from openapi_llm.client.openapi import OpenAPIClient
from openapi_llm.core.spec import OpenAPISpecification


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    client = OpenAPIClient(ClientConfig(openapi_spec=OpenAPISpecification.from_file(path)))
    return [tool["function"] for tool in client.tool_definitions]


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        client = OpenAPIClient(ClientConfig(openapi_spec=OpenAPISpecification.from_file(file.name)))
    arguments: dict[str, Any] = {}
    for values in places.values():
        arguments.update(values if isinstance(values, dict) else {"body": values})
    name = client.tool_definitions[0]["function"]["name"]
    payload = {"id": "1", "function": {"name": name, "arguments": json.dumps(arguments)}, "type": "function"}
    client.invoke(payload)
