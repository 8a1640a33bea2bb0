"""The security schemes of a document, and which of them an operation wants.

Secrets come from the caller alone, by reference, and are bound to origins; a document or a catalog file
can never name one.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Literal
from urllib.parse import urljoin

from toolhaft.auth.schemes import Alternatives, Flow, FlowName, SchemeUse
from toolhaft.errors import EgressError, FormatError
from toolhaft.http.origin import origin_of
from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.pointers import fragment_key
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.requests.headers import TOKEN
from toolhaft.tools.report import Problem
from toolhaft.types import from_value
from toolhaft.types.pointer import escape

_GRANTS: dict[str, FlowName] = {
    "clientCredentials": "clientCredentials",
    "application": "clientCredentials",
    "password": "password",
    "authorizationCode": "authorizationCode",
    "accessCode": "authorizationCode",
    "deviceAuthorization": "deviceAuthorization",
    "implicit": "implicit",
}
"""Name of a flow, those of Swagger 2.0 among them -> what it is."""
_KEPT_SECURITY: Any = tuple[tuple[SchemeUse, ...], ...]
_POINTER = "#/components/securitySchemes/"
_MOST_ALTERNATIVES = 100
_MOST_SCOPES = 200
_LONGEST_SCOPE = 500


class SecuritySchemes:
    """The security schemes of a document.

    Args:
        root: The whole document.
        resolver: Of the same document.
        base: What relative addresses are joined to: where the document came from.
        served: Schemes that the caller's own code serves, whatever their type.
    """

    def __init__(
        self, root: dict[str, Any], resolver: Resolver, *, base: str = "", served: Collection[str] = ()
    ) -> None:
        declared = as_dict(as_dict(root.get("components")).get("securitySchemes"))
        self._uses = {
            name: _read_scheme(name, node, resolver, base)
            for name, node in declared.items()
            if isinstance(name, str) and node is not None
        }
        self._served = frozenset(name.casefold() for name in served)
        self._default = root.get("security")

    @property
    def names(self) -> list[str]:
        """What ``auth`` may name: schemes, and the headers, parameters and cookies of API keys."""
        keys = [use.name for use in self._uses.values() if use.kind == "apiKey"]
        return [*self._uses, *keys]

    @property
    def uses(self) -> dict[str, SchemeUse]:
        """Every scheme by its name, without scopes."""
        return dict(self._uses)

    def wanted(self, operation: dict[str, Any], pointer: str) -> tuple[Alternatives, list[Problem]]:
        """Return what an operation wants, and what cannot be given."""
        own = operation.get("security")
        listed = as_list(own if own is not None else self._default)
        where = f"{pointer}/security" if own is not None else "/security"
        problems: list[Problem] = []
        found: list[tuple[SchemeUse, ...]] = []
        for index, alternative in enumerate(listed[:_MOST_ALTERNATIVES]):
            if not isinstance(alternative, dict):
                continue
            place = f"{where}/{index}"
            found.append(
                tuple(
                    self._use(str(name), scopes, f"{place}/{escape(str(name))}", problems)
                    for name, scopes in alternative.items()
                )
            )
        if len(listed) > _MOST_ALTERNATIVES:
            message = f"of {len(listed)} alternatives only {_MOST_ALTERNATIVES} are considered"
            problems.append(Problem(code="security-many", message=message, pointer=where))
        usable = [a for a in found if all(self._is_usable(use) for use in a)]
        kept = [a for a in found if all(use.kind != "unsupported" for use in a)]
        severity: Literal["warning", "degraded"] = "degraded" if found and not usable else "warning"
        noted = [
            Problem(code=p.code, message=p.message, pointer=p.pointer, severity=severity) for p in problems
        ]
        return tuple(kept), noted

    def _is_usable(self, use: SchemeUse) -> bool:
        return use.kind not in ("custom", "unsupported") or use.scheme.casefold() in self._served

    def _use(self, name: str, scopes: Any, pointer: str, problems: list[Problem]) -> SchemeUse:
        use = self._uses.get(name)
        if use is None and name.startswith(_POINTER):  # a URI in place of a name, since OpenAPI 3.2
            use = self._uses.get(fragment_key(name.removeprefix(_POINTER)))
        if use is None:
            use = SchemeUse(scheme=name, kind="unsupported", note="is not defined")
        if not self._is_usable(use):
            message = f"the security scheme {name[:80]!r} {use.note}"
            problems.append(Problem(code="security-unsupported", message=message, pointer=pointer))
        return _with_scopes(use, scopes) if use.takes_tokens else use


def kept_uses(text: Any) -> list[SchemeUse]:
    """Return the schemes in what a catalog file keeps of a tool's security; nothing of what is damaged."""
    try:
        kept: Alternatives = from_value(_KEPT_SECURITY, json.loads(text))
    except (FormatError, TypeError, ValueError, RecursionError):
        return []
    return [use for alternative in kept for use in alternative]


