"""Rules about names that a model would mix up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from toolhaft.lint.finding import Finding
from toolhaft.text import identifier_words, stem
from toolhaft.types import ToolSpec

_HASHED = re.compile(r"_[0-9a-f]{8}$")
_LONGEST = 48


def look_alikes(names: Sequence[str]) -> dict[str, list[str]]:
    """Return name -> the names that differ from it only in case, number, order or punctuation of words."""
    by_words: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        by_words[tuple(sorted(stem(word) for word in identifier_words(name)))].append(name)
    return {
        name: [other for other in group if other != name]
        for group in by_words.values()
        if len(group) > 1
        for name in group
    }


def check_names(spec: ToolSpec, alike: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Find names that look like another tool's, were cut, or are very long."""
    if others := alike.get(spec.name):
        what = (
            f"the name looks like {', '.join(others[:3])}: give one of them a name that says the difference"
        )
        yield Finding(rule="name-look-alike", tool=spec.name, what=what, cost=10, mend="rename")
    if _HASHED.search(spec.name):
        what = "the name ends in a hash: give the tool a short name of its own"
        yield Finding(rule="name-hashed", tool=spec.name, what=what, cost=8, mend="rename")
    elif len(spec.name) > _LONGEST:
        what = f"the name has {len(spec.name)} characters: give the tool a shorter one"
        yield Finding(rule="name-long", tool=spec.name, what=what, cost=4, mend="rename")
    elif not any(len(word) > 2 and word.isalpha() for word in identifier_words(spec.name)):
        what = "no word in the name says anything: rename the tool to verb and thing"
        yield Finding(rule="name-opaque", tool=spec.name, what=what, cost=10, mend="rename")
