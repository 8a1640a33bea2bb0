"""A parsed document from a caller, copied into plain JSON values by loop."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import Limits, Parsed
from toolhaft.types.pointer import escape


def copy_value(value: Any, limits: Limits, where: str) -> Parsed:
    """Copy a value; keys become text, dates become ISO text.

    Raises:
        SpecError: It holds what JSON cannot, refers to itself, or is beyond the limits.
    """
    copier = _Copier(limits, where)
    copied = copier.copy(value)
    return Parsed(
        value=copied,
        references=frozenset(copier.references),
        identified=copier.identified,
        nodes=copier.nodes,
    )


class _Copier:
    def __init__(self, limits: Limits, where: str) -> None:
        self.references: set[str] = set()
        self.identified = False
        self._limits = limits
        self._where = where
        self.nodes = 0

    def copy(self, value: Any) -> Any:
        root: list[Any] = [None]
        # each entry: what to copy, where to put it, under which key, its depth and pointer
        waiting: list[tuple[Any, Any, Any, int, str]] = [(value, root, 0, 0, "")]
        while waiting:
            source, target, key, depth, pointer = waiting.pop()
            self.nodes += 1
            if depth > self._limits.depth or self.nodes > self._limits.nodes:
                raise self._error(
                    f"nested deeper than {self._limits.depth}, larger than {self._limits.nodes} values, "
                    "or an object that holds itself",
                    pointer,
                )
            if isinstance(source, Mapping):
                made: Any = {}
                target[key] = made
                for name, item in source.items():
                    made[str(name)] = None
                    waiting.append((item, made, str(name), depth + 1, f"{pointer}/{escape(str(name))}"))
            elif isinstance(source, list | tuple):
                target[key] = [None] * len(source)
                for index, item in enumerate(source):
                    waiting.append((item, target[key], index, depth + 1, f"{pointer}/{index}"))
            else:
                target[key] = self._scalar(source, pointer)
                if key == "$ref" and isinstance(source, str):
                    self.references.add(source)
                if key in ("$id", "$self"):
                    self.identified = True
        return root[0]

    def _scalar(self, value: Any, pointer: str) -> Any:
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, datetime.date | datetime.time):
            return value.isoformat()
        raise self._error(f"a value of type {type(value).__name__} is not JSON", pointer)

    def _error(self, what: str, pointer: str) -> SpecError:
        return SpecError(what, where=f"{self._where}#{pointer[:300]}")
