"""Parts of a result, chosen by JSONPath.

Source: RFC 9535, by the package python-jsonpath. Deviation: `match` and `search` are checked by the engine
that checks patterns of schemas, which gives up on an expression that takes too long, instead of hanging.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from toolhaft.curation.rules import Words
from toolhaft.errors import FormatError

_MOST = 100_000
"""Nodes that a path may select."""
_DEEPEST = 200


def check_path(path: str, where: str) -> None:
    """Raise `FormatError` unless the text is a JSONPath."""
    _compiled(path, where)


def project(value: Any, paths: Words, where: str = "") -> Any:
    """Return what the paths choose of a value.

    Args:
        value: JSON.
        paths: See `toolhaft.curation.rules.Changes.result`.
        where: For errors.

    Returns:
        Of one path: the value it selects, None if there is none, or a list where it may select several. Of a
        list of paths: the value without what none of them selects.
    """
    if isinstance(paths, str):
        query = _compiled(paths, where)
        found = [node.obj for node in _limited(query, value)]
        if query.singular_query():
            return found[0] if found else None
        return found
    kept: dict[Any, Any] = {}
    for path in paths:
        for node in _limited(_compiled(path, where), value):
            _mark(kept, node.parts)
    return _kept(value, kept) if kept else None


def _limited(query: Any, value: Any) -> list[Any]:
    from itertools import islice

    return list(islice(query.finditer(value), _MOST))


def _mark(kept: dict[Any, Any], parts: tuple[Any, ...]) -> None:
    """Note a place as one to keep whole; an empty mapping says so."""
    node = kept
    for position, part in enumerate(parts[:_DEEPEST]):
        last = position == len(parts) - 1
        known = node.get(part)
        if known == {} and known is not None:
            return  # kept whole already
        if last:
            node[part] = {}
            return
        node = node.setdefault(part, {}) if known is None else known


def _kept(value: Any, kept: dict[Any, Any]) -> Any:
    if not kept:
        return value
    if isinstance(value, list):
        return [_kept(value[index], inner) for index, inner in sorted(kept.items())]
    return {key: _kept(item, kept[key]) for key, item in value.items() if key in kept}


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
            return _pattern_fits(text, f"^(?:{pattern})$" if self._whole else pattern)

    environment = JSONPathEnvironment(strict=True)
    environment.function_extensions["match"] = Pattern(whole=True)
    environment.function_extensions["search"] = Pattern(whole=False)
    return environment


@lru_cache(maxsize=256)
def _checker(pattern: str) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _pattern_fits(text: str, pattern: str) -> bool:
    import jsonschema_rs

    checker = _checker(pattern)
    try:
        return checker is not None and bool(checker.is_valid(text))
    except (ValueError, jsonschema_rs.ValidationError):  # it gave up on the expression
        return False
