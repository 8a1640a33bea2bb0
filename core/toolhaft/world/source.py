"""The world as a source of tools: ``world:`` starts one, ``world:http://127.0.0.1:8700`` uses one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.secrets import SecretStore
from toolhaft.tools.source import ToolSource
from toolhaft.world.importing import bind_services
from toolhaft.world.server import World, secret_name

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog

_LOCATION = re.compile(
    r"(http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?)/?(?:runs/([A-Za-z0-9._-]{1,80})/?)?"
)


class WorldSource(ToolSource):
    """Makes tools of a world's operations.

    Args:
        seed: Of a world that is started.
        services: Which services; None is all.
        folder: What a world that is started consists of; None is the bundled one.
        auth: References to the credentials of a running world by security scheme; None takes the
            environment variables that ``toolhaft serve world`` prints.
        secrets: Where references are looked up.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        services: Sequence[str] | None = None,
        folder: Path | str | None = None,
        auth: Mapping[str, str] | None = None,
        secrets: SecretStore | None = None,
    ) -> None:
        self._seed = seed
        self._services = services
        self._folder = folder
        self._auth = auth
        self._secrets = secrets

    async def load(self, location: Any = "") -> Catalog:
        """Import the services of a world.

        Args:
            location: Empty starts a world of its own, which ends with the catalog, and so does the path of
                a world's folder; the URL of a running one may go on with ``/runs/<run>``.

        Raises:
            UsageError: The location is none of these.
            ConfigError: A world cannot be started because the extra ``demo`` is not installed, or a file of
                the folder is missing.
            UnreachableError: Nobody answers at the URL.
            FormatError: What answers there is no server of a world.
            SpecError: A document of the running world is malformed.
        """
        if not location:
            return await self._start(self._folder)
        if isinstance(location, Path) or (isinstance(location, str) and _is_folder(location)):
            return await self._start(location)
        match = _LOCATION.fullmatch(location) if isinstance(location, str) else None
        if match is None:
            raise UsageError(
                f"{location!r:.80} is no address of a demo world",
                hint="Write world: to start one, world:FOLDER to start your own, or "
                "world:http://127.0.0.1:8700/runs/NAME for a running one",
            )
        return await self._join(match[1], match[2] or "default")

    async def _join(self, base_url: str, run: str) -> Catalog:
        """Return the tools of a running world."""
        from toolhaft.world.running import import_running

        title, services = await import_running(base_url, self._services)
        auth = self._auth
        if auth is None:
            schemes = [scheme for service in services for scheme in service.schemes]
            auth = {scheme: f"env:{secret_name(scheme)}" for scheme in schemes}
        return bind_services(services, base_url, run=run, auth=auth, secrets=self._secrets, title=title)

    async def _start(self, folder: Path | str | None) -> Catalog:
        import asyncio

        from toolhaft.tools.catalog import Catalog

        world = World(seed=self._seed, services=self._services, folder=folder)
        await asyncio.to_thread(world.start)
        catalog = await world.catalog()

        async def close() -> None:
            await catalog.close()
            await asyncio.to_thread(world.stop)

        return Catalog(catalog, name="world", report=catalog.report, close=close)


def _is_folder(location: str) -> bool:
    """Whether a location is a path; names that no system takes are none."""
    return (
        "://" not in location and "\0" not in location and len(location) < 4_000 and Path(location).is_dir()
    )
