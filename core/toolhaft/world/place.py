"""Places in files, for complaints that say where something is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolhaft.errors import FormatError, nearest_names
from toolhaft.types.pointer import escape


class Place:
    """A place in a file, and complaints about it.

    Args:
        file: Shown in complaints.
        pointer: JSON pointer into it.
    """

    def __init__(self, file: str, pointer: str = "") -> None:
        self.file = file
        self.pointer = pointer

    def __truediv__(self, token: object) -> Place:
        escaped = escape(str(token))
        return Place(self.file, f"{self.pointer}/{escaped}")

    def refuse(self, what: str, *, hint: str = "") -> FormatError:
        """Return the error that says what is wrong here."""
        return FormatError(what, where=f"{self.file}#{self.pointer}", hint=hint)

    def unknown(self, kind: str, name: object, known: Iterable[str]) -> FormatError:
        """Return the error for a name that nothing answers to."""
        names = sorted(known)
        nearest = nearest_names(str(name), names)
        if nearest:
            hint = f"Did you mean {' or '.join(map(repr, nearest))}?"
        else:
            hint = f"Known: {', '.join(names[:20]) or 'none'}"
        return self.refuse(f"unknown {kind} {str(name)[:80]!r}", hint=hint)

    def mapping(self, value: Any, allowed: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the value if it is an object with no other keys than those allowed."""
        if not isinstance(value, dict):
            raise self.refuse(f"not an object: {value!r:.80}")
        for key in value:
            if allowed is not None and key not in allowed:
                raise self.unknown("key", key, allowed)
        return value

    def rows(self, value: Any) -> list[Any]:
        """Return the value if it is a list."""
        if not isinstance(value, list):
            raise self.refuse(f"not a list: {value!r:.80}")
        return value

    def text(self, value: Any) -> str:
        """Return the value if it is a text that says something."""
        if not isinstance(value, str) or not value:
            raise self.refuse(f"not a text: {value!r:.80}")
        return value
