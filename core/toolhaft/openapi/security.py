"""What an operation wants to know the caller by, and which of the caller's secrets fit.

Secrets come from the caller alone, by reference, and are bound to origins; a document or a catalog file
can never name one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.errors import UsageError
from toolhaft.http.message import Credential
from toolhaft.openapi.documents.document import as_dict, as_list, escape
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.tools.report import Problem
from toolhaft.types import SecretRef

Kind = Literal["apiKey", "basic", "bearer", "unsupported"]
Place = Literal["header", "query", "cookie"]
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What may be the name of a header or cookie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeUse:
    """One security scheme as an operation wants it.

    Attributes:
        scheme: Its name in the document.
        kind: ``bearer`` stands for OAuth 2 and OpenID Connect as well: the token is the caller's.
        place: Where an API key goes.
        name: Header, query parameter or cookie of an API key.
        note: What an unsupported scheme is.
    """

    scheme: str
    kind: Kind
    place: Place = "header"
    name: str = "Authorization"
    note: str = ""


Alternatives = tuple[tuple[SchemeUse, ...], ...]
"""Any one of these will do; each asks for all of its schemes; an empty one asks for none."""


class SecuritySchemes:
    """The security schemes of a document.

    Args:
        root: The whole document.
        resolver: Of the same document.
    """

    def __init__(self, root: dict[str, Any], resolver: Resolver) -> None:
        declared = as_dict(as_dict(root.get("components")).get("securitySchemes"))
        self._uses = {
            name: _read_scheme(name, node, resolver) for name, node in declared.items() if node is not None
        }
        self._default = root.get("security")

    @property
    def names(self) -> list[str]:
        """What ``auth`` may name: schemes, and the headers, parameters and cookies of API keys."""
        keys = [use.name for use in self._uses.values() if use.kind == "apiKey"]
        return [*self._uses, *keys]

    def wanted(self, operation: dict[str, Any], pointer: str) -> tuple[Alternatives, list[Problem]]:
        """Return what an operation wants, and what cannot be given."""
        own = operation.get("security")
        listed = as_list(own if own is not None else self._default)
        where = f"{pointer}/security" if own is not None else "/security"
        problems: list[Problem] = []
        found: list[tuple[SchemeUse, ...]] = []
        for index, alternative in enumerate(listed):
            if not isinstance(alternative, dict):
                continue
            place = f"{where}/{index}"
            found.append(tuple(self._use(name, f"{place}/{escape(name)}", problems) for name in alternative))
        usable = [a for a in found if all(use.kind != "unsupported" for use in a)]
        severity: Literal["warning", "degraded"] = "degraded" if found and not usable else "warning"
        noted = [
            Problem(code=p.code, message=p.message, pointer=p.pointer, severity=severity) for p in problems
        ]
        return tuple(usable), noted

    def _use(self, name: str, pointer: str, problems: list[Problem]) -> SchemeUse:
        use = self._uses.get(name)
        if use is None:
            use = SchemeUse(scheme=name, kind="unsupported", note="is not defined")
        if use.kind == "unsupported":
            message = f"the security scheme {name[:80]!r} {use.note}"
            problems.append(Problem(code="security-unsupported", message=message, pointer=pointer))
        return use


def _read_scheme(name: str, node: Any, resolver: Resolver) -> SchemeUse:
    try:
        node, _ = resolver.follow(node, "")
    except BrokenReferenceError as error:
        return SchemeUse(scheme=name, kind="unsupported", note=f"is broken: {error.what}")
    node = as_dict(node)
    kind = str(node.get("type") or "").lower()
    if kind == "apikey":
        return _read_key(name, node)
    if kind == "http":
        how = str(node.get("scheme") or "").lower()
        if how in ("basic", "bearer"):
            return SchemeUse(scheme=name, kind="basic" if how == "basic" else "bearer")
        return SchemeUse(
            scheme=name, kind="unsupported", note=f"of HTTP scheme {how[:40]!r} is not supported"
        )
    if kind in ("oauth2", "openidconnect"):
        return SchemeUse(scheme=name, kind="bearer")
    return SchemeUse(scheme=name, kind="unsupported", note=f"of type {kind[:40]!r} is not supported")


def _read_key(name: str, node: dict[str, Any]) -> SchemeUse:
    place, key = node.get("in"), node.get("name")
    if not isinstance(key, str) or not key:
        return SchemeUse(scheme=name, kind="unsupported", note="does not name its key")
    if place not in ("header", "query", "cookie"):
        return SchemeUse(scheme=name, kind="unsupported", note=f"has its key in {str(place)[:40]!r}")
    if place != "query" and not TOKEN.fullmatch(key):
        return SchemeUse(scheme=name, kind="unsupported", note="has a key that no header or cookie can have")
    return SchemeUse(scheme=name, kind="apiKey", place=place, name=key)


class Auth:
    """The caller's secrets, by the names that documents use.

    Args:
        entries: Scheme name, or name of the API key's header, parameter or cookie -> reference such as
            ``env:NAME``. HTTP basic takes ``SCHEME.username`` (plain text or a reference) and
            ``SCHEME.password``; a single ``SCHEME`` is the text after ``Basic``, encoded already.

    Raises:
        ConfigError: An entry is a value, not a reference.
        UsageError: A user name has no password.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self.names = tuple(entries)
        self._users = {
            key.removesuffix(".username"): value
            for key, value in entries.items()
            if key.endswith(".username")
        }
        self._secrets = {
            key: SecretRef(value) for key, value in entries.items() if not key.endswith(".username")
        }
        for scheme in self._users:
            if f"{scheme}.password" not in self._secrets:
                raise UsageError(
                    f"there is a user name for {scheme!r} and no password",
                    hint=f"Give auth={{'{scheme}.username': ..., '{scheme}.password': 'env:NAME'}}",
                )

    def scheme_of(self, name: str) -> str:
        """Return the scheme that an entry is for."""
        return name.removesuffix(".username").removesuffix(".password")

    def secret(self, name: str) -> SecretRef | None:
        """Return the reference for a scheme, header, parameter or cookie; headers in any case."""
        found = self._secrets.get(name)
        if found is None:
            folded = name.casefold()
            found = next((ref for key, ref in self._secrets.items() if key.casefold() == folded), None)
        return found

    def credentials(self, alternatives: Alternatives, origins: tuple[str, ...]) -> tuple[Credential, ...]:
        """Return what the first alternative that can be satisfied needs; none if none can be.

        Args:
            alternatives: What the operation wants.
            origins: Who may receive the secrets.
        """
        for alternative in alternatives:
            made = [self._credential(use, origins) for use in alternative]
            if made and all(made):
                return tuple(credential for credential in made if credential is not None)
        return ()

    def _credential(self, use: SchemeUse, origins: tuple[str, ...]) -> Credential | None:
        if use.kind == "basic" and use.scheme in self._users:
            user = self._users[use.scheme]
            return Credential(
                secret=self._secrets[f"{use.scheme}.password"],
                origins=origins,
                prefix="Basic ",
                basic_user=SecretRef(user) if re.match(r"(env|memory):", user) else user,
            )
        secret = self.secret(use.scheme) or (self.secret(use.name) if use.kind == "apiKey" else None)
        if secret is None:
            return None
        if use.kind == "apiKey":
            return Credential(secret=secret, origins=origins, place=use.place, name=use.name)
        return Credential(secret=secret, origins=origins, prefix=f"{use.kind.capitalize()} ")


def describe(alternatives: Alternatives) -> str:
    """Return what is wanted, for a person: ``api_key or (user and token)``."""
    shown = [" and ".join(use.scheme for use in alternative) for alternative in alternatives if alternative]
    return " or ".join(f"({text})" if " and " in text and len(shown) > 1 else text for text in shown)
