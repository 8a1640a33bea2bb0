"""Keys that publishers left in their tool files: never shown, never sent."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

MASK = "[redacted]"
_SECRET = re.compile(
    r"[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5,6}jsn[0-9a-f]{10,14}"  # RapidAPI
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JSON web token
    r"|AIza[0-9A-Za-z_-]{30,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\b[rs]k[-_](?:live[-_]|test[-_]|proj-)?[A-Za-z0-9]{20,}|REDACTED_SECRET"
    r"|(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,})"
)
_CREDENTIAL = re.compile(
    r"(?:^|[_\W])(?:key|keys|token|secret|password|passwd|pwd|credential|credentials|authorization|auth"
    r"|bearer|jwt|signature|apikey|appid|app_?id|session_?id|cookie)(?:$|[_\W])"
    r"|api_?key|access_?key|secret_?key|private_?key|license_?key|rapid_?api|_token|token$|passw|client_secret"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RANDOM = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_+/=-]{24,}")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYWORD = re.compile(
    r"(?:^|_)(?:search_?key|key_?words?|keyword|key_?phrase|sort_?key|public_?key_?id"
    r"|pagination_.*|(?:page|next|offset|continuation|cursor)_?token)(?:$|_)"
)
_TRANSPORT = frozenset(("x-rapidapi-key", "x-rapidapi-host", "rapidapi-key", "x_rapidapi_key"))


def is_transport(name: str) -> bool:
    """Whether a parameter is what the transport adds itself: RapidAPI's key and host."""
    return name.strip().lower() in _TRANSPORT or name.strip().lower().replace("_", "-") in _TRANSPORT


def is_credential(name: str) -> bool:
    """Whether a parameter's name says that its value is a credential."""
    plain = _CAMEL.sub("_", name.strip()).lower().replace("-", "_")
    return _CREDENTIAL.search(plain) is not None and _KEYWORD.search(plain) is None


def looks_secret(value: Any) -> bool:
    """Whether a value looks like a key: of a known form, or 24 and more random letters and digits."""
    if not isinstance(value, str):
        return False
    text = value.strip()
    if _SECRET.search(text):
        return True
    return _RANDOM.fullmatch(text) is not None and _UUID.fullmatch(text) is None and _is_random(text)


def redact(text: str) -> str:
    """Return a description without keys of known forms."""
    return _SECRET.sub(MASK, text) if len(text) >= 12 else text


def _is_random(text: str) -> bool:
    """Whether letters and digits take turns as they do in no word or list of words."""
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))
    return turns * 5 >= len(text)
