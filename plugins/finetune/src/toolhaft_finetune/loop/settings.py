"""How large the loop is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from toolhaft.errors import UsageError

SYSTEM = "Use a tool."
"""The planner's prompt: the small model has room for no more."""
K = 3
"""Tools that are searched out; those that their descriptions name come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Numbers of tasks, sizes and steps.

    Attributes:
        seed: Of everything that chance decides.
        pretraining_tasks: Tasks for the operations of part A, which the base model is made from.
        tuning_tasks: Tasks for those of part B, before some are held back.
        held_back: Tasks of part B that both models are evaluated on.
        tuning_tools: Tools of part B; all others are part A.
        phrasings: Instructions for each set of arguments.
        vocabulary: Tokens of the tokenizer.
        width: Of the model, a multiple of 32; likewise ``layers``.
        layers: How many.
        pretraining_steps: Steps of the base model's training, ``tuning_steps`` those of LoRA.
        tuning_steps: See above.
        batch_tokens: Tokens of a step.
    """

    seed: int = 0
    pretraining_tasks: int = 3000
    tuning_tasks: int = 4000
    held_back: int = 200
    tuning_tools: int = 110
    phrasings: int = 3
    vocabulary: int = 1000
    width: int = 128
    layers: int = 4
    pretraining_steps: int = 900
    tuning_steps: int = 700
    batch_tokens: int = 3072

    def __post_init__(self) -> None:
        """Raise `UsageError` where a number makes no sense."""
        for one in fields(self):
            value = getattr(self, one.name)
            least = 0 if one.name == "seed" else 1
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 10**7:
                raise UsageError(
                    f"{one.name} is {value!r:.60}",
                    where="settings",
                    hint=f"Give a whole number of at least {least}",
                )
        if self.width % 32 or self.vocabulary < 400 or self.held_back >= self.tuning_tasks:
            raise UsageError(
                "width is no multiple of 32, vocabulary below 400, or held_back not below tuning_tasks",
                where="settings",
            )

    @classmethod
    def quick(cls, seed: int = 0) -> LoopSettings:
        """Return what runs in about a minute and shows that everything works, and nothing more."""
        return cls(
            seed=seed,
            pretraining_tasks=120,
            tuning_tasks=80,
            held_back=6,
            tuning_tools=10,
            phrasings=2,
            vocabulary=500,
            width=64,
            layers=2,
            pretraining_steps=30,
            tuning_steps=40,
            batch_tokens=1024,
        )

    def changed(self, words: Sequence[str]) -> LoopSettings:
        """Return them with ``name=value`` words taken over.

        Raises:
            UsageError: A word names no setting, or its value is no number that makes sense.
        """
        known = [one.name for one in fields(self)]
        found: dict[str, int] = {}
        for word in words:
            name, _, value = word.partition("=")
            if name not in known or not value.isdecimal():
                hint = f"Write one of {', '.join(known)} as name=number"
                raise UsageError(f"no setting: {word!r:.80}", where="--set", hint=hint)
            found[name] = int(value[:12])
        return replace(self, **found)

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return asdict(self)
