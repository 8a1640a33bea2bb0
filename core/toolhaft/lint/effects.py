"""Rules about effects that do not fit what a tool says it does."""

from __future__ import annotations

from collections.abc import Iterator

from toolhaft.lint.finding import Finding
from toolhaft.text import identifier_words
from toolhaft.types import ToolSpec

_READING_WORDS = """
get list search find query read fetch lookup count check show describe retrieve preview validate export
download view
"""
_READING = frozenset(_READING_WORDS.split())
_WRITING_WORDS = """
delete remove destroy purge cancel send pay refund transfer create update revoke reset publish submit
approve reject restart terminate archive
"""
_WRITING = frozenset(_WRITING_WORDS.split())
_FINAL_WORDS = "send pay refund transfer purge destroy terminate publish charge"
_FINAL = frozenset(_FINAL_WORDS.split())


def check_effects(spec: ToolSpec) -> Iterator[Finding]:
    """Find tools whose name speaks of another effect than the one that is declared."""
    words = identifier_words(spec.name)
    verb = next((word for word in words if word in _READING or word in _WRITING or word in _FINAL), "")
    if spec.effect == "read" and verb in _WRITING:
        what = f"{verb!r} in the name does not sound like reading: declare what the tool does"
        yield Finding(
            rule="effect-too-low", tool=spec.name, what=what, pointer="/effect", cost=20, mend="effect"
        )
    elif spec.effect == "write" and verb in _FINAL:
        what = f"{verb!r} in the name sounds as if it could not be undone: declare it irreversible, if so"
        yield Finding(
            rule="effect-final", tool=spec.name, what=what, pointer="/effect", cost=8, mend="effect"
        )
    elif spec.effect != "read" and words and words[0] in _READING:
        what = (
            f"{words[0]!r} sounds like reading, and the effect is {spec.effect}: declare it, if it only reads"
        )
        yield Finding(
            rule="effect-ambiguous", tool=spec.name, what=what, pointer="/effect", cost=6, mend="effect"
        )
