"""JSONPath: parts of a JSON value by an expression.

Source: RFC 9535, by the package python-jsonpath. Deviation: ``match`` and ``search`` are checked by the
engine that checks patterns of schemas, which gives up on an expression that takes too long; an expression
that looks at too many values, or selects too many, is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from toolhaft.errors import FormatError
from toolhaft.tools.patterns import stands_in

_MOST = 500_000
"""Values that an expression may look at: a second or two."""
_LONGEST = 2000


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
        self._where = where
        self._query = _compiled(text, where)

    @property
    def singular(self) -> bool:
        """Whether it can select one value at most."""
        return bool(self._query.singular_query())

    def select(self, value: Any, *, most: int = _MOST) -> list[Node]:
        """Return what it selects, in the order of the value.

        Args:
            value: JSON.
            most: Values that it may look at; deep ones count more.

        Raises:
            FormatError: It looks at far more than a value of this size is worth.
        """
        from toolhaft.tools.json_path_segments import Steps, TooLongError

        steps = Steps(most)
        try:
            return [Node(node.parts, node.obj) for node in self._query.finditer(value, filter_context=steps)]
        except (TooLongError, RecursionError):
            raise FormatError(
                f"the JSONPath {self.text[:100]!r} looks at more than {most} values",
                where=self._where,
                hint="Name the way to what is wanted, without '..' within '..'",
            ) from None


@lru_cache(maxsize=512)
def _compiled(path: str, where: str) -> Any:
    from jsonpath import JSONPathError, JSONPathSyntaxError

    if len(path) > _LONGEST:
        raise FormatError(f"a JSONPath of more than {_LONGEST} characters", where=where)
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

    from toolhaft.tools.json_path_segments import CountingParser

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

    class Environment(JSONPathEnvironment):
        parser_class = CountingParser

    environment = Environment(strict=True)
    environment.function_extensions["match"] = Pattern(whole=True)
    environment.function_extensions["search"] = Pattern(whole=False)
    return environment
