"""One API as a tool file describes it, whatever the layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A declared parameter.

    Attributes:
        kind: The type as written, for example ``STRING``; None if there is none.
        default: The value that RapidAPI's form is filled with; text as a rule.
        options: Values of an ``ENUM``, where the file has them.
    """

    name: str
    kind: Any = None
    description: str = ""
    default: Any = None
    options: tuple[Any, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRecord:
    """An API of a tool.

    Attributes:
        category: As written, or the folder's name.
        tool: The tool's name; ``api`` the API's.
        url: Absolute URL with ``{name}`` for path parameters; empty where the layout has none.
        response: JSON Schema or type skeleton of an answer, or None.
        file: Where it was read; ``line`` counts from 1 in JSON lines.
        pointer: JSON pointer of the API in the file or line.
        problems: What was noticed while reading, as ``(code, message)``.
    """

    category: str
    tool: str
    api: str
    description: str = ""
    tool_description: str = ""
    method: str = "GET"
    url: str = ""
    parameters: tuple[Parameter, ...] = ()
    response: Any = None
    file: str = ""
    line: int = 0
    pointer: str = ""
    problems: tuple[tuple[str, str], ...] = field(default=())

    @property
    def identity(self) -> tuple[str, str, str]:
        """Category, tool and API."""
        return self.category, self.tool, self.api
