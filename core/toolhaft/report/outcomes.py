"""How rollouts came out, in one word each: for tables, bars and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolhaft.evaluators.failure import FAILURE_KINDS, failure_kind
from toolhaft.types import Score, Trajectory

UNCERTAIN = "uncertain"
"""By what a list of tasks finds those with a write of which nobody knows whether it was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rollout of a task by an arm, as a comparison lists it.

    Attributes:
        task: Id of the task.
        arm: Name of the arm.
        kind: Failure kind, ``passed`` among them; empty if it was not scored.
        href: Address of its article, relative to the comparison; empty if it has none.
        instruction: Of the task; likewise ``tags``.
    """

    task: str
    arm: str
    kind: str
    href: str
    instruction: str = ""
    tags: tuple[str, ...] = ()


def is_uncertain(trajectory: Trajectory) -> bool:
    """Whether a call may or may not have changed something, so that a person must look."""
    errors = (observation.error for observation in trajectory.observations())
    return any(error is not None and error.effect == "uncertain" for error in (*errors, trajectory.error))


def kind_of(trajectory: Trajectory, scores: Sequence[Score]) -> str:
    """Return the failure kind of a rollout; empty if nothing scored it.

    The first score decides: by the kind that its details hold under ``failure``, else made anew.
    """
    if not scores:
        return ""
    kind = scores[0].details.get("failure")
    return kind if kind in FAILURE_KINDS else failure_kind(scores[0], trajectory)


def kinds_in_order(found: Mapping[str, int]) -> list[str]:
    """Return the kinds that occurred, those that are known in the order in which they are always shown."""
    known = [kind for kind in FAILURE_KINDS if found.get(kind)]
    return known + sorted(kind for kind, number in found.items() if number and kind not in FAILURE_KINDS)


def kind_words(kind: str) -> str:
    """Return a failure kind as words: ``wrong state``."""
    return kind.replace("_", " ") or "not scored"


def kind_class(kind: str) -> str:
    """Return the class of the style sheet that colours a kind."""
    return f"kind-{kind.replace('_', '-')}" if kind in FAILURE_KINDS else "kind-other"
