"""Settings behind a path, as a command line gives them: ``tools/?virtual&seed=7``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from toolhaft.errors import UnknownNameError, UsageError

_TRUTH = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_LONGEST = 4000


def read_location(location: Any) -> tuple[Path, dict[str, Any]]:
    """Return the path and the settings of a location; a path that exists is taken as it is.

    Raises:
        UsageError: It is no path, or a setting is not known or has no such value.
    """
    if not isinstance(location, str | Path) or not str(location) or "\0" in str(location):
        raise UsageError(f"{location!r:.80} is no path", hint="Write rapidapi:FILE or rapidapi:FOLDER")
    text = str(location)
    if len(text) > _LONGEST:
        raise UsageError(f"the location is longer than {_LONGEST} characters", where=text[:80])
    if isinstance(location, Path) or "?" not in text or Path(text).exists():
        return Path(text), {}
    path, _, query = text.partition("?")
    settings: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in _READERS:
            raise UnknownNameError("setting", name, tuple(_READERS), where=f"rapidapi:{path[:200]}")
        settings[name] = _READERS[name](unquote(value), name)
    return Path(path), settings


def _flag(value: str, name: str) -> bool:
    if value.lower() not in _TRUTH:
        raise UsageError(f"{name} is {value!r:.40}", hint="Write true or false")
    return _TRUTH[value.lower()]


def _whole(value: str, name: str) -> int:
    try:
        return int(value[:40])
    except ValueError:
        raise UsageError(f"{name} is {value!r:.40}", hint="Write a whole number") from None


def _text(value: str, name: str) -> str:
    if not value:
        raise UsageError(f"{name} is empty", hint=f"Write {name}=VALUE")
    return value


_READERS: dict[str, Callable[[str, str], Any]] = {
    "virtual": _flag,
    "server": _text,
    "naming": _text,
    "seed": _whole,
    "cache": _text,
    "responses": _text,
}
