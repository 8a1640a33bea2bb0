"""Whether a document is one that the world can serve."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from toolhaft.errors import SpecError
from toolhaft.types.pointer import escape

if TYPE_CHECKING:
    import jsonschema_rs

_OPERATION: dict[str, Any] = {
    "type": "object",
    "required": ["operationId", "responses"],
    "properties": {
        "operationId": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"},
        "parameters": {"type": "array", "items": {"$ref": "#/$defs/parameter"}},
        "requestBody": {
            "type": "object",
            "required": ["content"],
            "properties": {
                "content": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "propertyNames": {"enum": ["application/json", "application/x-www-form-urlencoded"]},
                    "additionalProperties": {
                        "type": "object",
                        "required": ["schema"],
                        "properties": {"schema": {"type": "object"}},
                    },
                }
            },
        },
        "responses": {
            "type": "object",
            "propertyNames": {"pattern": "^([1-5][0-9X]{2}|default)$"},
            "additionalProperties": {"type": "object"},
        },
        "security": {"$ref": "#/$defs/security"},
    },
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"type": "string", "pattern": r"^3\.1\.[0-9]+$"},
        "info": {"type": "object"},
        "security": {"$ref": "#/$defs/security"},
        "paths": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"enum": ["get", "put", "post", "delete", "patch"]},
                "additionalProperties": {"$ref": "#/$defs/operation"},
            },
        },
        "components": {
            "type": "object",
            "additionalProperties": {"type": "object"},
            "properties": {
                "securitySchemes": {
                    "additionalProperties": {
                        "anyOf": [
                            {
                                "type": "object",
                                "required": ["type", "scheme"],
                                "properties": {"type": {"const": "http"}, "scheme": {"const": "bearer"}},
                            },
                            {
                                "type": "object",
                                "required": ["type", "in", "name"],
                                "properties": {
                                    "type": {"const": "apiKey"},
                                    "in": {"enum": ["header", "query"]},
                                    "name": {"type": "string"},
                                },
                            },
                        ]
                    }
                }
            },
        },
    },
    "$defs": {
        "operation": _OPERATION,
        "security": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "array"}},
        },
        "parameter": {
            "type": "object",
            "anyOf": [
                {"required": ["$ref"], "properties": {"$ref": {"type": "string"}}},
                {
                    "required": ["name", "in", "schema"],
                    "properties": {
                        "name": {"type": "string"},
                        "in": {"enum": ["path", "query", "header"]},
                        "schema": {"type": "object"},
                    },
                },
            ],
        },
    },
}


def check_document(document: Any, where: str) -> None:
    """Raise unless a document has the shape that the world serves.

    Args:
        document: Of OpenAPI 3.1.
        where: Its file.

    Raises:
        SpecError: It has another shape; the message says where.
    """
    error = next(_check().iter_errors(document), None)
    if error is not None:
        pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
        raise SpecError(
            f"not a document that the world serves: {error.message:.200}", where=f"{where}#{pointer}"
        )
    operations = [
        (f"{where}#/paths/{escape(path)}/{method}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    times = Counter(operation["operationId"] for _, operation in operations)
    schemes = document.get("components", {}).get("securitySchemes", {})
    for place, operation in operations:
        if times[operation["operationId"]] > 1:
            raise SpecError(f"two operations are named {operation['operationId']}", where=place)
        if not any(status.startswith("2") and status.isdecimal() for status in operation["responses"]):
            raise SpecError("no answer of success is described", where=f"{place}/responses")
        for requirement in operation.get("security", document.get("security", [])):
            for name in requirement:
                if name not in schemes:
                    raise SpecError(f"there is no security scheme {name[:80]!r}", where=f"{place}/security")


@cache
def _check() -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(_SCHEMA)
