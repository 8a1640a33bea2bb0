"""Which format a parsed document is of; everything but OpenAPI 2.0 and 3 is refused by its name."""

from __future__ import annotations

import re
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import Dialect
from toolhaft.tools.report import Problem

_FOREIGN = (
    ("asyncapi", "an AsyncAPI document"),
    ("arazzo", "an Arazzo workflow"),
    ("overlay", "an OpenAPI overlay"),
    ("swaggerVersion", "a Swagger 1.x document"),
    ("openrpc", "an OpenRPC document"),
    ("wadl", "a WADL document"),
    ("mcpServers", "a configuration of MCP servers"),
    ("discoveryVersion", "a Google API discovery document"),
    ("__schema", "a GraphQL schema"),
)


def check_kind(value: Any, location: str) -> tuple[str, Dialect, list[Problem]]:
    """Return the version, the dialect and what was noticed.

    Raises:
        SpecError: It is not OpenAPI 2.0 or 3; the message says what it is where that can be seen.
    """
    if not isinstance(value, dict):
        found = {list: "a list", str: "text", type(None): "empty"}.get(type(value), "a single value")
        raise SpecError(f"not an OpenAPI document: the root is {found}, not an object", where=f"{location}#")
    if value.get("openapi") is None and is_swagger(value):
        return _check_swagger(value)
    if value.get("openapi") is None:
        raise _foreign(value, location)
    version = str(value["openapi"]).strip()
    found_version = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+)?(?:[-+].*)?", version)
    if not found_version or found_version[1] != "3":
        raise SpecError(
            f"OpenAPI version {version[:40]!r} is not known",
            where=f"{location}#/openapi",
            hint="Versions 2.0, 3.0, 3.1 and 3.2 are read",
        )
    problems: list[Problem] = []
    if not isinstance(value["openapi"], str):
        problems.append(Problem(code="version", message="the version is not text", pointer="/openapi"))
    minor = int(found_version[2])
    if minor > 2:
        message = f"version {version} is newer than 3.2 and is read as 3.1"
        problems.append(Problem(code="version", message=message, pointer="/openapi"))
    if not isinstance(value.get("info"), dict):
        problems.append(Problem(code="info-missing", message="there is no info object", pointer="/info"))
    return version, "3.0" if minor == 0 else "3.1", problems


def is_swagger(value: dict[str, Any]) -> bool:
    """Whether the root of a document is one of Swagger 2.0."""
    return re.fullmatch(r"2(\.\d+){0,2}", str(value.get("swagger")).strip()) is not None


def _check_swagger(value: dict[str, Any]) -> tuple[str, Dialect, list[Problem]]:
    problems: list[Problem] = []
    if not isinstance(value["swagger"], str):
        problems.append(Problem(code="version", message="the version is not text", pointer="/swagger"))
    elif value["swagger"].strip() != "2.0":
        message = f"version {value['swagger'][:20]!r} is read as 2.0"
        problems.append(Problem(code="version", message=message, pointer="/swagger"))
    if not isinstance(value.get("info"), dict):
        problems.append(Problem(code="info-missing", message="there is no info object", pointer="/info"))
    return "2.0", "3.0", problems


def _foreign(value: dict[str, Any], location: str) -> SpecError:
    if value.get("swagger") is not None:
        version = str(value["swagger"])[:20]
        return SpecError(
            f"this is a Swagger {version} document, which this version does not read",
            where=f"{location}#/swagger",
            hint="Swagger 2.0 and OpenAPI 3 are read",
            code="E-SPEC-KIND",
        )
    name = next((text for key, text in _FOREIGN if key in value), "") or _looks_like(value)
    if name:
        return SpecError(f"this is {name}, not an OpenAPI document", where=f"{location}#", code="E-SPEC-KIND")
    return SpecError(
        "not an OpenAPI document: there is no `openapi` version",
        where=f"{location}#",
        hint="The root needs a field such as `openapi: 3.1.0`",
        code="E-SPEC-KIND",
    )


def _looks_like(value: dict[str, Any]) -> str:
    info = value.get("info")
    if "item" in value and isinstance(info, dict) and ("_postman_id" in info or "schema" in info):
        return "a Postman collection"
    if isinstance(value.get("log"), dict) and "entries" in value["log"]:
        return "an HTTP archive (HAR)"
    if "$schema" in value and ("properties" in value or "type" in value):
        return "a JSON Schema"
    if "schema_version" in value and "api" in value:
        return "a plugin manifest"
    return ""
