"""The world as a source of tools: ``world:`` starts one, ``world:http://127.0.0.1:8700`` uses one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolhaft.errors import UsageError
from toolhaft.secrets import SecretStore
from toolhaft.tools.source import ToolSource
from toolhaft.world.documents import SERVICES, document_path, read_document
from toolhaft.world.server import World, secret_name

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog

_LOCATION = re.compile(
    r"(http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?)/?(?:runs/([A-Za-z0-9._-]{1,80})/?)?"
)


class WorldSource(ToolSource):
    """Makes tools of the demo world's operations.

    Args:
        seed: Of a world that is started.
        services: Which services; None is all.
        auth: References to the credentials of a running world by security scheme; None takes the
            environment variables that ``toolhaft serve world`` prints.
        secrets: Where references are looked up.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        services: Sequence[str] | None = None,
        auth: Mapping[str, str] | None = None,
        secrets: SecretStore | None = None,
    ) -> None:
        self._seed = seed
        self._services = tuple(services or SERVICES)
        self._auth = auth
        self._secrets = secrets

    async def load(self, location: Any = "") -> Catalog:
        """Import the services of a world.

        Args:
            location: Empty starts a world of its own, which ends with the catalog; the URL of a running
                one may go on with ``/runs/<run>``.

        Raises:
            UsageError: The location is neither.
            ConfigError: A world cannot be started because the extra ``demo`` is not installed.
        """
        if not location:
            return await self._start()
        match = _LOCATION.fullmatch(location) if isinstance(location, str) else None
        if match is None:
            raise UsageError(
                f"{location!r:.80} is no address of a demo world",
                hint="Write world: to start one, or world:http://127.0.0.1:8700/runs/NAME for a running one",
            )
        auth = self._auth
        if auth is None:
            auth = {scheme: f"env:{secret_name(scheme)}" for scheme in _schemes(self._services)}
        return await import_services(
            match[1], run=match[2] or "default", services=self._services, auth=auth, secrets=self._secrets
        )

    async def _start(self) -> Catalog:
        import asyncio

        from toolhaft.tools.catalog import Catalog

        world = World(seed=self._seed, services=self._services)
        await asyncio.to_thread(world.start)
        catalog = await world.catalog()

        async def close() -> None:
            await catalog.close()
            await asyncio.to_thread(world.stop)

        return Catalog(catalog, name="world", report=catalog.report, close=close)


async def import_services(
    base_url: str,
    *,
    run: str,
    services: Sequence[str],
    auth: Mapping[str, str],
    secrets: SecretStore | None,
) -> Catalog:
    """Import the bundled documents as tools of a run of the world at a URL, and of nothing else."""
    from toolhaft.openapi.report import Report
    from toolhaft.openapi.source import OpenAPISource
    from toolhaft.tools.catalog import Catalog

    host = urlsplit(base_url).netloc
    catalogs = []
    for service in services:
        source = OpenAPISource(
            auth={scheme: auth[scheme] for scheme in _schemes([service]) if scheme in auth},
            allow_hosts=(host,),
            server=f"{base_url}/runs/{run}/{service}",
            secrets=secrets,
        )
        catalogs.append(await source.load(document_path(service)))
    report = Report(
        title="The demo world",
        operations=tuple(row for catalog in catalogs for row in catalog.report.operations),
        problems=tuple(problem for catalog in catalogs for problem in catalog.report.problems),
    )
    return Catalog.merge(*catalogs, name="world", report=report)


def _schemes(services: Sequence[str]) -> list[str]:
    return [
        scheme
        for service in services
        for scheme in read_document(service)["components"].get("securitySchemes", {})
    ]
