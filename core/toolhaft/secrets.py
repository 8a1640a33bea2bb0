"""Secrets by reference, and the redaction filter that stands before every sink.

The filter knows each value that was ever resolved and removes it in its raw, URL-quoted, base64 and
JSON-escaped forms from text on its way to a log, a prompt, a record or a file.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from toolhaft.errors import ConfigError
from toolhaft.settings import environment_secret
from toolhaft.types import SecretRef

MASK = "[secret]"
_SHORTEST = 4
"""Values shorter than this would mask ordinary text; they are refused."""


class SecretStore:
    """Resolves references; every value it hands out is known to its redaction filter.

    Args:
        memory: Values that an embedder hands over, found by ``memory:NAME``.
    """

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        self._memory = dict(memory or {})
        self._forms: dict[str, str] = {}
        self._shortest = 1 << 30
        for name in self._memory:
            self.resolve(SecretRef(f"memory:{name}"))

    def resolve(self, reference: SecretRef) -> str:
        """Return the value.

        Raises:
            ConfigError: There is none, or it is too short or multi-line to be a credential.
        """
        store, _, key = reference.name.partition(":")
        if store == "env":
            value, hint = environment_secret(key), f"Set it: export {key}=..."
        elif store == "memory":
            value, hint = self._memory.get(key), "Hand it to SecretStore({...})"
        else:
            raise ConfigError(f"no secret store named {store!r}", hint="Use 'env:NAME'")
        if value is None:
            raise ConfigError(f"the secret {reference} is not set", where=str(reference), hint=hint)
        if len(value) < _SHORTEST or not value.isprintable():
            raise ConfigError(
                f"the secret {reference} is shorter than {_SHORTEST} characters or not one line of text",
                where=str(reference),
                hint=hint,
            )
        self.register(value, reference)
        return value

    def is_set(self, reference: SecretRef) -> bool:
        """Whether `resolve` would find a value."""
        try:
            self.resolve(reference)
        except ConfigError:
            return False
        return True

    def register(self, value: str, reference: SecretRef | None = None) -> None:
        """Have the filter remove a value (a token obtained at run time, say)."""
        mask = f"[secret {reference}]" if reference else MASK
        for form in _forms(value):
            self._forms.setdefault(form, mask)
        self._shortest = min(self._shortest, *(len(form) for form in self._forms))

    @property
    def knows_any(self) -> bool:
        """Whether there is any value to remove."""
        return bool(self._forms)

    def redact(self, text: str) -> str:
        """Return the text without any known secret."""
        if len(text) < self._shortest:
            return text
        for form, mask in self._forms.items():
            if form in text:
                text = text.replace(form, mask)
        return text

    def redact_value(self, value: Any) -> Any:
        """Return a JSON value without any known secret, in keys and strings alike."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self.redact_value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.redact_value(item) for item in value)
        return value

    def logging_filter(self) -> logging.Filter:
        """Return a filter for `logging` handlers that redacts messages and tracebacks."""
        return _LogFilter(self)

    def __repr__(self) -> str:
        return f"SecretStore({len(self._memory)} in memory)"


class _LogFilter(logging.Filter):
    def __init__(self, store: SecretStore) -> None:
        super().__init__()
        self._store = store

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._store.redact(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._store.redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def _forms(value: str) -> list[str]:
    """Return the spellings in which a value may appear, longest first, each once."""
    raw = value.encode()
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1]}
    found.add(json.dumps(value, ensure_ascii=False)[1:-1])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found.update(_base64_cores(raw, encode))
    return sorted((form for form in found if len(form) >= _SHORTEST), key=len, reverse=True)


def _base64_cores(raw: bytes, encode: Any) -> list[str]:
    """Return what is fixed of a value's base64 at each of the three alignments it may have in a text."""
    cores = [encode(raw).decode().rstrip("=")]
    for offset in (0, 1, 2):
        text = encode(b"\0" * offset + raw).decode().rstrip("=")
        start = (0, 2, 3)[offset]
        end = len(text) - (0 if (offset + len(raw)) % 3 == 0 else 1)
        core = text[start:end]
        if len(core) >= 8:
            cores.append(core)
    return cores
