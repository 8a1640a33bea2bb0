"""Security schemes as operations want them: plain data, kept in catalog files, with no secret in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "apiKey",
    "basic",
    "bearer",
    "digest",
    "http",
    "oauth2",
    "openIdConnect",
    "mutualTLS",
    "custom",
    "unsupported",
]
Place = Literal["header", "query", "cookie"]
FlowName = Literal["clientCredentials", "password", "authorizationCode", "deviceAuthorization", "implicit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One way of OAuth 2 to a token.

    Attributes:
        token_url: Absolute; empty if the flow has none, or none that can be used.
        authorization_url: Where a person agrees.
        device_url: Where a device asks for a code (RFC 8628).
        refresh_url: Where tokens are refreshed; empty is ``token_url``.
    """

    grant: FlowName
    token_url: str = ""
    authorization_url: str = ""
    device_url: str = ""
    refresh_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeUse:
    """One security scheme as an operation wants it.

    Attributes:
        scheme: Its name in the document.
        kind: ``http`` is a scheme of HTTP beyond basic, bearer and digest; ``custom`` is of a type that
            only the caller's own code can serve.
        place: Where an API key goes.
        name: Header, query parameter or cookie of an API key.
        note: What an unsupported scheme is.
        prefix: Of kind ``http``: the scheme's name as the header spells it.
        scopes: What the operation asks of OAuth 2 and OpenID Connect.
        flows: Of kind ``oauth2``.
        discovery: Absolute URL of the authorisation server's metadata.
    """

    scheme: str
    kind: Kind
    place: Place = "header"
    name: str = "Authorization"
    note: str = ""
    prefix: str = ""
    scopes: tuple[str, ...] = ()
    flows: tuple[Flow, ...] = ()
    discovery: str = ""

    @property
    def takes_tokens(self) -> bool:
        """Whether tokens may be asked for it at run time."""
        return self.kind in ("oauth2", "openIdConnect")

    def flow(self, grant: FlowName) -> Flow | None:
        """Return the flow of a grant."""
        return next((flow for flow in self.flows if flow.grant == grant), None)


Alternatives = tuple[tuple[SchemeUse, ...], ...]
"""Any one of these will do; each asks for all of its schemes; an empty one asks for none."""


def describe(alternatives: Alternatives) -> str:
    """Return what is wanted, for a person: ``api_key or (user and token)``."""
    shown = [" and ".join(use.scheme for use in alternative) for alternative in alternatives if alternative]
    return " or ".join(f"({text})" if " and " in text and len(shown) > 1 else text for text in shown)
