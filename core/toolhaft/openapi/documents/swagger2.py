"""The root of a Swagger 2.0 document in the shape that the rest of the importer reads.

The root stays as it is, `definitions`, `parameters`, `responses` and `paths` in their places, so that every
JSON pointer and ``$ref`` means what it means in the user's own file; only what 3.0 says at the root in other
words is put beside it. Operations are converted one by one when they are listed.

Source: OpenAPI 2.0, section "Swagger Object"; OpenAPI 3.0.3, "Server Object", "OAuth Flows Object".
"""

from __future__ import annotations

import re
from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list, as_text

MOVED_ROOT = {"/components/securitySchemes": "/securityDefinitions"}
"""Pointers that the converted root has and the user's file has elsewhere."""

_SCHEME = re.compile(r"(https?):/*", re.IGNORECASE)
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}
_FLOW_FIELDS = ("authorizationUrl", "tokenUrl", "refreshUrl")


def convert_root(root: dict[str, Any]) -> dict[str, Any]:
    """Return the root with ``servers`` and ``components``; everything else is shared, nothing is copied."""
    made = {**root, "servers": servers(root, root.get("schemes"))}
    schemes = as_dict(root.get("securityDefinitions"))
    made["components"] = {
        "securitySchemes": {str(name): _security_scheme(node) for name, node in schemes.items()}
    }
    return made


def moved_root(root: dict[str, Any]) -> dict[str, str]:
    """Return where in the user's file the pointers of the converted root lead."""
    place = next((f"/{key}" for key in ("host", "basePath", "schemes") if root.get(key) is not None), "")
    entries = len(servers(root, root.get("schemes")))
    return {**MOVED_ROOT, "/servers": place, **{f"/servers/{index}": place for index in range(entries)}}


def servers(root: dict[str, Any], schemes: Any) -> list[dict[str, Any]]:
    """Return the servers of a document for these schemes, https first.

    Without schemes, the one by which the document was fetched counts, else https; without a host, the host
    that it was fetched from.
    """
    host, base = as_text(root.get("host")).strip(), as_text(root.get("basePath")).strip()
    own: list[str] = []
    if not host and _SCHEME.match(base):  # seen in the field: a whole URL where the path should be
        host, base = base, ""
    if said := _SCHEME.match(host):
        own = [said[1].lower()]
        host = host[said.end() :]
    host, slash, rest = host.partition("/")
    path = "/".join(part for part in (*rest.split("/"), *base.split("/")) if part) if slash or base else ""
    path = f"/{path}" if path else ""
    if not host:
        return [{"url": path or "/"}]
    listed = [schemes] if isinstance(schemes, str) else as_list(schemes)
    known = {str(scheme).strip().lower() for scheme in listed}
    usable = [scheme for scheme in ("https", "http") if scheme in known] or own
    if usable:
        return [{"url": f"{scheme}://{host}{path}"} for scheme in usable]
    if known:  # ws and wss alone
        return [{"url": f"{min(known)}://{host}{path}"}]
    return [{"url": f"//{host}{path}"}, {"url": f"https://{host}{path}"}]


def _security_scheme(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if kind == "basic":
        return {**node, "type": "http", "scheme": "basic"}
    if kind != "oauth2":
        return node
    scopes = {str(name): text for name, text in as_dict(node.get("scopes")).items()}
    flow = {key: node[key] for key in _FLOW_FIELDS if isinstance(node.get(key), str)}
    name = _FLOWS.get(as_text(node.get("flow")))
    return {**node, "flows": {name: {**flow, "scopes": scopes}} if name else {}}
