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

_TOLD = r"(?:tell|mention|inform|notify|reveal|disclose|show|explain)"
_CONTENT = r"(?:conversation|history|keys?|secrets?|credentials|passwords?|tokens|contents?|everything)"
_PATTERNS = (
    (
        r"\b(?:ignore|disregard|forget|override)\b(?: \w+){0,3} (?:previous|prior|above|earlier|preceding)\b"
        r"(?: \w+){0,2} (?:instructions?|prompts?|messages?|rules?|directions?|context|orders)",
        "overrides other instructions",
    ),
    (
        rf"\b(?:do not|don't|never|must not)\b (?:\w+ )?{_TOLD}\b(?: \w+){{0,6}} "
        r"(?:users?|humans?|person|anyone|anybody)\b",
        "asks to hide something from the user",
    ),
    (
        r"\bwithout (?:telling|informing|asking|notifying)(?: \w+){0,3} (?:user|human|person|anyone)\b",
        "asks to hide something from the user",
    ),
    (
        r"\byou (?:must|should|have to) (?:always|never) (?:\w+ ){0,2}"
        r"(?:call|use|read|send|include|invoke|run)\b",
        "gives orders",
    ),
    (
        r"\b(?:assistant|language model|llm|ai agent|ai model) (?:must|should|has to|shall)\b",
        "gives orders",
    ),
    (
        r"\b(?:before|after|when|instead of) (?:using|calling|invoking) "
        r"(?:this|any|every|all)(?: other)? tools?\b",
        "steers other calls",
    ),
    (
        r"<\s*/?\s*(?:important|system|instructions?|secret|hidden)\s*>",
        "marks itself as instructions",
    ),
    (
        r"\b(?:reveal|print|repeat|ignore)\b(?: \w+){0,3} (?:system|developer) (?:prompt|instructions)",
        "asks for the system prompt",
    ),
    (
        rf"\b(?:send|forward|bcc|copy|leak|exfiltrate|pass)\b(?: [\w'-]+){{0,6}} {_CONTENT}\b"
        r"(?: [\w'-]+){0,4} (?:to|at) \W?(?:https?://|[\w.]+@)",
        "sends data elsewhere",
    ),
    (r"(?:~/\.\w|/etc/passwd|\bid_rsa\b|/\.ssh/|\bmcp\.json\b)", "names private files"),
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
