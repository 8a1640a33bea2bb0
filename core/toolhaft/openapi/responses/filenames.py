"""The file name that an answer gives itself, made safe."""

from __future__ import annotations

import mimetypes
import re
from urllib.parse import unquote_to_bytes

_LONGEST = 120
_EXTENDED = re.compile(r"filename\*\s*=\s*([\w!#$%&+^`{}~-]+)'[^']*'([^;\s]+)", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(r'filename\s*=\s*"((?:[^"\\]|\\.){0,400})"', re.IGNORECASE)
_PLAIN = re.compile(r'filename\s*=\s*([^;"\s][^;]{0,400})', re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def file_name(disposition: str, media_type: str, fallback: str) -> str:
    """Return a file's name: without folders, control characters, or a name that a system reserves.

    Args:
        disposition: The ``Content-Disposition`` header.
        media_type: Gives the ending where the header gives no name.
        fallback: The name without an ending, then.

    Source: RFC 6266 and RFC 8187; other character sets than UTF-8 and ISO-8859-1 are read as UTF-8.
    """
    safe = _safe(_said(disposition[:4000]))
    if safe:
        return safe
    return f"{_safe(fallback) or 'answer'}{mimetypes.guess_extension(media_type) or '.bin'}"


def _said(disposition: str) -> str:
    if found := _EXTENDED.search(disposition):
        charset = "iso-8859-1" if found[1].lower() == "iso-8859-1" else "utf-8"
        return unquote_to_bytes(found[2]).decode(charset, "replace")
    if found := _QUOTED.search(disposition):
        return re.sub(r"\\(.)", r"\1", found[1])
    found = _PLAIN.search(disposition)
    return found[1].strip() if found else ""


def _safe(name: str) -> str:
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*')
    kept = kept.encode("utf-8", "replace").decode().strip(" .")
    if not kept or _RESERVED.fullmatch(kept):
        return ""
    if len(kept) <= _LONGEST:
        return kept
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[: _LONGEST - 12]}.{ending}" if dot and len(ending) <= 11 else kept[:_LONGEST]
