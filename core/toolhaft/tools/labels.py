"""Where each value in a rollout comes from.

A label names a source: ``user``, ``config``, ``tool:<name>`` for what a tool returned, and
``description:<name>`` for what a tool's author wrote about it.

Source: the idea of out-of-band provenance is CaMeL's (arXiv 2503.18813, section 5); the deviation: values
are traced by where they stand verbatim, because a language model in between keeps no links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

USER = "user"
CONFIG = "config"


class Labels:
    """The sources that a rollout's model has read, with their texts."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, str]] = []
        self._seen: dict[str, None] = {}
        self._descriptions: dict[str, None] = {}

    def add(self, label: str, text: str) -> None:
        """Note that the model has read this text from this source."""
        self._texts.append((label, text))
        self._seen[label] = None

    def add_descriptions(self, names: Iterable[str]) -> None:
        """Note that the model has read the untrusted descriptions of these tools."""
        for name in names:
            self._descriptions[f"description:{name}"] = None

    @property
    def read(self) -> tuple[str, ...]:
        """Labels of what was read, descriptions left out, in the order first read."""
        return tuple(self._seen)

    @property
    def context(self) -> tuple[str, ...]:
        """Labels of everything that was read: the union that an untraceable value carries."""
        return (*self._seen, *self._descriptions)

    def of(self, value: Any) -> tuple[str, ...]:
        """Return the labels of one value of a call's arguments.

        A string or number has the labels of the sources in which it stands verbatim (as whole words);
        one that stands in none has the union of the context's. Lists and objects have the union of what
        they hold. True, false and null carry the context's labels: they cannot be traced.
        """
        if isinstance(value, Mapping):
            return _union(self.of(item) for item in value.values()) if value else ()
        if isinstance(value, list | tuple):
            return _union(self.of(item) for item in value) if value else ()
        if value is None or isinstance(value, bool):
            return self.context
        text = value if isinstance(value, str) else _number(value)
        if not text:
            return ()
        found = dict.fromkeys(label for label, source in self._texts if _stands_in(text, source))
        return tuple(found) or self.context

    def of_arguments(self, arguments: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return ``(argument name, labels)`` for each argument."""
        return tuple((name, self.of(value)) for name, value in arguments.items())


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label for group in groups for label in group))


def _stands_in(text: str, source: str) -> bool:
    start = source.find(text)
    while start >= 0:
        end = start + len(text)
        before = start == 0 or not (source[start - 1].isalnum() and text[0].isalnum())
        after = end == len(source) or not (source[end].isalnum() and text[-1].isalnum())
        if before and after:
            return True
        start = source.find(text, start + 1)
    return False
