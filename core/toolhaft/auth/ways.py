"""The ways in which a security scheme can be satisfied, and what the caller still has to give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolhaft.auth.entries import Entries
from toolhaft.auth.schemes import SchemeUse

Means = Literal[
    "key", "basic", "digest", "token", "login", "refresh", "password", "client", "certificate", "custom"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to satisfy a scheme.

    Attributes:
        means: What is done.
        names: Entries of ``auth`` that must be there, all of them.
        login: A person must log in first, with these entries.
    """

    means: Means
    names: tuple[str, ...]
    login: bool = False

    def is_given(self, entries: Entries) -> bool:
        """Whether everything is there."""
        return all(entries.has(name) for name in self.names)


def ways_of(use: SchemeUse, entries: Entries) -> tuple[Way, ...]:
    """Return every way, the one to prefer first."""
    scheme = use.scheme
    if entries.provider(scheme) is not None or use.kind in ("custom", "unsupported"):
        return (Way(means="custom", names=(scheme,)),)
    if use.takes_tokens:
        return _token_ways(use, entries)
    pair = (f"{scheme}.username", f"{scheme}.password")
    if use.kind == "basic":
        return (Way(means="basic", names=pair), Way(means="key", names=(scheme,)))
    if use.kind == "digest":
        return (Way(means="digest", names=pair),)
    if use.kind == "mutualTLS":
        return (Way(means="certificate", names=(f"{scheme}.certificate",)),)
    if use.kind == "apiKey":
        return (Way(means="key", names=(scheme,)), Way(means="key", names=(use.name,)))
    return (Way(means="key", names=(scheme,)), Way(means="key", names=(f"{scheme}.token",)))


def given_way(use: SchemeUse, entries: Entries) -> Way | None:
    """Return the way that the caller gave everything for, or None."""
    return next((way for way in ways_of(use, entries) if not way.login and way.is_given(entries)), None)


def missing_for(use: SchemeUse, entries: Entries) -> str:
    """Return what would satisfy a scheme, for a person: the settings of each way that are not there yet."""
    found: dict[str, None] = {}
    begun = [way for way in ways_of(use, entries) if any(entries.has(name) for name in way.names)]
    for way in begun or ways_of(use, entries):
        missing = [name for name in way.names if not entries.has(name)]
        if way.login and not missing:
            found[f"toolhaft auth login CATALOG {use.scheme}, then auth={{{use.scheme!r}: 'login'}}"] = None
        elif missing and not way.login:
            found[f"auth={{{', '.join(f'{name!r}: {_example(name, use)}' for name in missing)}}}"] = None
    return " or ".join(found)


def _example(name: str, use: SchemeUse) -> str:
    if name.endswith(".certificate"):
        return "'client.pem'"
    if name.endswith((".username", ".client_id")):
        return "'...'"
    return "a function" if use.kind == "custom" else "'env:NAME'"


def _token_ways(use: SchemeUse, entries: Entries) -> tuple[Way, ...]:
    scheme = use.scheme
    if entries.uses_login(scheme):
        return (Way(means="login", names=(scheme,)),)
    client, secret = f"{scheme}.client_id", f"{scheme}.client_secret"
    # A server found by its metadata, or named by the caller, may serve any grant.
    any_grant = bool(use.discovery) or entries.has(f"{scheme}.token_url")
    found = [
        Way(means="token", names=(scheme,)),
        Way(means="token", names=(f"{scheme}.token",)),
    ]
    if any_grant or any(flow.token_url or flow.refresh_url for flow in use.flows):
        found.append(Way(means="refresh", names=(f"{scheme}.refresh_token",)))
    if any_grant or use.flow("password"):
        found.append(Way(means="password", names=(f"{scheme}.username", f"{scheme}.password")))
    if any_grant or use.flow("clientCredentials"):
        found.append(Way(means="client", names=(client, secret)))
    if use.discovery or use.flow("authorizationCode") or use.flow("deviceAuthorization"):
        found.append(Way(means="login", names=(client,), login=True))
    return tuple(found)
