"""Lint: every rule over every tool, with scores.

A tool has 100 points. Each finding costs what its rule says, but the findings of one rule cost a tool at most
three times the dearest of them, so that forty undescribed arguments do not hide everything else; nothing goes
below 0. The catalog's score is the mean of its tools' scores. Text that gives orders costs 50 points: such a
tool is never among the good ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from toolhaft.lint.arguments import check_arguments
from toolhaft.lint.descriptions import check_descriptions
from toolhaft.lint.effects import check_effects
from toolhaft.lint.finding import Finding
from toolhaft.lint.names import check_names, look_alikes
from toolhaft.lint.producers import Producers
from toolhaft.lint.searching import Searches
from toolhaft.lint.shape import check_shape
from toolhaft.lint.suspicion import check_suspicion
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.runs.search_sets.base import SearchQuery

_REPEATED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolScore:
    """What was found about one tool.

    Attributes:
        name: Of the tool.
        score: 0 to 100; 100 where nothing was found.
        findings: The dearest first.
    """

    name: str
    score: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """What was found about a catalog.

    Attributes:
        tools: The worst first.
        searched: How many of them were searched for by their own words; of a large catalog a sample.
    """

    tools: tuple[ToolScore, ...] = ()
    searched: int = 0

    @property
    def score(self) -> float:
        """The mean of the tools' scores, 0 to 100; 100 for no tools."""
        return round(sum(tool.score for tool in self.tools) / len(self.tools), 1) if self.tools else 100.0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, those of the worst tool first."""
        return tuple(finding for tool in self.tools for finding in tool.findings)

    def counts(self) -> dict[str, int]:
        """Return rule -> how often it found something, the commonest first."""
        return dict(Counter(finding.rule for finding in self.findings).most_common())

    def only(self, rules: Sequence[str]) -> LintReport:
        """Return the report with the findings of some rules alone; scores stay what they are.

        Args:
            rules: Names of rules, ``*`` allowed, as ``search-*``.
        """
        tools = []
        for tool in self.tools:
            kept = [each for each in tool.findings if any(fnmatchcase(each.rule, rule) for rule in rules)]
            tools.append(replace(tool, findings=tuple(kept)))
        return replace(self, tools=tuple(tools))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "score": self.score,
            "searched": self.searched,
            "rules": self.counts(),
            "tools": [
                {
                    "name": tool.name,
                    "score": tool.score,
                    "findings": [
                        {key: value for key, value in asdict(finding).items() if key != "tool"}
                        for finding in tool.findings
                    ],
                }
                for tool in self.tools
            ],
        }


def lint(
    specs: Iterable[ToolSpec],
    queries: Sequence[SearchQuery] = (),
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> LintReport:
    """Judge tools by how well a model can choose and call them; no model is asked.

    Args:
        specs: Tools of any source. They are compared with one another, so give all that are offered together.
        queries: Instructions with the tools that they need; tools that a search for them does not find are
            named.
        progress: Called with how many tools are done, how many there are, and what is done with them.
    """
    tell = progress or _tell_nobody
    listed = list(specs)
    tell(0, len(listed), "Comparing tools")
    texts: dict[str, list[str]] = defaultdict(list)
    for spec in listed:
        texts[spec.description.strip().casefold()].append(spec.name)
    alike = look_alikes([spec.name for spec in listed])
    producers = Producers(listed)
    searches = Searches(listed, queries, progress=lambda done, of: tell(done, of, "Indexing tools"))
    found = []
    for done, spec in enumerate(listed):
        tell(done, len(listed), "Judging tools")
        findings = [
            *check_suspicion(spec),
            *check_descriptions(spec, texts),
            *check_names(spec, alike),
            *check_arguments(spec),
            *check_shape(spec),
            *check_effects(spec),
            *producers.check(spec),
            *searches.check(spec),
        ]
        findings.sort(key=lambda finding: -finding.cost)
        found.append(ToolScore(name=spec.name, score=_score(findings), findings=tuple(findings)))
    ordered = tuple(sorted(found, key=lambda tool: tool.score))
    return LintReport(tools=ordered, searched=searches.searched)


def _tell_nobody(*_: object) -> None:
    """Tell nobody how far it is."""


def _score(findings: Sequence[Finding]) -> int:
    by_rule: dict[str, list[int]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.rule].append(finding.cost)
    return max(0, 100 - sum(min(sum(costs), _REPEATED * max(costs)) for costs in by_rule.values()))
