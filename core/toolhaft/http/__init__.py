"""The one way out to the network: guarded addresses, bounded answers, credentials by origin.

Nothing here imports the HTTP library; a client does when it first sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolhaft.http.cassette import Cassette
    from toolhaft.http.client import HTTPClient
    from toolhaft.http.egress import Egress
    from toolhaft.http.limits import Limits
    from toolhaft.http.message import ClientCertificate, Credential, Request, Response
    from toolhaft.http.origin import origin_of
    from toolhaft.http.retry import Retry
    from toolhaft.http.streamed import StreamedResponse

_HOMES = {
    "Cassette": "cassette",
    "ClientCertificate": "message",
    "Credential": "message",
    "Egress": "egress",
    "HTTPClient": "client",
    "Limits": "limits",
    "Request": "message",
    "Response": "message",
    "Retry": "retry",
    "StreamedResponse": "streamed",
    "origin_of": "origin",
}

__all__ = [
    "Cassette",
    "ClientCertificate",
    "Credential",
    "Egress",
    "HTTPClient",
    "Limits",
    "Request",
    "Response",
    "Retry",
    "StreamedResponse",
    "origin_of",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
