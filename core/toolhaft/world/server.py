"""The world as a server on loopback."""

from __future__ import annotations

import secrets as random_source
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.http.loopback import LoopbackServer
from toolhaft.secrets import SecretStore
from toolhaft.world.documents import documented_services, service_names, world_folder, world_title
from toolhaft.world.loading import load_service
from toolhaft.world.problem import RequestProblem, not_found
from toolhaft.world.store import RUN_NAME, Store
from toolhaft.world.tasks import load_tasks, preparation_of

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog
    from toolhaft.types import Task
    from toolhaft.world.importing import ImportedService


class World:
    """The demo world, served while it is entered.

    The server runs in a thread of its own, so it answers even while the caller's loop is busy.

    Args:
        seed: The same seed gives the same world.
        services: Which services there are; None is all that the folder names.
        folder: What the world consists of, see ``docs/how-to/write-a-world.md``; None is the bundled one.
        port: Of loopback; 0 takes a free one.
        keys: Credentials by name of their security scheme; None makes new ones.

    Attributes:
        title: What the world calls itself.
        base_url: ``http://127.0.0.1:PORT``; a run's services are at ``/runs/<run>/<service>``.
        secrets: Credentials by the name that a ``memory:`` reference gives them.
        auth: References by name of the security scheme, as `OpenAPISource` takes them.
        store: The states of all runs.

    Raises:
        UnknownNameError: There is no such service.
        ConfigError: A file of the folder is missing.
        SpecError: A document is malformed.
        FormatError: Rules or data are malformed.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        services: Sequence[str] | None = None,
        folder: Path | str | None = None,
        port: int = 0,
        keys: dict[str, str] | None = None,
    ) -> None:
        self.folder = world_folder(folder)
        known = documented_services(self.folder)
        self.services = tuple(services) if services else service_names(self.folder)
        for name in self.services:
            if name not in known:
                raise UnknownNameError("service", name, known)
        self.title = world_title(self.folder)
        self.seed = seed
        self._port = port
        self._loaded = {name: load_service(name, self.folder) for name in self.services}
        schemes = list(dict.fromkeys(scheme for part in self._loaded.values() for scheme in part.schemes))
        made = {secret_name(scheme): random_source.token_urlsafe(24) for scheme in schemes}
        self._keys = keys or {scheme: made[secret_name(scheme)] for scheme in schemes}
        self.secrets = {secret_name(scheme): self._keys[scheme] for scheme in schemes}
        self.auth = {scheme: f"memory:{secret_name(scheme)}" for scheme in schemes}
        self.store = Store(
            [part.service for part in self._loaded.values()],
            {name: part.data for name, part in self._loaded.items()},
            seed=seed,
        )
        self.base_url = ""
        self._tasks: dict[str, Task] | None = None
        self._reading = threading.Lock()
        self._imported: tuple[ImportedService, ...] = ()
        self._server: LoopbackServer | None = None

    def start(self) -> None:
        """Serve until `stop`; returns when the server answers.

        Raises:
            ConfigError: The extra ``demo`` is not installed, or the port is taken.
        """
        if self._server is not None:
            return
        self._server = server = self._make_server()
        self.base_url = server.url
        self._imported = ()
        try:
            server.start()
        except ToolhaftError:
            self._server = None
            raise

    def stop(self) -> None:
        """End the server; the states stay readable."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def wait(self) -> None:
        """Return when the server has ended, or when Ctrl-C interrupts the wait."""
        if self._server is not None:
            self._server.wait()

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
        schemes = self._loaded[service].schemes
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
        import asyncio

        from toolhaft.world.importing import bind_services

        if not self._imported:
            self._imported = await asyncio.to_thread(self._import)
        return bind_services(
            self._imported,
            self.base_url,
            run=run,
            auth=self.auth,
            secrets=SecretStore(self.secrets),
            title=self.title,
        )

    def _import(self) -> tuple[ImportedService, ...]:
        from toolhaft.world.importing import import_service, place_services

        found = [import_service(name, self.folder) for name in self.services]
        return place_services(found, self.base_url)

    async def state(self, run: str = "default", task: Task | None = None) -> dict[str, Any]:
        """Return a copy of a run's state; see ``docs/explanation/world.md`` for what it holds.

        Args:
            run: Its name.
            task: What the run was for. Given, collections that are as at the beginning and that none of its
                checks is about are left out and named under ``as_at_the_beginning``: that is for records.

        Raises:
            UsageError: The run's name is not of 1 to 80 letters, digits, dots, hyphens and underscores, or
                there are too many runs.
        """
        try:
            return self.store.state(run, task)
        except RequestProblem as problem:
            raise UsageError(problem.detail) from None

    async def reset(self, run: str = "default") -> None:
        """Put a run back to the beginning."""
        self.store.reset(run)

    async def prepare(self, run: str, task: Task) -> None:
        """Put a run to the beginning that a task wants: its setup made, its faults waiting.

        Raises:
            UsageError: A change of the task's setup cannot be made, or the run's name is not legal.
            FormatError: The task's setup or faults are malformed.
        """
        try:
            self.store.prepare(run, preparation_of(task))
        except RequestProblem as problem:
            raise UsageError(problem.detail, where=f"{task.id}#/setup") from None

    def prepare_by_id(self, run: str, task: str) -> None:
        """Do what `prepare` does for a task of the world's folder; for agents outside.

        Raises:
            RequestProblem: There is no such task, or it cannot be prepared.
        """
        with self._reading:
            if self._tasks is None:
                folder = self.folder / "tasks"
                self._tasks = {row.id: row for row in load_tasks(folder)} if folder.is_dir() else {}
        if task not in self._tasks:
            raise not_found("task", task[:80])
        self.store.prepare(run, preparation_of(self._tasks[task]))

    def _make_server(self) -> LoopbackServer:
        try:
            from toolhaft.world.app import build_app

            app = build_app(self, list(self._loaded.values()), self._keys)
            return LoopbackServer(app, port=self._port, name="toolhaft-world")
        except ImportError as error:
            raise ConfigError(
                f"the demo world needs {error.name}", hint="Install it: pip install 'toolhaft[demo]'"
            ) from None


def secret_name(scheme: str) -> str:
    """Return the name of a scheme's credential in the environment and in a secret store."""
    plain = (letter if letter.isascii() and letter.isalnum() else "_" for letter in scheme)
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in plain)
    return f"TOOLHAFT_WORLD_{words.upper()}"
