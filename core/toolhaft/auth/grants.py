"""The grants of OAuth 2 that need no person: client credentials, password and refresh."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from toolhaft.auth.endpoint import TokenEndpoint
from toolhaft.auth.token import Token
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


class Grant(Protocol):
    """Gets tokens."""

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return a new token for these scopes."""


class ClientCredentials:
    """The client speaks for itself.

    Source: RFC 6749, section 4.4.
    """

    def __init__(self, endpoint: TokenEndpoint, *, audience: str = "") -> None:
        self._endpoint = endpoint
        self._audience = audience

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return a new token for these scopes."""
        fields = {"grant_type": "client_credentials", "audience": self._audience}
        return await self._endpoint.ask(fields, scopes=scopes, repeatable=True)


class Password:
    """The client speaks with a person's user name and password.

    Source: RFC 6749, section 4.3.
    """

    def __init__(
        self,
        endpoint: TokenEndpoint,
        *,
        username: str | SecretRef,
        password: SecretRef,
        secrets: SecretStore,
        audience: str = "",
    ) -> None:
        self._endpoint = endpoint
        self._username = username
        self._password = password
        self._secrets = secrets
        self._audience = audience

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return a new token for these scopes."""
        fields = {
            "grant_type": "password",
            "username": self._secrets.text(self._username),
            "password": self._secrets.resolve(self._password),
            "audience": self._audience,
        }
        return await self._endpoint.ask(fields, scopes=scopes, repeatable=True)


class Refresh:
    """A refresh token is exchanged; a server that gives a new one with each answer takes the old one back.

    Source: RFC 6749, section 6. The scopes are left to the server: they are those of the login.
    """

    def __init__(self, endpoint: TokenEndpoint, refresh: str | SecretRef, secrets: SecretStore) -> None:
        self._endpoint = endpoint
        self._refresh = refresh
        self._secrets = secrets

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return a new token; what refreshes it next is in it."""
        value = self._secrets.text(self._refresh)
        token = await self._endpoint.ask({"grant_type": "refresh_token", "refresh_token": value})
        self._refresh = token.refresh or value
        return replace(token, refresh=self._refresh, scopes=token.scopes or None)
