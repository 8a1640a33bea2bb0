"""Supervised fine-tuning: a loop that a killed process takes up again to the same weights."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ModelError, UsageError
from toolhaft.training.log import TrainingLog
from toolhaft_finetune.batches import Batch, count_steps, endless_batches, plan_epoch
from toolhaft_finetune.checkpoints import Checkpoint, checkpoints_in
from toolhaft_finetune.masking import Sample
from toolhaft_finetune.optimizing import Optimizers
from toolhaft_finetune.settings import TrainingSettings

if TYPE_CHECKING:
    import torch

CHECKPOINTS = "checkpoints"
Progress = Callable[[int, int, float], None]
"""Told of each step: how many are done, how many there are, the loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What training came to.

    Attributes:
        steps: How many were made, in all processes together; likewise ``tokens`` and ``seconds``.
        resumed_at: The step that was taken up again; 0 if there was none.
    """

    steps: int
    tokens: int
    seconds: float
    resumed_at: int = 0


@dataclass(slots=True, kw_only=True)
class _Position:
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        return self.seconds + time.monotonic() - self.began


class Trainer:
    """Trains the parameters of a model that want a gradient.

    Args:
        model: A causal language model, its trainable parameters in float32.
        samples: What it learns.
        settings: How.
        output: Folder for checkpoints and the log.
        held_out: Samples whose loss is measured now and then, and never learned.
        identity: What the run depends on beside the settings and the samples, such as the model's hash.
        progress: Told of each step.

    Raises:
        UsageError: There is nothing to learn.
    """

    def __init__(
        self,
        model: Any,
        samples: Sequence[Sample],
        settings: TrainingSettings,
        output: Path,
        *,
        held_out: Sequence[Sample] = (),
        identity: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> None:
        if not samples:
            raise UsageError("there are no rows to learn from", where=str(output))
        self._model = model
        self._samples = samples
        self._settings = settings
        self._output = output
        self._checkpoints = checkpoints_in(output / CHECKPOINTS)
        self._held_out = held_out
        self._progress = progress
        self._lengths = [len(sample) for sample in samples]
        self._steps = settings.steps or count_steps(
            self._lengths,
            batch_tokens=settings.batch_tokens,
            seed=settings.seed,
            epochs=settings.epochs,
            accumulation=settings.accumulation,
        )
        self._optimizers = Optimizers(model, settings)
        self._device = next(model.parameters()).device
        self._fingerprint = {
            **settings.to_json(),
            "steps": self._steps,
            "samples": hash_samples(samples),
            **(identity or {}),
        }

    def train(self, *, resume: bool = False) -> Trained:
        """Train to the last step.

        Args:
            resume: Go on from the last checkpoint, if there is one.

        Raises:
            UsageError: There are checkpoints and they are not to be resumed, or they are of another run.
            FormatError: The last checkpoint is damaged.
            ModelError: The loss is no number any more.
        """
        position = self._take_up(resume)
        resumed_at = position.step
        log = TrainingLog(self._output, resumed_at)
        batches = self._batches(resumed_at)
        if not resumed_at:
            self._evaluate(log, 0)
        self._model.train()
        while position.step < self._steps:
            loss, tokens = self._learn(position.step, list(islice(batches, self._settings.accumulation)))
            rate = self._settings.rate_at(position.step, self._steps)
            self._optimizers.step(rate)
            position.step += 1
            position.tokens += tokens
            log.write_step(
                position.step,
                loss=loss,
                rate=rate * self._settings.learning_rate,
                tokens=position.tokens,
                seconds=position.elapsed(),
            )
            if self._progress is not None:
                self._progress(position.step, self._steps, loss)
            self._keep(log, position)
        return Trained(
            steps=position.step,
            tokens=position.tokens,
            seconds=position.elapsed(),
            resumed_at=resumed_at,
        )

    def _keep(self, log: TrainingLog, position: _Position) -> None:
        last = position.step == self._steps
        if last or position.step % self._settings.evaluate_every == 0:
            self._evaluate(log, position.step)
        if last or position.step % self._settings.checkpoint_every == 0:
            log.to_disk()
            checkpoint = Checkpoint(
                step=position.step,
                tokens=position.tokens,
                seconds=position.elapsed(),
                weights=dict(self._trained()),
                optimizer=self._optimizers.tensors(),
            )
            self._checkpoints.write(checkpoint, self._fingerprint)

    def _take_up(self, resume: bool) -> _Position:
        checkpoint = self._checkpoints.take_up(self._fingerprint, resume=resume)
        if checkpoint is None:
            return _Position()
        self._restore(checkpoint, str(self._output / CHECKPOINTS))
        return _Position(step=checkpoint.step, tokens=checkpoint.tokens, seconds=checkpoint.seconds)

    def _restore(self, checkpoint: Checkpoint, where: str) -> None:
        import torch

        trained = dict(self._trained())
        if {name: tuple(one.shape) for name, one in trained.items()} != {
            name: tuple(one.shape) for name, one in checkpoint.weights.items()
        }:
            raise UsageError(
                "the checkpoint is of another model", where=where, hint="Train into another folder"
            )
        with torch.no_grad():
            for name, parameter in trained.items():
                parameter.copy_(checkpoint.weights[name])
        self._optimizers.load(dict(checkpoint.optimizer), where)

    def _trained(self) -> Iterator[tuple[str, torch.Tensor]]:
        return ((name, one) for name, one in self._model.named_parameters() if one.requires_grad)

    def _batches(self, done: int) -> Iterator[Batch]:
        each = endless_batches(
            self._lengths, batch_tokens=self._settings.batch_tokens, seed=self._settings.seed
        )
        return islice(each, done * self._settings.accumulation, None)

    def _learn(self, step: int, batches: Sequence[Batch]) -> tuple[float, int]:
        """Add up the gradients of a step; return the mean loss by weight, and the tokens seen."""
        import torch

        torch.manual_seed(hash_seed(self._settings.seed, step))
        weighed = [self._tensors([self._samples[place] for place in batch]) for batch in batches]
        whole = sum(float(weights[:, 1:].sum()) for _, weights, _ in weighed)
        loss = 0.0
        for ids, weights, present in weighed:
            part = self._loss(ids, weights, present) / whole
            part.backward()
            loss += float(part.detach())
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise ModelError(
                f"the loss is {loss} at step {step + 1}",
                where=str(self._output),
                hint="Try a smaller learning rate, a longer warm-up, or float32",
            )
        torch.nn.utils.clip_grad_norm_(self._optimizers.parameters, self._settings.clip)
        return loss, sum(int(present.sum()) for _, _, present in weighed)

    def _loss(self, ids: torch.Tensor, weights: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import cross_entropy

        logits = self._model(input_ids=ids, attention_mask=present, use_cache=False).logits[:, :-1]
        each = cross_entropy(logits.float().transpose(1, 2), ids[:, 1:], reduction="none")
        return (each * weights[:, 1:]).sum()

    def _tensors(self, samples: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return ids, weights and presence, of shape (samples, longest)."""
        import torch

        shape = (len(samples), max(len(sample) for sample in samples))
        ids = torch.zeros(shape, dtype=torch.long)
        weights = torch.zeros(shape)
        present = torch.zeros(shape, dtype=torch.long)
        for number, sample in enumerate(samples):
            ids[number, : len(sample)] = torch.tensor(sample.ids)
            mask = torch.tensor(sample.mask)
            weights[number, : len(sample)] = torch.where(mask, 1.0, self._settings.prompt_weight)
            present[number, : len(sample)] = 1
        return ids.to(self._device), weights.to(self._device), present.to(self._device)

    def _evaluate(self, log: TrainingLog, step: int) -> None:
        """Write down the loss on the assistant's tokens of the samples that are held out."""
        import torch

        if not self._held_out:
            return
        lengths = [len(sample) for sample in self._held_out]
        total = weight = 0.0
        self._model.eval()
        with torch.no_grad():
            for batch in plan_epoch(lengths, batch_tokens=self._settings.batch_tokens, seed=0, epoch=0):
                ids, weights, present = self._tensors([self._held_out[place] for place in batch])
                weights = (weights == 1.0).float()
                total += float(self._loss(ids, weights, present))
                weight += float(weights[:, 1:].sum())
        self._model.train()
        log.write_figure(step, "eval_loss", total / weight)


def hash_seed(seed: int, step: int) -> int:
    """Return the seed of a step's chance, so that no state of chance need be kept."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{step}".encode()).digest()[:6])


def hash_samples(samples: Sequence[Sample]) -> str:
    """Return the SHA-256 of what is learned, in its order."""
    found = hashlib.sha256()
    for sample in samples:
        found.update(json.dumps([sample.ids, [int(mark) for mark in sample.mask]]).encode())
    return found.hexdigest()
