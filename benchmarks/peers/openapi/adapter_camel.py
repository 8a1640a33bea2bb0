"""CAMEL: functions of a document."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from camel.toolkits.open_api_toolkit import OpenAPIToolkit


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    toolkit = OpenAPIToolkit()
    document = toolkit.parse_openapi_file(str(path))
    return [each["function"] for each in toolkit.openapi_spec_to_openai_schemas("api", document)]


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document, each argument under the name it is given."""
    toolkit = OpenAPIToolkit()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        parsed = toolkit.parse_openapi_file(file.name)
    toolkit.openapi_spec_to_openai_schemas("api", parsed)
    function = toolkit.generate_openapi_funcs("api", parsed)[0]
    arguments: dict[str, Any] = {}
    for place, values in places.items():
        if place == "body":
            arguments["requestBody"] = values
        else:
            arguments.update({f"{name}_in_{place}": value for name, value in values.items()})
    function(**arguments)
