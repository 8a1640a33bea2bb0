"""Rules about what a tool says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from toolhaft.lint.finding import Finding
from toolhaft.text import tokenize
from toolhaft.types import ToolSpec

_SHORTEST_WORDS = 3
_LONGEST = 1_024
"""Characters that every provider takes; some refuse longer ones."""


def check_descriptions(spec: ToolSpec, alike: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Find descriptions that are missing, too short, too long, or those of another tool.

    Args:
        spec: The tool.
        alike: Description in lower case -> names of the tools that have it.
    """
    text = spec.description.strip()
    if not any(letter.isalnum() for letter in text):
        what = "no description: say in a sentence what the tool does and when to use it"
        yield Finding(rule="description-missing", tool=spec.name, what=what, cost=30, mend="describe")
        return
    words = set(tokenize(text))
    if len(text) > _LONGEST:
        what = (
            f"the description has {len(text):,} characters, and some providers take no more than "
            f"{_LONGEST:,}: say what the tool does first, and leave the rest to its arguments"
        )
        yield Finding(rule="description-long", tool=spec.name, what=what, cost=5, mend="describe")
    if len(text.split()) < _SHORTEST_WORDS:
        what = f"the description is only {text[:40]!r}: say what the tool does, to what, and what comes back"
        yield Finding(rule="description-short", tool=spec.name, what=what, cost=12, mend="describe")
    elif words and words <= set(tokenize(spec.name)):
        what = "the description says no more than the name: say what comes back, and when to use it"
        yield Finding(rule="description-name", tool=spec.name, what=what, cost=8, mend="describe")
    others = [name for name in alike.get(text.casefold(), ()) if name != spec.name]
    if others:
        what = f"{', '.join(others[:3])} has the same description: say in each what sets it apart"
        yield Finding(rule="description-duplicate", tool=spec.name, what=what, cost=15, mend="describe")
