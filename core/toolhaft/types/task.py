"""What is to be done, what it may cost, and how well it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft.types.content import Artifact
from toolhaft.types.tool import ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """What a good solution has; every field is optional.

    Attributes:
        tools: Names of the tools that are needed.
        calls: Calls that must be made.
        state: Check on the environment's end state, in the environment's own terms.
        facts: Strings that the answer must hold.
        answer: A reference answer.
        solvable: False if the right move is to say that no tool can do it.
        asks: What a question back to the user must mention, each entry as spellings separated by ``|``; a
            task that has any is done right only by asking.
    """

    tools: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    state: tuple[dict[str, Any], ...] = ()
    facts: tuple[str, ...] = ()
    answer: str = ""
    solvable: bool = True
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An instruction to carry out.

    Attributes:
        id: Unique in its set.
        instruction: What the user says.
        artifacts: Images and files that come with it.
        gold: What a good solution has, for evaluation; planners never see it.
        tags: Kinds of difficulty, for breakdowns.
    """

    id: str
    instruction: str
    artifacts: tuple[Artifact, ...] = ()
    gold: Gold | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    format: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one rollout; None is no limit. Checked before anything is spent.

    Attributes:
        steps: Rounds of thought and calls.
        tokens: Input and output tokens together, as the model reports them.
        cost: In the currency of the model's price list.
        seconds: Wall-clock time.
    """

    steps: int | None = 30
    model_calls: int | None = 60
    tool_calls: int | None = 100
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A figure with its reason.

    Attributes:
        name: What was measured, for example ``gold_recall``.
        value: In [0, 1]; higher is better.
        reason: One sentence for a person.
        details: More facts as JSON values.
        evaluator: Name of the evaluator.
        parts: Figures in [0, 1] that the value is made of, for example ``api`` and ``arguments``.
        outcome: What became of it in one word, for example ``hallucination``; tables and filters show it
            where the score decides and the rollout came to its end.
    """

    name: str
    value: float
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    evaluator: str = ""
    parts: dict[str, float] = field(default_factory=dict)
    outcome: str = ""
