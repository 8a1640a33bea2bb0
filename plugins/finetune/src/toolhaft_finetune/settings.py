"""How a model is trained: numbers that are checked before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from toolhaft.errors import UsageError

Method = Literal["lora", "full"]
Schedule = Literal["cosine", "linear", "constant"]
Optimizer = Literal["adamw", "muon"]
Precision = Literal["float32", "bfloat16"]

ALL_LINEAR = "all-linear"
SMALLEST_RATE = 0.02
"""Share of the learning rate that is left at the end of a falling schedule."""
_CHOICES = {"method": Method, "schedule": Schedule, "optimizer": Optimizer, "precision": Precision}
_WHOLE = ("rank", "batch_tokens", "accumulation", "max_tokens", "checkpoint_every", "evaluate_every")
_POSITIVE = ("alpha", "learning_rate", "matrix_rate", "epochs", "clip")
_SHARES = ("dropout", "warm_up", "prompt_weight")
_MOST = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """What a training run depends on besides the model and the rows.

    Attributes:
        method: ``lora`` trains low-rank additions, ``full`` every weight.
        rank: Of the additions; likewise ``alpha`` (the scale is alpha / rank), ``dropout`` and ``targets``
            (endings of module names; ``all-linear`` is every linear layer but the output).
        learning_rate: Highest rate; ``matrix_rate`` is that of matrices under ``muon``.
        schedule: How the rate falls after ``warm_up``, a share of all steps in [0, 1].
        epochs: Passes over the rows; ``steps`` replaces it.
        batch_tokens: Tokens of one batch, padding included; ``accumulation`` batches make a step.
        max_tokens: Rows that render to more are left out, never cut.
        clip: Largest norm of the gradient.
        weight_decay: Of AdamW.
        prompt_weight: Weight of the loss on tokens that are not the assistant's, in [0, 1]; 0 for
            fine-tuning.
        optimizer: ``muon`` orthogonalises the steps of matrices; the rest goes by AdamW.
        precision: Of the frozen weights and the arithmetic.
        seed: Of the order of rows, the additions' first values and dropout.
        checkpoint_every: Steps between checkpoints; likewise ``evaluate_every``.
    """

    method: Method = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    targets: tuple[str, ...] = (ALL_LINEAR,)
    learning_rate: float = 2e-4
    matrix_rate: float = 0.02
    schedule: Schedule = "cosine"
    warm_up: float = 0.03
    epochs: float = 3.0
    steps: int | None = None
    batch_tokens: int = 2048
    accumulation: int = 1
    max_tokens: int = 2048
    clip: float = 1.0
    weight_decay: float = 0.0
    prompt_weight: float = 0.0
    optimizer: Optimizer = "adamw"
    precision: Precision = "float32"
    seed: int = 0
    checkpoint_every: int = 100
    evaluate_every: int = 100

    def __post_init__(self) -> None:
        """Raise `UsageError` where a value makes no sense."""
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise _wrong(name, getattr(self, name), f"Use {' or '.join(get_args(kind))}")
        for name in _WHOLE:
            _check_whole(name, getattr(self, name), 1)
        if self.steps is not None:
            _check_whole("steps", self.steps, 1)
        _check_whole("seed", self.seed, 0)
        for name in (*_POSITIVE, *_SHARES, "weight_decay"):
            _check_number(name, getattr(self, name))
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise _wrong(name, getattr(self, name), "Give a number above 0")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise _wrong(name, getattr(self, name), "Give a share from 0 to 1")
        if self.dropout == 1 or self.weight_decay < 0 or not self.targets or not all(self.targets):
            raise UsageError("dropout is 1, weight_decay below 0, or a target is empty", where="settings")

    @classmethod
    def from_words(cls, words: Sequence[str], **given: Any) -> TrainingSettings:
        """Read ``name=value`` words, as the command line has them.

        Args:
            words: Targets are parted by commas.
            given: Settings that have a value already.

        Raises:
            UsageError: A word names no setting, or its value makes no sense.
        """
        kinds = {one.name: str(one.type) for one in fields(cls)}
        found = dict(given)
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or name not in kinds:
                known = ", ".join(kinds)
                raise UsageError(
                    f"no setting: {word!r:.80}", where="--set", hint=f"Write one of {known} as name=value"
                )
            found[name] = _read(name, kinds[name], value)
        return cls(**found)

    def rate_at(self, step: int, steps: int) -> float:
        """Return the share of the learning rate for a step, counted from 0, of so many."""
        warm = max(1, round(self.warm_up * steps)) if self.warm_up else 0
        if step < warm:
            return (step + 1) / warm
        if self.schedule == "constant":
            return 1.0
        done = (step - warm) / max(1, steps - warm)
        fallen = 1 - done if self.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
        return SMALLEST_RATE + (1 - SMALLEST_RATE) * fallen

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {**asdict(self), "targets": list(self.targets)}


def _read(name: str, kind: str, value: str) -> Any:
    if kind.startswith("tuple"):
        return tuple(value.split(","))
    try:
        return int(value) if kind.startswith("int") else float(value) if kind == "float" else value
    except ValueError:
        raise _wrong(name, value, "Give a number") from None


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise _wrong(name, value, f"Give a whole number of at least {least}")


def _check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(name, value, "Give a finite number")


def _wrong(name: str, value: Any, hint: str) -> UsageError:
    return UsageError(f"{name} is {value!r:.60}", where="settings", hint=hint)
