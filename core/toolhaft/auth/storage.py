"""Tokens that a login leaves behind, in a file that only its owner may read."""

from __future__ import annotations

import contextlib
import json
import os
import secrets as randomness
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from toolhaft.auth.token import Token, made_token
from toolhaft.errors import ConfigError, FormatError

_FORMAT = 1
_LARGEST = 4_000_000
_PATIENCE = 30.0
_PAUSE = 0.05
"""Seconds to wait for another process, and between looks whether it is done."""
_TEXTS = ("scheme", "token_url", "client_id", "client_secret", "access_token", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """What one login left behind.

    Attributes:
        origins: The API's, the only ones that get the token.
        token_url: Where it is refreshed: the address that the person agreed to.
        client_secret: A reference, never the value; empty for a public client.
        expires: Seconds since 1970; None if it does not expire, as far as is known.
    """

    scheme: str
    origins: tuple[str, ...]
    token_url: str
    client_id: str = ""
    client_secret: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    expires: float | None = None

    def token(self) -> Token | None:
        """Return the token, on this process's clock."""
        if not self.access_token:
            return None
        life = None if self.expires is None else max(0.0, self.expires - time.time())
        return made_token(
            self.access_token, life=life, scopes=self.scopes or None, refresh=self.refresh_token
        )

    def renewed(self, token: Token) -> StoredToken:
        """Return the record with a new token in it."""
        left = None if token.expires_at is None else token.expires_at - time.monotonic()
        return replace(
            self,
            access_token=token.value,
            refresh_token=token.refresh or self.refresh_token,
            scopes=token.scopes or self.scopes,
            expires=None if left is None else time.time() + left,
        )


class TokenFile:
    """The file. Every change writes it anew and moves it into place.

    Args:
        path: By default ``tokens.json`` in the folder for user data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def default(cls) -> TokenFile:
        """Return the user's own file."""
        from toolhaft.settings import load_settings

        return cls(load_settings().data_dir / "tokens.json")

    def find(self, scheme: str, origins: Sequence[str]) -> StoredToken | None:
        """Return what a login left for a scheme, if it is for all of these origins."""
        wanted = set(origins)
        return next(
            (kept for kept in self.all() if kept.scheme == scheme and wanted <= set(kept.origins)), None
        )

    def all(self) -> list[StoredToken]:
        """Return everything.

        Raises:
            ConfigError: Others may read the file, or it cannot be read.
            FormatError: It is damaged.
        """
        try:
            state = self.path.stat()
            if os.name == "posix" and state.st_mode & 0o077:
                raise ConfigError(
                    "others may read this file with tokens",
                    where=str(self.path),
                    hint=f"Close it: chmod 600 {self.path}",
                )
            if state.st_size > _LARGEST:
                raise FormatError("too large for a file with tokens", where=str(self.path))
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError):
            raise ConfigError("the file with tokens cannot be read", where=str(self.path)) from None
        return self._read(text)

    def put(self, token: StoredToken, *, held: bool = False) -> None:
        """Keep a token in place of what was kept for its scheme and origins.

        Args:
            token: The token.
            held: The caller is within `hold`.
        """
        with contextlib.nullcontext() if held else self._held():
            others = [kept for kept in self.all() if not _is_same(kept, token)]
            self._write([*others, token])

    @contextlib.asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Keep other processes from changing the file; after some seconds go on regardless."""
        import asyncio

        lock = self._lock()
        try:
            for _ in range(int(_PATIENCE / _PAUSE)):
                if _take(lock):
                    break
                await asyncio.sleep(_PAUSE)
            yield
        finally:
            lock.close()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        lock = self._lock()
        try:
            for _ in range(int(_PATIENCE / _PAUSE)):
                if _take(lock):
                    break
                time.sleep(_PAUSE)
            yield
        finally:
            lock.close()

    def _lock(self) -> IO[bytes]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self.path.with_name(f"{self.path.name}.lock").open("wb")
        except OSError as error:
            raise ConfigError(f"the token cannot be kept: {error.strerror}", where=str(self.path)) from None

    def forget(self, scheme: str, origins: Sequence[str] = ()) -> int:
        """Remove what is kept for a scheme, of these origins or of any; return how many there were."""
        wanted = set(origins)
        if not self.path.exists():
            return 0
        with self._held():
            before = self.all()
            left = [
                kept
                for kept in before
                if kept.scheme != scheme or (wanted and not wanted & set(kept.origins))
            ]
            if len(left) != len(before):
                self._write(left)
        return len(before) - len(left)

    def _read(self, text: str) -> list[StoredToken]:
        try:
            value = json.loads(text)
            if value["format"] != _FORMAT:
                raise ValueError
            return [_entry(fields) for fields in value["tokens"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # What it holds is not repeated: it is secret.
            raise FormatError(
                "the file with tokens is damaged, or of a newer version",
                where=str(self.path),
                hint="Remove it, and log in again",
            ) from None

    def _write(self, tokens: Sequence[StoredToken]) -> None:
        folder = self.path.parent
        temporary = folder / f".tokens.{randomness.token_hex(8)}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump({"format": _FORMAT, "tokens": [asdict(token) for token in tokens]}, file)
            temporary.replace(self.path)
        except OSError as error:
            raise ConfigError(f"the token cannot be kept: {error.strerror}", where=str(self.path)) from None
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _take(lock: IO[bytes]) -> bool:
    """Take a lock if it is free; where the system has none, every lock is."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_same(one: StoredToken, other: StoredToken) -> bool:
    return one.scheme == other.scheme and set(one.origins) == set(other.origins)


def _entry(fields: Any) -> StoredToken:
    texts = {name: fields.get(name, "") for name in _TEXTS}
    lists = {name: fields.get(name, []) for name in ("origins", "scopes")}
    expires = fields.get("expires")
    sound = (
        all(isinstance(value, str) for value in texts.values())
        and all(
            isinstance(value, list) and all(isinstance(v, str) for v in value) for value in lists.values()
        )
        and (expires is None or (isinstance(expires, int | float) and not isinstance(expires, bool)))
    )
    if not sound:
        raise ValueError
    return StoredToken(
        **texts, origins=tuple(lists["origins"]), scopes=tuple(lists["scopes"]), expires=expires
    )
