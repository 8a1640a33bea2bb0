"""JSONPath: parts of a JSON value by an expression.

Source: RFC 9535, by the package python-jsonpath. Deviation: ``match`` and ``search`` are checked by the
engine that checks patterns of schemas, which gives up on an expression that takes too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

from toolhaft.errors import FormatError
from toolhaft.tools.patterns import stands_in

_MOST = 100_000
"""Nodes that an expression may select."""


@dataclass(frozen=True, slots=True)
class Node:
    """What an expression selected.

    Attributes:
        parts: Keys and indexes from the root.
        value: What stands there.
    """

    parts: tuple[str | int, ...]
    value: Any


class Path:
    """A JSONPath expression.

    Args:
        text: The expression.
        where: File and place, for errors.

    Raises:
        FormatError: It is none.
    """

    def __init__(self, text: str, where: str = "") -> None:
        self.text = text
        self._query = _compiled(text, where)

    @property
    def singular(self) -> bool:
        """Whether it can select one value at most."""
        return bool(self._query.singular_query())

    def select(self, value: Any) -> list[Node]:
        """Return what it selects, in the order of the value."""
        return [Node(node.parts, node.obj) for node in islice(self._query.finditer(value), _MOST)]


@lru_cache(maxsize=512)
def _compiled(path: str, where: str) -> Any:
    from jsonpath import JSONPathError, JSONPathSyntaxError

    try:
        return _environment().compile(path)
    except RecursionError:
        raise FormatError("a JSONPath that is nested too deeply", where=where) from None
    except JSONPathError as error:
        said = str(error.args[0]) if error.args else type(error).__name__
        kind = "does not read" if isinstance(error, JSONPathSyntaxError) else "makes no sense"
        raise FormatError(
            f"the JSONPath {path[:100]!r} {kind}: {said}",
            where=where,
            hint="See RFC 9535; for example $.items[*].name",
        ) from None


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jsonpath import JSONPathEnvironment
    from jsonpath.function_extensions import ExpressionType, FilterFunction

    class Pattern(FilterFunction):
        """``match`` and ``search``, by the engine for patterns of schemas."""

        arg_types: ClassVar[list[ExpressionType]] = [ExpressionType.VALUE, ExpressionType.VALUE]
        return_type = ExpressionType.LOGICAL

        def __init__(self, whole: bool) -> None:
            self._whole = whole

        def __call__(self, text: object, pattern: object) -> bool:
            if not isinstance(text, str) or not isinstance(pattern, str):
                return False
            return stands_in(f"^(?:{pattern})$" if self._whole else pattern, text)

    environment = JSONPathEnvironment(strict=True)
    environment.function_extensions["match"] = Pattern(whole=True)
    environment.function_extensions["search"] = Pattern(whole=False)
    return environment
