"""What a set of queries with its tools is, and how its files are read."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from toolhaft.types import ToolSpec

Role = Literal["development", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody asks for.

    Attributes:
        gold: Names of the tools that answer it. A name that no tool has stands for an answer that the
            catalog lacks: such a query counts, and cannot be answered.
    """

    id: str
    text: str
    gold: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSet:
    """A catalog and what is asked of it.

    Attributes:
        specs: Names are unique.
        note: What a reader of figures must know.
    """

    name: str
    role: Role
    specs: tuple[ToolSpec, ...]
    queries: tuple[Query, ...]
    note: str = ""


def read_rows(path: Path) -> list[Any]:
    """Return the values of JSON lines, or of one JSON list; ``.gz`` is unpacked."""
    text = read_text(path)
    if text.lstrip().startswith("["):
        rows: list[Any] = json.loads(text)
        return rows
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def read_text(path: Path) -> str:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read()
    return path.read_text(encoding="utf-8")


def unique_names(wishes: Iterable[str]) -> list[str]:
    """Return legal tool names, a number behind those that are wanted again."""
    taken: dict[str, int] = {}
    names: list[str] = []
    for wish in wishes:
        name = re.sub(r"[^a-zA-Z0-9_-]+", "_", wish).strip("_")[:58] or "tool"
        taken[name] = taken.get(name, 0) + 1
        names.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    return names
