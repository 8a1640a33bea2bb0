"""Lists as a run of JSON texts, or of server-sent events.

Source: JSON Lines; NDJSON; RFC 7464; the HTML standard, section "Server-sent events"; OpenAPI 3.2.0, section
"Sequential Media Types".
"""

from __future__ import annotations

from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.styles import json_text, scalar_text
from toolhaft.openapi.requests.wire import BodyForm

_RECORD = "\x1e"


def sequence_text(form: BodyForm, value: Any) -> str:
    """Return a list as a sequence; a text is taken for one that is made already.

    Raises:
        InvalidArgumentsError: It is neither a list nor a text, or holds what cannot be sent.
    """
    if isinstance(value, str):
        return value
    listed = value if isinstance(value, list) else [value]
    if form == "events":
        return "".join(map(_event, listed))
    before = _RECORD if form == "sequence" else ""
    return "".join(f"{before}{json_text(item)}\n" for item in listed)


def _event(event: Any) -> str:
    fields = event if isinstance(event, dict) else {"data": event}
    lines: list[str] = []
    for name, value in fields.items():
        if value is None:
            continue
        text = scalar_text(value)
        if name != "data" and not (text.isprintable() and name.isprintable() and ":" not in name):
            raise InvalidArgumentsError(f"the field {name[:40]!r} of an event holds one line of text")
        lines.extend(f"{name}: {line}" for line in _lines(text))
    return "\n".join([*lines, "", ""])


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
