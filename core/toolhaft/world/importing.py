"""The documents of a world as tools: imported once, then bound to any number of runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolhaft.secrets import SecretStore
from toolhaft.world.documents import document_path, file_stamp

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient
    from toolhaft.openapi.documents.document import Document
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.report import Report
    from toolhaft.types import ToolSpec

_PLACEHOLDER = "http://127.0.0.1:1"
"""Where imported tools speak to until they are bound to a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedService:
    """One document as tools that speak to no run yet.

    Attributes:
        name: Of the service.
        title: Of its API.
        report: What became of every operation.
        schemes: Names of its security schemes.
        secret_names: Names that ``auth`` may use.
        tools: Specs and how their requests are made.
    """

    name: str
    title: str
    report: Report
    schemes: tuple[str, ...]
    secret_names: tuple[str, ...]
    tools: tuple[tuple[ToolSpec, Wire], ...]


_importing = threading.Lock()


def import_service(name: str, folder: Path | None = None) -> ImportedService:
    """Import a document of a world; what was imported before is kept as long as the file is the same.

    Raises:
        SpecError: It is not an OpenAPI document, or no operation of it can become a tool.
    """
    path = document_path(name, folder)
    with _importing:
        return _import(name, path, file_stamp(path))


@lru_cache(maxsize=256)
def _import(name: str, path: Path, _stamp: tuple[int, int]) -> ImportedService:
    from toolhaft.openapi.documents.load import read_path

    return import_read(name, read_path(path))


def import_read(name: str, document: Document) -> ImportedService:
    """Import a document that was read.

    Raises:
        SpecError: No operation of it can become a tool.
    """
    from toolhaft.openapi.documents.document import as_dict
    from toolhaft.openapi.importing import import_document
    from toolhaft.openapi.options import ImportOptions
    from toolhaft.openapi.source import no_tools

    found = import_document(document, ImportOptions(server=f"{_PLACEHOLDER}/{name}"))
    if not found.plans:
        raise no_tools(found)
    return ImportedService(
        name=name,
        title=found.report.title or document.location,
        report=found.report,
        schemes=tuple(as_dict(as_dict(document.root.get("components")).get("securitySchemes"))),
        secret_names=found.secret_names,
        tools=tuple(found.build(tool) for tool in found.plans),
    )


def place_services(services: Sequence[ImportedService], base_url: str) -> tuple[ImportedService, ...]:
    """Return services whose specs name the host they speak to; all runs of a world share them."""
    from toolhaft.http import origin_of

    hosts = (origin_of(base_url),)
    return tuple(
        replace(service, tools=tuple((replace(spec, hosts=hosts), wire) for spec, wire in service.tools))
        for service in services
    )


def bind_services(
    services: Sequence[ImportedService],
    base_url: str,
    *,
    run: str,
    auth: Mapping[str, str],
    secrets: SecretStore | None,
    title: str,
) -> Catalog:
    """Return the tools of services for one run of the world at a URL; they can speak to nothing else."""
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.report import Report

    connection = _Connection(base_url, secrets)
    catalogs = []
    for service in services:
        maker = _Maker(service, f"{base_url}/runs/{run}/{service.name}", auth, connection)
        entries = {pair[0].name: partial(maker.make, *pair) for pair in service.tools}
        catalogs.append(Catalog.lazy(entries, name=service.title, report=service.report))
    merged = Catalog.merge(*catalogs, name="world")
    report = Report(
        title=title,
        operations=tuple(row for service in services for row in service.report.operations),
        problems=tuple(problem for service in services for problem in service.report.problems),
    )

    async def close() -> None:
        await merged.close()
        await connection.close()

    catalog = Catalog(merged, name="world", report=report, close=close)
    catalog.parts = merged.parts
    return catalog


class _Connection:
    """The one client of a run's tools, made when the first call needs it."""

    def __init__(self, base_url: str, secrets: SecretStore | None) -> None:
        self._base_url = base_url
        self.secrets = secrets or SecretStore()
        self._client: HTTPClient | None = None

    def connect(self, _hosts: tuple[str, ...]) -> HTTPClient:
        if self._client is None:
            from toolhaft.http import Egress, HTTPClient, origin_of

            host = urlsplit(self._base_url).netloc
            egress = Egress(allow_hosts=(host,), origins=(origin_of(self._base_url),))
            self._client = HTTPClient(egress=egress, secrets=self.secrets)
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class _Maker:
    """Makes the tools of one service for one run."""

    def __init__(
        self, service: ImportedService, url: str, auth: Mapping[str, str], connection: _Connection
    ) -> None:
        from toolhaft.auth.session import Auth
        from toolhaft.http import origin_of

        known = {name.casefold() for name in service.secret_names}
        kept = {scheme: reference for scheme, reference in auth.items() if scheme.casefold() in known}
        self._auth = Auth(kept, secrets=connection.secrets)
        self._url = url
        self._origin = origin_of(url)
        self._connection = connection

    def make(self, spec: ToolSpec, wire: Wire) -> Tool:
        from toolhaft.openapi.tool import OpenAPITool

        return OpenAPITool(
            spec if spec.hosts == (self._origin,) else replace(spec, hosts=(self._origin,)),
            replace(wire, server=self._url),
            auth=self._auth,
            connect=self._connection.connect,
        )
