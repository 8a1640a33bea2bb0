"""The retriever ``hybrid``: several others, fused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.fusion import (
    RRF_CONSTANT,
    best_of,
    check_fusion,
    check_weights,
    fuse,
    lift_groups,
)
from toolhaft.retrievers.learned_fusion import LearnedFusion, read_fusion
from toolhaft.retrievers.named_parts import MakePart, NamedPart, read_parts, wait_for_all
from toolhaft.retrievers.parents import check_share
from toolhaft.tools.specs import HeldSpecs, Specs, as_specs
from toolhaft.types import Scored, ToolSpec

DEFAULT_PARTS = ("bm25", "dense")
_DEFAULTS = LearnedFusion(
    fusion="z-score",
    weights={"bm25": 1.0, "dense": 0.4},
    depth=100,
    learned_on={"chosen by": "benchmarks/search_hybrid.py: the best mean that loses on no development set"},
)
_DEEPEST = 10_000


class Hybrid(Retriever):
    """Finds tools with several retrievers at once and fuses what they found (see `fuse`).

    Words find what is called by its name, vectors what is meant: each finds tools that the other does not.

    Args:
        retrievers: Names, with commas between them or in a sequence; a mapping stands for a name with its
            settings, ``{"dense": {"model": "folder"}}``, and retrievers that are made already are taken, too.
            None is ``bm25`` and ``dense``; the latter comes with the plugin toolhaft-dense.
        fusion: ``rrf``, ``z-score`` (None) or ``min-max``.
        weights: One a retriever, in their order (as text, ``1,0.4``) or by their names. None is 1 and 0.4
            for ``bm25`` and ``dense`` where ``retrievers`` is None, and else the same for all.
        depth: Candidates of each retriever; None is 100, and never fewer than the tools asked for.
        constant: Of ``rrf``.
        parent_boost: Share of the best fused score in a tool's service that is added to its own; None is 0,
            for the retrievers of the default do that themselves.
        timeout: Seconds that a retriever may take for a query; the first one may load a model.
        learned: A `LearnedFusion`, or its file: fusion, weights, depth and parent boost at once.
        make_part: Makes the retrievers that are only named; `Registry.make`, which hands itself over.

    Raises:
        UnknownNameError: A retriever is not installed; the message says what to install.
        ConfigError: A setting makes no sense.
    """

    name = "hybrid"

    def __init__(
        self,
        *,
        retrievers: str | Sequence[Any] | Mapping[str, Any] | None = None,
        fusion: str | None = None,
        weights: str | Sequence[float] | Mapping[str, float] | None = None,
        depth: int | None = None,
        constant: float = RRF_CONSTANT,
        parent_boost: float | None = None,
        timeout: float = 120.0,
        learned: LearnedFusion | str | Path | None = None,
        make_part: MakePart | None = None,
    ) -> None:
        chosen = DEFAULT_PARTS if retrievers is None else retrievers
        self._parts = read_parts("retriever", chosen, Retriever, make_part, whole=self.name)
        known = _read_learned(learned, (fusion, weights, depth, parent_boost)) if learned else _DEFAULTS
        if weights is None and (learned or retrievers is None):
            weights = known.weights
        self._fusion = check_fusion(known.fusion if fusion is None else fusion)
        self._weights = _read_weights(weights, self._parts)
        self._depth = _check_number("depth", known.depth if depth is None else depth, 1, _DEEPEST, whole=True)
        self._constant = _check_number("constant", constant, 0, 1e6)
        boost = known.parent_boost if parent_boost is None else parent_boost
        self._parent_boost = check_share(_check_number("parent_boost", boost, 0, 10))
        self._timeout = _check_number("timeout", timeout, 0.001, 86_400)
        self._specs: Specs = HeldSpecs(())
        self._put: dict[str, ToolSpec] = {}
        self._unlike = ""

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search, by every retriever in turn.

        Raises:
            ToolhaftError: A retriever failed; the error names it, and nothing is found until the next index.
        """
        self._unlike = "the last index failed"
        for part in self._parts:
            part.made.progress = self.progress or part.made.progress
            await part.wait(part.made.index(specs))
        self._specs, self._put, self._unlike = as_specs(specs), {}, ""

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first; equal scores in the order of the first retriever.

        Raises:
            UsageError: Nothing may be searched, for an index or an update failed.
            ToolhaftError: A retriever failed or is too slow; the error names it.
        """
        hits: list[Scored] = []
        for name, score in await self.rank(query, k):
            try:
                hits.append(Scored(self._spec(name), score))
            except KeyError:  # its file lost the tool since it was indexed
                continue
        return hits

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return the names and scores of what `retrieve` would find."""
        if not isinstance(k, int) or isinstance(k, bool):
            raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
        if k < 1:
            return []
        rankings = await self.candidates(query, max(self._depth, k))
        fused = fuse(
            rankings,
            self._weights,
            fusion=self._fusion,
            depth=max(self._depth, k),
            constant=self._constant,
        )
        if self._parent_boost:
            fused = lift_groups(fused, self._parent_boost, self._parent)
        return best_of(fused, k)

    async def candidates(self, query: str, depth: int) -> list[list[tuple[str, float]]]:
        """Return what each retriever finds, names with scores, in the order of the retrievers.

        Args:
            query: What is searched for.
            depth: Tools that each may give.
        """
        if self._unlike:
            raise UsageError(
                f"the retrievers of hybrid may hold different tools: {self._unlike}",
                hint="Index all tools anew: index(specs)",
            )
        work = [part.made.rank(query, depth) for part in self._parts]
        found = await wait_for_all(self._parts, work, self._timeout)
        return [part.checked_ranking(ranking) for part, ranking in zip(self._parts, found, strict=True)]

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add, change or remove single tools in every retriever.

        Raises:
            UsageError: A retriever cannot; the error names it. If another had done so already, nothing is
                found until all tools are indexed anew.
        """
        gone = tuple(remove)
        for number, part in enumerate(self._parts):
            if number:
                self._unlike = f"the update of {part.label!r} failed"
            await part.wait(part.made.update(put, gone))
        self._put.update({spec.name: spec for spec in put})
        self._unlike = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What messages and weights call the retrievers."""
        return tuple(part.label for part in self._parts)

    @property
    def fused_by(self) -> LearnedFusion:
        """How the retrievers are fused."""
        return LearnedFusion(
            fusion=self._fusion,
            weights=dict(zip(self.labels, self._weights, strict=True)),
            depth=self._depth,
            parent_boost=self._parent_boost,
        )

    @property
    def engine(self) -> str:
        """What does the work: how it is fused, and each retriever with its own engine."""
        said = ", ".join(
            f"{part.label} ({part.made.engine})" if part.made.engine else part.label for part in self._parts
        )
        return f"{self._fusion} of {said}"

    async def close(self) -> None:
        """Close every retriever, also after one that fails to close."""
        from contextlib import AsyncExitStack

        async with AsyncExitStack() as stack:
            for part in reversed(self._parts):
                stack.push_async_callback(part.made.close)

    def _spec(self, name: str) -> ToolSpec:
        return self._put.get(name) or self._specs.named(name)

    def _parent(self, name: str) -> str:
        try:
            return self._spec(name).parent
        except KeyError:
            return ""


