"""Which names arguments may have."""

from __future__ import annotations

import re

_KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def is_key(name: str) -> bool:
    """Whether every provider accepts it as the name of an argument."""
    return _KEY.fullmatch(name) is not None
