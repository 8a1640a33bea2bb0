"""The caller's side of security: what was given, brought together with what operations want."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from toolhaft.auth.advice import advise
from toolhaft.auth.confirmation import Confirmed
from toolhaft.auth.entries import LOGIN, Entries
from toolhaft.auth.issuing import Opened, Surroundings, check_issuer, open_grant
from toolhaft.auth.nonces import DigestUser, Nonces
from toolhaft.auth.providers import Provided
from toolhaft.auth.schemes import Alternatives, SchemeUse
from toolhaft.auth.sending import AuthorisedSender
from toolhaft.auth.slots import Tokens, TokenSlot
from toolhaft.auth.storage import TokenFile
from toolhaft.auth.ways import Way, given_way
from toolhaft.errors import AuthError, ConfigError
from toolhaft.http.message import ClientCertificate, Credential, Sender
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one alternative comes to, for requests to some origins.

    Attributes:
        uses: The schemes; empty if nothing was wanted, or nothing that was wanted was given.
        slots: To be filled before sending.
        digest: Answers challenges.
        providers: Scheme -> the caller's own code, which changes requests.
    """

    uses: tuple[SchemeUse, ...] = ()
    credentials: tuple[Credential, ...] = ()
    certificate: ClientCertificate | None = None
    slots: tuple[TokenSlot, ...] = ()
    digest: Nonces | None = None
    providers: tuple[tuple[str, Any], ...] = ()
    origins: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.uses)


_NOTHING = Choice()