def _read_learned(learned: LearnedFusion | str | Path, others: Sequence[Any]) -> LearnedFusion:
    if any(each is not None for each in others):
        raise ConfigError(
            "fusion, weights, depth and parent_boost are in what was learned", hint="Give either of the two"
        )
    return learned if isinstance(learned, LearnedFusion) else read_fusion(learned)


def _read_weights(weights: Any, parts: Sequence[NamedPart]) -> tuple[float, ...]:
    if weights is None:
        return (1.0,) * len(parts)
    if isinstance(weights, Mapping):
        labels = [part.label for part in parts]
        unknown = [name for name in weights if name not in labels]
        if unknown:
            raise ConfigError(
                f"there is a weight for {repr(unknown[0])[:60]}, which is no part of hybrid",
                hint=f"Parts: {', '.join(labels)}",
            )
        return check_weights([weights.get(label, 0.0) for label in labels], len(parts))
    if isinstance(weights, str):
        weights = _numbers(weights)
    if not isinstance(weights, Sequence):
        raise ConfigError(f"weights is {repr(weights)[:60]}", hint="Give one number a retriever")
    return check_weights(weights, len(parts))


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text[:1_000].split(",")]
    except ValueError:
        raise ConfigError(
            f"weights is {text[:60]!r}", hint="Write numbers with commas, as in 1,0.4"
        ) from None


def _check_number(name: str, value: Any, least: float, most: float, *, whole: bool = False) -> Any:
    kind = int if whole else (int, float)
    good = isinstance(value, kind) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not least <= value <= most:
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use {what} from {least:g} to {most:,.15g}")
    return value
