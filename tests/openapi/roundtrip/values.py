"""Values as a request carries them: text without a type, which a schema gives its types back."""

import json
import math
from dataclasses import dataclass

from .schemas import ALL


@dataclass(frozen=True)
class Text:
    """Text whose schema allows several types: every reading that it allows is right."""

    text: str
    kinds: frozenset = ALL

    def readings(self):
        """Return the values that the text may stand for, the more exact types first."""
        found = [""] if self.text == "" else []  # allowEmptyValue: a value of any type may be empty
        if self.kinds & {"integer", "number"}:
            number = read_number(self.text)
            if number is not None and ("number" in self.kinds or float(number).is_integer()):
                found.append(number)
        if "boolean" in self.kinds and self.text in ("true", "false"):
            found.append(self.text == "true")
        if "null" in self.kinds and self.text in ("", "null"):
            found.append(None)
        if "string" in self.kinds and self.text:
            found.append(self.text)
        if self.kinds & {"array", "object"}:
            # a value inside a value: the style table says nothing of it, JSON text is what is left
            try:
                value = json.loads(self.text)
            except (ValueError, RecursionError):
                return found
            if isinstance(value, list | dict):
                found.append(value)
        return found


def read_number(text):
    """Return the number that a text is in JSON, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def same(given, found, *, exact=False):
    """Whether the decoded value is the given one.

    Args:
        given: Plain data.
        found: Plain data with `Text` in it.
        exact: Whether empty lists and objects, and nulls, are different from what is absent: in JSON, XML.
    """
    if hasattr(found, "found"):
        return any(same(given, one, exact=exact) for one in found.found)
    if isinstance(found, Text):
        return any(same(given, reading, exact=True) for reading in found.readings())
    if isinstance(given, bool) or isinstance(found, bool):
        return given is found
    if isinstance(given, dict) and isinstance(found, dict):
        if not exact:
            given = {name: value for name, value in given.items() if not is_nothing(value)}
            found = {name: value for name, value in found.items() if not is_nothing(value)}
        return given.keys() == found.keys() and all(
            same(value, found[name], exact=exact) for name, value in given.items()
        )
    if isinstance(given, list) and isinstance(found, list):
        return len(given) == len(found) and all(
            same(one, other, exact=exact) for one, other in zip(given, found, strict=True)
        )
    if isinstance(given, int | float) and isinstance(found, int | float):
        return given == found
    return type(given) is type(found) and given == found


def is_nothing(value):
    """Whether a value has no text: RFC 6570 section 2.3 calls null and empty lists undefined."""
    return value is None or value == [] or value == {}


def typed(found):
    """Return plain data: the first reading of every text."""
    if isinstance(found, Text):
        readings = found.readings()
        return readings[0] if readings else found.text
    if isinstance(found, dict):
        return {name: typed(value) for name, value in found.items()}
    if isinstance(found, list):
        return [typed(value) for value in found]
    return found


def difference(given, found, *, exact=False, where=""):
    """Return where two values differ first, and how."""
    if isinstance(given, dict) and isinstance(found, dict):
        for name in [*given, *found]:
            here = f"{where}/{name}"
            if name not in found:
                if exact or not is_nothing(given[name]):
                    return f"{here!r} is lost: {given[name]!r:.60}"
            elif name not in given:
                return f"{here!r} is new: {found[name]!r:.60}"
            elif not same(given[name], found[name], exact=exact):
                return difference(given[name], found[name], exact=exact, where=here)
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        for number, (one, other) in enumerate(zip(given, found, strict=True)):
            if not same(one, other, exact=exact):
                return difference(one, other, exact=exact, where=f"{where}/{number}")
    shown = found.readings() if isinstance(found, Text) else found
    return f"{where!r}: {given!r:.80} came back as {shown!r:.120}"
