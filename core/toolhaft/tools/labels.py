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

from toolhaft.types import Artifact

USER = "user"
CONFIG = "config"


_TRIES = 16
_LONG = 64
_SHORT = 4
"""Characters from which on a value says something by itself; several shorter ones can spell anything."""
_MOST_LEAVES = 500
"""Different values of one argument that are traced; more carry the context's labels."""


class Labels:
    """The sources that a rollout's model has read, with their texts."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._descriptions: dict[str, None] = {}
        self._artifacts: dict[str, tuple[str, ...]] = {}

    def add(self, label: str, text: str) -> None:
        """Note that the model has read this text from this source."""
        texts = self._texts.setdefault(label, [])
        # Texts are joined two by two, so that looking for a value stays a few searches in long texts.
        while texts and len(texts[-1]) <= 2 * len(text):
            text = f"{texts.pop()}\0{text}"
        texts.append(text)

    def add_artifact(self, artifact: Artifact, label: str) -> None:
        """Note that this source gave an image or file; what the user gave is the user's alone."""
        earlier = self._artifacts.get(artifact.id, ())
        if USER not in earlier and label not in earlier:
            self._artifacts[artifact.id] = (USER,) if label == USER else (*earlier, label)

    def knows_artifact(self, artifact: Artifact) -> bool:
        """Whether a source of this image or file was noted."""
        return artifact.id in self._artifacts

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
        context's. Lists and objects have the union of what they hold, and the context's too where they
        hold several values of a few letters, or hundreds of values. True, false and null carry the
        context's labels: they cannot be traced. An artifact has the labels of the sources that gave its
        bytes, wherever its handle is written: who names an image is not who made it.
        """
        leaves = list(_leaves(value))
        return self._of_all(leaves, spelled=sum(len(_text(leaf)) < _SHORT for leaf in leaves) > 1)

    def of_arguments(
        self, arguments: Mapping[str, Any], schema: Mapping[str, Any] | None = None
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return ``(argument name, labels)`` for each argument.

        Args:
            arguments: Of a call, artifacts in place of their handles.
            schema: JSON Schema of the tool's arguments. A key that is no property in it was chosen by
                the model, and is traced like a value.
        """
        if schema is None:
            return tuple((name, self.of(value)) for name, value in arguments.items())
        keys = {name: [name, *_keys(value)] for name, value in arguments.items()}
        if any(len(found) > 1 for found in keys.values()) or not _properties(schema).issuperset(keys):
            declared = _declared(schema)
            keys = {name: [key for key in found if key not in declared] for name, found in keys.items()}
        else:
            keys = {}
        return tuple(
            (name, tuple(dict.fromkeys((*self.of(value), *self._of_all(keys.get(name, []))))))
            for name, value in arguments.items()
        )

    def _of_all(self, leaves: list[Any], *, spelled: bool = False) -> tuple[str, ...]:
        different = list({(type(leaf), leaf): leaf for leaf in leaves}.values())
        if spelled or len(different) > _MOST_LEAVES:
            return self.context
        found: dict[str, None] = {}
        for leaf in different:
            found.update(dict.fromkeys(self._of_leaf(leaf)))
        return tuple(found)

    def _of_leaf(self, value: Any) -> tuple[str, ...]:
        if value is None or isinstance(value, bool):
            return self.context
        if isinstance(value, Artifact):
            return self._artifacts.get(value.id, self.context)
        text = _text(value)
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


def _keys(value: Any) -> Iterator[str]:
    """Iterate over the keys of all objects in a JSON value, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield from (str(key) for key in item)
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def _properties(schema: Any) -> set[str]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return set(found) if isinstance(found, Mapping) else set()


def _declared(schema: Any) -> set[str]:
    """Return the names of all properties in a schema, those of inner schemas included."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            found |= _properties(item)
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
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
