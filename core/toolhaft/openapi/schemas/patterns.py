"""Regular expressions of documents: kept where every engine that may meet them can read them."""

from __future__ import annotations

import re
import warnings

_LONGEST = 2000


class Patterns:
    """Tells which patterns can be kept; each is tried once and never run here."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def compiles(self, pattern: str) -> bool:
        """Whether a pattern compiles in the engine that will check it, and in Python's."""
        known = self._known.get(pattern)
        if known is None:
            known = self._known[pattern] = (
                len(pattern) <= _LONGEST
                and pattern.isprintable()
                and _compiles_here(pattern)
                and _compiles_there(pattern)
            )
        return known


def _compiles_here(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, ValueError):
        return False
    return True


def _compiles_there(pattern: str) -> bool:
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True
