"""Secrets by reference, and the redaction filter that stands before every sink.

The filter knows each value that was ever resolved and removes it in its raw, URL-quoted, base64, JSON-,
HTML- and Python-escaped forms from text on its way to a log, a prompt, a record or a file.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from toolhaft.errors import ConfigError
from toolhaft.settings import environment_secret
from toolhaft.types import SecretRef

MASK = "[secret]"
_LOWER_HEX = re.compile("%[0-9A-F]{2}")
_DEEPEST = 200
"""Levels of a JSON value that are redacted value by value."""
_SHORTEST = 4
"""Values shorter than this would mask ordinary text; they are refused."""
_KEPT = 64
"""Values that a slot held last, and that the filter still removes: older tokens have expired long since."""


class SecretStore:
    """Resolves references; every value it hands out is known to its redaction filter.

    Args:
        memory: Values that an embedder hands over, found by ``memory:NAME``.

    Attributes:
        longest: Bytes of the longest spelling of a known secret: what is cut from a text before it is
            redacted must reach this much further than what is kept.
    """

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        self._memory = dict(memory or {})
        self._known: dict[str, list[str]] = {}
        self._slots: dict[str, deque[str]] = {}
        self._lock = threading.RLock()
        self._forms: dict[str, str] = {}
        self._byte_forms: dict[bytes, bytes] = {}
        self._shortest = 1 << 30
        self.longest = 0
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
        elif store == "token":
            held = self._slots.get(key)
            value, hint = (held[-1] if held else None), "It is obtained when a call needs it"
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

    def text(self, value: str | SecretRef) -> str:
        """Return a setting as text: plain text as it is, a reference resolved; raises as `resolve` does."""
        return self.resolve(value) if isinstance(value, SecretRef) else value

    def is_set(self, reference: SecretRef) -> bool:
        """Whether `resolve` would find a value."""
        try:
            self.resolve(reference)
        except ConfigError:
            return False
        return True

    def new_slot(self, name: str) -> SecretRef:
        """Return a reference ``token:NAME`` for values obtained at run time; no other caller gets the same.

        Args:
            name: Letters, digits, ``_``, ``.`` and ``-``; numbered if it is taken.
        """
        with self._lock:
            free, number = name, 1
            while free in self._slots:
                number += 1
                free = f"{name}.{number}"
            self._slots[free] = deque()
        return SecretRef(f"token:{free}")

    def keep(self, slot: SecretRef, value: str) -> None:
        """Put a value into a slot, in place of the one before, which the filter still removes.

        Raises:
            ConfigError: It cannot be a credential.
        """
        if len(value) < _SHORTEST or not value.isprintable():
            raise ConfigError("what was obtained is no credential", where=str(slot))
        with self._lock:
            held = self._slots[slot.name.partition(":")[2]]
            if held and held[-1] == value:
                return
            self.register(value, slot)
            held.append(value)
            if len(held) > _KEPT:
                self._forget(held.popleft())

    def register(self, value: str, reference: SecretRef | None = None) -> None:
        """Have the filter remove a value (a token obtained at run time, say)."""
        with self._lock:
            if value in self._known:
                return
            mask = f"[secret {reference}]" if reference else MASK
            forms = dict(self._forms)
            made = [form for form in _forms(value) if forms.setdefault(form, mask) is mask]
            self._known[value] = made
            self._set_forms(forms)

    def _forget(self, value: str) -> None:
        if any(value in held for held in self._slots.values()):
            return
        gone = set(self._known.pop(value, ()))
        self._set_forms({form: mask for form, mask in self._forms.items() if form not in gone})

    def _set_forms(self, forms: Mapping[str, str]) -> None:
        # Longest first over all values: one may be the beginning of another.
        self._forms = {form: forms[form] for form in sorted(forms, key=len, reverse=True)}
        self._byte_forms = {form.encode(): mask.encode() for form, mask in self._forms.items()}
        self._shortest = min((len(form) for form in self._forms), default=self._shortest)
        self.longest = max((len(form) for form in self._byte_forms), default=0)

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

    def redact_bytes(self, data: bytes) -> bytes:
        """Return bytes without any known secret, as UTF-8 or in any of its ASCII spellings."""
        for form, mask in self._byte_forms.items():
            if form in data:
                data = data.replace(form, mask)
        return data

    def redact_value(self, value: Any) -> Any:
        """Return a JSON value without any known secret, in keys and strings alike."""
        return self._redact_value(value, 0) if self._forms else value

    def _redact_value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if not isinstance(value, Mapping | list | tuple):
            return value
        if depth > _DEEPEST:
            return self._redact_deep(value)
        if isinstance(value, Mapping):
            found = {}
            for key, item in value.items():
                found[self.redact(str(key))] = self._redact_value(item, depth + 1)
            return found
        return type(value)([self._redact_value(item, depth + 1) for item in value])

    def _redact_deep(self, value: Any) -> Any:
        """Redact what recursion does not reach, as JSON text; what is no JSON becomes the mask."""
        try:
            return json.loads(self.redact(json.dumps(value, ensure_ascii=False)))
        except (TypeError, ValueError, RecursionError):
            return MASK

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
        if record.stack_info:
            record.stack_info = self._store.redact(record.stack_info)
        return True


def _forms(value: str) -> list[str]:
    """Return the spellings in which a value may appear, each once."""
    import html

    raw = value.encode()
    escaped = json.dumps(value)[1:-1]
    # Some writers of JSON escape the slash too.
    slashed = escaped.replace("/", "\\/")
    found = {value, escaped, slashed, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(escaped)[1:-1]}
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        found.update((quoted, _LOWER_HEX.sub(lambda match: match[0].lower(), quoted)))
    found.update((html.escape(value), html.escape(value, quote=False), repr(value)[1:-1], ascii(value)[1:-1]))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found.update(_base64_cores(raw, encode))
    return [form for form in found if len(form) >= _SHORTEST]


def _base64_cores(raw: bytes, encode: Callable[[bytes], bytes]) -> list[str]:
    """Return what is fixed of a value's base64 at each of the three alignments it may have in a text."""
    cores = [encode(raw).decode().rstrip("=")]
    for offset, start in enumerate((0, 2, 3)):
        text = encode(b"\0" * offset + raw).decode().rstrip("=")
        end = len(text) - (0 if (offset + len(raw)) % 3 == 0 else 1)
        core = text[start:end]
        if len(core) >= _SHORTEST:
            cores.append(core)
    return cores
