"""Which operations of a document the caller wants as tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.openapi.documents.document import as_list, as_text
from toolhaft.tools.patterns import check_expression, stands_in

if TYPE_CHECKING:
    from toolhaft.openapi.operations import Operation

_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What operations have to be like; what is empty asks for nothing.

    Attributes:
        tags: One of these tags, in any case.
        methods: One of these methods, in any case.
        paths: One of these paths; ``*`` stands for anything, slashes too.
        operations: One of these operationIds, as the document writes them; ``*`` stands for anything.
        matching: A regular expression found in ``METHOD /path operationId``.
        deprecated: Whether it is marked as deprecated.
    """

    tags: Sequence[str] = ()
    methods: Sequence[str] = ()
    paths: Sequence[str] = ()
    operations: Sequence[str] = ()
    matching: str = ""
    deprecated: bool | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return self == Selection()

    def problem(self, operation: Operation) -> str:
        """Return the first thing that an operation is not; empty if it is all that is asked for."""
        node = operation.fields
        tags = {tag.casefold() for tag in as_list(node.get("tags")) if isinstance(tag, str)}
        if self.tags and not tags & {tag.casefold() for tag in self.tags}:
            return "tags"
        if self.methods and operation.method.upper() not in {method.upper() for method in self.methods}:
            return "methods"
        if self.paths and not any(fnmatchcase(operation.path, _literal(glob)) for glob in self.paths):
            return "paths"
        identifier = as_text(node.get("operationId"))
        if self.operations and not any(fnmatchcase(identifier, _literal(glob)) for glob in self.operations):
            return "operations"
        text = f"{operation.method} {operation.path} {identifier}"[:_LONGEST]
        if self.matching and not stands_in(self.matching, text):
            return "matching"
        if self.deprecated is not None and (node.get("deprecated") is True) is not self.deprecated:
            return "deprecated"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is imported: all that is included and not excluded."""

    include: Selection = field(default_factory=Selection)
    exclude: Selection = field(default_factory=Selection)

    def reason(self, operation: Operation) -> str:
        """Return why an operation is left out; empty if it is imported."""
        if part := self.include.problem(operation):
            return f"not chosen by include: {part}"
        if not self.exclude.is_empty and not self.exclude.problem(operation):
            return "chosen by exclude"
        return ""


def read_selection(value: Selection | Mapping[str, Any] | None, setting: str) -> Selection:
    """Read a selection from settings.

    Args:
        value: Names of `Selection` -> what they ask for; a single text stands for a list of one.
        setting: Its name, for messages.

    Raises:
        UsageError: A name or a value makes no sense.
    """
    if value is None or isinstance(value, Selection):
        return _checked(value or Selection(), setting)
    if not isinstance(value, Mapping):
        raise UsageError(f"{setting} is no selection", hint=f"Give {setting}={{'tags': ['pets']}}")
    known = {entry.name for entry in fields(Selection)}
    if unknown := sorted(str(name) for name in value if name not in known):
        raise UsageError(
            f"{setting} cannot ask for {unknown[0][:80]!r}", hint=f"It asks for {', '.join(sorted(known))}"
        )
    read = {name: _value(name, given, setting) for name, given in value.items()}
    return _checked(Selection(**read), setting)


def _value(name: str, given: Any, setting: str) -> Any:
    if name in ("matching", "deprecated"):
        kinds: tuple[type, ...] = (str,) if name == "matching" else (bool, type(None))
        if not isinstance(given, kinds):
            raise UsageError(f"{setting}: {name} cannot be {str(given)[:80]!r}")
        return given
    listed = (given,) if isinstance(given, str) else given
    if not isinstance(listed, list | tuple | set | frozenset) or not all(isinstance(x, str) for x in listed):
        raise UsageError(f"{setting}: {name} is no list of texts", hint=f"Give {name}=['...']")
    return tuple(listed)


def _checked(selection: Selection, setting: str) -> Selection:
    try:
        check_expression(selection.matching)
    except FormatError as error:
        raise UsageError(f"{setting}: matching is {error.what}") from None
    return selection


def _literal(glob: str) -> str:
    """Return a pattern in which only ``*`` means anything."""
    return glob.replace("[", "[[]").replace("?", "[?]")
