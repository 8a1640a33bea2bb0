"""How a retriever is trained: numbers that are checked before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from toolhaft.errors import UnknownNameError, UsageError

Schedule = Literal["linear", "constant"]
Precision = Literal["auto", "float32", "bfloat16"]
Distillation = Literal["none", "kl", "margin"]

NEGATIVES = ("bm25", "dense", "hybrid", "siblings")
"""Where hard negatives come from: the ranking by words, the encoder's own, both together, other tools of the
service."""
_CHOICES = {"schedule": Schedule, "precision": Precision, "distillation": Distillation}
_WHOLE = {
    "batch": 2,
    "repeats": 1,
    "max_tokens": 8,
    "batch_tokens": 64,
    "depth": 1,
    "patience": 0,
    "evaluations": 1,
    "pool": 2,
    "checkpoint_every": 1,
    "hard_negatives": 0,
    "refresh": 0,
    "frozen_layers": 0,
    "synthetic": 0,
    "seed": 0,
}
_POSITIVE = ("epochs", "learning_rate", "scale", "clip", "share")
_NOT_NEGATIVE = ("warm_up", "weight_decay", "distillation_weight", "lexical")
_FLAGS = ("symmetric", "sentences", "together", "dropout")
_MOST = 10**9
_MOST_OF: Mapping[str, int] = {"repeats": 100}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieverSettings:
    """What a training run depends on besides the encoder and the data.

    Source: ``share`` is M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, section 3
    (weights between the first ones and those learned lose less on what was not learned).

    Attributes:
        epochs: Passes over the pairs of a query and a tool that answers it.
        batch: Pairs of a step; each is a negative of the others.
        learning_rate: Highest rate; it rises for ``warm_up`` (a share of all steps if below 1, else steps).
        schedule: How the rate falls after that.
        max_tokens: What is longer is cut while training.
        batch_tokens: Texts are computed in parts of so many tokens, those of one length together.
        scale: The cosine is multiplied by it before the softmax.
        symmetric: Whether tools must find their queries, too.
        hard_negatives: Mined negatives a pair, drawn anew each time from the first ``depth`` of each of
            ``negatives``; 0 leaves only those in the batch.
        negatives: Some of `NEGATIVES`.
        refresh: Epochs after which the encoder's own negatives are mined anew; 0 is never.
        lexical: Weight of a second loss, that of the encoder's score and ``bm25``'s together, so that it
            learns above all what words do not tell; 0 leaves it out.
        distillation: ``kl`` or ``margin`` learn a teacher's scores of the pair and its hard negatives, too,
            weighed by ``distillation_weight``.
        sentences: Whether a query of several sentences is scored by them, too, as the retriever scores it.
        together: Whether the pairs of a query stand in one batch, where it is computed once.
        dropout: Whether the encoder's own dropout is on.
        repeats: How often a pass has each query that people asked, against once each that was made.
        synthetic: Queries that are made from the tools' own documents.
        frozen_layers: Lowest layers that stay as they are, the embeddings first; 0 trains everything.
        hold_out: Share of the services, in [0, 0.5], whose queries are measured and not learned.
        evaluations: Measurements on them in an epoch.
        patience: Measurements without a gain after which training ends; 0 never ends it early.
        pool: Most tools among which the queries held out are answered while training.
        precision: ``auto`` is bfloat16 where the processor computes with it, else float32.
        clip: Largest norm of the gradient.
        weight_decay: Of AdamW.
        share: How far the weights that are kept go from the first ones to those that were learned, in (0, 1].
        seed: Of everything that chance decides.
        checkpoint_every: Steps between checkpoints.
    """

    epochs: float = 1.0
    batch: int = 32
    learning_rate: float = 5e-5
    warm_up: float = 0.1
    schedule: Schedule = "linear"
    max_tokens: int = 128
    batch_tokens: int = 2048
    scale: float = 20.0
    symmetric: bool = False
    hard_negatives: int = 3
    depth: int = 20
    negatives: tuple[str, ...] = NEGATIVES
    refresh: int = 0
    lexical: float = 1.0
    distillation: Distillation = "none"
    distillation_weight: float = 1.0
    sentences: bool = True
    together: bool = True
    dropout: bool = False
    repeats: int = 3
    synthetic: int = 0
    frozen_layers: int = 0
    hold_out: float = 0.1
    evaluations: int = 2
    patience: int = 3
    pool: int = 1000
    precision: Precision = "auto"
    clip: float = 1.0
    weight_decay: float = 0.01
    share: float = 1.0
    seed: int = 0
    checkpoint_every: int = 50

    def __post_init__(self) -> None:
        """Raise `UsageError` where a value makes no sense."""
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise _wrong(name, getattr(self, name), f"Use {' or '.join(get_args(kind))}")
        for name, least in _WHOLE.items():
            _check_whole(name, getattr(self, name), least)
        for name in (*_POSITIVE, *_NOT_NEGATIVE, "hold_out"):
            _check_number(name, getattr(self, name), positive=name in _POSITIVE)
        for name, largest in (("hold_out", 0.5), ("share", 1.0)):
            if getattr(self, name) > largest:
                raise _wrong(name, getattr(self, name), f"Give a share of at most {largest:g}")
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise _wrong(name, getattr(self, name), "Use true or false")
        if unknown := [name for name in self.negatives if name not in NEGATIVES]:
            raise _wrong("negatives", unknown[0], f"Use some of {','.join(NEGATIVES)}")
        if self.hard_negatives and not self.negatives:
            raise _wrong("negatives", self.negatives, "Say where hard negatives come from")
        if self.distillation != "none" and not self.hard_negatives:
            raise _wrong("hard_negatives", 0, "Distillation compares a tool with its hard negatives")

    @classmethod
    def from_words(cls, words: Sequence[str], preset: str = "default", **given: Any) -> RetrieverSettings:
        """Read ``name=value`` words, as the command line has them.

        Args:
            words: Lists are parted by commas.
            preset: One of `PRESETS`: what is not said otherwise.
            given: Settings that have a value already; None is none.

        Raises:
            UsageError: A word names no setting, or its value makes no sense.
            UnknownNameError: There is no such preset.
        """
        if preset not in PRESETS:
            raise UnknownNameError("preset", preset, tuple(PRESETS))
        kinds = {one.name: str(one.type) for one in fields(cls)}
        found = {**PRESETS[preset], **{name: value for name, value in given.items() if value is not None}}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or name not in kinds:
                hint = f"Write one of {', '.join(kinds)} as name=value"
                raise UsageError(f"no setting: {word!r:.80}", where="--set", hint=hint)
            found[name] = _read(name, kinds[name], value)
        return cls(**found)

    def rate_at(self, step: int, steps: int) -> float:
        """Return the share of the learning rate for a step, counted from 0, of so many."""
        warm = (
            max(1, round(self.warm_up * steps if self.warm_up < 1 else self.warm_up)) if self.warm_up else 0
        )
        if step < warm:
            return (step + 1) / warm
        return 1.0 if self.schedule == "constant" else (steps - step) / max(1, steps - warm)

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {**asdict(self), "negatives": list(self.negatives)}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "toolllm": {
        "epochs": 5.0,
        "batch": 32,
        "learning_rate": 2e-5,
        "warm_up": 500.0,
        "max_tokens": 256,
        "hard_negatives": 0,
        "lexical": 0.0,
        "sentences": False,
        "together": False,
        "dropout": True,
        "share": 1.0,
        "precision": "float32",
        "patience": 0,
        "evaluations": 1,
        "seed": 42,
    },
}
"""Settings by name.

Source: ``toolllm`` is Y. Qin et al., "ToolLLM", ICLR 2024, appendix A.1, with the warm-up, length and seed of
its published code; there the base is bert-base-uncased, here what ``--model`` names. Our deviations:
another positive of a query is never its negative, documents are the passages that are served and not
their JSON, and a tenth of the services is held out unless ``hold_out`` is 0.
"""


def _read(name: str, kind: str, value: str) -> Any:
    if kind.startswith("tuple"):
        return tuple(word for word in value.split(",") if word)
    if kind == "bool":
        return {"true": True, "false": False}.get(value.casefold(), value)
    try:
        return int(value) if kind == "int" else float(value) if kind == "float" else value
    except ValueError:
        raise _wrong(name, value, "Give a number") from None


def _check_whole(name: str, value: Any, least: int) -> None:
    most = _MOST_OF.get(name, _MOST)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, value, f"Give a whole number of at least {least}, at most {most}")


def _check_number(name: str, value: Any, *, positive: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(name, value, "Give a finite number")
    if value < 0 or (positive and value == 0):
        raise _wrong(name, value, "Give a larger number")


def _wrong(name: str, value: Any, hint: str) -> UsageError:
    return UsageError(f"{name} is {value!r:.60}", where="settings", hint=hint)
