"""Observations read as data: success, emptiness, errors, and the records they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.words import name_stems, stem
from toolhaft.types import Artifact, ToolCall

OBSERVATION_CAP = 200_000
"""Characters of one observation that are parsed; a longer one is read as text."""
RECORD_CAP = 400
DEPTH_CAP = 6
SCALAR_CAP = 60
_ERROR = re.compile(r"Error (?P<code>[A-Z][A-Z0-9-]{0,60}): (?P<message>.*)", re.DOTALL)
_COUNTERS = frozenset(
    [
        "total",
        "count",
        "page",
        "pages",
        "size",
        "limit",
        "offset",
        "page_size",
        "per_page",
        "total_count",
        "total_pages",
        "next",
        "previous",
        "has_more",
        "next_page",
        "cursor",
        "next_cursor",
        "results_count",
        "num_results",
    ]
)


@dataclass(frozen=True, slots=True)
class Record:
    """One object of an observation.

    Attributes:
        fields: Its scalars by key; those of small objects inside it under ``outer.inner``.
        noun: Stems of the key it stands under, of the list that holds it, or of the tool.
        listed: Stands in a list.
        order: Position among the records of its observation.
    """

    fields: dict[str, Any]
    noun: frozenset[str]
    listed: bool
    order: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one call brought.

    Attributes:
        entry: The tool, if it is still offered.
        value: The parsed JSON, else the text.
        code: The error's code, or empty; ``message`` is what it says.
        artifacts: Images and files that it brought.
    """

    call: ToolCall
    entry: Entry | None
    value: Any
    code: str = ""
    message: str = ""
    records: tuple[Record, ...] = field(default=())
    artifacts: tuple[Artifact, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the call ended in an error."""
        return bool(self.code)

    @property
    def empty(self) -> bool:
        """Whether a call that should bring something brought nothing."""
        return not self.failed and _is_empty(self.value)

    @property
    def listing(self) -> list[Any] | None:
        """The list that the observation is about, or None."""
        return main_list(self.value)


def read(call: ToolCall, text: str, entry: Entry | None, artifacts: Sequence[Artifact] = ()) -> Reading:
    """Return an observation's text, and the images and files in it, as a reading; never raises."""
    error = _ERROR.match(text[:4000])
    if error:
        return Reading(call, entry, None, error["code"], error["message"][:4000])
    for artifact in artifacts:
        text = text.replace(artifact.line(), "")
    if artifacts and not text.strip():
        text = json.dumps({("image" if one.is_image else "file"): one.handle for one in artifacts[:1]})
    value: Any = text
    stripped = text.strip()
    if len(stripped) <= OBSERVATION_CAP and stripped[:1] in '[{"-0123456789tfn':
        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError):
            value = text
    failure = _soft_failure(value)
    if failure:
        return Reading(call, entry, None, "E-TOOL-SAID", failure)
    nouns = entry.nouns if entry is not None else frozenset(name_stems(call.name))
    records = tuple(_numbered(value, nouns))
    return Reading(call, entry, value, records=records, artifacts=tuple(artifacts))


def _soft_failure(value: Any) -> str:
    """Return the message of an answer that is an error in the clothes of a success, or empty."""
    if not isinstance(value, dict) or len(value) > 4:
        return ""
    message = value.get("error") or value.get("errors")
    if isinstance(message, dict):
        message = message.get("message") or message.get("detail") or "error"
    if message and (len(value) == 1 or value.get("success") is False or value.get("ok") is False):
        return str(message)[:2000]
    return ""


def main_list(value: Any) -> list[Any] | None:
    """Return a value that is a list, or the longest list that an object holds."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = [one for one in value.values() if isinstance(one, list)]
        if len(lists) == 1:
            return lists[0]
        of_objects = [one for one in lists if one and isinstance(one[0], dict)]
        if of_objects:
            return max(of_objects, key=len)
        for inner in value.values():
            if (
                isinstance(inner, dict)
                and len(value) <= 3
                and any(isinstance(one, list) for one in inner.values())
            ):
                return main_list(inner)
        if lists and _only_counters(value):
            return lists[0]
    return None


def _only_counters(value: dict[str, Any]) -> bool:
    return all(isinstance(one, list) or key.lower() in _COUNTERS for key, one in value.items())


def _is_empty(value: Any) -> bool:
    if value is None or value == [] or value == {} or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, dict):
        lists = [one for one in value.values() if isinstance(one, list)]
        if (
            lists
            and not any(lists)
            and all(
                isinstance(one, list)
                or one is None
                or key.lower() in _COUNTERS
                or isinstance(one, int | bool)
                for key, one in value.items()
            )
        ):
            return True
    return (
        isinstance(value, str)
        and len(value) < 80
        and re.match(r"\s*no\b.{0,40}\b(?:found|results?|match)", value, re.IGNORECASE) is not None
    )


def total_of(value: Any) -> int | None:
    """Return the whole number of things that a page says there are, if it says."""
    if isinstance(value, dict):
        for key in ("total", "total_count", "totalCount", "total_results", "count"):
            found = value.get(key)
            if isinstance(found, int) and not isinstance(found, bool):
                return found
    return None


def _numbered(value: Any, nouns: frozenset[str]) -> Iterator[Record]:
    for order, (fields, noun, listed) in enumerate(_objects(value, nouns, False, 0)):
        if order >= RECORD_CAP:
            return
        yield Record(fields, noun, listed, order)


def _objects(
    value: Any, noun: frozenset[str], listed: bool, depth: int
) -> Iterator[tuple[dict[str, Any], frozenset[str], bool]]:
    if depth > DEPTH_CAP:
        return
    if isinstance(value, list):
        for one in value[:RECORD_CAP]:
            if isinstance(one, dict | list):
                yield from _objects(one, noun, True, depth + 1)
            elif _is_scalar(one):
                yield {"value": one}, noun, True
        return
    if not isinstance(value, dict):
        return
    fields, inner = _parted(value)
    if any(not isinstance(one, list) for one in fields.values()) or not inner:
        yield fields, noun, listed
    for key, one in inner:
        yield from _objects(one, frozenset((*name_stems(key), stem(key.lower()))), listed, depth + 1)


def _parted(value: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return the fields of an object with those of small objects in it, and what has records of its own."""
    fields: dict[str, Any] = {}
    inner: list[tuple[str, Any]] = []
    for key, one in list(value.items())[:SCALAR_CAP]:
        if isinstance(one, dict):
            for name, deeper in list(one.items())[:20]:
                if not isinstance(deeper, dict | list):
                    fields[f"{key}.{name}"] = deeper
        if isinstance(one, list) and 0 < len(one) <= 20 and all(map(_is_scalar, one)):
            fields[key] = one
        elif isinstance(one, dict | list):
            inner.append((key, one))
        else:
            fields[key] = one
    return fields, inner


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
