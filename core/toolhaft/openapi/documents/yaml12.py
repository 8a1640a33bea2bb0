"""YAML by the core schema of version 1.2, built from parser events within limits.

PyYAML follows YAML 1.1, where ``no`` is false, ``12:30:45`` is a number and keys may be booleans. Only its
event parser (libyaml) is used here; values are made in this module, so nothing is ever constructed from
tags, and depth, nodes, aliases and time are checked while reading rather than afterwards.

Source: YAML 1.2.2, section 10.3 (core schema); ``<<`` as in the YAML 1.1 merge key draft.
"""

from __future__ import annotations

import re
import time
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.cleaning import clean_string
from toolhaft.openapi.documents.document import Limits, Parsed
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import escape

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    # JSON has no such numbers: they read as absent
    **dict.fromkeys((".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", "-.INF")),
}
_FIRSTS = frozenset("-+.0123456789")
_TEXT_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "binary", "timestamp"))
_VALUE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_OTHER_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "set", "omap"))
_OPEN = object()
_CHECK_EVERY = 20_000


class WrittenInteger(int):
    """An integer that remembers how it was written, where that is not how Python writes it."""

    text: str


class WrittenFloat(float):
    """A float that remembers how it was written (``1.10``)."""

    text: str


def written(value: Any) -> str:
    """Return a scalar as the document writes it."""
    if isinstance(value, WrittenInteger | WrittenFloat):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def read_yaml(text: str, limits: Limits, where: str = "") -> Parsed:
    """Read the first document of a YAML text.

    Raises:
        SpecError: It is not YAML, has a tag that is not plain data, or is beyond the limits; the message
            has the line.
    """
    import yaml

    parser = _parser(text)
    builder = _Builder(limits, where)
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.DocumentEndEvent):
                break
            builder.feed(event)
        if parser.check_event(yaml.DocumentStartEvent):
            builder.note(
                "several-documents", "only the first document of the stream is read", parser.peek_event()
            )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise SpecError(
            f"not YAML: {error.problem or error.context}", where=f"{where}{line}".strip()
        ) from None
    except yaml.YAMLError as error:
        raise SpecError(f"not YAML: {str(error).splitlines()[0][:200]}", where=where) from None
    finally:
        parser.dispose()
    return Parsed(
        value=builder.result,
        references=frozenset(builder.references),
        identified=builder.identified,
        problems=tuple(builder.problems),
    )


def plain_value(text: str) -> Any:
    """Return what an unquoted scalar means by the core schema."""
    first = text[:1]
    if first not in _FIRSTS:
        return _CONSTANTS.get(text, text) if len(text) <= 5 else text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text) and text not in (".", "-", "+"):
        return _float(text)
    return _CONSTANTS.get(text, text)


def _integer(text: str) -> Any:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text[2:] if base != 10 else text
    if len(digits) > 4000:
        return text
    value = int(digits, base)
    if str(value) == text:
        return value
    kept = WrittenInteger(value)
    kept.text = text
    return kept


def _float(text: str) -> Any:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    if repr(value) == text:
        return value
    kept = WrittenFloat(value)
    kept.text = text
    return kept


def _parser(text: str) -> Any:
    import yaml

    return (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)(clean_string(text))


class _Frame:
    """An object or list that is being filled."""

    __slots__ = ("anchor", "container", "key", "merged", "started")

    def __init__(self, container: dict[str, Any] | list[Any], anchor: str | None, started: int) -> None:
        self.container = container
        self.anchor = anchor
        self.started = started
        self.key: str | None = None
        self.merged: list[dict[str, Any]] = []


