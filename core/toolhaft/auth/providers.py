"""The caller's own code as a source of credentials.

A function, or an object with ``authorize``, plain or async. For a scheme with a place for a value (API key,
bearer, OAuth 2 ...) it takes the scopes and returns the value, or the value and its seconds to live. For a
scheme of an unknown type it takes the `toolhaft.http.Request` and returns headers to add, or a request.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolhaft.auth.token import Token, made_token
from toolhaft.errors import ConfigError
from toolhaft.http.message import Request
from toolhaft.http.origin import origin_of
from toolhaft.secrets import SecretStore


async def ask_provider(provider: Any, argument: Any) -> Any:
    """Call a provider with one argument and wait for what it returns."""
    made = provider.authorize(argument) if hasattr(provider, "authorize") else provider(argument)
    return await made if inspect.isawaitable(made) else made


class Provided:
    """A provider as a grant: its values are tokens."""

    def __init__(self, provider: Any, scheme: str) -> None:
        self._provider = provider
        self._scheme = scheme

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return what the provider gives for these scopes.

        Raises:
            ConfigError: It gives something else.
        """
        made = await ask_provider(self._provider, scopes)
        value, life = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
        sound = isinstance(value, str) and len(value) >= 4 and value.isprintable()
        if not sound or not (life is None or isinstance(life, int | float)):
            raise ConfigError(
                f"the provider of {self._scheme!r} returned no credential",
                hint="It must return a text of at least 4 characters, or (text, seconds)",
            )
        return made_token(value, life=life, scopes=None)


async def apply_provider(
    provider: Any, request: Request, *, scheme: str, origins: tuple[str, ...], secrets: SecretStore
) -> Request:
    """Return the request with what a provider adds; its values become known to the filter.

    Raises:
        ConfigError: It returns something else, or sends the request to another origin.
    """
    if origin_of(request.url) not in origins:
        return request
    made = await ask_provider(provider, request)
    if isinstance(made, Request):
        if origin_of(made.url) not in origins:
            raise ConfigError(f"the provider of {scheme!r} sends the request to another origin")
        _learn(made.headers, request.headers, secrets)
        return made
    if not isinstance(made, Mapping) or not all(
        isinstance(part, str) for pair in made.items() for part in pair
    ):
        raise ConfigError(
            f"the provider of {scheme!r} returned a {type(made).__name__}",
            hint="It must return headers to add, or a request",
        )
    added = tuple(made.items())
    names = {name.lower() for name, _ in added}
    _learn(added, (), secrets)
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in names)
    return replace(request, headers=(*kept, *added))


def _learn(
    headers: tuple[tuple[str, str], ...], known: tuple[tuple[str, str], ...], secrets: SecretStore
) -> None:
    for pair in headers:
        if pair not in known and len(pair[1]) >= 4:
            secrets.register(pair[1])
