"""What an evaluation of several arms found, as data that reports draw and programs read.

An arm is one way of doing the tasks: a planner with a model and its settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share with its 95 % interval.

    Attributes:
        passed: How many passed.
        total: Out of how many.
        low: Lower end of the interval, in [0, 1]; likewise ``high``.
    """

    passed: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share itself, in [0, 1]; 0 of nothing is 0."""
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """How one arm did.

    Attributes:
        name: Unique in its comparison, and the name of its folder.
        planner: Name of the planner; likewise ``model``.
        passes: Rollouts that passed, of those that there are.
        by_tag: The same for the tasks with each tag.
        model_calls: Mean for a rollout; likewise the figures up to ``seconds``.
        cost: In the currency of the model's price list; 0 if unknown.
        failures: How many rollouts ended with each failure kind; ``passed`` is one of them.
        pass_all: By number of trials k, the chance that k of k trials of a task pass (pass^k).
        pass_any: The chance that at least one of k does (pass@k).
        parts: Mean of each component figure over the rollouts whose score has it; a score without any counts
            as 0.
        reference: Whether it is a floor or a ceiling, which is compared with nobody.
    """

    name: str
    planner: str
    model: str
    passes: Proportion
    by_tag: dict[str, Proportion] = field(default_factory=dict)
    model_calls: float = 0.0
    tool_calls: float = 0.0
    steps: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    pass_all: dict[int, float] = field(default_factory=dict)
    pass_any: dict[int, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    reference: bool = False

    @property
    def measured(self) -> bool:
        """Whether any call, token, cost or time was counted; of answers read from a file, mostly none is."""
        return any((self.model_calls, self.tool_calls, self.tokens, self.cost, self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Two arms on the tasks that both tried; the task is the unit, its trials are averaged.

    Attributes:
        a: The first arm, that ``b`` is compared with.
        b: The second.
        tasks: How many tasks both tried.
        wins: Tasks on which ``b`` did better; likewise ``ties`` and ``losses``.
        difference: Mean of ``b`` less mean of ``a``, in [-1, 1].
        low: Lower end of the difference's 95 % interval; likewise ``high``. None for too few tasks.
        mcnemar_p: Two-sided p-value of the exact test; None for too few tasks.
        adjusted_p: The same after adjustment for the number of pairings.
        detectable: The smallest difference that as many tasks would have shown with 80 % power; None
            where it cannot be said.
    """

    a: str
    b: str
    tasks: int
    wins: int
    ties: int
    losses: int
    difference: float
    low: float | None = None
    high: float | None = None
    mcnemar_p: float | None = None
    adjusted_p: float | None = None
    detectable: float | None = None

    @property
    def shown(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0.0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several arms on the same tasks.

    Attributes:
        title: Heading.
        arms: In the order they were asked for.
        pairings: Each pair of arms once.
        notes: What a reader must know to read the figures, one sentence or two each.
        outcomes: By task, then by arm, the mean of passed (1) and failed (0) over the trials.
    """

    title: str
    arms: tuple[ArmResult, ...]
    pairings: tuple[Pairing, ...] = ()
    notes: tuple[str, ...] = ()
    outcomes: dict[str, dict[str, float]] = field(default_factory=dict)
    format: int = 1
