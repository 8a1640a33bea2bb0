"""How far a batch has come, as a line that is drawn anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from toolhaft.cli.output import notice

if TYPE_CHECKING:
    from toolhaft.runs.batch import Progress


class ProgressLine:
    """One line on standard error that says how far the batch has come, drawn anew on a terminal.

    Args:
        quiet: Draw nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._notices: list[str] = []
        self._live = sys.stderr.isatty() and not quiet
        self._bar: Any = None
        self._task: Any = None

    def keep(self, line: str) -> None:
        """Say something once the batch has begun: an error that keeps it from that comes first."""
        self._notices.append(line)

    def show(self, progress: Progress) -> None:
        """Draw how far it has come."""
        while self._notices:
            notice(self._notices.pop(0))
        if not self._live:
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("Tasks", total=progress.total)
            self._bar.start()
        troubled = progress.finished.get("failed", 0) + progress.finished.get("uncertain", 0)
        self._bar.update(
            self._task,
            completed=sum(progress.finished.values()),
            total=progress.total,
            description=f"Tasks ({troubled} failed)" if troubled else "Tasks",
        )

    def say(self, line: str) -> None:
        """Say something in place of the line."""
        self.close()
        self._live = False
        notice(line)

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
