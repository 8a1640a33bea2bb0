"""A document that was read, and the limits of reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from toolhaft.tools.report import Problem

Dialect = Literal["3.0", "3.1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may cost before it is refused.

    Attributes:
        max_bytes: Of the text, after decompression; of all files together where there are several.
        depth: Nesting of objects and lists.
        nodes: Scalars, objects and lists, with what YAML aliases repeat counted each time.
        seconds: Spent on parsing; on fetching, where there are several files to fetch.
        files: Read beside the root document; the others are reported.
    """

    max_bytes: int = 50_000_000
    depth: int = 500
    nodes: int = 5_000_000
    seconds: float = 60.0
    files: int = 5_000


LIMITS = Limits()
"""What is allowed unless a caller says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A text that was parsed, not yet known to be an OpenAPI document.

    Attributes:
        value: JSON values; objects may be shared between places and are never changed.
        references: Every distinct text that stands under a key ``$ref``, examples included.
        identified: Whether ``$id`` or ``$self`` stands anywhere in it.
        problems: What was noticed.
        nodes: Scalars, objects and lists, where they were counted.
    """

    value: Any
    references: frozenset[str] = frozenset()
    identified: bool = False
    problems: tuple[Problem, ...] = ()
    nodes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An OpenAPI document.

    Attributes:
        root: The parsed document; never changed. One of version 2.0 has ``servers`` and ``components``
            added in the shape of 3.0, and everything else in its own shape and place.
        location: Path, URL or ``<document>``, for messages and sources.
        url: Where it was fetched, for relative server URLs; empty if it was not fetched.
        version: As the document writes it.
        dialect: Which rules for schemas apply: ``3.0``, for 2.0 as well, or ``3.1`` for that and what
            came after.
        references: See `Parsed`; where there are several files, those that count, of all files.
        files: Name -> value of the files that the root refers to. A name is the place relative to the root
            document, ``schemas/pet.yaml``; every reference is written ``#/pointer`` or ``name#/pointer``,
            and means the same wherever it stands.
        unread: Name -> why there is no such file.
        problems: About the document as a whole.
    """

    root: dict[str, Any]
    location: str
    url: str = ""
    version: str
    dialect: Dialect
    references: frozenset[str] = frozenset()
    files: Mapping[str, Any] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = field(default=())

    @property
    def swagger(self) -> bool:
        """Whether it is of version 2.0, whose operations are converted when they are listed."""
        return self.version == "2.0"

    @property
    def title(self) -> str:
        """The API's title as the document writes it, or empty."""
        info = self.root.get("info")
        title = info.get("title") if isinstance(info, dict) else None
        return title if isinstance(title, str) else ""


def as_dict(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one: null stands for absent."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty one: null stands for absent."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return the value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""
