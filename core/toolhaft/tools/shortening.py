"""A JSON value cut on its structure, so that what a model is shown stays JSON.

Nothing is measured beyond what could be shown, and nothing twice, so that a large value costs little. What is
small is kept whole; what is bulky shares the room that is left: long lists keep their first items, long texts
their beginnings, and what finds hardly any room is told by its keys.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

_WANTED_ITEMS = 10
"""Items of a list that are shown, each cut, before any is shown whole."""
_LEAST = 24
"""Characters that a mark of something left out takes at most, without names."""
_NAMED = 12
"""Fields that are named where they are left out."""
_LONGEST_NAME = 40
_MARK = "…"
_USEFUL = (
    "id",
    "name",
    "title",
    "label",
    "key",
    "code",
    "status",
    "state",
    "type",
    "message",
    "error",
    "summary",
    "description",
    "value",
    "text",
    "url",
    "email",
    "date",
    "amount",
    "price",
)
"""Fields that say most of an object; where not even the names of all fit, these go first."""
_RANKS = {name: rank for rank, name in enumerate(_USEFUL)}


def shorten_json(value: Any, room: int, *, whole: str = "") -> Any:
    """Return a JSON value whose text takes at most ``room`` characters, or the value itself if it does.

    Args:
        value: JSON values; nested at most 200 levels deep.
        room: Characters of compact JSON text; what is shown in fewer than 24 is a mark alone.
        whole: Texts that begin with this are kept whole or become null: they stand for something else.

    Returns:
        A value that says of every part left out how much it was: ``"… 480 more items"`` ends a list,
        ``"…": "12 more fields: a, b"`` an object, ``… 900 more characters`` a text.
    """
    return _Shortening(whole, room).fit(value, room)


class _Shortening:
    """One value being cut.

    Args:
        whole: See `shorten_json`.
        room: Likewise; what is larger is only known to be that.
    """

    def __init__(self, whole: str, room: int) -> None:
        self._whole = whole
        self._most = room
        self._sizes: dict[int, int] = {}

    def fit(self, value: Any, room: int) -> Any:
        """Return what of a value fits."""
        if self._size(value) <= room:
            return value
        if isinstance(value, str):
            return self._text(value, room)
        if isinstance(value, list):
            return self._items(value, room)
        if isinstance(value, dict):
            return self._fields(value, room)
        return None  # a number of more digits than there is room

    def _size(self, value: Any) -> int:
        """Return the length of a value's compact JSON, or one more than the room if it is longer."""
        if isinstance(value, str):
            return self._most + 1 if len(value) > self._most else text_length(value)
        if not isinstance(value, list | dict):
            return 5 if value is False else 4 if value is None or value is True else len(str(value))
        known = self._sizes.get(id(value))
        if known is None:
            known = self._sizes[id(value)] = min(self._measured(value), self._most + 1)
        return known

    def _measured(self, value: list[Any] | dict[str, Any]) -> int:
        length = 2 - (1 if value else 0)
        if isinstance(value, list):
            for item in value:
                length += self._size(item) + 1
                if length > self._most:
                    break
            return length
        for key, item in value.items():
            length += self._size(key) + self._size(item) + 2
            if length > self._most:
                break
        return length

    def _text(self, text: str, room: int) -> str | None:
        if self._whole and text.startswith(self._whole):
            return None
        if room < _LEAST + 8:
            return _MARK if room < _LEAST else f"{_MARK} {len(text)} characters"
        # Escapes take up to six characters each: what is cut is measured again, and cut at most thrice.
        kept = text[: room - _LEAST - 8]
        for _ in range(2):
            beyond = text_length(kept) + _LEAST + 6 - room
            if beyond <= 0:
                break
            kept = kept[: max(0, int(len(kept) * (room - _LEAST - 8) / text_length(kept)))]
        else:
            kept = kept[: (room - _LEAST - 8) // 6]
        return f"{kept}{_MARK} {len(text) - len(kept)} more characters"

    def _items(self, items: list[Any], room: int) -> Any:
        if room < 2 * _LEAST:
            return _told(_counted(len(items), "item"), room)
        left = room - 2 - _LEAST - 4
        sizes = [self._size(item) + 1 for item in items[: room // 2]]
        complete, used = 0, 0
        while complete < len(sizes) and used + sizes[complete] <= left:
            used += sizes[complete]
            complete += 1
        wanted = min(len(items), _WANTED_ITEMS, max(1, left // (2 * _LEAST)))
        if complete >= wanted:
            return [*items[:complete], f"{_MARK} {_counted(len(items) - complete, 'more item')}"]
        kept: list[Any] = []
        for position, item in enumerate(items[:wanted]):
            share = left // (wanted - position)
            shown = self.fit(item, share - 1)
            left -= self._shown_size(item, shown) + 1
            kept.append(shown)
        while len(kept) < len(sizes) and sizes[len(kept)] <= left:
            left -= sizes[len(kept)]
            kept.append(items[len(kept)])
        if len(kept) < len(items):
            kept.append(f"{_MARK} {_counted(len(items) - len(kept), 'more item')}")
        return kept

    def _fields(self, fields: dict[str, Any], room: int) -> Any:
        if room < 3 * _LEAST:
            return _told(_fields_named(_counted(len(fields), "field"), list(fields), room - 8), room)
        # A field takes at least six characters: of more than find room, only telling ones are looked at.
        likely = list(islice(fields, room // 6))
        if len(fields) > len(likely):
            likely += [key for key in islice(fields, len(likely), None) if key in _RANKS]
        costs = {key: self._size(key) + 2 for key in likely}
        chosen = likely
        left = room - 2
        least = sum(cost + min(self._size(fields[key]), _LEAST) for key, cost in costs.items())
        if least > left or len(likely) < len(fields):
            left -= 2 * _LEAST
            chosen = self._chosen(fields, costs, left)
        shown = self._shared(fields, chosen, costs, left)
        if len(chosen) < len(fields):
            missing = list(islice((key for key in fields if key not in shown), _NAMED))
            used = sum(costs[key] + self._shown_size(fields[key], item) for key, item in shown.items())
            noun = _counted(len(fields) - len(shown), "more field")
            shown[_MARK] = _fields_named(noun, missing, room - used - 12)
        return shown

    def _chosen(self, fields: dict[str, Any], costs: dict[str, int], left: int) -> list[str]:
        """Return the fields that find room at all: the telling ones first, then the small ones."""
        order = sorted(
            costs,
            key=lambda key: (_RANKS.get(key.casefold(), len(_RANKS)), min(self._size(fields[key]), 200)),
        )
        chosen: set[str] = set()
        for key in order:
            cost = costs[key] + min(self._size(fields[key]), _LEAST)
            if cost <= left:
                left -= cost
                chosen.add(key)
        return [key for key in costs if key in chosen]

    def _shared(
        self, fields: dict[str, Any], chosen: list[str], costs: dict[str, int], left: int
    ) -> dict[str, Any]:
        """Return fields that share the room: the small ones are whole, and leave theirs to the bulky."""
        left -= sum(costs[key] for key in chosen)
        shown: dict[str, Any] = {}
        waiting = sorted(chosen, key=lambda key: self._size(fields[key]))
        for position, key in enumerate(waiting):
            item = self.fit(fields[key], left // (len(waiting) - position))
            left -= self._shown_size(fields[key], item)
            shown[key] = item
        return {key: shown[key] for key in chosen}

    def _shown_size(self, item: Any, shown: Any) -> int:
        # What is made here may be gone, and its identity another's, before a size is asked for again.
        return self._size(item) if shown is item else compact_length(shown)


def text_length(text: str) -> int:
    """Return how long a text is as JSON, its quotes included."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return len(text) + 2
    return len(json.dumps(text, ensure_ascii=False))


def compact_length(value: Any) -> int:
    """Return how long a JSON value is as compact text."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _told(what: str, room: int) -> str:
    text = f"{_MARK} {what}"
    return text if len(text) + 2 <= room else _MARK


def _fields_named(noun: str, names: list[str], room: int) -> str:
    """Return how many fields there are, and the names of as many as find room."""
    said = noun
    for position, name in enumerate(names[:_NAMED]):
        plain = "".join(
            letter for letter in name[:_LONGEST_NAME] if letter.isprintable() and letter not in '"\\'
        )
        longer = f"{said}{', ' if position else ': '}{plain}"
        if len(longer) + 4 > room:
            break
        said = longer
    return said
