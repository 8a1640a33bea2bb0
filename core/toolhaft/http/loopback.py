"""An application served on this machine's loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolhaftError

if TYPE_CHECKING:
    import socket

HOST = "127.0.0.1"
_START_LIMIT = 20.0
_STOP_LIMIT = 5.0
_GRACE = 0.5
"""Seconds that calls have to end when the server is stopped."""


class LoopbackServer:
    """Serves one application until it is stopped; it answers even while the caller's loop is busy.

    Args:
        app: An ASGI application.
        port: Of loopback; 0 takes a free one.
        name: Of the thread.

    Attributes:
        url: ``http://127.0.0.1:PORT``; the port is taken from the start.

    Raises:
        ConfigError: The port is taken.
        ImportError: uvicorn is not installed.
    """

    def __init__(self, app: Any, *, port: int = 0, name: str = "toolhaft-server") -> None:
        import uvicorn

        self._app = app
        self._under_way: set[asyncio.Task[Any]] = set()
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            # Neither says anything, and the date would make two recordings of one run differ.
            date_header=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._listener = _listen(port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Serve until `stop`; returns when the server answers.

        Raises:
            ToolhaftError: It does not start.
        """
        self._thread.start()
        # The server has no callback for "started"; its own loop looks as often at "should exit".
        for _ in range(int(_START_LIMIT / 0.01)):
            if self._server.started:
                return
            if self._ended.wait(0.01):
                break
        self.stop()
        raise ToolhaftError("the server did not start", where=self.url)

    def stop(self) -> None:
        """End the server; calls that are still under way after half a second are told so."""
        self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._loop.call_later, _GRACE, self._cut_off)
        self._thread.join(_STOP_LIMIT)
        self._listener.close()

    def wait(self) -> None:
        """Return when the server has ended, or when Ctrl-C interrupts the wait."""
        # A join without a limit cannot be interrupted on every platform.
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._ended.set()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Have the application answer; a call that is cut off at the end gets a reply."""
        loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:  # a call is always a task of the server's
            return
        self._under_way.add(task)
        begun = False

        async def tell(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except asyncio.CancelledError:
            if not self._server.should_exit:
                raise
            if not begun:
                await send(
                    {"type": "http.response.start", "status": 503, "headers": [(b"connection", b"close")]}
                )
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._under_way.discard(task)

    def _cut_off(self) -> None:
        for task in self._under_way:
            task.cancel()


def _listen(port: int) -> socket.socket:
    import socket

    # Without the protocol, asyncio leaves Nagle's algorithm on: 40 ms for each answer on a kept connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise ConfigError(
            f"port {port} cannot be used: {reason}", hint="Choose another with --port"
        ) from None
    return listener