class _Builder:
    def __init__(self, limits: Limits, where: str) -> None:
        self.result: Any = None
        self.references: set[str] = set()
        self.identified = False
        self.problems: list[Problem] = []
        self._limits = limits
        self._where = where
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._next_check = _CHECK_EVERY
        self._deadline = time.monotonic() + limits.seconds

    def feed(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._count(1, event)
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._count(1, event)
            self._start({} if kind == "MappingStartEvent" else [], event)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end(event)
        elif kind == "AliasEvent":
            self._alias(event)

    def note(self, code: str, message: str, event: Any) -> None:
        if len(self.problems) < 100:
            pointer = "".join(f"/{escape(self._key(frame))}" for frame in self._stack)
            line = event.start_mark.line + 1
            self.problems.append(Problem(code=code, message=message, pointer=pointer, line=line))

    @staticmethod
    def _key(frame: _Frame) -> str:
        return frame.key or "" if isinstance(frame.container, dict) else str(len(frame.container))

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            raise self._error(f"more than {self._limits.nodes} values, repeated by aliases or not", event)
        if self._nodes > self._next_check:
            self._next_check = self._nodes + _CHECK_EVERY
            if time.monotonic() > self._deadline:
                raise self._error(f"parsing takes longer than {self._limits.seconds:g} seconds", event)

    def _error(self, what: str, event: Any) -> SpecError:
        line = f"line {event.start_mark.line + 1}"
        return SpecError(what, where=f"{self._where} {line}".strip())

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        text = event.value
        if frame is not None and frame.key is None and isinstance(frame.container, dict):
            if text in frame.container:
                frame.key = text
                self.note("duplicate-key", f"the key {text[:80]!r} is given twice; the last counts", event)
            frame.key = text if text != "<<" or not event.implicit[0] else "<<merge"
            if event.anchor:
                self._anchors[event.anchor] = (text, 1)
            return
        value = self._tagged(event) if event.tag else plain_value(text) if event.implicit[0] else text
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, event)

    def _tagged(self, event: Any) -> Any:
        tag = event.tag
        if tag == "!" or tag in _TEXT_TAGS:
            return event.value
        if tag in _VALUE_TAGS:
            return plain_value(event.value)
        raise self._error(f"the tag {tag[:80]!r} is not plain data", event)

    def _start(self, container: dict[str, Any] | list[Any], event: Any) -> None:
        if event.tag and event.tag != "!" and event.tag not in _OTHER_TAGS:
            raise self._error(f"the tag {event.tag[:80]!r} is not plain data", event)
        if len(self._stack) >= self._limits.depth:
            raise self._error(f"nested deeper than {self._limits.depth}", event)
        if self._stack and self._stack[-1].key is None and isinstance(self._stack[-1].container, dict):
            raise self._error("an object or list stands where a key should", event)
        if event.anchor:
            self._anchors[event.anchor] = (_OPEN, 0)
        self._stack.append(_Frame(container, event.anchor, self._nodes))

    def _end(self, event: Any) -> None:
        frame = self._stack.pop()
        if frame.merged and isinstance(frame.container, dict):
            for source in frame.merged:
                for key, value in source.items():
                    frame.container.setdefault(key, value)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, self._nodes - frame.started + 1)
        self._put(frame.container, event)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self._error(f"the alias *{event.anchor[:80]} has no anchor", event)
        value, size = self._anchors[event.anchor]
        self._count(max(size, 1), event)
        if value is _OPEN:
            self.note(
                "alias-loop",
                f"the alias *{event.anchor[:80]} stands inside its own anchor; it reads as null",
                event,
            )
            value = None
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.container, dict):
            if not isinstance(value, str):
                raise self._error("an object or list stands where a key should", event)
            frame.key = value
            return
        self._put(value, event)

    def _put(self, value: Any, event: Any) -> None:
        if not self._stack:
            self.result = value
            return
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        key, frame.key = frame.key or "", None
        if key == "<<merge":
            frame.merged.extend(self._merge_sources(value, event))
            return
        if key == "$ref" and isinstance(value, str):
            self.references.add(value)
        if key in ("$id", "$self"):
            self.identified = True
        frame.container[key] = value

    def _merge_sources(self, value: Any, event: Any) -> list[dict[str, Any]]:
        sources = value if isinstance(value, list) else [value]
        found = [source for source in sources if isinstance(source, dict)]
        if len(found) != len(sources):
            self.note("merge-key", "the merge key << takes objects only; the rest is ignored", event)
        return found
