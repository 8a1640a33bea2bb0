"""The virtual API server on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from toolhaft.errors import SpecError
from toolhaft.http.loopback import LoopbackServer

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog


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
        live: Whether the APIs are asked.

    Raises:
        UsageError: There is nothing at the path.
        SpecError: It holds no tool.
        ConfigError: With ``live``, the key is not set.
        FormatError: The cache is damaged, or something else.
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
        self.live = live
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
        self.answers = kept.count if kept is not None else 0
        self._virtual = VirtualAPIs(directory, seed=seed, cache=kept, upstream=upstream)
        self._server: LoopbackServer | None = None

    def start(self) -> None:
        """Serve until `stop`; returns when the server answers.

        Raises:
            ConfigError: The port is taken.
        """
        if self._server is not None:
            return
        from toolhaft_rapidapi.app import build_app

        app = build_app(self._virtual, compatible=self._compatible, title=self.title)
        server = LoopbackServer(app, port=self._port, name="toolhaft-rapidapi")
        self.base_url = server.url
        server.start()
        self._server = server

    def stop(self) -> None:
        """End the server and close the cache."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self._virtual.close()
        if self._virtual.upstream is not None:
            self._virtual.upstream.close_sync()

    def wait(self) -> None:
        """Return when the server has ended, or when Ctrl-C interrupts the wait."""
        if self._server is not None:
            self._server.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _live(path: Path | str, allow_hosts: Sequence[str]) -> Catalog:
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.loop import run_sync
    from toolhaft.types import SecretRef
    from toolhaft_rapidapi.source import KEY, RapidAPISource

    SecretStore().resolve(SecretRef(KEY))  # without the key every live call would fail
    return run_sync(RapidAPISource(virtual=False, allow_hosts=allow_hosts).load(Path(path)))
