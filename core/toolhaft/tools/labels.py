"""Where each value in a rollout comes from.

A label names a source: ``user``, ``config``, ``tool:<name>`` for what a tool returned, and
``description:<name>`` for what a tool's author wrote about it.

Source: the idea of out-of-band provenance is CaMeL's (arXiv 2503.18813, section 5); the deviation: values
are traced by where they stand verbatim, because a language model in between keeps no links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

USER = "user"
CONFIG = "config"


_TRIES = 16
_LONG = 64


class Labels:
    """The sources that a rollout's model has read, with their texts."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._descriptions: dict[str, None] = {}

    def add(self, label: str, text: str) -> None:
        """Note that the model has read this text from this source."""
        texts = self._texts.setdefault(label, [])
        # Texts are joined two by two, so that looking for a value stays a few searches in long texts.
        while texts and len(texts[-1]) <= 2 * len(text):
            text = f"{texts.pop()}\0{text}"
        texts.append(text)

    def add_descriptions(self, names: Iterable[str]) -> None:
        """Note that the model has read the untrusted descriptions of these tools."""
        for name in names:
            self._descriptions[f"description:{name}"] = None

    @property
    def read(self) -> tuple[str, ...]:
        """Labels of what was read, descriptions left out, in the order first read."""
        return tuple(self._texts)

    @property
    def context(self) -> tuple[str, ...]:
        """Labels of everything that was read: the union that an untraceable value carries."""
        return (*self._texts, *self._descriptions)

    def of(self, value: Any) -> tuple[str, ...]:
        """Return the labels of one value of a call's arguments.

        A string or number that the user wrote has the label ``user`` alone; else it has the labels of the
        sources in which it stands verbatim (as whole words); one that stands in none has the union of the
        context's. Lists and objects have the union of what they hold. True, false and null carry the
        context's labels: they cannot be traced.
        """
        found: dict[str, None] = {}
        for leaf in _leaves(value):
            found.update(dict.fromkeys(self._of_leaf(leaf)))
        return tuple(found)

    def of_arguments(self, arguments: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return ``(argument name, labels)`` for each argument."""
        return tuple((name, self.of(value)) for name, value in arguments.items())

    def _of_leaf(self, value: Any) -> tuple[str, ...]:
        if value is None or isinstance(value, bool):
            return self.context
        text = value if isinstance(value, str) else _number(value)
        if not text:
            return ()
        found = []
        for label, texts in self._texts.items():
            if any(_stands_in(text, source) for source in texts):
                if label == USER:
                    return (USER,)
                found.append(label)
        return tuple(found) or self.context


def _leaves(value: Any) -> Iterator[Any]:
    """Iterate over the strings, numbers and constants of a JSON value, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(reversed(list(item.values())))
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))
        else:
            yield item


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _stands_in(text: str, source: str) -> bool:
    start = source.find(text)
    if len(text) > _LONG:
        return start >= 0
    for _ in range(_TRIES):
        if start < 0:
            return False
        end = start + len(text)
        before = start == 0 or not (source[start - 1].isalnum() and text[0].isalnum())
        after = end == len(source) or not (source[end].isalnum() and text[-1].isalnum())
        if before and after:
            return True
        start = source.find(text, start + 1)
    return start >= 0 and _stands_as_words(text, source, start)


def _stands_as_words(text: str, source: str, start: int) -> bool:
    """Do what `_stands_in` does for a text that stands inside words again and again, as digits do."""
    before = r"(?<![^\W_])" if text[0].isalnum() else ""
    after = r"(?![^\W_])" if text[-1].isalnum() else ""
    return re.compile(before + re.escape(text) + after).search(source, start) is not None
