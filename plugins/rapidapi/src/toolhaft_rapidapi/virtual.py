"""APIs answered without them: kept answers first, then the live API if there is one, then the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolError, UsageError
from toolhaft.types import ToolSpec
from toolhaft_rapidapi.cache import Answer, AnswerCache, Question
from toolhaft_rapidapi.inputs import (
    argument_names,
    arguments_problem,
    input_problem,
    original_names,
    read_input,
)
from toolhaft_rapidapi.replies import Reply
from toolhaft_rapidapi.simulator import simulate
from toolhaft_rapidapi.statuses import TEXTS, StatusCode, code_of_text, status_of

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog
    from toolhaft_rapidapi.directory import Directory


class VirtualAPIs:
    """Answers calls.

    Args:
        directory: The APIs there are, found by category, tool and name; None answers specs alone.
        seed: Of the simulator.
        cache: Kept answers; answers of the live APIs are added.
        upstream: A live catalog of the same APIs, asked for what is not kept.
    """

    def __init__(
        self,
        directory: Directory | None = None,
        *,
        seed: int = 0,
        cache: AnswerCache | None = None,
        upstream: Catalog | None = None,
    ) -> None:
        self.directory = directory
        self.seed = seed
        self.cache = cache
        self.upstream = upstream

    async def answer(self, category: str, tool: str, api: str, tool_input: Any) -> Reply:
        """Answer a call of ToolBench's contract.

        Args:
            category: In ToolBench's spelling or the file's, as are the next two.
            tool: The tool's name.
            api: The API's name.
            tool_input: An object, its JSON as text, or "" for no input.
        """
        given = read_input(tool_input)
        if isinstance(given, str):
            return failure(StatusCode.INPUT_ERROR, given)
        question = Question.of(category, tool, api, given)
        kept = await self._kept(question)
        if kept is not None:
            return kept
        specs = self.directory.find(category, tool, api) if self.directory is not None else ()
        if not specs:
            missing = self.directory.missing(category, tool, api) if self.directory is not None else ""
            return failure(StatusCode.NOT_WORKING, missing or "there is no such API")
        # Of those that ToolBench spells alike, the one that the input fits.
        spec = next((spec for spec in specs if not input_problem(spec, question.input)), specs[0])
        arguments = argument_names(spec, question.input)
        return await self._made(spec, question, arguments, input_problem(spec, question.input))

    async def answer_spec(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> Reply:
        """Answer a call of a tool.

        Args:
            spec: Of the tool; it says which API it is.
            arguments: By the tool's argument keys.
        """
        facts = spec.metadata
        question = Question.of(
            str(facts.get("category", "")),
            str(facts.get("tool_name", "")),
            str(facts.get("api_name", "")),
            original_names(spec, arguments),
        )
        kept = await self._kept(question)
        if kept is not None:
            return kept
        return await self._made(spec, question, arguments, arguments_problem(spec, arguments))

    def close(self) -> None:
        """Close the cache."""
        if self.cache is not None:
            self.cache.close()

    async def _kept(self, question: Question) -> Reply | None:
        if self.cache is None:
            return None
        found = self.cache.recent(question) or await asyncio.to_thread(self.cache.get, question)
        if found is None:
            return None
        code = code_of_text(found.error)
        return Reply(error=found.error, response=found.response, code=code, provenance="cached")

    async def _made(
        self, spec: ToolSpec, question: Question, arguments: Mapping[str, Any], problem: str
    ) -> Reply:
        if problem:
            text = f"Function executing {question.api} error...\n{problem}"
            return failure(StatusCode.INPUT_ERROR, problem, text)
        note = ""
        if self.upstream is not None and spec.name in self.upstream:
            try:
                return await self._live(self.upstream, spec, question, arguments)
            except (ToolError, ConfigError) as error:
                if spec.effect != "read":
                    # What may have changed something must not look as if it had gone well.
                    return failure(status_of(error.code, error.details), error.what)
                note = f"the live API failed: {error.what[:300]}"
        response = simulate(spec, question, self.seed)
        return Reply(response=response, detail=note, provenance="simulated")

    async def _live(
        self, upstream: Catalog, spec: ToolSpec, question: Question, arguments: Mapping[str, Any]
    ) -> Reply:
        value = await upstream.call(spec.name, **arguments)
        note = ""
        if self.cache is not None:
            try:
                await asyncio.to_thread(self.cache.put, question, Answer(response=value))
            except UsageError as error:  # a full disk must not cost the answer
                note = f"the answer could not be kept: {error.what[:300]}"
        return Reply(response=value, detail=note, provenance="live")


def failure(code: StatusCode, detail: str, error: str = "") -> Reply:
    """Return the reply for a call that cannot be answered."""
    return Reply(error=error or TEXTS[code], response="", code=code, detail=detail, provenance="simulated")
