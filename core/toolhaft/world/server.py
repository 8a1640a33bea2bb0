"""The world as a server on loopback."""

from __future__ import annotations

import importlib
import secrets as random_source
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.secrets import SecretStore
from toolhaft.world.documents import SERVICES, read_data, read_document
from toolhaft.world.problem import RequestProblem
from toolhaft.world.store import RUN_NAME, Store

if TYPE_CHECKING:
    import socket

    import uvicorn

    from toolhaft.tools.catalog import Catalog

HOST = "127.0.0.1"
_START_LIMIT = 20.0
_STOP_LIMIT = 5.0


class World:
    """The demo world, served while it is entered.

    The server runs in a thread of its own, so it answers even while the caller's loop is busy.

    Args:
        seed: The same seed gives the same world.
        services: Which services there are; None is all.
        port: Of loopback; 0 takes a free one.
        keys: Credentials by name of their security scheme; None makes new ones.

    Attributes:
        base_url: ``http://127.0.0.1:PORT``; a run's services are at ``/runs/<run>/<service>``.
        secrets: Credentials by the name that a ``memory:`` reference gives them.
        auth: References by name of the security scheme, as `OpenAPISource` takes them.
        store: The states of all runs.

    Raises:
        UnknownNameError: There is no such service.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        services: Sequence[str] | None = None,
        port: int = 0,
        keys: dict[str, str] | None = None,
    ) -> None:
        self.services = tuple(services or SERVICES)
        for name in self.services:
            if name not in SERVICES:
                raise UnknownNameError("service", name, SERVICES)
        self.seed = seed
        self._port = port
        self._documents = {name: read_document(name) for name in self.services}
        schemes = [
            scheme
            for document in self._documents.values()
            for scheme in document["components"].get("securitySchemes", {})
        ]
        self._keys = keys or {scheme: random_source.token_urlsafe(24) for scheme in schemes}
        self.secrets = {secret_name(scheme): self._keys[scheme] for scheme in schemes}
        self.auth = {scheme: f"memory:{secret_name(scheme)}" for scheme in schemes}
        modules = [importlib.import_module(f"toolhaft.world.services.{name}") for name in self.services]
        data = {name: read_data(name) for name in self.services}
        self.store = Store([module.SERVICE for module in modules], data, seed=seed)
        self.base_url = ""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve until `stop`; returns when the server answers.

        Raises:
            ConfigError: The extra ``demo`` is not installed, or the port is taken.
        """
        if self._thread is not None:
            return
        server, listener = self._make_server()
        started = threading.Event()

        def serve() -> None:
            try:
                server.run(sockets=[listener])
            finally:
                started.set()

        self._thread = threading.Thread(target=serve, name="toolhaft-world", daemon=True)
        self._server = server
        self._thread.start()
        self.base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        self._wait_until_started(server, started)

    def _wait_until_started(self, server: uvicorn.Server, ended: threading.Event) -> None:
        # The server has no callback for "started"; its own loop looks as often at "should exit".
        for _ in range(int(_START_LIMIT / 0.01)):
            if server.started:
                return
            if ended.wait(0.01):
                break
        self.stop()
        raise ToolhaftError("the demo world did not start", where=self.base_url)

    def stop(self) -> None:
        """End the server; the states stay readable."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.should_exit = True
        thread.join(_STOP_LIMIT)

    def wait(self) -> None:
        """Return when the server has ended, or when Ctrl-C interrupts the wait."""
        # A join without a limit cannot be interrupted on every platform.
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    async def __aenter__(self) -> World:
        import asyncio

        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio

        await asyncio.shield(asyncio.to_thread(self.stop))

    def service_url(self, service: str, run: str = "default") -> str:
        """Return the base URL of a service for a run."""
        return f"{self.base_url}/runs/{run}/{service}"

    def authentication(self, service: str) -> str:
        """Return in words how a service wants to be given its credential."""
        schemes = self._documents[service]["components"].get("securitySchemes", {})
        ways = []
        for name, scheme in schemes.items():
            if scheme["type"] == "http":
                ways.append(f"header Authorization: Bearer ${secret_name(name)}")
            elif scheme["in"] == "header":
                ways.append(f"header {scheme['name']}: ${secret_name(name)}")
            else:
                ways.append(f"query {scheme['name']}=${secret_name(name)}")
        return ", ".join(ways) or "none"

    async def catalog(self, run: str = "default") -> Catalog:
        """Import the bundled documents as tools that speak to one run of this world.

        The catalog may speak to this server alone.

        Raises:
            UsageError: The run's name is not legal, or the world was not started.
        """
        if not self.base_url or not RUN_NAME.fullmatch(run):
            raise UsageError(
                f"there is no run {run[:80]!r} of this world",
                hint="Start it first: async with World() as world",
            )
        from toolhaft.world.source import import_services

        return await import_services(
            self.base_url, run=run, services=self.services, auth=self.auth, secrets=SecretStore(self.secrets)
        )

    async def state(self, run: str = "default") -> dict[str, Any]:
        """Return a copy of a run's state; see ``docs/explanation/world.md`` for what it holds.

        Raises:
            UsageError: The run's name is not of 1 to 80 letters, digits, dots, hyphens and underscores, or
                there are too many runs.
        """
        try:
            return self.store.state(run)
        except RequestProblem as problem:
            raise UsageError(problem.detail) from None

    async def reset(self, run: str = "default") -> None:
        """Put a run back to the beginning."""
        self.store.reset(run)

    def _make_server(self) -> tuple[uvicorn.Server, socket.socket]:
        try:
            import uvicorn

            from toolhaft.world.app import build_app

            app = build_app(self.store, self._documents, self._keys)
        except ImportError as error:
            raise ConfigError(
                f"the demo world needs {error.name}", hint="Install it: pip install 'toolhaft[demo]'"
            ) from None
        listener = _listen(self._port)
        config = uvicorn.Config(
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
        return uvicorn.Server(config), listener


def secret_name(scheme: str) -> str:
    """Return the name of a scheme's credential in the environment and in a secret store."""
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in scheme)
    return f"TOOLHAFT_WORLD_{words.upper()}"


def _listen(port: int) -> socket.socket:
    import socket

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
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
