"""The loop over tokens: one at a time, so that it can be stopped, streamed and constrained between two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from toolhaft.errors import ModelError
from toolhaft_local.loading import Loaded

_CHUNK = 512
"""Tokens of the prompt read between two looks at whether somebody still waits."""


class Stopped(Exception):
    """Nobody waits for the answer any more."""


class Constraint(Protocol):
    """Says which tokens may come next."""

    def mask(self, logits: Any) -> Any:
        """Return the logits with those of forbidden tokens at minus infinity."""

    def take(self, token: int) -> None:
        """Note the token that was chosen."""

    def done(self) -> bool:
        """Whether the answer must end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is chosen.

    Attributes:
        temperature: 0 takes the most likely one always.
        top_p: Share of the probability that is drawn from, in (0, 1].
        seed: For the draw.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the model wrote.

    Attributes:
        tokens: Without the one that ended it.
        steps: Tokens that were computed, the ending one among them.
        ended: Whether it ended by itself; if not, the limit cut it.
    """

    tokens: tuple[int, ...]
    steps: int
    ended: bool


def generate(
    loaded: Loaded,
    prompt: Sequence[int],
    *,
    limit: int,
    sampling: Sampling,
    constraint: Constraint | None,
    on_token: Callable[[int], None],
    stopped: Callable[[], bool],
) -> Written:
    """Continue a prompt by at most ``limit`` tokens.

    Args:
        loaded: The model.
        prompt: Tokens; at least one.
        limit: At least 1.
        sampling: How tokens are chosen.
        constraint: What may come next; None allows everything.
        on_token: Called with each token but the one that ends the answer.
        stopped: Asked between tokens whether to give up.

    Raises:
        Stopped: ``stopped`` said so.
        ModelError: The weights give no numbers, or the constraint allows nothing.
    """
    import torch

    chooser = _Chooser(torch, sampling)
    tokens: list[int] = []
    with torch.inference_mode():
        logits, cache = _read(torch, loaded, prompt, stopped)
        for step in range(1, limit + 1):
            if constraint is not None:
                logits = constraint.mask(logits)
            token = chooser.choose(logits)
            if token in loaded.ends:
                return Written(tokens=tuple(tokens), steps=step, ended=True)
            tokens.append(token)
            on_token(token)
            if constraint is not None:
                constraint.take(token)
                if constraint.done():
                    return Written(tokens=tuple(tokens), steps=step, ended=True)
            if stopped():
                raise Stopped
            if step < limit:
                logits, cache = _advance(torch, loaded, [token], cache)
    return Written(tokens=tuple(tokens), steps=limit, ended=False)


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Let torch use so many threads in this one for a while; None changes nothing."""
    if threads is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _read(torch: Any, loaded: Loaded, prompt: Sequence[int], stopped: Callable[[], bool]) -> tuple[Any, Any]:
    logits = cache = None
    for start in range(0, len(prompt), _CHUNK):
        if stopped():
            raise Stopped
        logits, cache = _advance(torch, loaded, list(prompt[start : start + _CHUNK]), cache)
    return logits, cache


def _advance(torch: Any, loaded: Loaded, tokens: list[int], cache: Any) -> tuple[Any, Any]:
    """Read tokens and return the logits of the next one, and the cache of all there were."""
    given = torch.tensor([tokens], device=loaded.model.device)
    outcome = loaded.model(input_ids=given, past_key_values=cache, use_cache=True)
    cache = getattr(outcome, "past_key_values", None)
    if cache is None:
        raise ModelError(
            "the model keeps no cache of what it read, which is not supported",
            hint="Use a transformer that continues text",
        )
    return outcome.logits[0, -1].float().cpu(), cache


class _Chooser:
    """Chooses tokens, the same ones for the same seed."""

    def __init__(self, torch: Any, sampling: Sampling) -> None:
        self._torch = torch
        self._sampling = sampling
        self._draws = torch.Generator().manual_seed(sampling.seed % 2**63)

    def choose(self, logits: Any) -> int:
        torch = self._torch
        best = int(torch.argmax(logits))
        if not bool(torch.isfinite(logits[best])):
            raise ModelError(
                "the model gives no number for the next token",
                hint="Its weights may be damaged, or too large for the dtype: try dtype='float32'",
            )
        if self._sampling.temperature == 0:
            return best
        chances = torch.softmax(logits / self._sampling.temperature, dim=-1)
        if self._sampling.top_p < 1:
            chances, order = torch.sort(chances, descending=True, stable=True)
            before = torch.cumsum(chances, dim=-1) - chances
            chances = chances.masked_fill(before >= self._sampling.top_p, 0.0)
            return int(order[int(torch.multinomial(chances, 1, generator=self._draws))])
        return int(torch.multinomial(chances, 1, generator=self._draws))
