"""What the caller gave for security schemes: references to secrets, plain settings, providers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.errors import ConfigError, UnknownNameError, UsageError
from toolhaft.types import SecretRef

SETTINGS = (
    "client_id",
    "client_secret",
    "username",
    "password",
    "token",
    "refresh_token",
    "certificate",
    "key",
    "passphrase",
    "scopes",
    "audience",
    "token_url",
)
"""What may stand behind ``SCHEME.``."""
_PLAIN = ("client_id", "username", "certificate", "key", "scopes", "audience", "token_url")
"""Settings that may be given as they are."""
LOGIN = "login"
"""The value that stands for what ``toolhaft auth login`` keeps."""
_REFERENCE = re.compile(r"(env|memory):")


class Entries:
    """The caller's ``auth``.

    Args:
        entries: Scheme name, or name of the API key's header, parameter or cookie -> reference such as
            ``env:NAME``; ``SCHEME.setting`` -> a reference, or plain text for what is no secret; a
            callable or an object with ``authorize`` serves a scheme by the caller's own code; ``login``
            stands for what ``toolhaft auth login`` keeps.

    Attributes:
        names: As given.

    Raises:
        ConfigError: A secret is a value, not a reference.
        UsageError: A user name has no password.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self.names = tuple(entries)
        self._exact = dict(entries)
        # The exact spelling goes before one in another case.
        self._entries = {key.casefold(): value for key, value in reversed(list(entries.items()))}
        for key, value in entries.items():
            self._check(key, value)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def given_for(self, scheme: str) -> tuple[str, ...]:
        """Return the names of all entries for a scheme, as they were given."""
        start = f"{scheme.casefold()}."
        return tuple(
            name
            for name in self.names
            if name.casefold() == scheme.casefold() or name.casefold().startswith(start)
        )

    def has(self, name: str) -> bool:
        """Whether anything was given under a name."""
        return name.casefold() in self._entries

    def value(self, name: str) -> Any:
        """Return what was given under a name, in any case; None if nothing was."""
        found = self._exact.get(name)
        return self._entries.get(name.casefold()) if found is None else found

    def secret(self, name: str) -> SecretRef | None:
        """Return the reference given under a name."""
        value = self.value(name)
        return SecretRef(value) if isinstance(value, str) and value != LOGIN else None

    def setting(self, scheme: str, name: str) -> str | SecretRef:
        """Return a plain setting of a scheme, as text or as the reference given for it; empty if none is."""
        value = self.value(f"{scheme}.{name}")
        if not isinstance(value, str):
            return ""
        return SecretRef(value) if _REFERENCE.match(value) else value

    def provider(self, name: str) -> Any:
        """Return the caller's own code for a scheme, or None."""
        value = self.value(name)
        return None if value is None or isinstance(value, str) else value

    def all_secrets(self) -> list[SecretRef]:
        """Return every reference in the entries, once."""
        texts = [value for value in self._entries.values() if isinstance(value, str)]
        return [SecretRef(text) for text in dict.fromkeys(texts) if _REFERENCE.match(text)]

    def uses_login(self, scheme: str) -> bool:
        """Whether the scheme is to use what a login left behind."""
        return bool(self.value(scheme) == LOGIN)

    def references(self, scheme: str) -> tuple[str, ...]:
        """Return every text given for a scheme, sorted: what tells two clients apart."""
        start = f"{scheme.casefold()}."
        found = [
            f"{key}={value}"
            for key, value in self._entries.items()
            if (key == scheme.casefold() or key.startswith(start)) and isinstance(value, str)
        ]
        return tuple(sorted(found))

    def check_names(self, known: Sequence[str], *, where: str = "", schemes: Sequence[str] = ()) -> None:
        """Raise `UnknownNameError` for the first entry that names no scheme, or no setting of one.

        Args:
            known: What an entry may name: schemes, and parameters that hold secrets.
            where: What the error names.
            schemes: What the error lists, instead of everything that may be named.
        """
        folded = {name.casefold() for name in known}
        for entry in self.names:
            if entry.casefold() in folded:
                continue
            scheme, _, setting = entry.rpartition(".")
            if scheme.casefold() not in folded:
                shown = entry if setting not in SETTINGS else scheme
                listed = schemes or known
                nearest = UnknownNameError("security scheme", shown, listed, where=where)
                raise UnknownNameError("security scheme", entry, listed, hint=nearest.hint, where=where)
            if setting not in SETTINGS:
                raise UnknownNameError(f"setting of {scheme!r}", setting, SETTINGS, where=where)

    def _check(self, key: str, value: Any) -> None:
        scheme, _, setting = key.rpartition(".")
        if not isinstance(value, str):
            if not callable(value) and not hasattr(value, "authorize"):
                raise ConfigError(
                    f"auth[{key!r}] is of type {type(value).__name__}",
                    hint="Give a reference such as 'env:NAME', or a function",
                )
            return
        if setting in _PLAIN and scheme:
            if "\n" in value or len(value) > 4096:
                raise ConfigError(f"auth[{key!r}] must be a short line", hint="Name files by their path")
        elif value != LOGIN and SecretRef(value).name.startswith("token:"):
            raise ConfigError(
                f"auth[{key!r}] names a token of another session", hint="Give a reference such as 'env:NAME'"
            )
        if setting == "username" and scheme and not self.has(f"{scheme}.password"):
            raise UsageError(
                f"there is a user name for {scheme!r} and no password",
                hint=f"Give auth={{'{scheme}.username': ..., '{scheme}.password': 'env:NAME'}}",
            )
