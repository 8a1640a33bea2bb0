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


def missing_for(use: SchemeUse, entries: Entries, *, for_shell: bool = False) -> str:
    """Return what would satisfy a scheme, for a person: what is not there yet of the ways that were begun.

    Where none was, the ways that the document means, and a token or key given by hand.

    Args:
        use: The scheme.
        entries: What the caller gave.
        for_shell: In the words of the command line.
    """
    ways = ways_of(use, entries)
    begun = [way for way in ways if any(entries.has(name) for name in way.names)]
    found: dict[str, None] = {}
    for way in begun or _plainest(use, ways):
        missing = [name for name in way.names if not entries.has(name)]
        if missing or way.login:
            found[_asked(use, way, missing, for_shell)] = None
    return " or ".join(found)


def _plainest(use: SchemeUse, ways: tuple[Way, ...]) -> list[Way]:
    """Return the ways to name to somebody who gave nothing yet, each kind once, tokens by hand last."""
    by_means: dict[tuple[Means, bool], Way] = {}
    for way in ways:
        by_means.setdefault((way.means, way.login), way)
    rare = (
        ("refresh", "token")
        if use.flow("password") or not use.takes_tokens
        else ("refresh", "token", "password")
    )
    found = [way for way in by_means.values() if way.means not in rare]
    if use.kind == "openIdConnect":  # made for people
        found.sort(key=lambda way: not way.login)
    return [*found, *(way for way in by_means.values() if way.means == "token")]


def _asked(use: SchemeUse, way: Way, missing: list[str], for_shell: bool) -> str:
    if way.login:
        words = "".join(f" --auth {name}=..." for name in missing)
        after = f"--auth {use.scheme}=login" if for_shell else f"auth={{{use.scheme!r}: 'login'}}"
        return f"toolhaft auth login CATALOG {use.scheme}{words}, then {after}"
    pairs = [(name, _example(name, use)) for name in missing]
    if not for_shell:
        return f"auth={{{', '.join(f'{name!r}: {example}' for name, example in pairs)}}}"
    if way.means == "custom":
        return "a function, from Python"
    return " ".join(f"--auth {name}={example.strip(chr(39))}" for name, example in pairs)


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
