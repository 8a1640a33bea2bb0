"""Answers that come piece by piece: server-sent events and JSON lines, line by line.

Source: WHATWG HTML, section 9.2.6 (interpreting an event stream); the last event id and reconnection times
are not used, as nothing is asked again. RFC 7464 for JSON text sequences.
"""

from __future__ import annotations

import json
from typing import Any

_ENDS = frozenset({"[DONE]", "[done]"})
"""Data that ends a stream by convention."""
_LONGEST_EVENT = 1_000_000
_MOST_PIECES = 200_000
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


class EventReader:
    """Takes the lines of an event stream and gives its events.

    An event whose only field is ``data`` is that data, read as JSON where it is JSON; one with a name or an
    id is ``{"event": ..., "id": ..., "data": ...}``.

    Attributes:
        ended: Whether the stream said that it is over.
    """

    def __init__(self) -> None:
        self.ended = False
        self._data: list[str] = []
        self._length = 0
        self._fields: dict[str, Any] = {}
        self._first = True

    def feed(self, line: str) -> list[Any]:
        """Return the events that a line completes: none or one."""
        if self._first:
            line, self._first = line.removeprefix("\ufeff"), False
        if not line:
            return self.finish()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and self._length <= _LONGEST_EVENT:
            self._data.append(value)
            self._length += len(value) + 1
        elif name in ("event", "id") and "\0" not in value:
            self._fields[name] = value[:1000]
        return []

    def finish(self) -> list[Any]:
        """Return the event that has no blank line after it, if there is one."""
        data, fields = self._data, self._fields
        self._data, self._fields, self._length = [], {}, 0
        if not data:
            return []
        text = "\n".join(data)
        if text.strip() in _ENDS:
            self.ended = True
            return []
        value = read_line(text)
        named = fields.get("event") not in (None, "", "message") or "id" in fields
        return [{**fields, "data": value} if named else value]


class LineReader:
    """Takes lines of JSON and gives their values; RFC 7464's separators are dropped.

    Attributes:
        ended: Always false: lines end with the answer.
    """

    ended = False

    def feed(self, line: str) -> list[Any]:
        """Return the value of a line: none if it is blank."""
        text = line.strip(" \t\r\n\x1e\ufeff")
        return [read_line(text)] if text else []

    def finish(self) -> list[Any]:
        """Return nothing: every line is whole."""
        return []


def read_line(text: str) -> Any:
    """Return a text as JSON where it is that, else the text."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text


def read_pieces(text: str, *, events: bool) -> list[Any]:
    """Return everything in a complete answer.

    Args:
        text: The body.
        events: Server-sent events rather than JSON lines.

    Raises:
        ValueError: They are more than 200,000.
    """
    if events:
        reader: EventReader | LineReader = EventReader()
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    else:
        # A sequence's texts may hold line ends of their own; lines of JSON never do.
        reader = LineReader()
        lines = text.split("\x1e") if "\x1e" in text else text.split("\n")
    found: list[Any] = []
    for line in lines:
        found += reader.feed(line)
        if reader.ended:
            break
        if len(found) > _MOST_PIECES:
            raise ValueError(f"it has more than {_MOST_PIECES} lines or events")
    return [*found, *reader.finish()]
