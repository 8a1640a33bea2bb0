"""From a scheme and what the caller gave to the grant that gets tokens, its server checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from toolhaft.auth.confirmation import Confirmed
from toolhaft.auth.discovery import Metadata, discover, metadata_address
from toolhaft.auth.endpoint import Client, TokenEndpoint
from toolhaft.auth.entries import Entries
from toolhaft.auth.grants import ClientCredentials, Grant, Password, Refresh
from toolhaft.auth.schemes import Flow, SchemeUse
from toolhaft.auth.storage import StoredToken, TokenFile
from toolhaft.auth.token import Token
from toolhaft.auth.ways import Way
from toolhaft.errors import AuthError, ConfigError
from toolhaft.http.message import Sender
from toolhaft.http.origin import origin_of
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What tokens are got with.

    Attributes:
        secrets: Resolves references, and gets to know every token.
        confirmed: Authorisation servers that the caller confirmed.
        connect: Returns what may send to one origin.
        stored: What logins left behind; None where that is not wanted.
        metadata: Of servers that were asked already, by address.
    """

    secrets: SecretStore
    confirmed: Confirmed
    connect: Callable[[str], Sender]
    stored: TokenFile | None = None
    metadata: dict[str, Metadata] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A grant that is ready.

    Attributes:
        endpoint: Where refresh tokens are taken.
        token: What is there already.
        keeps_refresh: The grant itself refreshes.
    """

    grant: Grant
    endpoint: TokenEndpoint | None
    token: Token | None = None
    keeps_refresh: bool = True


async def open_grant(
    use: SchemeUse, way: Way, entries: Entries, origins: tuple[str, ...], around: Surroundings
) -> Opened:
    """Return the grant for one way to a token.

    Raises:
        AuthError: The server is not confirmed, its metadata make no sense, or nobody has logged in.
        ConfigError: A setting is missing.
        HTTPError: The server's metadata could not be fetched.
    """
    if way.means == "login":
        return _open_stored(use, origins, around)
    endpoint = await open_endpoint(use, way, entries, origins, around)
    scheme, secrets = use.scheme, around.secrets
    audience = plain_setting(entries, scheme, "audience", secrets)
    if way.means == "client":
        return Opened(
            grant=ClientCredentials(endpoint, audience=audience), endpoint=endpoint, keeps_refresh=False
        )
    if way.means == "password":
        password = required_secret(entries, f"{scheme}.password")
        user = entries.setting(scheme, "username")
        made = Password(endpoint, username=user, password=password, secrets=secrets, audience=audience)
        return Opened(grant=made, endpoint=endpoint, keeps_refresh=False)
    reference = required_secret(entries, f"{scheme}.refresh_token")
    return Opened(grant=Refresh(endpoint, reference, secrets), endpoint=endpoint)


async def open_endpoint(
    use: SchemeUse, way: Way, entries: Entries, origins: tuple[str, ...], around: Surroundings
) -> TokenEndpoint:
    """Return the token endpoint for one way to a token, its origin checked; raises as `open_grant` does."""
    scheme = use.scheme
    methods: tuple[str, ...] = ()
    named = plain_setting(entries, scheme, "token_url", around.secrets)
    if named:
        url, allowed = named, (*origins, _origin_or_nothing(named))
    elif url := _declared_url(use, way):
        allowed = origins
    else:
        found = await metadata_of(use, origins, around)
        url, methods = found.token_url, found.methods
        allowed = (*origins, origin_of(use.discovery))
    if not url:
        raise AuthError(
            f"no token address is known for {scheme!r}",
            hint=f"Name it: auth={{'{scheme}.token_url': 'https://...'}}",
            details={"scheme": scheme},
        )
    origin = around.confirmed.check(url, scheme=scheme, origins=allowed, what="token address")
    return TokenEndpoint(
        url,
        client=client_of(use, entries),
        sender=around.connect(origin),
        secrets=around.secrets,
        scheme=scheme,
        methods=methods,
    )


def check_issuer(
    use: SchemeUse, way: Way, entries: Entries, origins: tuple[str, ...], around: Surroundings
) -> None:
    """Raise `AuthError` if the scheme's server can be told now and was not confirmed; nothing is sent."""
    if entries.has(f"{use.scheme}.token_url"):
        return
    if url := _declared_url(use, way):
        around.confirmed.check(url, scheme=use.scheme, origins=origins, what="token address")
    elif use.discovery:
        around.confirmed.check(use.discovery, scheme=use.scheme, origins=origins, what="metadata address")


