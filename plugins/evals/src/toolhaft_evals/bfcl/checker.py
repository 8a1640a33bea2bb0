"""Calls against the answers that a question accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

from toolhaft.errors import FormatError, UsageError
from toolhaft_evals.bfcl.compatible import judge_as_published
from toolhaft_evals.bfcl.values import OMITTED, Mismatch, judge_value, named_type, standardise

Names = Literal["dotted", "underscored"]
"""How the model writes ``math.gcd``: as it is, or ``math_gcd``, for it cannot say dots."""
Call = Mapping[str, Mapping[str, Any]]
"""One call as ``{function: {parameter: value}}``."""
Judge = Callable[[Any, Mapping[str, Any], Sequence[Any]], str]
"""What is wrong with a value, given its schema and what is acceptable: a kind of mismatch, or nothing."""
_MOST = 100
"""Calls that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came of a check.

    Attributes:
        valid: Whether the calls are acceptable.
        mismatch: The first thing that is wrong; of calls in any order, of the expected call that fits none.
        matched: How many of the expected calls were made as expected.
        expected: How many there are.
        functions: How many of them have a call of their function at least.
    """

    valid: bool
    mismatch: Mismatch | None = None
    matched: int = 0
    expected: int = 0
    functions: int = 0


def check_calls(
    functions: Sequence[Mapping[str, Any]],
    calls: Sequence[Call],
    possible_answer: Sequence[Call],
    *,
    names: Names = "dotted",
    strings: Literal["lenient", "strict"] = "lenient",
    compatible: bool = False,
) -> CheckResult:
    """Check calls against acceptable ones, in any order.

    Args:
        functions: What was offered: each with ``name`` and ``parameters``.
        calls: What the model called, each ``{function: {parameter: value}}``.
        possible_answer: What is expected: the same with a list of acceptable values for each parameter,
            ``""`` among them where it may be left out.
        names: How the model writes the dots of documented names.
        strings: ``lenient`` ignores case, blanks and ``,./-_*^``.
        compatible: Follow the published checker in what it does beside its rules: expected calls take the
            first call that fits, though it may be the only one for a later one; ``[]`` passes for
            what may be omitted; types are checked one level deep.

    Raises:
        UsageError: There is no such policy.
        FormatError: The answers are not of this shape, or name a function that was not offered.

    Source: Patil et al., "The Berkeley Function Calling Leaderboard" (2025), its AST evaluation of Python.
    Deviation: calls are assigned by a maximum matching, types are checked at every depth, an integer is
    accepted for a float at every depth, objects within objects may list their values or give them, and
    what may be omitted must be omitted or right.
    """
    if names not in get_args(Names) or strings not in ("lenient", "strict"):
        raise UsageError(
            f"there is no policy {names!r:.40} for names with {strings!r:.40} for strings",
            hint="Use names='dotted' or 'underscored', strings='lenient' or 'strict'",
        )
    if len(possible_answer) > _MOST:
        raise FormatError(f"more than {_MOST} expected calls", where="possible_answer")
    if not all(
        isinstance(call, Mapping) and all(isinstance(one, Mapping) for one in call.values()) for call in calls
    ):
        raise FormatError("a call is {function: {parameter: value}}", where="calls")
    judge = partial(
        judge_as_published if compatible else judge_value, text=standardise if strings == "lenient" else str
    )
    # Of two functions of one name, the first is the one that is meant.
    described = {str(function.get("name")): function for function in reversed(functions)}
    expected = [
        _expectation(answer, described, names, number) for number, answer in enumerate(possible_answer)
    ]
    made = {name for call in calls[:_MOST] for name in call}
    known = sum(one.written in made for one in expected)
    if len(calls) != len(expected):
        mismatch = Mismatch(kind="wrong_count", where="/", expected=len(expected), found=len(calls))
        return CheckResult(valid=False, mismatch=mismatch, expected=len(expected), functions=known)
    failures = [
        [_check_call(one, call, number, judge) for number, call in enumerate(calls[:_MOST])]
        for one in expected
    ]
    fitting = [[number for number, failure in enumerate(row) if failure is None] for row in failures]
    owners = _greedy(fitting) if compatible else assign(fitting)
    left = [number for number in range(len(expected)) if number not in owners.values()]
    first = _most_telling(failures[left[0]]) if left else None
    return CheckResult(
        valid=not left,
        mismatch=first,
        matched=len(expected) - len(left),
        expected=len(expected),
        functions=known,
    )


def assign(fitting: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return a maximum assignment: position of a call -> number of the expectation that it meets.

    Source: augmenting paths, Kuhn, "The Hungarian method for the assignment problem" (1955).
    """
    owner: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for position in fitting[number]:
            if position in tried:
                continue
            tried.add(position)
            if position not in owner or place(owner[position], tried):
                owner[position] = number
                return True
        return False

    for number in range(len(fitting)):
        place(number, set())
    return owner


