"""HTML that cannot be injected into: text is escaped where it is put in, and nowhere else made markup."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from toolhaft.report.visible import make_visible

_VOID = frozenset({"img", "input", "meta"})
_KEY = re.compile(r'^( *)("(?:[^"\\]|\\.)*")(?=: )', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe to send; text from outside becomes it only through this module's functions."""

    code: str


Child = Html | str | None


def text(value: str) -> Html:
    """Return plain text as markup."""
    return Html(html.escape(make_visible(value), quote=False))


def join(children: Iterable[Child], separator: str = "") -> Html:
    """Return the children one after the other; strings are escaped."""
    between = html.escape(separator, quote=False)
    return Html(between.join(_code(child) for child in children if child is not None))


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Return an element.

    Args:
        name: The element; never from outside.
        children: Strings are escaped; None is left out.
        attributes: A trailing underscore is dropped and inner ones become hyphens; True gives an
            attribute without a value; False and None leave it out. Names are never from outside.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        parts.append(shown if value is True else f'{shown}="{html.escape(make_visible(value))}"')
    opening = f"<{' '.join(parts)}>"
    return Html(opening if name in _VOID else f"{opening}{join(children).code}</{name}>")


def shorten(value: str, cap: int) -> tuple[str, int]:
    """Return at most ``cap`` characters, cut at a line's end if one is near, and the number left out."""
    if len(value) <= cap:
        return value, 0
    end = value.rfind("\n", cap * 3 // 4, cap)
    kept = value[: end if end > 0 else cap]
    return kept, len(value) - len(kept)


def dump(value: Any) -> str:
    """Return a JSON value as indented text; what is no JSON becomes a note."""
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_note).decode()
    except TypeError:  # integers beyond 64 bits, keys that are no texts, and what is nested too deep
        pass
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=_note)
    except (ValueError, RecursionError, TypeError):
        return "[a value that JSON cannot show]"


def _note(thing: Any) -> str:
    return f"[{type(thing).__name__}]"


def pretty(value: str, cap: int) -> Html:
    """Return indented JSON text with its keys marked, shortened to ``cap`` characters."""
    shown, left_out = shorten(value, cap)
    pieces: list[str] = []
    end = 0
    for match in _KEY.finditer(shown):
        pieces.append(text(shown[end : match.start()] + match[1]).code)
        pieces.append(tag("b", match[2]).code)
        end = match.end()
    pieces.append(text(shown[end:]).code)
    return Html("".join(pieces) + (cut_note(left_out).code if left_out else ""))


def plain(value: str, cap: int) -> Html:
    """Return text shortened to ``cap`` characters, with a note of what is left out."""
    shown, left_out = shorten(value, cap)
    return join([shown, cut_note(left_out) if left_out else None])


def cut_note(left_out: int) -> Html:
    """Return the note that stands where text was cut."""
    return tag("span", f" … {count(left_out, 'more character')} not shown", class_="cut")


def badge(label: str, kind: str, title: str = "") -> Html:
    """Return a small label; ``kind`` is a class of the style sheet."""
    return tag("span", label, class_=f"badge {kind}", title=title or None)


def count(number: int, noun: str) -> str:
    """Return ``1 step``, ``1,200 steps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def line_of(facts: Iterable[str]) -> str:
    """Return the facts that say something in one line, which breaks between them alone."""
    return " · ".join(fact.replace(" ", "\u00a0") for fact in facts if fact)


def duration(seconds: float) -> str:
    """Return a time span as a person says it, or an empty string if it was not measured."""
    if not math.isfinite(seconds) or seconds <= 0:
        return ""
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(min(seconds, 1e9)), 60)
    return f"{minutes:,} min {rest} s"


def byte_size(size: int) -> str:
    """Return a number of bytes as ``1.2 kB``."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:,.1f} kB" if size < 1_000_000 else f"{size / 1e6:,.1f} MB"


def figure(value: float) -> str:
    """Return a number with at most four digits that matter."""
    return f"{value:.4g}" if math.isfinite(value) else "not a number"


def clamp(value: float) -> float:
    """Return the value within [0, 1]; what is no number counts as 0."""
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _code(child: Child) -> str:
    if child is None:
        return ""
    return child.code if isinstance(child, Html) else text(child).code
