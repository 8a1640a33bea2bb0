"""Secrets added to a request on its way out, for their own origins alone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from toolhaft.errors import ConfigError
from toolhaft.http.message import ClientCertificate, Credential, Request
from toolhaft.http.origin import Authority, origin_of
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

Identity = tuple[str, ...]
"""Whose connection it is: the references of the credentials that a request carries, never their values."""

NOBODY: Identity = ()


@dataclass(frozen=True, slots=True)
class Additions:
    """What is added to one request for one origin.

    Attributes:
        headers: Real values.
        query: Real values, percent-encoded, without a leading mark.
        shown: Headers with references in place of values, for the record.
        identity: See `Identity`.
        certificate: Shown when the connection is made.
    """

    # Real values stand in no repr: reporters of crashes write down the variables of every frame.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: str = field(default="", repr=False)
    shown: tuple[tuple[str, str], ...] = ()
    identity: Identity = NOBODY
    certificate: ClientCertificate | None = None


_NOTHING = Additions()


def additions_for(request: Request, authority: Authority, secrets: SecretStore) -> Additions:
    """Return what a request to an origin gets of its credentials: nothing of those bound to another.

    Raises:
        ConfigError: A secret is not set, or cannot stand where it should.
    """
    credentials, certificate = request.credentials, request.certificate
    if certificate is not None and not _is_for(certificate.origins, authority.origin):
        certificate = None
    if not credentials and certificate is None:
        return _NOTHING
    headers: list[tuple[str, str]] = []
    shown: list[tuple[str, str]] = []
    query: list[str] = []
    cookies: list[tuple[str, str]] = []
    identity: list[str] = []
    for credential in credentials:
        if not _is_for(credential.origins, authority.origin):
            continue
        value, mask = _value(credential, secrets)
        identity.append(_name(credential))
        if credential.place == "query":
            query.append(f"{quote(credential.name, safe='')}={quote(value, safe='')}")
        elif credential.place == "cookie":
            cookies.append((f"{credential.name}={value}", f"{credential.name}={mask}"))
        else:
            headers.append((credential.name, value))
            shown.append((credential.name, mask))
    if cookies:
        headers.append(("Cookie", "; ".join(pair for pair, _ in cookies)))
        shown.append(("Cookie", "; ".join(pair for _, pair in cookies)))
    if certificate is not None:
        identity.append(_certificate_name(certificate))
    return Additions(tuple(headers), "&".join(query), tuple(shown), tuple(identity), certificate)


def identity_for(request: Request, origin: str) -> Identity:
    """Return whose answer it is, without resolving anything."""
    names = [_name(credential) for credential in request.credentials if _is_for(credential.origins, origin)]
    if request.certificate is not None and _is_for(request.certificate.origins, origin):
        names.append(_certificate_name(request.certificate))
    return tuple(names)


def _is_for(bound: Sequence[str], origin: str) -> bool:
    return origin in bound or any(origin_of(each) == origin for each in bound)


def _certificate_name(certificate: ClientCertificate) -> str:
    return f"certificate:{certificate.certificate}:{certificate.key}"


def _name(credential: Credential) -> str:
    return f"{credential.place}:{credential.name}:{credential.basic_user or ''}:{credential.secret}"


def _value(credential: Credential, secrets: SecretStore) -> tuple[str, str]:
    """Return what is sent and what the record shows."""
    value = secrets.resolve(credential.secret)
    if not value.isascii() and credential.place != "query":
        raise ConfigError(
            f"the secret {credential.secret} has characters that no header can hold",
            where=str(credential.secret),
        )
    if credential.basic_user is None:
        return credential.prefix + value, f"{credential.prefix}[secret {credential.secret}]"
    user = credential.basic_user
    if isinstance(user, SecretRef):
        user = secrets.resolve(user)
    pair = base64.b64encode(f"{user}:{value}".encode()).decode()
    secrets.register(pair, credential.secret)
    return f"Basic {pair}", f"Basic [secret {credential.secret}]"
