"""Settings written as text, as in ``rapidapi:tools/?virtual&seed=7``: what a factory takes, by its hints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote

from toolhaft.errors import UsageError, nearest_names
from toolhaft.hooks.factory import accepted_settings

_TRUTH = {"": True, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LONGEST = 4000
_LONGEST_NUMBER = 40
_SAID = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def text_settings(factory: Callable[..., Any]) -> dict[str, tuple[type, ...]]:
    """Return the settings of a factory that text can give, each with the types to read it as, in order.

    These are the keyword parameters whose hint has ``bool``, ``int``, ``float``, ``str``, a path or a
    ``Literal`` in it; without a hint, the default says it.
    """
    names = _names_known_to(factory)
    found: dict[str, tuple[type, ...]] = {}
    for name, parameter in (accepted_settings(factory) or {}).items():
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            kinds = _kinds(_hint(parameter, names))
            if kinds:
                found[name] = tuple(kind for kind in (bool, int, float, str) if kind in kinds)
    return found


def read_setting(name: str, text: str, kinds: tuple[type, ...]) -> Any:
    """Return the value that a text stands for; nothing behind the name is true.

    Args:
        name: For the error.
        text: As it was written.
        kinds: What it may be; the first that fits is taken.

    Raises:
        UsageError: It is none of them.
    """
    for kind in kinds:
        value = _read(text, kind)
        if value is not None:
            return value
    raise UsageError(
        f"the setting {name!r} is {text[:80]!r}",
        hint=f"Write {name}={' or '.join(_SAID[kind] for kind in kinds)}",
    )


def read_settings(
    written: str, known: Mapping[str, tuple[type, ...]], title: str, *, where: str = ""
) -> dict[str, Any]:
    """Return the settings that stand behind a name as ``parent_boost=0&k1=1.2``; a name alone is true.

    Args:
        written: What stands behind the question mark.
        known: The settings there are, see `text_settings`.
        title: What takes them, for errors: ``retriever 'bm25'``.
        where: Where they stand, for errors.

    Raises:
        UsageError: There is no such setting, one is given twice, or a value is none that it takes.
    """
    if len(written) > _LONGEST:
        raise UsageError(f"the settings are longer than {_LONGEST} characters", where=where or title)
    settings: dict[str, Any] = {}
    for pair in filter(None, written.split("&")):
        name, _, text = pair.partition("=")
        if name not in known:
            nearest = nearest_names(name, tuple(known), 1)
            guess = f"Did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(
                f"the {title} takes no setting {name[:80]!r} written behind it",
                where=where,
                hint=f"{guess}Settings: {', '.join(known) or 'none'}",
            )
        if name in settings:
            raise UsageError(f"the setting {name!r} is given twice", where=where or title)
        settings[name] = read_setting(name, unquote(text), known[name])
    return settings


def _read(text: str, kind: type) -> Any:
    if kind is bool:
        return _TRUTH.get(text.lower())
    if kind is str:
        return text or None
    try:
        value = kind(text[: _LONGEST_NUMBER + 1])
    except ValueError:
        return None
    return value if len(text) <= _LONGEST_NUMBER and isfinite(value) else None


def _names_known_to(factory: Callable[..., Any]) -> Mapping[str, Any]:
    function: Any = factory.__init__ if inspect.isclass(factory) else factory
    names: Mapping[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
    return names


def _hint(parameter: inspect.Parameter, names: Mapping[str, Any]) -> Any:
    if parameter.annotation is parameter.empty:
        return str if parameter.default in (None, parameter.empty) else type(parameter.default)
    # Each for itself: a hint that only type checkers can resolve is no setting that text can give.
    holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(holder, globalns=dict(names))[parameter.name]
    except (NameError, TypeError, AttributeError, SyntaxError):
        return None


def _kinds(hint: Any) -> set[type]:
    if get_origin(hint) in (Union, UnionType):
        return set().union(*(_kinds(member) for member in get_args(hint)))
    if get_origin(hint) is Literal:
        return {type(value) for value in get_args(hint)} & set(_SAID)
    if hint is Path:
        return {str}
    return {hint} if hint in (bool, int, float, str) else set()
