"""Untrusted text made safe to look at: what would steer a terminal or hide from the eye is spelled out."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    "\u00ad\u061c\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or turn text around
    "\ud800-\udfff\ufffe\uffff"  # no characters at all
    "\U000e0000-\U000e0fff]"  # tags: a whole hidden alphabet
)
_LINES = re.compile(r"\s*[\n\t]\s*")


def make_visible(text: str) -> str:
    """Return the text with control, invisible and direction-changing characters spelled out.

    Line feeds and tabs stay, carriage returns before a line feed go, joiners and direction marks that
    scripts and emoji need stay. An escape becomes ``␛``, a right-to-left override ``‹U+202E›``.
    """
    return _UNSAFE.sub(_spell, text.replace("\r\n", "\n"))


def make_line(text: str, limit: int) -> str:
    """Return the text on one visible line of at most ``limit`` characters."""
    # What is cut is cut first: a megabyte need not be searched for the sake of one line.
    line = _LINES.sub(" ", make_visible(text[: 4 * limit + 200])).strip()
    if len(line) <= limit:
        return line
    return f"{line[: limit - 1].rstrip()}…"


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"‹U+{code:04X}›"
