"""The token endpoint of an authorisation server: a form out, a token back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from toolhaft.auth.token import LARGEST_ANSWER, Token, read_token
from toolhaft.errors import AuthError, LimitError
from toolhaft.http.message import Request, Response, Sender
from toolhaft.http.origin import origin_of
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

SECONDS = 20.0
"""For one exchange with an authorisation server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks for tokens.

    Attributes:
        name: The client's identifier, plain or a reference; empty if there is none.
        secret: None for a public client.
    """

    name: str | SecretRef = ""
    secret: SecretRef | None = None

    def identifier(self, secrets: SecretStore) -> str:
        """Return the identifier as text."""
        return secrets.text(self.name)


class TokenEndpoint:
    """Asks for tokens at one address, which was confirmed before.

    The client's secret goes into the ``Authorization`` header and, where the server does not take it
    there, into the form: RFC 6749 section 2.3.1 allows both. Redirects are not followed.

    Args:
        url: Of the endpoint.
        client: Who asks.
        sender: May speak to the endpoint's origin.
        secrets: Resolves the client's secret, and gets to know every token.
        scheme: Name of the security scheme, for messages.
        methods: How the client's secret may be given, as the server's metadata says; empty if unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        client: Client,
        sender: Sender,
        secrets: SecretStore,
        scheme: str,
        methods: tuple[str, ...] = (),
    ) -> None:
        self._url = url
        self._client = client
        self._sender = sender
        self._secrets = secrets
        self._scheme = scheme
        self._in_form = bool(methods) and "client_secret_basic" not in methods
        self._fixed = bool(methods)
        self.origin = origin_of(url)

    async def ask(
        self, fields: Mapping[str, str], *, scopes: tuple[str, ...] = (), repeatable: bool = False
    ) -> Token:
        """Return the token for a grant.

        Args:
            fields: The form, ``grant_type`` among it; empty values are left out.
            scopes: Those that are asked for.
            repeatable: Whether asking twice does no harm.

        Raises:
            AuthError: The server refused, or its answer is none.
            HTTPError: There was no complete answer.
        """
        form = {key: value for key, value in fields.items() if value}
        if scopes:
            form["scope"] = " ".join(scopes)
        try:
            return await self._ask(form, scopes, repeatable)
        except AuthError as error:
            refused = error.details.get("error") == "invalid_client" or error.details.get("status") == 401
            if not refused or self._in_form or self._fixed or self._client.secret is None:
                raise
        self._in_form = True
        return await self._ask(form, scopes, repeatable)

    async def post(self, url: str, form: Mapping[str, str], *, repeatable: bool = False) -> Response:
        """Send a form to an endpoint of the same server, as this client."""
        form, headers = dict(form), [("accept", "application/json")]
        name = self._client.identifier(self._secrets)
        if self._client.secret is None or self._in_form:
            if name:
                form["client_id"] = name
            if self._client.secret is not None:
                form["client_secret"] = self._secrets.resolve(self._client.secret)
        else:
            value = self._secrets.resolve(self._client.secret)
            pair = base64.b64encode(f"{quote_plus(name)}:{quote_plus(value)}".encode()).decode()
            self._secrets.register(pair, self._client.secret)
            headers.append(("authorization", f"Basic {pair}"))
        headers.append(("content-type", "application/x-www-form-urlencoded"))
        request = Request(
            method="POST",
            url=url,
            headers=tuple(headers),
            body=urlencode(form).encode(),
            effect="write",
            repeatable=repeatable,
            redirects=False,
            confidential=True,
            timeout=SECONDS,
            max_bytes=LARGEST_ANSWER,
        )
        try:
            return await self._sender.send(request)
        except LimitError as error:
            raise AuthError(
                f"no token for {self._scheme!r}: {error.what}",
                where=origin_of(url),
                details={"scheme": self._scheme},
            ) from None

    async def _ask(self, form: Mapping[str, str], scopes: tuple[str, ...], repeatable: bool) -> Token:
        response = await self.post(self._url, form, repeatable=repeatable)
        return read_token(
            response, scheme=self._scheme, asked=scopes, secrets=self._secrets, where=self.origin
        )
