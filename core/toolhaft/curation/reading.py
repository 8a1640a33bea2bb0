"""A curation file is read: YAML or JSON, within the limits of documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.curation.rules import Curation, Match
from toolhaft.errors import FormatError, SpecError, UsageError
from toolhaft.openapi.documents.document import Limits
from toolhaft.tools.patterns import check_expression, check_glob
from toolhaft.types import from_value

_LIMITS = Limits(max_bytes=5_000_000, depth=100, nodes=200_000, seconds=10.0)


def read_curation(given: Path | str | Mapping[str, Any]) -> Curation:
    """Read a curation.

    Args:
        given: A file, or what it would hold.

    Raises:
        UsageError: The file cannot be read.
        FormatError: It is no curation; the place within it is named.
    """
    if isinstance(given, Mapping):
        return _checked(dict(given), "<curation>")
    where = str(given)
    try:
        with Path(given).open("rb") as file:
            data = file.read(_LIMITS.max_bytes + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the curation: {error.strerror}", where=where, hint="Check the path"
        ) from None
    if len(data) > _LIMITS.max_bytes:
        raise FormatError(f"larger than {_LIMITS.max_bytes} bytes", where=where)
    return _checked(_parsed(data, where), where)


def _parsed(data: bytes, where: str) -> Any:
    from toolhaft.openapi.documents.yaml12 import read_yaml

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", where=where) from None
    try:
        parsed = read_yaml(text, _LIMITS, where)
    except SpecError as error:
        raise FormatError(error.what, where=error.where or where, hint=error.hint) from None
    if parsed.problems:  # a key given twice is a rule that would be lost without a word
        raise FormatError(str(parsed.problems[0]), where=where)
    return parsed.value


def _checked(value: Any, where: str) -> Curation:
    if not isinstance(value, dict) or "curation" not in value:
        raise FormatError(
            "this is no curation: there is no `curation: 1`",
            where=where,
            hint="Begin the file with the line `curation: 1`",
        )
    found = replace(from_value(Curation, _with_lists(value), where=where), where=where)
    for pointer, match in _matches(found):
        _check_match(match, f"{where}#{pointer}")
    for index, rule in enumerate(found.rules):
        _check_rule(rule, f"{where}#/rules/{index}")
    return found


def _with_lists(value: dict[str, Any]) -> dict[str, Any]:
    """Return the value with null read as absent at the top, as an empty section of a file is."""
    return {key: item for key, item in value.items() if item is not None}


def _matches(curation: Curation) -> Iterable[tuple[str, Match | str]]:
    for section in ("select", "exclude"):
        for index, match in enumerate(getattr(curation, section)):
            yield f"/{section}/{index}", match
    for index, rule in enumerate(curation.rules):
        yield f"/rules/{index}/match", rule.match


def _check_match(match: Match | str, where: str) -> None:
    if match in ("", Match()):
        raise FormatError("a match that says nothing", where=where, hint="Give name, tag, path, method ...")
    if isinstance(match, str):
        check_glob(match, where)
        return
    for words in (match.name, match.path):
        for glob in (words,) if isinstance(words, str) else words:
            check_glob(glob, where)
    if match.regex:
        check_expression(match.regex, f"{where}/regex")


def _check_rule(rule: Any, where: str) -> None:
    from toolhaft.curation.projection import check_path

    for path in (rule.result,) if isinstance(rule.result, str) else rule.result:
        check_path(path, f"{where}/result")
    if rule.rate is not None and (rule.rate.calls < 1 or not 0 < rule.rate.seconds < 1e9):
        raise FormatError("a rate needs at least 1 call in more than 0 seconds", where=f"{where}/rate")
    if rule.timeout is not None and not 0 < rule.timeout < 1e9:
        raise FormatError("a timeout is more than 0 seconds", where=f"{where}/timeout")
    if rule.concurrency is not None and rule.concurrency < 1:
        raise FormatError("at least 1 call at once", where=f"{where}/concurrency")
