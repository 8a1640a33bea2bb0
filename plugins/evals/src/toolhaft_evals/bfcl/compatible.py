"""One value as the published checker judges it, its quirks included.

Source: Patil et al., "The Berkeley Function Calling Leaderboard" (2025), its AST evaluation of Python, as the
released checker carries it out: types are checked one level deep and by the answers, an empty value passes
for what may be left out, and a text among lists counts as the list of its characters. Deviation: where that
checker ends in a traceback, the value is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolhaft_evals.bfcl.values import OMITTED, type_of

Text = Callable[[str], str]
"""How a string is written before it is compared."""


def judge_as_published(value: Any, schema: Mapping[str, Any], accepted: Sequence[Any], text: Text) -> str:
    """Return ``wrong_type``, ``wrong_value``, or nothing where the value is acceptable."""
    wanted, items = type_of(schema), schema.get("items")
    inner = type_of(items) if wanted is list and isinstance(items, Mapping) else None
    if schema.get("type") == "tuple" and isinstance(value, tuple):
        value = list(value)
    if schema.get("type") == "float" and type(value) is int:
        value = as_float(value)
    known = next((type(one) for one in accepted if one != OMITTED), None)
    if type(value) is wanted:
        if (
            isinstance(value, list)
            and inner
            and not any(_elements_fit(value, inner, one) for one in accepted)
        ):
            return "wrong_type"
        free = known is not None and known is not wanted
    elif type(value) is known:
        free = True  # the answers themselves are of another type than the documentation says
    else:
        return "wrong_type"
    if free or wanted not in (str, list, dict):
        fits = value in accepted
    elif wanted is dict:
        fits = any(_object_fits(value, one, text) for one in accepted)
    elif inner is dict:
        fits = any(_objects_fit(value, one, text) for one in accepted)
    elif wanted is list:
        fits = _written(value, text) in [_written(one, text) for one in accepted]
    else:
        fits = text(value) in _written(accepted, text)
    return "" if fits else "wrong_value"


def as_float(value: int) -> int | float:
    """Return an integer as a float, if there is one as large."""
    try:
        return float(value)
    except OverflowError:
        return value


def _elements_fit(value: Sequence[Any], wanted: type, accepted: Any) -> bool:
    if not isinstance(accepted, list):
        return True  # "" stands for an omitted argument, and switches the check off
    known = next((type(one) for one in accepted if one != OMITTED), None)
    return all(type(element) is wanted or type(element) is known for element in value)


def _objects_fit(value: Sequence[Any], accepted: Any, text: Text) -> bool:
    if not isinstance(accepted, list | str) or len(value) != len(accepted):
        return False
    return all(_object_fits(one, other, text) for one, other in zip(value, accepted, strict=True))


def _object_fits(value: Any, accepted: Any, text: Text) -> bool:
    if not isinstance(value, dict) or not isinstance(accepted, dict):
        return False
    for key, one in value.items():
        if key not in accepted or _write(one, text) not in _written(accepted[key], text):
            return False
    return all(
        key in value or (isinstance(options, list | str | dict) and OMITTED in options)
        for key, options in accepted.items()
    )


def _written(values: Any, text: Text) -> list[Any]:
    return [_write(one, text) for one in values] if isinstance(values, list | str) else []


def _write(value: Any, text: Text) -> Any:
    return text(value) if isinstance(value, str) else value
