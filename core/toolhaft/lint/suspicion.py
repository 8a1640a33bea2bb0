"""Rules about text that speaks to the model rather than of the tool.

Source: Invariant Labs, "MCP Security Notification: Tool Poisoning Attacks" (2025); Greshake et al., "Not what
you've signed up for" (2023). Our patterns are few and plain: a warning for a person, not a filter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from toolhaft.lint.finding import Finding
from toolhaft.text import clean
from toolhaft.types import ToolSpec
from toolhaft.types.pointer import escape

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
_ELSEWHERE = (
    (r"\bignorier(?:e|en|t) .{0,40}\b(?:anweisung|instruktion)", "overrides other instructions"),
    (r"\bignor(?:a|e|ar) .{0,40}\binstruc(?:ciones|ções|coes)", "overrides other instructions"),
    (
        r"\bignor(?:e|ez|er) .{0,40}\binstructions? (?:pr[ée]c[ée]dentes|ant[ée]rieures)",
        "overrides other instructions",
    ),
    (r"игнорируй\w* .{0,40}(?:инструкци|указани)", "overrides other instructions"),
    (r"(?:忽略|无视|無視).{0,12}(?:指令|指示|提示|说明)", "overrides other instructions"),
)
"""The commonest one in other languages."""
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), said) for pattern, said in (*_PATTERNS, *_ELSEWHERE))
_LONGEST = 20_000
_MOST = 20_000
"""Values of one tool that are looked at."""
_UNREAD = "\u200b"
"""Stands for what was not looked at."""
_JOINED = re.compile(r"[*_`~+\\-]+")
"""What stands between words in place of a blank, or sets them off."""
_ALIKE = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтАЕОРСУХІЈЅВКМНТαονιερτυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlBKMHTAEOPCYXIJSBKMHTaoviepTuKABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters that look like Latin ones."""
_ENCODED = re.compile(r"[A-Za-z0-9+/]{120,}")


def check_suspicion(spec: ToolSpec) -> Iterator[Finding]:
    """Find texts that give orders, hide characters or carry encoded content; one finding a place."""
    for pointer, text, is_prose in _texts(spec):
        said = "is too much to be looked at whole" if text is _UNREAD else _suspect(text[:_LONGEST], is_prose)
        if said:
            what = f"the text {said}: read it before you offer the tool, and replace it"
            yield Finding(
                rule="text-suspicious", tool=spec.name, what=what, pointer=pointer, cost=50, mend="describe"
            )


def _texts(spec: ToolSpec) -> Iterator[tuple[str, str, bool]]:
    """Yield whatever a model reads of a tool: pointer, text, whether it is meant as prose; names, too."""
    waiting: list[tuple[str, Any]] = [
        ("/examples", list(spec.examples)),
        ("/tags", list(spec.tags)),
        ("/parameters", spec.parameters),
        ("/name", spec.name),
        ("/description", spec.description),
    ]
    for _ in range(_MOST):
        if not waiting:
            return
        pointer, value = waiting.pop()
        if isinstance(value, str):
            yield pointer, value, pointer.rpartition("/")[2] in ("description", "title")
        elif isinstance(value, Mapping):
            for key, item in reversed([*value.items()]):
                place = f"{pointer}/{escape(str(key))}"
                waiting += [(place, item), (place, str(key))]
        elif isinstance(value, list | tuple):
            waiting += [(f"{pointer}/{n}", item) for n, item in reversed([*enumerate(value)])]
    yield "", _UNREAD, True


def _suspect(text: str, is_prose: bool) -> str:
    flat = " ".join(text.split())
    # As a reader sees it: letters that look alike are one, and marks between words are blanks.
    shown = "".join(letter for letter in flat if unicodedata.category(letter) != "Cf")
    seen = unicodedata.normalize("NFKC", shown).translate(_ALIKE)
    for reading in dict.fromkeys((flat, seen, " ".join(_JOINED.sub(" ", seen).split()))):
        for pattern, said in _COMPILED:
            if found := pattern.search(reading):
                return f"{said} ({found.group()[:60]!r})"
    if not is_prose and "\n" not in text:
        return "has characters that nobody sees" if _hides(text) else ""
    if clean(text, _LONGEST).replace("\r", "") != text.replace("\r\n", "\n").replace("\r", ""):
        return "has characters that nobody sees"
    return "holds a long run of encoded content" if _ENCODED.search(flat) else ""


def _hides(text: str) -> bool:
    """Whether a value holds characters that give the text around it another order, or none at all."""
    # A joiner makes one picture of several.
    return any(unicodedata.category(letter) in ("Cf", "Co") for letter in text.replace("\u200d", ""))