def _greedy(fitting: Sequence[Sequence[int]]) -> dict[int, int]:
    owner: dict[int, int] = {}
    for number, positions in enumerate(fitting):
        free = next((position for position in positions if position not in owner), None)
        if free is None:
            return owner
        owner[free] = number
    return owner


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expectation:
    written: str
    properties: Mapping[str, Any]
    required: Sequence[str]
    accepted: Mapping[str, Sequence[Any]]


def _expectation(answer: Call, described: Mapping[str, Any], names: Names, number: int) -> _Expectation:
    where = f"possible_answer#/{number}"
    if not isinstance(answer, Mapping) or len(answer) != 1:
        raise FormatError("an expected call is {function: {parameter: [values]}}", where=where)
    ((name, accepted),) = answer.items()
    function = described.get(name)
    if function is None:
        raise FormatError(f"the function {name!r:.80} was not offered", where=where)
    parameters = function.get("parameters")
    known: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}
    properties, required = known.get("properties") or {}, known.get("required") or []
    if not isinstance(properties, Mapping) or not isinstance(required, list | tuple):
        raise FormatError(f"the parameters of {name!r:.80} are no schema", where="functions")
    if not isinstance(accepted, Mapping) or not all(isinstance(one, list) for one in accepted.values()):
        raise FormatError("acceptable values are no lists", where=f"{where}/{name}")
    return _Expectation(
        written=written_name(name, names),
        properties=properties,
        required=tuple(one for one in required if isinstance(one, str)),
        accepted=accepted,
    )


def written_name(name: str, names: Names) -> str:
    """Return a documented name as the model writes it."""
    return name.replace(".", "_") if names == "underscored" else name


def _check_call(expected: _Expectation, call: Call, number: int, judge: Judge) -> Mismatch | None:
    if expected.written not in call:
        return Mismatch(
            kind="wrong_function", where=f"/{number}", expected=expected.written, found=next(iter(call), None)
        )
    given = call[expected.written]
    for name in expected.required:
        if name not in given:
            return Mismatch(kind="missing_argument", where=f"/{number}", expected=name, found=sorted(given))
    for name, value in given.items():
        where = f"/{number}/{name}"
        schema = expected.properties.get(name)
        if not isinstance(schema, Mapping) or name not in expected.accepted:
            return Mismatch(
                kind="unexpected_argument",
                where=where,
                expected=sorted(set(expected.accepted) & set(expected.properties)),
                found=value,
            )
        accepted = expected.accepted[name]
        if kind := judge(value, schema, accepted):
            wanted = named_type(schema) if kind == "wrong_type" else list(accepted)
            return Mismatch(kind=kind, where=where, expected=wanted, found=value)
    for name, accepted in expected.accepted.items():
        if name not in given and OMITTED not in accepted:
            return Mismatch(kind="missing_argument", where=f"/{number}", expected=name, found=sorted(given))
    return None


def _most_telling(failures: Sequence[Mismatch | None]) -> Mismatch | None:
    """Return the failure of a call of the right function, if there is one."""
    found = [failure for failure in failures if failure is not None]
    return next((one for one in found if one.kind != "wrong_function"), found[0] if found else None)
