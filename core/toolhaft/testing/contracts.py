"""What the core relies on in tools, retrievers, re-rankers and evaluators, as checks of behaviour."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from math import isfinite
from typing import Any

from toolhaft.errors import SpecError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.hooks.record import one_line
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.reranker import Reranker
from toolhaft.testing.doubles import tool_spec
from toolhaft.testing.finding import Finding
from toolhaft.tools.base import NAME
from toolhaft.types import Score, Scored, Task, ToolSpec, Trajectory

_LONGEST_DESCRIPTION = 4_000


def check_specs(specs: Iterable[ToolSpec]) -> list[Finding]:
    """Check tools as data: names that every provider accepts, each once, and valid schemas.

    Args:
        specs: The tools of a catalog, say.
    """
    findings: list[Finding] = []
    seen: set[str] = set()
    for spec in specs:
        name = one_line(spec.name, 80)
        if not NAME.fullmatch(spec.name):
            findings.append(
                Finding(
                    check="tool-name",
                    what=f"{name!r} is no tool name",
                    hint="Use 1 to 64 letters, digits, underscores and hyphens",
                )
            )
        if spec.name in seen:
            findings.append(Finding(check="tool-name", what=f"two tools are named {name!r}"))
        seen.add(spec.name)
        findings += _check_schema(name, spec.parameters)
        if not spec.description.strip():
            findings.append(
                Finding(
                    check="description",
                    what=f"{name!r} has no description",
                    hint="Say in a sentence what it does: models and retrievers read nothing else",
                    severity="warning",
                )
            )
        elif len(spec.description) > _LONGEST_DESCRIPTION:
            findings.append(
                Finding(
                    check="description",
                    what=f"the description of {name!r} has {len(spec.description):,} characters",
                    hint=f"More than {_LONGEST_DESCRIPTION:,} crowd out other tools",
                    severity="warning",
                )
            )
    return findings


async def check_retriever(retriever: Retriever) -> list[Finding]:
    """Check that a retriever keeps the contract of `toolhaft.retrievers.base.Retriever`.

    Args:
        retriever: Fresh; it is indexed with a few tools of the check's own.
    """
    specs = (
        tool_spec("weather", description="Weather forecast for a city."),
        tool_spec("currency", description="Exchange rate between two currencies."),
        tool_spec("timetable", description="Departures of trains from a station."),
    )
    findings: list[Finding] = []
    await retriever.index(())
    if await retriever.retrieve("weather", 3):
        findings.append(_contract("retriever", "it finds tools in an empty catalog"))
    await retriever.index(specs)
    hits = await retriever.retrieve("weather forecast in Oslo", 2)
    if not all(isinstance(hit, Scored) and hit.item in specs for hit in hits):
        return [*findings, _contract("retriever", "what it returns are not Scored tools of the catalog")]
    if not hits or hits[0].item.name != "weather":
        findings.append(_contract("retriever", "it does not find the tool whose own words are asked for"))
    if len(hits) > 2:
        findings.append(_contract("retriever", f"it returns {len(hits)} tools where k is 2"))
    if [hit.score for hit in hits] != sorted((hit.score for hit in hits), reverse=True):
        findings.append(_contract("retriever", "its hits are not sorted, best first"))
    if hits != await retriever.retrieve("weather forecast in Oslo", 2):
        findings.append(_contract("retriever", "the same query finds something else the second time"))
    await retriever.index(specs[1:])
    again = await retriever.retrieve("weather forecast in Oslo", 3)
    if any(hit.item.name == "weather" for hit in again):
        findings.append(_contract("retriever", "a tool of an earlier index is still found"))
    await retriever.close()
    return findings


async def check_reranker(reranker: Reranker) -> list[Finding]:
    """Check that a re-ranker keeps the contract of `toolhaft.retrievers.reranker.Reranker`.

    Args:
        reranker: It is given a few tools of the check's own; which of them it puts first is not checked.
    """
    specs = (
        tool_spec("currency", description="Exchange rate between two currencies."),
        tool_spec("weather", description="Weather forecast for a city."),
        tool_spec("bare", description=""),
    )
    hits = [Scored(spec, 3.0 - place) for place, spec in enumerate(specs)]
    query = "weather forecast for Oslo"
    findings: list[Finding] = []
    if await reranker.rerank(query, ()):
        findings.append(_contract("reranker", "it returns tools where it was given none"))
    ranked = await reranker.rerank(query, tuple(hits))
    if not isinstance(ranked, list) or not all(isinstance(hit, Scored) for hit in ranked):
        return [*findings, _contract("reranker", "what it returns are not Scored tools in a list")]
    if sorted(hit.item.name for hit in ranked) != sorted(spec.name for spec in specs):
        findings.append(_contract("reranker", "it does not return each tool that it was given once"))
    if not all(isfinite(hit.score) for hit in ranked):
        findings.append(_contract("reranker", "a score is no finite number"))
    if [hit.score for hit in ranked] != sorted((hit.score for hit in ranked), reverse=True):
        findings.append(_contract("reranker", "its tools are not sorted, best first"))
    if ranked != await reranker.rerank(query, tuple(hits)):
        findings.append(_contract("reranker", "the same tools are scored differently the second time"))
    await reranker.close()
    return findings


async def check_evaluator(evaluator: Evaluator, task: Task, trajectory: Trajectory) -> list[Finding]:
    """Check that an evaluator keeps the contract of `toolhaft.evaluators.base.Evaluator`.

    Args:
        evaluator: What to check.
        task: A task that has what it needs.
        trajectory: A rollout of that task.
    """
    score = await evaluator.evaluate(task, trajectory)
    if not isinstance(score, Score):
        return [_contract("evaluator", f"it returns {one_line(type(score).__name__, 40)}, not a Score")]
    findings: list[Finding] = []
    if not 0.0 <= score.value <= 1.0:
        findings.append(_contract("evaluator", f"the score {score.value:g} is outside of [0, 1]"))
    if not score.name or not score.reason:
        findings.append(_contract("evaluator", "the score lacks a name or a reason"))
    if score != await evaluator.evaluate(task, trajectory):
        findings.append(_contract("evaluator", "the same rollout scores differently the second time"))
    with suppress(UsageError):  # the one error allowed where a task has no gold
        await evaluator.evaluate(Task(id="bare", instruction=task.instruction), trajectory)
    return findings


def _check_schema(name: str, schema: Any) -> list[Finding]:
    from toolhaft.tools.schema import compile_schema

    if not isinstance(schema, dict) or schema.get("type") != "object":
        return [Finding(check="schema", what=f"the parameters of {name!r} are no object schema")]
    try:
        compile_schema(schema, where=name)
    except SpecError as error:
        return [Finding(check="schema", what=f"the parameters of {name!r} are no JSON Schema: {error.what}")]
    return []


def _contract(kind: str, what: str) -> Finding:
    return Finding(check=f"{kind}-contract", what=what)
