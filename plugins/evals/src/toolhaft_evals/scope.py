"""Which part of a rollout is scored."""

from __future__ import annotations

from typing import Literal

from toolhaft.errors import UsageError
from toolhaft.types import Step, Trajectory

Scope = Literal["path", "trajectory"]
"""``path``: the steps from the root to the answer; ``trajectory``: abandoned branches too."""


def check_scope(scope: str) -> None:
    """Raise `UsageError` unless the scope is one."""
    if scope not in ("path", "trajectory"):
        raise UsageError(f"there is no scope {scope[:40]!r}", hint="Use 'path' or 'trajectory'")


def steps_in(trajectory: Trajectory, scope: Scope) -> tuple[Step, ...]:
    """Return the steps that a scope takes in."""
    return trajectory.path() if scope == "path" else trajectory.steps
