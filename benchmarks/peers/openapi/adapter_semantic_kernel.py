"""Semantic Kernel: functions of a document."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from semantic_kernel.connectors.openapi_plugin import OpenAPIFunctionExecutionParameters
from semantic_kernel.connectors.openapi_plugin.openapi_manager import create_functions_from_openapi


def _functions(path: str, **settings: Any) -> list[Any]:
    chosen = OpenAPIFunctionExecutionParameters(enable_file_ref_resolution=True, **settings)
    return create_functions_from_openapi("api", openapi_document_path=path, execution_settings=chosen)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the tools of a document."""
    found = []
    for function in _functions(str(path)):
        parameters = {p.name: p.schema_data or {} for p in function.metadata.parameters}
        required = [p.name for p in function.metadata.parameters if p.is_required]
        schema = {"type": "object", "properties": parameters, "required": required}
        name = f"api-{function.name}"
        found.append({"name": name, "description": function.description or "", "parameters": schema})
    return found


async def call(document: dict[str, Any], places: dict[str, Any]) -> None:
    """Send the request of the one operation of a document."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        url = (document.get("servers") or [{"url": f"http://{document.get('host', '')}"}])[0]["url"]
        base = "/".join(url.split("/")[:3])
        function = _functions(file.name, server_url_validation_allowed_base_urls=[base])[0]
    arguments: dict[str, Any] = {}
    for values in places.values():
        arguments.update(values if isinstance(values, dict) else {"payload": values})
    await function.method(**arguments)
