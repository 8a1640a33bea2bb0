"""Asking the person at the terminal whether a call may be made."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from toolhaft.cli.output import notice

if TYPE_CHECKING:
    from toolhaft.report.terminal import LiveTree
    from toolhaft.tools.policy import CallRequest, Decision


class TerminalApprover:
    """Asks on the terminal; anything but yes is no.

    Attributes:
        screen: The live tree that is drawn there; it stands still while the question is open.
    """

    def __init__(self) -> None:
        self.screen: LiveTree | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, request: CallRequest, decision: Decision) -> bool:
        """Ask, one question at a time."""
        async with self._turn:
            if self.screen is None:
                return await self._ask(request, decision)
            with self.screen.paused():
                return await self._ask(request, decision)

    async def _ask(self, request: CallRequest, decision: Decision) -> bool:
        notice(f"\nMay this call be made? It needs leave: {decision.reason}.")
        notice(request.describe())
        sys.stderr.write("[y/N] ")
        sys.stderr.flush()
        answer = await _read_line()
        return answer.strip().lower() in ("y", "yes")


def terminal_approver() -> TerminalApprover | None:
    """Return an approver, or None where nobody sits at a terminal."""
    return TerminalApprover() if sys.stdin.isatty() and sys.stderr.isatty() else None


async def _read_line() -> str:
    """Read a line from the terminal without a thread that would outlive Ctrl-C; end of input is empty."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except NotImplementedError:  # event loops of Windows watch no terminals
        from toolhaft.tools.threads import run_in_thread

        return str(await run_in_thread(sys.stdin.readline, {}))
    try:
        await ready.wait()
        return os.read(descriptor, 4096).decode("utf-8", "replace")
    finally:
        loop.remove_reader(descriptor)
