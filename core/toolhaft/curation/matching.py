"""Which tools a match means."""

from __future__ import annotations

from collections.abc import Callable

from toolhaft.curation.rules import Match, Words
from toolhaft.tools.patterns import fits_glob, stands_in
from toolhaft.types import ToolSpec


def fits(match: Match | str, name: str, describe: Callable[[], ToolSpec]) -> bool:
    """Whether a match means a tool.

    Args:
        match: Which tools are meant.
        name: The tool's name.
        describe: Gives its spec; called only if something beside the name is asked for.
    """
    if isinstance(match, str):
        return fits_glob(match, name)
    if match.name and not _any(match.name, name, segments=False):
        return False
    asks = (match.tag, match.path, match.method, match.regex, match.effect)
    if not any(asks) and match.deprecated is None:
        return True
    spec = describe()
    method, path = str(spec.metadata.get("method", "")), str(spec.metadata.get("path", ""))
    if match.tag and not {t.casefold() for t in spec.tags} & {t.casefold() for t in _words(match.tag)}:
        return False
    if match.path and not _any(match.path, path, segments=True):
        return False
    if match.method and method.upper() not in {word.upper() for word in _words(match.method)}:
        return False
    if match.effect and spec.effect not in _words(match.effect):
        return False
    if match.deprecated is not None and bool(spec.metadata.get("deprecated")) != match.deprecated:
        return False
    return not match.regex or stands_in(match.regex, f"{name} {method} {path}")


def _words(value: Words) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _any(patterns: Words, text: str, *, segments: bool) -> bool:
    return any(fits_glob(pattern, text, segments=segments) for pattern in _words(patterns))
