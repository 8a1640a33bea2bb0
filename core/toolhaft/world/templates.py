"""Templates of rules: values with references and a few calculations in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.world.conditions import OPERATORS, compare_all
from toolhaft.world.problem import RequestProblem
from toolhaft.world.scope import REFERENCE, Scope

CALCULATIONS: dict[str, frozenset[str]] = {
    "sum": frozenset({"of", "where"}),
    "count": frozenset({"where"}),
    "plus": frozenset(),
    "minus": frozenset(),
    "times": frozenset(),
    "first_of": frozenset(),
    "length_of": frozenset(),
    "day": frozenset({"later"}),
}
"""What is calculated -> the further keys of such an object."""
NEEDED = {"sum": frozenset({"of"}), "day": frozenset({"later"})}
"""Those of the further keys that cannot be left out."""


def calculation(template: Any) -> str:
    """Return which calculation an object stands for, or nothing."""
    if not isinstance(template, Mapping):
        return ""
    for name, others in CALCULATIONS.items():
        if name not in template or not set(template) <= {name} | others:
            continue
        if not NEEDED.get(name, frozenset()) <= set(template):
            continue
        if name == "count" and not _names_rows(template[name]):
            continue
        if name in ("plus", "minus", "times", "first_of") and not isinstance(template[name], list):
            continue
        return name
    return ""


def _names_rows(operand: Any) -> bool:
    """Whether the operand of ``count`` is a collection, not a value for a member of that name."""
    return isinstance(operand, str) and "${" not in operand


def fill(template: Any, scope: Scope) -> Any:
    """Return the value of a template; what was not given is null.

    A text that is one reference keeps the type of what it stands for.
    """
    found = fill_or_missing(template, scope)
    return None if found is MISSING else found


def fill_or_missing(template: Any, scope: Scope) -> Any:
    """Return the value of a template, or `MISSING` if it is one reference to what was not given."""
    if isinstance(template, str):
        return _fill_text(template, scope)
    if name := calculation(template):
        return _CALCULATORS[name](template, scope)
    if isinstance(template, Mapping):
        return {name: fill(part, scope) for name, part in template.items()}
    if isinstance(template, list):
        return [fill(part, scope) for part in template]
    return template


def fill_given(values: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Return the values that were given."""
    filled = {name: fill_or_missing(part, scope) for name, part in values.items()}
    return {name: value for name, value in filled.items() if value is not MISSING}


def _fill_text(template: str, scope: Scope) -> Any:
    if "${" not in template:
        return template
    whole = REFERENCE.fullmatch(template)
    if whole:
        return scope.look_up(whole[1], whole[2])

    def text_of(name: str, pointer: str) -> str:
        found = scope.look_up(name, pointer)
        if isinstance(found, list):
            return ", ".join(map(str, found))
        return "" if found is MISSING or found is None else str(found)

    return REFERENCE.sub(lambda match: text_of(match[1], match[2]), template)


def fits(value: Any, wanted: Any, scope: Scope) -> bool:
    """Whether a value is what a condition wants; comparisons with what was not given are left out.

    Args:
        value: May be `MISSING`.
        wanted: A value, or an object of comparisons.
        scope: Of the references in ``wanted``.
    """
    if not (isinstance(wanted, Mapping) and wanted and set(wanted) <= OPERATORS):
        wanted = {"equals": wanted}
    return compare_all(
        value, {operator: fill_or_missing(operand, scope) for operator, operand in wanted.items()}
    )


def matches(record: Any, where: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a record fits every condition; ``where`` maps pointers into it to conditions."""
    return all(fits(find(record, pointer), wanted, scope) for pointer, wanted in where.items())


def rows_of(source: str, scope: Scope) -> list[Any]:
    """Return the records of a collection, or the items of the list that a reference stands for."""
    found = fill_or_missing(source, scope) if "${" in source else scope.state.get(source)
    return list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []


def _chosen(source: str, template: Mapping[str, Any], scope: Scope) -> list[Any]:
    where = template.get("where", {})
    return [row for row in rows_of(source, scope) if matches(row, where, scope)]


def _sum(template: Mapping[str, Any], scope: Scope) -> Any:
    values = [find(row, template["sum"]) for row in _chosen(template["of"], template, scope)]
    return tidy(sum(value for value in values if is_number(value)))


def _count(template: Mapping[str, Any], scope: Scope) -> int:
    return len(_chosen(template["count"], template, scope))


def _numbers(parts: list[Any], scope: Scope) -> list[float]:
    return [number(fill(part, scope)) for part in parts]


def _plus(template: Mapping[str, Any], scope: Scope) -> Any:
    return tidy(sum(_numbers(template["plus"], scope)))


def _minus(template: Mapping[str, Any], scope: Scope) -> Any:
    first, *rest = _numbers(template["minus"], scope) or [0]
    return tidy(first - sum(rest))


def _times(template: Mapping[str, Any], scope: Scope) -> Any:
    product: float = 1
    for factor in _numbers(template["times"], scope):
        product *= factor
    return tidy(product)


def _first_of(template: Mapping[str, Any], scope: Scope) -> Any:
    for part in template["first_of"]:
        found = fill(part, scope)
        if found is not None:
            return found
    return None


def _length_of(template: Mapping[str, Any], scope: Scope) -> int:
    found = fill(template["length_of"], scope)
    return len(found) if isinstance(found, list | dict | str) else 0


def _day(template: Mapping[str, Any], scope: Scope) -> str:
    text = str(fill(template["day"], scope))
    later = number(fill(template["later"], scope))
    try:
        return (date.fromisoformat(text[:10]) + timedelta(days=int(later))).isoformat()
    except (ValueError, OverflowError):
        raise RequestProblem(422, f"{text[:40]} is no date that can be reckoned with") from None


_CALCULATORS: dict[str, Callable[[Mapping[str, Any], Scope], Any]] = {
    "sum": _sum,
    "count": _count,
    "plus": _plus,
    "minus": _minus,
    "times": _times,
    "first_of": _first_of,
    "length_of": _length_of,
    "day": _day,
}


def number(value: Any) -> float:
    """Return a value that rules reckon with.

    Raises:
        RequestProblem: It is no number; a mistake of the rules.
    """
    if not is_number(value):
        raise RequestProblem(500, f"the rules reckon with {value!r:.40}, which is no number")
    found: float = value
    return found


def is_number(value: Any) -> bool:
    """Whether a value is a number; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def tidy(value: float) -> float:
    """Return a number without the traces of binary fractions: 0.1 + 0.2 is 0.3."""
    return value if isinstance(value, int) else round(value, 6)
