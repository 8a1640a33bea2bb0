"""Rows and folders becoming tools, and the report of what became of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.report import OperationReport, Problem, Report, outcome_of
from toolhaft_hub.card import Card
from toolhaft_hub.card_tool import CardTool
from toolhaft_hub.model_folder import ModelFolder, is_model, read_folder
from toolhaft_hub.model_tool import ModelTool
from toolhaft_hub.naming import names_of
from toolhaft_hub.normalising import Row, card_of
from toolhaft_hub.reading import ENDINGS, rows_in
from toolhaft_hub.shelf import Shelf


def places_in(path: Path) -> Iterator[Path]:
    """Yield files of rows and folders of models, in the order of their names.

    Raises:
        UsageError: There is nothing.
    """
    if path.is_file():
        if not path.name.endswith(ENDINGS):
            raise UsageError("not a file of rows", where=str(path), hint=f"Name one of {', '.join(ENDINGS)}")
        yield path
        return
    if not path.is_dir():
        raise UsageError("there is nothing at the path", where=str(path), hint="Check the path")
    if is_model(path):
        yield path
        return
    try:
        inner = sorted(path.iterdir())
    except OSError as error:
        raise UsageError(f"cannot read the folder: {error.strerror}", where=str(path)) from None
    for each in inner:
        rows = each.is_file() and each.name.endswith((".jsonl", ".jsonl.gz"))
        if rows or (each.is_dir() and is_model(each)):
            yield each


class Import:
    """The cards and models found so far, and what became of each row and folder."""

    def __init__(self) -> None:
        self._cards: list[tuple[Card, Mapping[str, Any], str]] = []
        self._folders: list[ModelFolder] = []
        self._entries: list[OperationReport] = []
        self._named: list[int] = []
        self._rows: dict[str, int] = {}
        self._again: dict[int, int] = {}
        self._calls: dict[str, str] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing can become a tool."""
        return not self._cards and not self._folders

    def add_rows(self, path: Path) -> None:
        """Take in the rows of a file.

        Raises:
            UsageError: The file cannot be read.
            FormatError: It is no text, or too large.
        """
        for line, value in rows_in(path):
            where = f"{path.name}:{line}"
            if isinstance(value, FormatError):
                self._skip(where, "", "row-broken", value.what, line)
            else:
                inner = value.get("api_data")
                self._add_row(Row(inner if isinstance(inner, Mapping) else value, line), where)

    def add_folder(self, path: Path) -> None:
        """Take in a model's folder; one that is not safe to load is told in the report."""
        try:
            folder = read_folder(path)
        except (FormatError, UsageError) as error:
            place = f"{error.where}: " if error.where and error.where != str(path) else ""
            what = f"{place}{error.what}"
            self._skip(str(path), path.name, "model-refused", f"{what}. {error.hint}" if error.hint else what)
            return
        self._folders.append(folder)
        self._note("RUN", folder.card.id, str(path), folder.problems)

    def reasons(self) -> str:
        """Return the commonest reasons for what was left out."""
        return Report(operations=tuple(self._entries)).commonest()

    def catalog(self, title: str, shelf: Shelf) -> Catalog:
        """Return the tools with the report."""
        wishes = [(card.id, _content(row)) for card, row, _ in self._cards]
        wishes += [(folder.card.id, str(folder.path)) for folder in self._folders]
        names = iter(names_of(wishes))
        tools: list[Tool] = [
            CardTool(next(names), card, row, f"hub:{where}") for card, row, where in self._cards
        ]
        tools += [ModelTool(next(names), folder, shelf) for folder in self._folders]
        # Rows come before folders among the tools, and each in the order of its entries.
        by_kind = sorted(self._named, key=lambda position: self._entries[position].method == "RUN")
        for position, tool in zip(by_kind, tools, strict=True):
            self._entries[position] = replace(self._entries[position], name=tool.spec.name)
        for position, first in self._again.items():
            self._entries[position] = replace(self._entries[position], name=self._entries[first].name)
        report = Report(title=title, operations=tuple(self._entries), problems=self._summary())
        return Catalog(tools, name=title, report=report, close=shelf.close)

    def _summary(self) -> tuple[Problem, ...]:
        """Return each kind of warning once, with how many rows have it."""
        counts = Counter(
            (problem.code, problem.message.partition(":")[0])
            for entry in self._entries
            for problem in entry.problems
            if problem.severity == "warning"
        )
        return tuple(
            Problem(code=code, message=f"{message} ({count} times)")
            for (code, message), count in counts.most_common()
        )

    def _add_row(self, row: Row, where: str) -> None:
        try:
            card = card_of(row)
        except FormatError as error:
            self._skip(where, "", "name-missing", error.what, row.line)
            return
        here = len(self._entries)
        first = self._rows.setdefault(_content(row.value), here)
        if first != here:
            # The tool that is there already stands for this row, too.
            row.note("row-twice", f"the same row as: {self._entries[first].pointer}")
            self._again[here] = first
            self._entries.append(_entry("LOAD", card.id, where, tuple(row.problems)))
            return
        same = self._calls.setdefault(card.call_text, where) if card.call is not None else where
        if same != where:
            row.note("call-twice", f"the same call as: {same}", "api_call")
        self._cards.append((card, row.value, where))
        self._note("LOAD", card.id, where, tuple(row.problems))

    def _note(self, method: str, name: str, where: str, problems: tuple[Problem, ...]) -> None:
        self._named.append(len(self._entries))
        self._entries.append(_entry(method, name, where, problems))

    def _skip(self, where: str, name: str, code: str, message: str, line: int = 0) -> None:
        problem = Problem(code=code, message=message, line=line, severity="skipped")
        self._entries.append(_entry("LOAD", name or where, where, (problem,)))


def _entry(method: str, name: str, where: str, problems: tuple[Problem, ...]) -> OperationReport:
    return OperationReport(
        method=method, path=name, outcome=outcome_of(problems), pointer=where, problems=problems
    )


def _content(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)
