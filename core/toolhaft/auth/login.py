"""A person logs in for a scheme, once; what comes of it may be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from toolhaft.auth.authorization_code import Question, ask_person
from toolhaft.auth.device_code import ask_device
from toolhaft.auth.discovery import Metadata
from toolhaft.auth.endpoint import TokenEndpoint
from toolhaft.auth.entries import Entries
from toolhaft.auth.issuing import Surroundings, client_of, metadata_of, plain_setting
from toolhaft.auth.schemes import SchemeUse
from toolhaft.auth.storage import StoredToken
from toolhaft.auth.token import Token
from toolhaft.errors import AuthError, UsageError
from toolhaft.http.origin import origin_of

How = Literal["browser", "device"]


async def log_in(
    use: SchemeUse,
    entries: Entries,
    origins: Sequence[str],
    around: Surroundings,
    show: Callable[[str], None],
    *,
    how: How | None = None,
    scopes: Sequence[str] = (),
    port: int = 0,
    seconds: float = 300.0,
) -> StoredToken:
    """Have a person agree, in a browser on this machine or with a code on any other.

    Args:
        use: The scheme.
        entries: ``SCHEME.client_id`` is needed, ``SCHEME.client_secret`` where the client has one.
        origins: The API's, which will get the token.
        around: What tokens are got with; servers on other hosts must be confirmed in it.
        show: Takes what the person must read: an address to open, or a code to type.
        how: None is the browser where the scheme knows it.
        scopes: What to ask for.
        port: Of the redirect, for servers that want the exact one; 0 takes a free one.
        seconds: How long to wait for the person.

    Returns:
        The token, as it may be kept.

    Raises:
        UsageError: The scheme knows no login, or no client is named.
        AuthError: A server was not confirmed, or the person said no.
        HTTPError: A server could not be reached.
    """
    origins = tuple(origins)
    scheme = use.scheme
    client = client_of(use, entries)
    if not client.name:
        raise UsageError(
            f"the login for {scheme!r} needs a client", hint=f"Give it: --auth {scheme}.client_id=..."
        )
    plan = await _plan(use, entries, origins, around, how)
    endpoint = TokenEndpoint(
        plan.token_url,
        client=client,
        sender=around.connect(origin_of(plan.token_url)),
        secrets=around.secrets,
        scheme=scheme,
        methods=plan.metadata.methods,
    )
    named = plain_setting(entries, scheme, "scopes", around.secrets).split()
    wanted = tuple(named) or tuple(scopes) or use.scopes
    if plan.how == "device":
        token = await ask_device(
            plan.url, endpoint, around.secrets, show, scheme=scheme, scopes=wanted, seconds=seconds
        )
    else:
        question = Question(
            scheme=scheme,
            url=plan.url,
            client_id=client.identifier(around.secrets),
            scopes=wanted,
            audience=plain_setting(entries, scheme, "audience", around.secrets),
            issuer=plan.metadata.issuer,
            tells_issuer=plan.metadata.tells_issuer,
            port=port,
            seconds=seconds,
        )
        token = await ask_person(question, endpoint, around.secrets, show)
    return _kept(use, entries, origins, plan.token_url, token, wanted, around)


class _Plan:
    """Where a login goes."""

    __slots__ = ("how", "metadata", "token_url", "url")

    def __init__(self, how: How, url: str, token_url: str, metadata: Metadata) -> None:
        self.how = how
        self.url = url
        self.token_url = token_url
        self.metadata = metadata


async def _plan(
    use: SchemeUse, entries: Entries, origins: tuple[str, ...], around: Surroundings, how: How | None
) -> _Plan:
    scheme, allowed = use.scheme, origins
    browser, device = use.flow("authorizationCode"), use.flow("deviceAuthorization")
    metadata = Metadata(issuer="")
    if use.discovery and not (browser or device):
        metadata = await metadata_of(use, origins, around)
        allowed = (*origins, origin_of(use.discovery))
    urls: dict[How, tuple[str, str]] = {
        "browser": (
            browser.authorization_url if browser else metadata.authorization_url,
            browser.token_url if browser else metadata.token_url,
        ),
        "device": (
            (device.device_url or device.authorization_url) if device else metadata.device_url,
            device.token_url if device else metadata.token_url,
        ),
    }
    ways = [name for name, (url, _) in urls.items() if url]
    if not ways or (how is not None and how not in ways):
        raise UsageError(
            f"the scheme {scheme!r} knows no login{f' by {how}' if how else ''}",
            hint="toolhaft auth check CATALOG shows what it takes",
        )
    chosen = how or ("browser" if "browser" in ways else "device")
    url, token_url = urls[chosen]
    token_url = plain_setting(entries, scheme, "token_url", around.secrets) or token_url
    if chosen == "browser" and not metadata.has_challenges:
        raise AuthError(
            f"the server of {scheme!r} does not know PKCE with S256: a code could be stolen",
            details={"scheme": scheme},
        )
    if not token_url:
        raise AuthError(
            f"no token address is known for {scheme!r}",
            hint=f"Name it: --auth {scheme}.token_url=https://...",
            details={"scheme": scheme},
        )
    around.confirmed.check(url, scheme=scheme, origins=allowed, what=f"{chosen} login address")
    if not entries.has(f"{scheme}.token_url"):
        around.confirmed.check(token_url, scheme=scheme, origins=allowed, what="token address")
    return _Plan(chosen, url, token_url, metadata)


def _kept(
    use: SchemeUse,
    entries: Entries,
    origins: tuple[str, ...],
    token_url: str,
    token: Token,
    wanted: tuple[str, ...],
    around: Surroundings,
) -> StoredToken:
    secret = entries.secret(f"{use.scheme}.client_secret")
    empty = StoredToken(
        scheme=use.scheme,
        origins=origins,
        token_url=token_url,
        client_id=client_of(use, entries).identifier(around.secrets),
        client_secret=str(secret) if secret is not None else "",
        scopes=wanted,
    )
    return empty.renewed(token)
