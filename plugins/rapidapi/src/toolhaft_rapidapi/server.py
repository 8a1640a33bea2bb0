"""The virtual API server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from toolhaft.errors import ConfigError, SpecError, ToolhaftError

if TYPE_CHECKING:
    import socket

    import uvicorn

    from toolhaft.tools.catalog import Catalog

HOST = "127.0.0.1"
_START_LIMIT = 20.0
_STOP_LIMIT = 5.0


class VirtualServer:
    """Serves the APIs of tool files while it is entered, in a thread of its own.

    Args:
        path: What ``rapidapi:PATH`` takes: a tool file, a folder, JSON lines, queries.
        port: Of loopback; 0 takes a free one.
        seed: Of the simulator.
        cache: File with kept answers; it is made if there is none.
        responses: Folder of ToolBench's ``response_examples``: shapes of answers.
        live: Ask the APIs themselves for what is not kept, with RapidAPI's key.
        compatible: Responses are texts, as old clients expect.
        allow_hosts: For ``live``: see `toolhaft_rapidapi.source.RapidAPISource`.

    Attributes:
        base_url: ``http://127.0.0.1:PORT`` once it is started.
        apis: How many APIs it knows.
        answers: How many answers are kept.

    Raises:
        UsageError: There is nothing at the path.
        SpecError: It holds no tool.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        port: int = 0,
        seed: int = 0,
        cache: Path | str | None = None,
        responses: Path | str | None = None,
        live: bool = False,
        compatible: bool = False,
        allow_hosts: Sequence[str] = (),
    ) -> None:
        from toolhaft_rapidapi.cache import AnswerCache
        from toolhaft_rapidapi.directory import Directory
        from toolhaft_rapidapi.importing import import_records
        from toolhaft_rapidapi.reading import read_records
        from toolhaft_rapidapi.responses import add_responses
        from toolhaft_rapidapi.virtual import VirtualAPIs

        self.title = Path(path).name
        self.seed = seed
        self.base_url = ""
        self._port = port
        self._compatible = compatible
        reading = read_records(Path(path))
        if responses is not None:
            add_responses(reading, Path(responses))
        directory = Directory(import_records(reading, live=False))
        if not len(directory):
            raise SpecError(
                "there are no tools", where=str(path), hint="Name tool files of ToolBench's layout"
            )
        self.apis = len(directory)
        upstream = _live(path, allow_hosts) if live else None
        kept = AnswerCache(cache) if cache is not None or live else None
        self.answers = len(kept) if kept is not None else 0
        self._virtual = VirtualAPIs(directory, seed=seed, cache=kept, upstream=upstream)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve until `stop`; returns when the server answers.

        Raises:
            ConfigError: The port is taken.
        """
        if self._thread is not None:
            return
        import uvicorn

        from toolhaft_rapidapi.app import build_app

        app = build_app(self._virtual, compatible=self._compatible, title=self.title)
        listener = listen_on_loopback(self._port)
        server = uvicorn.Server(_config(uvicorn.Config, app))
        started = threading.Event()

        def serve() -> None:
            try:
                server.run(sockets=[listener])
            finally:
                started.set()

        self._thread = threading.Thread(target=serve, name="toolhaft-rapidapi", daemon=True)
        self._server = server
        self._thread.start()
        self.base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        # The server has no callback for "started"; its own loop looks as often at "should exit".
        for _ in range(int(_START_LIMIT / 0.01)):
            if server.started:
                return
            if started.wait(0.01):
                break
        self.stop()
        raise ToolhaftError("the server did not start", where=self.base_url)

    def stop(self) -> None:
        """End the server and close the cache."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.should_exit = True
            thread.join(_STOP_LIMIT)
        self._virtual.close()
        if self._virtual.upstream is not None:
            self._virtual.upstream.close_sync()

    def wait(self) -> None:
        """Return when the server has ended, or when Ctrl-C interrupts the wait."""
        # A join without a limit cannot be interrupted on every platform.
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _live(path: Path | str, allow_hosts: Sequence[str]) -> Catalog:
    from toolhaft.tools.loop import run_sync
    from toolhaft_rapidapi.source import RapidAPISource

    return run_sync(RapidAPISource(virtual=False, allow_hosts=allow_hosts).load(Path(path)))


def _config(make: Any, app: Any) -> Any:
    return make(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
        # Neither says anything, and the date would make two recordings of one run differ.
        date_header=False,
        server_header=False,
    )


def listen_on_loopback(port: int) -> socket.socket:
    """Return a listening socket of this machine's loopback.

    Raises:
        ConfigError: The port is taken.
    """
    import socket

    # Without the protocol, asyncio leaves Nagle's algorithm on: 40 ms for each answer on a kept connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {port} cannot be used: {error.strerror}", hint="Choose another with --port"
        ) from None
    return listener
