"""Asking a judge: within a budget, one question after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.agent import open_model
from toolhaft.agent.parts import budget_of
from toolhaft.errors import ModelError, UsageError
from toolhaft.models.base import Model
from toolhaft.tools.budget import BudgetMeter
from toolhaft.types import Budget, Message
from toolhaft_evals.judge.prompts import Prompt
from toolhaft_evals.judge.verdict import FAILED, Vote, read_vote, verdict_tool

_UNLIMITED = Budget(steps=None, model_calls=None, tool_calls=None)


class Judge:
    """A model that gives verdicts.

    Args:
        model: A model, or its name; it is opened when it is first asked.
        budget: Of all questions together, a `Budget` or its fields: ``model_calls``, ``tokens``, ``cost``,
            ``seconds``. None is no limit.
        seed: Passed to the model with the number of the vote added.
        max_tokens: Of one answer.
    """

    def __init__(
        self,
        model: str | Model,
        *,
        budget: Budget | Mapping[str, Any] | None = None,
        seed: int = 0,
        max_tokens: int = 1_024,
    ) -> None:
        self._model = model
        self._given = model if isinstance(model, str) else model.name
        self._seed = seed
        self._max_tokens = max_tokens
        self.meter = BudgetMeter(budget_of(budget) if budget is not None else _UNLIMITED)

    @property
    def name(self) -> str:
        """The name it was given; that of ``auto`` is the model's that it stands for now."""
        return self.model.name if self._given == "auto" else self._given

    @property
    def model(self) -> Model:
        """The model.

        Raises:
            UsageError: It is the built-in heuristic, which reads no answers.
            ToolhaftError: It cannot be opened.
        """
        if isinstance(self._model, str):
            self._model = open_model(self._model)
        if self._model.origin == "heuristic":
            raise UsageError(
                "the built-in heuristic is no judge",
                hint="Name a language model: judge='openai:NAME', 'http://HOST/v1#NAME' or 'replay:FILE'",
            )
        return self._model

    async def ask(self, prompt: Prompt, sections: Sequence[str], *, number: int = 0, order: str = "") -> Vote:
        """Return the judge's answer; one that cannot be read, or never came, is a vote without verdict.

        Args:
            prompt: What is asked.
            sections: The material, quoted (`toolhaft_evals.judge.quoting`).
            number: Of the vote, for the seed.
            order: For the record.

        Raises:
            BudgetExceededError: There is nothing left to ask with.
            ConfigError: The model lacks a key.
        """
        model = self.model
        self.meter.reserve(model_calls=1)
        messages = (
            Message(role="system", text=prompt.text),
            Message(role="user", text="\n\n".join(sections)),
        )
        try:
            completion = await model.complete(
                messages,
                (verdict_tool(prompt),),
                seed=self._seed + number,
                max_tokens=self._max_tokens,
            )
        except ModelError as error:
            return Vote(
                prompt=prompt.name,
                digest=prompt.digest,
                problem=f"{FAILED}{error.what}",
                model=model.name,
                origin=model.origin,
                order=order,
            )
        self.meter.record(completion.usage)
        return read_vote(prompt, completion, order=order)