async def metadata_of(use: SchemeUse, origins: Sequence[str], around: Surroundings) -> Metadata:
    """Return what the scheme's server says of itself; raises as `open_grant` does."""
    if not use.discovery:
        raise AuthError(
            f"the document names no address for tokens of {use.scheme!r}",
            hint=f"Name it: auth={{'{use.scheme}.token_url': 'https://...'}}",
            details={"scheme": use.scheme},
        )
    origin = around.confirmed.check(
        use.discovery, scheme=use.scheme, origins=origins, what="metadata address"
    )
    address = metadata_address(use.discovery)
    found = around.metadata.get(address)
    if found is None:
        found = await discover(address, around.connect(origin), scheme=use.scheme)
        around.metadata[address] = found
    return found


def client_of(use: SchemeUse, entries: Entries) -> Client:
    """Return who asks for tokens."""
    scheme = use.scheme
    return Client(name=entries.setting(scheme, "client_id"), secret=entries.secret(f"{scheme}.client_secret"))


def plain_setting(entries: Entries, scheme: str, name: str, secrets: SecretStore) -> str:
    """Return a setting of a scheme as text, looked up where a reference was given."""
    return secrets.text(entries.setting(scheme, name))


def required_secret(entries: Entries, name: str) -> SecretRef:
    """Return the reference given under a name.

    Raises:
        ConfigError: None was.
    """
    found = entries.secret(name)
    if found is None:
        raise ConfigError(f"auth={{{name!r}: ...}} is missing", hint="Give a reference such as 'env:NAME'")
    return found


def _declared_url(use: SchemeUse, way: Way) -> str:
    """Return the address of the document's flow for a way; empty where there is none."""
    flow: Flow | None = None
    if way.means == "client":
        flow = use.flow("clientCredentials")
    elif way.means == "password":
        flow = use.flow("password")
    elif way.means == "refresh":
        flow = next((each for each in use.flows if each.refresh_url or each.token_url), None)
        return (flow.refresh_url or flow.token_url) if flow else ""
    return flow.token_url if flow else ""


def _origin_or_nothing(url: str) -> str:
    from toolhaft.errors import EgressError

    try:
        return origin_of(url)
    except EgressError:
        return ""


def _open_stored(use: SchemeUse, origins: tuple[str, ...], around: Surroundings) -> Opened:
    scheme, secrets = use.scheme, around.secrets
    kept = around.stored.find(scheme, origins) if around.stored is not None else None
    if kept is None:
        raise AuthError(
            f"nobody has logged in for {scheme!r} at {', '.join(origins)}",
            hint=f"Log in: toolhaft auth login CATALOG {scheme}",
            details={"scheme": scheme},
        )
    # The address is the one that was agreed to at the login: a document that changed moves no token.
    around.confirmed.check(
        kept.token_url, scheme=scheme, origins=(*origins, origin_of(kept.token_url)), what="token address"
    )
    for value in (kept.access_token, kept.refresh_token):
        if value:
            secrets.register(value)
    client = Client(
        name=kept.client_id,
        secret=SecretRef(kept.client_secret) if kept.client_secret else None,
    )
    endpoint = TokenEndpoint(
        kept.token_url,
        client=client,
        sender=around.connect(origin_of(kept.token_url)),
        secrets=secrets,
        scheme=scheme,
    )
    grant: Grant = _StoredRefresh(endpoint, kept, around)
    return Opened(grant=grant, endpoint=endpoint, token=kept.token())


class _StoredRefresh:
    """Refreshes what a login left behind, and keeps what comes of it."""

    def __init__(self, endpoint: TokenEndpoint, kept: StoredToken, around: Surroundings) -> None:
        self._endpoint = endpoint
        self._kept = kept
        self._around = around

    async def obtain(self, scopes: tuple[str, ...]) -> Token:
        """Return a new token; it replaces the one on file, which no other process changes meanwhile."""
        stored = self._around.stored
        if stored is None:
            return await self._renew(scopes)
        async with stored.hold():
            return await self._renew(scopes)

    async def _renew(self, scopes: tuple[str, ...]) -> Token:
        kept, stored = self._kept, self._around.stored
        if stored is not None:
            # Another process may have refreshed it since: a refresh token serves once at many servers.
            newest = stored.find(kept.scheme, kept.origins) or kept
            token = newest.token()
            if newest.access_token != kept.access_token and token is not None and token.is_fresh:
                self._around.secrets.register(newest.access_token)
                self._kept = newest
                return token
            kept = newest
        if not kept.refresh_token:
            raise AuthError(
                f"the login for {kept.scheme!r} has run out",
                hint=f"Log in again: toolhaft auth login CATALOG {kept.scheme}",
                details={"scheme": kept.scheme},
            )
        self._around.secrets.register(kept.refresh_token)
        try:
            token = await Refresh(self._endpoint, kept.refresh_token, self._around.secrets).obtain(scopes)
        except AuthError as error:
            error.hint = f"Log in again: toolhaft auth login CATALOG {kept.scheme}"
            raise
        self._kept = kept.renewed(token)
        if stored is not None:
            stored.put(self._kept, held=True)
        return token
