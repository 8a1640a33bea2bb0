"""A progress bar on standard error, where a person is looking."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolhaft.text import terminal_safe

if TYPE_CHECKING:
    from rich.progress import Progress


class ProgressBar:
    """Shows how much is done; silent where standard error is no terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    @contextmanager
    def showing(self, title: str, total: int | None = None) -> Iterator[None]:
        """Show the bar while the block runs.

        Args:
            title: Stands before the bar.
            total: How many things there are to do; None is not known yet.
        """
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            self._progress = progress
            progress.add_task(terminal_safe(title), total=total)
            try:
                yield
            finally:
                self._progress = None

    def advance(self, title: str | None = None) -> None:
        """Say that one more is done.

        Args:
            title: Replaces the one before the bar.
        """
        if self._progress is not None:
            shown = None if title is None else terminal_safe(title)
            self._progress.update(self._progress.task_ids[0], advance=1, description=shown)

    def reach(self, done: int, total: int, title: str | None = None) -> None:
        """Say how many are done, for work that counts by itself.

        Args:
            done: Things that are done; 0 begins another part of the work, with a guess of time of its own.
            total: Things that there are to do.
            title: Replaces the one before the bar.
        """
        if self._progress is None:
            return
        task = self._progress.tasks[0]
        shown = task.description if title is None else terminal_safe(title)
        if done:
            self._progress.update(task.id, completed=done, total=total, description=shown)
        else:
            self._progress.reset(task.id, total=total, description=shown)


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Show that work is under way of which nobody knows how much there is; silent without a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(terminal_safe(title))):
        yield
