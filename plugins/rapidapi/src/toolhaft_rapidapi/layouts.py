"""The layouts in which tools come, told apart by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.cleaning import clean_string
from toolhaft.tools.report import Problem
from toolhaft_rapidapi.record import APIRecord, Parameter

_LONGEST_NAME = 300
_LONGEST_TEXT = 4000
_MOST_PARAMETERS = 500


@dataclass(slots=True)
class Found:
    """What one document held.

    Attributes:
        queries: Whether it was queries with their ``api_list``.
    """

    records: list[APIRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    queries: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    category: str
    file: str
    line: int
    pointer: str = ""

    def at(self, pointer: str, category: str = "") -> _Place:
        return _Place(
            category=category or self.category,
            file=self.file,
            line=self.line,
            pointer=f"{self.pointer}{pointer}",
        )


def read_document(document: Any, *, category: str, file: str, line: int, where: str) -> Found:
    """Read one parsed document: a tool, a list of tools, ``{path, tool}``, or queries.

    Args:
        document: The JSON value.
        category: Of tools that name none: the folder's name.
        file: For the record.
        line: Likewise; 0 if the document is a whole file.
        where: Both, for errors.

    Raises:
        SpecError: It is none of these.
    """
    found = Found()
    place = _Place(category=category, file=file, line=line)
    if isinstance(document, list):
        for index, entry in enumerate(document):
            _read_entry(entry, place.at(f"/{index}"), found)
        if not document:
            raise SpecError("the list is empty", where=where, hint="There are no tools in it")
    else:
        _read_entry(document, place, found)
    if not found.records and found.problems:
        raise SpecError(
            found.problems[0].message,
            where=where,
            hint="A tool has `api_list` (or `apis`), a query has `api_list` and `query`",
        )
    return found


def read_query(entry: Mapping[str, Any], *, category: str, file: str, pointer: str) -> Found:
    """Read the ``api_list`` of one query; what is no API is among the problems.

    Args:
        entry: The query.
        category: Of APIs that name none.
        file: For the record.
        pointer: The query's place in the file.
    """
    found = Found()
    _read_entry(entry, _Place(category=category, file=file, line=0, pointer=pointer), found)
    return found


def _read_entry(entry: Any, place: _Place, found: Found) -> None:
    if isinstance(entry, dict) and isinstance(entry.get("tool"), dict) and "api_list" not in entry:
        folder = str(entry.get("path", "")).rpartition("/")[0].rpartition("/")[2]
        _read_entry(entry["tool"], place.at("/tool", folder), found)
        return
    key = next((key for key in ("api_list", "apis") if isinstance(entry, dict) and key in entry), "")
    apis = entry.get(key) if key else None
    if not isinstance(apis, list):
        what = f"`{key}` is no list" if key else "there is no `api_list`: this is no tool and no query"
        found.problems.append(_problem("not-a-tool", what, place))
        return
    is_query = "query" in entry or any(isinstance(api, dict) and "tool_name" in api for api in apis[:1])
    found.queries = found.queries or is_query
    tool = {} if is_query else entry
    for index, api in enumerate(apis):
        at = place.at(f"/{key}/{index}")
        if not isinstance(api, dict):
            found.problems.append(_problem("api-malformed", "the API is not an object", at, "skipped"))
            continue
        found.records.append(_record(api, tool, at))


def _record(api: Mapping[str, Any], tool: Mapping[str, Any], place: _Place) -> APIRecord:
    noticed: list[tuple[str, str]] = []
    required = list(_parameters(api, "required_parameters", True, noticed))
    optional = list(_parameters(api, "optional_parameters", False, noticed))
    # The first of a name counts, and one that is required stays so.
    merged = {parameter.name: parameter for parameter in reversed([*required, *optional])}
    order = list(dict.fromkeys(parameter.name for parameter in [*required, *optional]))
    twice = len(required) + len(optional) - len(order)
    if twice:
        noticed.append(
            ("parameter-twice", f"{twice} of the parameters repeat a name; the first of a name counts")
        )
    category = _text(tool, "category") or _text(api, "category_name", "category") or place.category
    return APIRecord(
        category=category,
        tool=_text(tool, "tool_name", "tool", "title", "name") or _text(api, "tool_name"),
        api=_text(api, "name", "api_name"),
        description=_text(api, "description", "api_description", most=_LONGEST_TEXT),
        tool_description=_text(tool, "tool_description", "description", most=_LONGEST_TEXT)
        or _text(api, "tool_description", most=_LONGEST_TEXT),
        method=(_text(api, "method") or "GET").upper(),
        url=_text(api, "url", most=_LONGEST_TEXT),
        parameters=tuple(merged[name] for name in order),
        response=_response(api),
        file=place.file,
        line=place.line,
        pointer=place.pointer,
        problems=tuple(noticed),
    )


def _parameters(
    api: Mapping[str, Any], key: str, required: bool, noticed: list[tuple[str, str]]
) -> Iterator[Parameter]:
    entries = api.get(key) or []
    if not isinstance(entries, list):
        noticed.append(("parameters-malformed", f"`{key}` is no list; it is left out"))
        return
    if len(entries) > _MOST_PARAMETERS:
        noticed.append(
            ("parameters-many", f"`{key}` has {len(entries)} entries; {_MOST_PARAMETERS} are kept")
        )
    for entry in entries[:_MOST_PARAMETERS]:
        name = _text(entry, "name") if isinstance(entry, dict) else ""
        if not name:
            noticed.append(("parameter-malformed", f"an entry of `{key}` has no name; it is left out"))
            continue
        options = next(
            (entry[k] for k in ("enum", "options", "values") if isinstance(entry.get(k), list)), ()
        )
        yield Parameter(
            name=name,
            kind=entry.get("type"),
            description=_text(entry, "description", most=_LONGEST_TEXT),
            default=entry.get("default"),
            options=tuple(options),
            required=required,
        )


def _response(api: Mapping[str, Any]) -> Any:
    for key in ("template_response", "response_schema", "schema"):
        if isinstance(api.get(key), dict | list) and api[key]:
            return api[key]
    return None


def _text(entry: Mapping[str, Any], *keys: str, most: int = _LONGEST_NAME) -> str:
    for key in keys:
        value = entry.get(key)
        if isinstance(value, str) and value.strip():
            return clean_string(value[:most]).strip()
    return ""


def _problem(code: str, message: str, place: _Place, severity: Any = "warning") -> Problem:
    return Problem(
        code=code,
        message=message,
        pointer=place.pointer,
        line=place.line,
        file=place.file,
        severity=severity,
    )