class Auth:
    """The caller's secrets, by the names that documents use, and the tokens got with them.

    One serves all tools of a source, on any number of event loops. Secrets and tokens go to the origins
    that a tool names, and client secrets to the token endpoint, which must be on one of these origins or
    on a host that the caller confirmed.

    Args:
        entries: See `toolhaft.auth.entries.Entries`.
        secrets: Resolves references, and keeps tokens.
        connect: Returns a client that may speak to one origin; without it no token can be asked for.
        auth_hosts: Authorisation servers on other hosts than the API that the caller confirms.
        stored: What logins left behind; None is the user's file, read only where ``login`` is given.

    Raises:
        ConfigError: An entry is a value, not a reference, or a host is none.
        UsageError: A user name has no password.
    """

    def __init__(
        self,
        entries: Mapping[str, Any],
        *,
        secrets: SecretStore | None = None,
        connect: Callable[[str], Sender] | None = None,
        auth_hosts: Sequence[str] = (),
        stored: TokenFile | None = None,
    ) -> None:
        self.entries = Entries(entries)
        self.secrets = secrets or SecretStore()
        if stored is None and LOGIN in entries.values():
            stored = TokenFile.default()
        self.around = Surroundings(
            secrets=self.secrets,
            confirmed=Confirmed(auth_hosts),
            connect=connect or _no_connection,
            stored=stored,
        )
        self._tokens: dict[tuple[Any, ...], Tokens] = {}
        self._slots: dict[tuple[Any, ...], TokenSlot] = {}
        self._digests: dict[str, Nonces] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """What ``auth`` names."""
        return self.entries.names

    def check_names(self, known: Sequence[str], *, where: str = "", schemes: Sequence[str] = ()) -> None:
        """Raise `UnknownNameError` for an entry that names nothing known; see `Entries.check_names`."""
        self.entries.check_names(known, where=where, schemes=schemes)

    def check_issuers(self, uses: Iterable[SchemeUse], origins: Collection[str]) -> None:
        """Raise `ConfigError` for a scheme whose tokens would come from a host that was not confirmed.

        Args:
            uses: The schemes of a document.
            origins: The document's own.
        """
        for use in uses if origins else ():
            way = given_way(use, self.entries)
            if way is None or way.means not in ("client", "password", "refresh"):
                continue
            try:
                check_issuer(use, way, self.entries, tuple(origins), self.around)
            except AuthError as error:
                raise ConfigError(error.what, where=error.where, hint=error.hint) from None

    def secret(self, name: str) -> SecretRef | None:
        """Return the reference for a scheme, header, parameter or cookie; headers in any case."""
        return self.entries.secret(name)

    def choose(self, alternatives: Alternatives, origins: tuple[str, ...]) -> Choice:
        """Return the first alternative that can be satisfied; an empty one if none can be.

        Args:
            alternatives: What the operation wants.
            origins: Who may receive the secrets.
        """
        if not self.entries:
            return _NOTHING
        for alternative in alternatives:
            ways = [(use, given_way(use, self.entries)) for use in alternative]
            given = [(use, way) for use, way in ways if way is not None]
            if given and len(given) == len(ways):
                return self._choice(given, origins)
        return _NOTHING

    def sender(self, client: Any, choice: Choice) -> Any:
        """Return what sends requests with all that a choice adds; the client itself where that is enough."""
        if choice.slots or choice.digest or choice.certificate or choice.providers:
            return AuthorisedSender(client, choice, self.secrets)
        return client

    def advice(
        self,
        alternatives: Alternatives,
        choice: Choice,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
    ) -> str:
        """Return what a person should set when an API answered 401 or 403; see `toolhaft.auth.advice`."""
        if status not in (401, 403):
            return ""
        return advise(status, alternatives, choice.uses, choice.slots, self.entries, headers)

    def _choice(self, given: list[tuple[SchemeUse, Way]], origins: tuple[str, ...]) -> Choice:
        choice = Choice(uses=tuple(use for use, _ in given), origins=origins)
        for use, way in given:
            choice = self._with(choice, use, way)
        return choice

    def _with(self, choice: Choice, use: SchemeUse, way: Way) -> Choice:
        """Return the choice with what one scheme adds."""
        entries, origins = self.entries, choice.origins
        if way.means == "custom" and use.kind in ("custom", "unsupported", "mutualTLS", "digest"):
            provider = entries.provider(use.scheme)
            if provider is not None:
                return replace(choice, providers=(*choice.providers, (use.scheme, provider)))
        if way.means == "digest":
            return replace(choice, digest=self._nonces(use))
        if way.means == "certificate":
            made = ClientCertificate(
                certificate=entries.setting(use.scheme, "certificate"),
                key=entries.setting(use.scheme, "key"),
                passphrase=entries.secret(f"{use.scheme}.passphrase"),
                origins=origins,
            )
            return replace(choice, certificate=made)
        if way.means == "basic":
            credential = Credential(
                secret=self._needed(use, "password"),
                origins=origins,
                prefix="Basic ",
                basic_user=entries.setting(use.scheme, "username"),
            )
            return replace(choice, credentials=(*choice.credentials, credential))
        if way.means in ("key", "token"):
            secret = entries.secret(way.names[0]) or SecretRef("env:NONE")
            return replace(choice, credentials=(*choice.credentials, _placed(use, secret, origins)))
        slot = self._slot(use, way, origins)
        return replace(
            choice,
            credentials=(*choice.credentials, _placed(use, slot.reference, origins)),
            slots=(*choice.slots, slot),
        )

    def _needed(self, use: SchemeUse, setting: str) -> SecretRef:
        found = self.entries.secret(f"{use.scheme}.{setting}")
        if found is None:
            raise ConfigError(f"auth={{'{use.scheme}.{setting}': 'env:NAME'}} is missing")
        return found

    def _nonces(self, use: SchemeUse) -> Nonces:
        user = DigestUser(
            scheme=use.scheme,
            username=self.entries.setting(use.scheme, "username"),
            password=self._needed(use, "password"),
        )
        with self._lock:
            nonces = self._digests.get(use.scheme)
            if nonces is None:
                slot = self.secrets.new_slot(_slot_name(use.scheme, ("digest", use.scheme)))
                nonces = self._digests[use.scheme] = Nonces(user, self.secrets, slot)
        return nonces

    def _slot(self, use: SchemeUse, way: Way, origins: tuple[str, ...]) -> TokenSlot:
        """Return the slot for a scheme's token, made once for each client, server and set of scopes."""
        # A login or refresh token has the scopes that it has; it serves all origins of its document.
        fixed = way.means in ("login", "refresh")
        named = self.entries.setting(use.scheme, "scopes")
        scopes = tuple(named.split()) if isinstance(named, str) and named else use.scopes
        scopes = () if fixed or way.means == "custom" else tuple(sorted(set(scopes)))
        whose = (use.scheme, way.means, use.flows, use.discovery, self.entries.references(use.scheme))
        key = (*whose, origins)
        with self._lock:
            slot = self._slots.get((*key, scopes))
            if slot is None:
                tokens_key = whose if fixed else key
                tokens = self._tokens.get(tokens_key)
                if tokens is None:
                    tokens = self._tokens[tokens_key] = Tokens(
                        partial(self._open, use, way, origins), self.secrets
                    )
                reference = self.secrets.new_slot(_slot_name(use.scheme, (*key, scopes)))
                slot = self._slots[(*key, scopes)] = TokenSlot(tokens, scopes, reference, self.secrets)
        return slot

    async def _open(self, use: SchemeUse, way: Way, origins: tuple[str, ...]) -> Opened:
        provider = self.entries.provider(use.scheme)
        if provider is not None:
            return Opened(grant=Provided(provider, use.scheme), endpoint=None)
        return await open_grant(use, way, self.entries, origins, self.around)


def _placed(use: SchemeUse, secret: SecretRef, origins: tuple[str, ...]) -> Credential:
    """Return a secret in the place that its scheme has."""
    if use.kind == "apiKey":
        return Credential(secret=secret, origins=origins, place=use.place, name=use.name)
    prefix = {"basic": "Basic", "http": use.prefix}.get(use.kind, "Bearer")
    return Credential(secret=secret, origins=origins, prefix=f"{prefix} ")


def _slot_name(scheme: str, key: tuple[Any, ...]) -> str:
    digest = hashlib.sha256(repr(key).encode("utf-8", "replace")).hexdigest()
    return f"{_UNFIT.sub('_', scheme)[:40]}-{digest[:12]}"


def _no_connection(origin: str) -> Sender:
    raise ConfigError("no token can be asked for without a connection", where=origin)
