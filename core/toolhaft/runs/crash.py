"""Named points at which a test can have the process killed, as a crash or the loss of power would.

This is a hook for tests and nothing else: ``TOOLHAFT_CRASH_AT=NAME:N`` kills the process with SIGKILL when
it comes to the point ``NAME`` for the ``N``-th time (by default the first). ``NAME`` is one of
`CRASH_POINTS`. Where the variable is not set, a point costs one look at a global.
"""

from __future__ import annotations

import os

from toolhaft.errors import UnknownNameError

COMMITS = (
    "jobs",
    "claim",
    "renew",
    "release",
    "begin-tool",
    "begin-model",
    "end-tool",
    "end-model",
    "uncertain",
    "forget",
    "finish",
    "meta",
)
"""What a transaction may hold; several of them may be in one."""

CRASH_POINTS = (
    "create-file",
    "create-rename",
    "created",
    *(f"before-commit-{kind}" for kind in COMMITS),
    *(f"after-commit-{kind}" for kind in COMMITS),
    "result-file",
    "result-sync",
    "result-rename",
    "before-call",
    "after-call",
    "before-completion",
    "after-completion",
    "replayed-call",
    "replayed-completion",
    "before-finish",
    "before-export",
    "after-export",
    "before-checkpoint",
    "after-checkpoint",
    "before-close",
    "worker-item",
    "worker-result",
)
"""Every point, from the journal's creation to its end."""


def crash_point(name: str) -> None:
    """End the process here if the environment asks for it."""
    if _PLAN is not None:
        _PLAN.reach(name)


class _Plan:
    def __init__(self, text: str) -> None:
        self._name, _, times = text.partition(":")
        if self._name not in CRASH_POINTS or not (times or "1").isdigit():
            raise UnknownNameError("crash point", text, CRASH_POINTS, where="TOOLHAFT_CRASH_AT")
        self._left = int(times or "1")

    def reach(self, name: str) -> None:
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            import signal

            os.kill(os.getpid(), signal.SIGKILL)


_TEXT = os.environ.get("TOOLHAFT_CRASH_AT")
_PLAN = _Plan(_TEXT) if _TEXT else None
