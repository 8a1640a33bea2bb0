"""One hop for the record: what was sent and what came, redacted and short."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.secrets import SecretStore
from toolhaft.types import Exchange, Provenance

SHOWN = 4_000
"""Characters of a body that the record keeps."""

Headers = Sequence[tuple[str, str]]


def record_exchange(
    secrets: SecretStore,
    *,
    method: str,
    url: str,
    request_headers: Headers,
    request_body: bytes | None,
    status: int = 0,
    response_headers: Headers = (),
    response_body: bytes = b"",
    seconds: float = 0.0,
    problem: str = "",
    provenance: Provenance = "live",
) -> Exchange:
    """Return the record of a hop, with no known secret in any field."""
    return Exchange(
        method=method,
        url=secrets.redact(url),
        status=status,
        request_headers=redact_headers(secrets, request_headers),
        request_body=shorten(secrets, request_body or b""),
        response_headers=redact_headers(secrets, response_headers),
        response_body=shorten(secrets, response_body),
        seconds=seconds,
        problem=secrets.redact(problem),
        provenance=provenance,
    )


def redact_headers(secrets: SecretStore, headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return headers without known secrets; cookies that a server sets are secrets too."""
    joined = "\n".join([part for pair in headers for part in pair])
    redacted = secrets.redact(joined)
    if redacted != joined:
        headers = [(secrets.redact(name), secrets.redact(value)) for name, value in headers]
    if "set-cookie" in joined:
        headers = [(name, "[cookie]" if name == "set-cookie" else value) for name, value in headers]
    return tuple(headers)


def shorten(secrets: SecretStore, body: bytes) -> str:
    """Return the beginning of a body as text."""
    if not body:
        return ""
    # Redacted before it is cut, or the cut could leave the first half of a secret.
    text = body[: SHOWN * 4 + secrets.longest].decode("utf-8", "replace")
    return secrets.redact(text[: SHOWN + secrets.longest])[:SHOWN]
