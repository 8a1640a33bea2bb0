"""Rules about text that speaks to the model rather than of the tool.

Source: Invariant Labs, "MCP Security Notification: Tool Poisoning Attacks" (2025); Greshake et al., "Not what
you've signed up for" (2023). Our patterns are few and plain: a warning for a person, not a filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolhaft.lint.finding import Finding
from toolhaft.lint.places import places
from toolhaft.text import clean
from toolhaft.types import ToolSpec

_PATTERNS = (
    (r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:previous|prior|above|earlier|other|all)\b", "overrides"),
    (r"\b(?:do not|don't|never|without)\b.{0,30}\b(?:tell|mention|inform|notify|show|asking)\b", "hides"),
    (
        r"\byou (?:must|should|have to|need to) (?:always|first|also|never|call|use|read|send)",
        "commands",
    ),
    (
        r"\b(?:before|after|when) (?:using|calling|invoking) (?:this|any|other)\b.{0,30}\b(?:tool|function)",
        "steers",
    ),
    (r"<\s*/?\s*(?:important|system|instructions?|secret|hidden)\b", "marks itself as instructions"),
    (r"\b(?:system|developer) (?:prompt|message|instructions?)\b", "speaks of the system prompt"),
    (
        r"\b(?:send|forward|post|upload|bcc|exfiltrate)\b.{0,60}(?:https?://|[\w.]+@[\w.]+\.\w)",
        "sends elsewhere",
    ),
    (r"(?:~/\.|/etc/|id_rsa|\.ssh\b|\.env\b|mcp\.json)", "names private files"),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), said) for pattern, said in _PATTERNS)
_LONGEST = 20_000
_ENCODED = re.compile(r"[A-Za-z0-9+/]{120,}")


def check_suspicion(spec: ToolSpec) -> Iterator[Finding]:
    """Find texts that give orders, hide characters or carry encoded content; one finding a place."""
    texts = [("/description", spec.description)]
    for place in places(spec):
        for key in ("description", "title"):
            if isinstance(place.schema.get(key), str):
                texts.append((f"{place.pointer}/{key}", place.schema[key]))
    for pointer, text in texts:
        said = _suspect(text[:_LONGEST])
        if said:
            what = f"the text {said}: read it before you offer the tool, and replace it"
            yield Finding(
                rule="text-suspicious", tool=spec.name, what=what, pointer=pointer, cost=50, mend="describe"
            )


def _suspect(text: str) -> str:
    flat = " ".join(text.split())
    for pattern, said in _COMPILED:
        if found := pattern.search(flat):
            return f"{said} ({found.group()[:60]!r})"
    if clean(text, _LONGEST).replace("\r", "") != text.replace("\r\n", "\n").replace("\r", ""):
        return "has characters that nobody sees"
    return "holds a long run of encoded content" if _ENCODED.search(flat) else ""
