"""The loop: steps, measurements, checkpoints; a killed process is taken up again to the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.training.log import TrainingLog
from toolhaft_dense.training.batches import count_steps, endless_batches
from toolhaft_dense.training.checkpoints import Checkpoint, checkpoints_in
from toolhaft_dense.training.examples import LearningQuery, LearningSet, pairs_of
from toolhaft_dense.training.measuring import Measure
from toolhaft_dense.training.mining import SPREAD, Miner, Negatives
from toolhaft_dense.training.network import Network
from toolhaft_dense.training.scoring import split_queries
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.stepping import Stepper, Teacher

if TYPE_CHECKING:
    import torch

CHECKPOINTS = "checkpoints"
Progress = Callable[[int, int, str], None]
"""Told of each step: how many are done, how many there are, and how it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What training came to.

    Attributes:
        steps: How many were made, in all processes together; likewise ``tokens`` and ``seconds``.
        planned: How many were to be made; more than ``steps`` if training ended early.
        resumed_at: The step that was taken up again; 0 if there was none.
        best: NDCG@5 on the queries held out, of the weights that were kept; -1 if none were held out.
        best_step: When these weights were reached.
    """

    steps: int
    planned: int
    tokens: int
    seconds: float
    resumed_at: int = 0
    best: float = -1.0
    best_step: int = 0


@dataclass(slots=True, kw_only=True)
class _Position:
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_step: int = 0
    waited: int = 0
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        return self.seconds + time.monotonic() - self.began


class Trainer:
    """Trains an encoder.

    Args:
        network: What learns.
        learning: All tools.
        learned: Queries that it learns.
        held_out: Queries that it is measured on.
        settings: How.
        output: Folder for checkpoints and the log.
        identity: What the run depends on beside the settings and the data, such as the encoder's digest.
        teacher: Whose scores are learned, too.
        progress: Told of each step.

    Raises:
        UsageError: There is nothing to learn.
    """

    def __init__(
        self,
        network: Network,
        learning: LearningSet,
        learned: Sequence[LearningQuery],
        held_out: Sequence[LearningQuery],
        settings: RetrieverSettings,
        output: Path,
        *,
        identity: Mapping[str, Any] | None = None,
        teacher: Teacher | None = None,
        progress: Progress | None = None,
    ) -> None:
        if len(learned) < 2:
            raise UsageError(
                f"{len(learned)} queries are too few to learn from",
                where=", ".join(learning.hashes),
                hint="Give more, hold fewer out, or have some made: --synthetic 1000",
            )
        self._network = network
        self._settings = settings
        self._output = output
        self._checkpoints = checkpoints_in(output / CHECKPOINTS)
        self._progress = progress
        passages = learning.passages()
        self._pairs = pairs_of(learned, settings.repeats)
        self._batch = min(settings.batch, len(self._pairs))
        self._steps = count_steps(len(self._pairs), self._batch, settings.epochs)
        self._measure = Measure(
            held_out, passages, most=settings.pool, seed=settings.seed, sentences=settings.sentences
        )
        self._miner = Miner(learning, learned, settings)
        parts, self._counts = split_queries([query.text for query in learned], sentences=settings.sentences)
        self._texts = passages, parts
        self._stepper = Stepper(
            network, learned, passages, settings, words=self._miner.words, teacher=teacher
        )
        self._mined: dict[str, torch.Tensor] = {}
        self._base = {name: one.detach().clone() for name, one in network.trained()}
        self._fingerprint = {
            **settings.to_json(),
            "precision": network.precision,
            "steps": self._steps,
            "data": learning.digest(),
            "held_out": len(held_out),
            **(identity or {}),
        }

    def train(self, *, resume: bool = False) -> Trained:
        """Train to the last step, or until nothing is gained any more; then put the best weights in place.

        Args:
            resume: Go on from the last checkpoint, if there is one.

        Raises:
            UsageError: There are checkpoints and they are not to be resumed, they are of another run, or
                the output cannot be written.
            FormatError: The last checkpoint is damaged.
            ModelError: The loss is no number any more.
        """
        position = self._take_up(resume)
        resumed_at = position.step
        log = TrainingLog(self._output, resumed_at)
        negatives = self._mine(resumed_at)
        if not resumed_at:
            self._evaluate(log, position)
        batches = endless_batches(
            self._pairs, self._batch, self._settings.seed, resumed_at, together=self._settings.together
        )
        self._network.model.train(self._settings.dropout)
        while position.step < self._steps and not self._is_over(position):
            negatives = self._mine(position.step) if self._refreshes(position.step) else negatives
            loss, tokens = self._stepper.learn(position.step, self._steps, next(batches), negatives)
            position.step += 1
            position.tokens += tokens
            rate = self._settings.learning_rate * self._settings.rate_at(position.step - 1, self._steps)
            log.write_step(
                position.step, loss=loss, rate=rate, tokens=position.tokens, seconds=position.elapsed()
            )
            self._keep(log, position)
            if self._progress is not None:
                best = f", NDCG@5 {100 * position.best:.1f}" if position.best >= 0 else ""
                self._progress(position.step, self._steps, f"loss {loss:.3f}{best}")
        self._put_best(position)
        return Trained(
            steps=position.step,
            planned=self._steps,
            tokens=position.tokens,
            seconds=position.elapsed(),
            resumed_at=resumed_at,
            best=position.best,
            best_step=position.best_step,
        )

    def _every(self) -> int:
        """Return the steps between two measurements."""
        return max(1, round(len(self._pairs) / self._batch / self._settings.evaluations))

    def _is_over(self, position: _Position) -> bool:
        return 0 < self._settings.patience <= position.waited

    def _keep(self, log: TrainingLog, position: _Position) -> None:
        last = position.step == self._steps
        if last or position.step % self._every() == 0:
            self._evaluate(log, position)
        if last or self._is_over(position) or position.step % self._settings.checkpoint_every == 0:
            log.to_disk()
            checkpoint = Checkpoint(
                step=position.step,
                tokens=position.tokens,
                seconds=position.elapsed(),
                best=position.best,
                best_step=position.best_step,
                waited=position.waited,
                weights=dict(self._network.trained()),
                best_weights={} if position.best_step == position.step else position.weights,
                optimizer=self._stepper.state(),
                negatives=self._mined,
            )
            self._checkpoints.write(checkpoint, self._fingerprint)

    def _evaluate(self, log: TrainingLog, position: _Position) -> None:
        if not self._measure.queries:
            return
        learned = {name: one.detach().clone() for name, one in self._network.trained()}
        kept = self._kept(learned)
        self._put(kept)
        found = self._measure.mean(self._network)
        self._put(learned)
        log.write_figure(position.step, "ndcg@5", found)
        position.waited = 0 if found > position.best else position.waited + 1
        # Few queries often come to the same figure: the weights that learned more are then kept.
        if found >= position.best:
            position.best, position.best_step = found, position.step
            position.weights = kept

    def _put_best(self, position: _Position) -> None:
        chosen = position.best >= 0 and position.best_step != position.step
        self._put(position.weights if chosen else self._kept(dict(self._network.trained())))

    def _kept(self, learned: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the weights that are kept of these: a share of the way to them from where it began."""
        share = self._settings.share
        return {
            name: one.detach().clone() if share == 1 else self._base[name].lerp(one.detach(), share)
            for name, one in learned.items()
        }

    def _put(self, weights: Mapping[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self._network.trained():
                parameter.copy_(weights[name])

    def _refreshes(self, step: int) -> bool:
        epoch = max(1, round(len(self._pairs) / self._batch))
        every = self._settings.refresh * epoch
        return bool(every) and step > 0 and step % every == 0 and self._miner.needs_vectors

    def _mine(self, step: int) -> Negatives:
        """Mine negatives; when a run is taken up again, what was mined by other weights is read back."""
        if not self._miner.needs_vectors:
            return self._miner.mine()
        if not (step and not self._refreshes(step) and self._mined):
            tools, queries = (self._network.measured(texts) for texts in self._texts)
            # What scores are worth stays as it was before anything was learned.
            first = {name: one for name, one in self._mined.items() if name == SPREAD}
            self._mined = {**self._miner.rank(tools, queries, self._counts), **first}
        self._stepper.spread = float(self._mined[SPREAD])
        return self._miner.mine(self._mined)

    def _take_up(self, resume: bool) -> _Position:
        checkpoint = self._checkpoints.take_up(self._fingerprint, resume=resume)
        if checkpoint is None:
            return _Position()
        self._restore(checkpoint, str(self._output / CHECKPOINTS))
        return _Position(
            step=checkpoint.step,
            tokens=checkpoint.tokens,
            seconds=checkpoint.seconds,
            best=checkpoint.best,
            best_step=checkpoint.best_step,
            waited=checkpoint.waited,
            weights=dict(checkpoint.best_weights) or self._kept(dict(self._network.trained())),
        )

    def _restore(self, checkpoint: Checkpoint, where: str) -> None:
        trained = dict(self._network.trained())
        if {name: tuple(one.shape) for name, one in trained.items()} != {
            name: tuple(one.shape) for name, one in checkpoint.weights.items()
        }:
            raise UsageError(
                "the checkpoint is of another encoder", where=where, hint="Train into another folder"
            )
        self._put(checkpoint.weights)
        self._stepper.load(checkpoint.optimizer, where)
        self._mined = dict(checkpoint.negatives)
