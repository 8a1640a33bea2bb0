"""A curation applied to a catalog, and the report of what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from toolhaft.curation.matching import fits
from toolhaft.curation.reading import read_curation
from toolhaft.curation.rules import Changes, Curation, Rule, together
from toolhaft.curation.tool import CuratedTool
from toolhaft.errors import UsageError
from toolhaft.tools.base import NAME, Tool
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.report import Mention, OperationReport, Problem, Report
from toolhaft.tools.wrappers import View


def curate(catalog: Catalog, curation: Curation | Path | str | Mapping[str, Any]) -> Catalog:
    """Return a catalog as a curation leaves it.

    Rules are applied in their order. What a rule names and the tools do not have any more is noted in the
    report with the codes ``curation-idle`` (no tool fits) and ``curation-refused`` (a change that cannot be
    made), so that a curation that no longer bites is seen after each import.

    Args:
        catalog: The tools; it stays as it is.
        curation: The curation, its file, or what the file would hold.

    Raises:
        UsageError: The file cannot be read, nothing is left, or a new name is not legal or taken.
        FormatError: It is no curation.
    """
    rules = curation if isinstance(curation, Curation) else read_curation(curation)
    work = _Curating(catalog, rules)
    names = work.kept()
    made = CuratedTools(catalog, work.plan(names))
    return catalog.view(made, report=work.report(made))


class CuratedTools(View):
    """Tools of a catalog under their new names, each changed when it is first used.

    Args:
        tools: The catalog.
        plan: New name -> old name, and the changes if there are any.
    """

    def __init__(self, tools: Mapping[str, Tool], plan: Mapping[str, tuple[str, Changes | None]]) -> None:
        self._tools = tools
        self._index = plan
        self._made: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        made = self._made.get(name)
        if made is None:
            old, changes = self._index[name]
            found = self._tools[old]
            made = self._made[name] = found if changes is None else CuratedTool(found, changes)
        return made

    def problems(self) -> dict[str, tuple[str, ...]]:
        """Return what could not be changed, by the tool's old name; tools whose arguments change are made."""
        found: dict[str, tuple[str, ...]] = {}
        for name, (old, changes) in self._index.items():
            if changes is None or not changes.arguments:
                continue
            made = self[name]
            if isinstance(made, CuratedTool) and made.changed.problems:
                found[old] = made.changed.problems
        return found


class _Curating:
    """The work of one curation on one catalog."""

    def __init__(self, catalog: Catalog, curation: Curation) -> None:
        self._catalog = catalog
        self._curation = curation
        self._used: dict[str, list[str]] = {}
        self._alike: dict[str, str] = {}

    def kept(self) -> list[str]:
        """Return the names that select and exclude leave."""
        kept: list[str] = []
        for name in self._catalog:
            selected = self._any("select", name)
            excluded = self._any("exclude", name)
            if (selected or not self._curation.select) and not excluded:
                kept.append(name)
        if not kept:
            raise UsageError(
                "the curation leaves no tool",
                where=self._curation.where,
                hint="Look at its select and exclude: toolhaft tools list shows names, tags and paths",
            )
        return kept

    def plan(self, names: list[str]) -> dict[str, tuple[str, Changes | None]]:
        """Return new name -> old name and changes."""
        found: dict[str, tuple[str, Changes | None]] = {}
        for old in names:
            changes: Changes | None = None
            new = old
            for index, rule in enumerate(self._curation.rules):
                if not self._fits(f"/rules/{index}", rule.match, old):
                    continue
                changes = _plain(rule) if changes is None else together(changes, _plain(rule))
            if changes is not None:
                new = (changes.rename or "{name}").replace("{name}", old).strip()
            self._check_name(new, old, found)
            found[new] = old, changes
        return found

    def report(self, made: CuratedTools) -> Report:
        """Return the catalog's report with what the curation did."""
        before = self._catalog.report
        report = before if isinstance(before, Report) else _plain_report(self._catalog)
        refused = made.problems()
        problems = [*self._idle(), *self._refused(refused)]
        left = set(self._catalog) - {old for old, _ in made._index.values()}
        renamed = {old: new for new, (old, _) in made._index.items()}
        mentions = tuple(
            Mention(kind="left out", method=entry.method, path=entry.path, pointer=entry.pointer)
            for entry in report.operations
            if entry.name in left
        )
        operations = tuple(
            replace(entry, name=renamed.get(entry.name, entry.name))
            for entry in report.operations
            if entry.name not in left
        )
        return replace(
            report,
            operations=operations,
            problems=(*report.problems, *problems),
            mentions=(*report.mentions, *mentions),
        )

    def _idle(self) -> list[Problem]:
        found = []
        for section in ("select", "exclude", "rules"):
            for index in range(len(getattr(self._curation, section))):
                pointer = f"/{section}/{index}"
                if not self._used.get(pointer):
                    message = "the rule fits no tool any more"
                    found.append(self._problem("curation-idle", message, pointer))
        return found

    def _refused(self, refused: Mapping[str, tuple[str, ...]]) -> list[Problem]:
        """Name, for each change that could not be made, the last rule that speaks of the tool's arguments."""
        found = []
        for old, sentences in refused.items():
            speaking = [
                index
                for index, rule in enumerate(self._curation.rules)
                if rule.arguments and old in self._used.get(f"/rules/{index}", ())
            ]
            for sentence in sentences:
                message = f"{old}: {sentence}"
                found.append(self._problem("curation-refused", message, f"/rules/{speaking[-1]}/arguments"))
        return found

    def _problem(self, code: str, message: str, pointer: str) -> Problem:
        return Problem(code=code, message=message, pointer=pointer, file=self._curation.where)

    def _any(self, section: str, name: str) -> bool:
        matches: tuple[Any, ...] = getattr(self._curation, section)
        return any([self._fits(f"/{section}/{index}", match, name) for index, match in enumerate(matches)])

    def _fits(self, pointer: str, match: Any, name: str) -> bool:
        good = fits(match, name, lambda: self._catalog[name].spec)
        if good:
            self._used.setdefault(pointer, []).append(name)
        return good

    def _check_name(self, new: str, old: str, taken: Mapping[str, tuple[str, Changes | None]]) -> None:
        if not NAME.fullmatch(new):
            raise UsageError(
                f"{old!r} would be named {new[:80]!r}, which is no tool name",
                where=self._curation.where,
                hint="Use 1 to 64 letters, digits, underscores and hyphens",
            )
        if new in taken:
            raise UsageError(
                f"{old!r} and {taken[new][0]!r} would both be named {new!r}",
                where=self._curation.where,
                hint="Match one tool, or write {name} into the new name",
            )
        alike = self._alike.setdefault(new.casefold(), new)
        if alike != new and new != old:
            raise UsageError(
                f"{old!r} would be named {new!r}, which nobody can tell from {alike!r}",
                where=self._curation.where,
                hint="Choose a name that differs in more than its case",
            )


def _plain(rule: Rule) -> Changes:
    """Return a rule's changes without what they are for."""
    return Changes(**{each.name: getattr(rule, each.name) for each in fields(Changes)})


def _plain_report(catalog: Catalog) -> Report:
    """Return the report of a source that makes none: every tool was imported."""
    entries = tuple(OperationReport(path=name, name=name) for name in catalog)
    return Report(title=catalog.name, operations=entries)