def kept_names(text: Any) -> list[str]:
    """Return the names in what a catalog file keeps of a tool's parameters that ``auth`` fills."""
    try:
        pairs = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return []
    return [
        pair[1] for pair in as_list(pairs) if isinstance(pair, list) and pair[1:] and isinstance(pair[1], str)
    ]


def _with_scopes(use: SchemeUse, scopes: Any) -> SchemeUse:
    kept = tuple(
        scope
        for scope in as_list(scopes)[:_MOST_SCOPES]
        if isinstance(scope, str)
        and 0 < len(scope) <= _LONGEST_SCOPE
        and scope.isascii()
        and scope.isprintable()
        and " " not in scope
    )
    if not kept:
        return use
    return SchemeUse(scheme=use.scheme, kind=use.kind, scopes=kept, flows=use.flows, discovery=use.discovery)


def _read_scheme(name: str, node: Any, resolver: Resolver, base: str) -> SchemeUse:
    try:
        node, _ = resolver.follow(node, "")
    except BrokenReferenceError as error:
        return SchemeUse(scheme=name, kind="unsupported", note=f"is broken: {error.what}")
    node = as_dict(node)
    kind = str(node.get("type") or "").lower()
    if kind == "apikey":
        return _read_key(name, node)
    if kind == "http":
        return _read_http(name, node)
    if kind == "basic":  # of Swagger 2.0
        return SchemeUse(scheme=name, kind="basic")
    if kind == "oauth2":
        return SchemeUse(
            scheme=name,
            kind="oauth2",
            flows=_read_flows(as_dict(node.get("flows")), base),
            discovery=_url(node.get("oauth2MetadataUrl"), base),
        )
    if kind == "openidconnect":
        return SchemeUse(
            scheme=name, kind="openIdConnect", discovery=_url(node.get("openIdConnectUrl"), base)
        )
    if kind == "mutualtls":
        return SchemeUse(scheme=name, kind="mutualTLS")
    note = f"of type {kind[:40]!r} is not known: serve it with auth={{{name[:40]!r}: a function}}"
    return SchemeUse(scheme=name, kind="custom", note=note)


def _read_http(name: str, node: dict[str, Any]) -> SchemeUse:
    how = str(node.get("scheme") or "").strip()
    known: dict[str, Literal["basic", "bearer", "digest"]] = {
        "basic": "basic",
        "bearer": "bearer",
        "digest": "digest",
    }
    if how.lower() in known:
        return SchemeUse(scheme=name, kind=known[how.lower()])
    if TOKEN.fullmatch(how) and len(how) <= 100:
        return SchemeUse(scheme=name, kind="http", prefix=how)
    return SchemeUse(
        scheme=name, kind="custom", note=f"of HTTP scheme {how[:40]!r} cannot be written into a header"
    )


def _read_key(name: str, node: dict[str, Any]) -> SchemeUse:
    place, key = node.get("in"), node.get("name")
    if not isinstance(key, str) or not key:
        return SchemeUse(scheme=name, kind="custom", note="does not name its key")
    if place not in ("header", "query", "cookie"):
        return SchemeUse(scheme=name, kind="custom", note=f"has its key in {str(place)[:40]!r}")
    if place != "query" and not TOKEN.fullmatch(key):
        return SchemeUse(scheme=name, kind="custom", note="has a key that no header or cookie can have")
    return SchemeUse(scheme=name, kind="apiKey", place=place, name=key)


def _read_flows(flows: dict[str, Any], base: str) -> tuple[Flow, ...]:
    found = []
    for name, node in flows.items():
        grant = _GRANTS.get(str(name))
        if grant is None or not isinstance(node, dict):
            continue
        found.append(
            Flow(
                grant=grant,
                token_url=_url(node.get("tokenUrl"), base),
                authorization_url=_url(node.get("authorizationUrl"), base),
                device_url=_url(node.get("deviceAuthorizationUrl"), base),
                refresh_url=_url(node.get("refreshUrl"), base),
            )
        )
    return tuple(found)


def _url(value: Any, base: str) -> str:
    """Return an absolute address, or an empty string where it is none: it is told when it is needed."""
    if not isinstance(value, str) or not value or len(value) > 2048:
        return ""
    try:
        url = value if "://" in value else urljoin(base, value)
        origin_of(url)
    except (EgressError, ValueError):
        return ""
    return url
