"""OpenAPI documents as a source of tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, SpecError, UnknownNameError, UsageError
from toolhaft.openapi.document import LIMITS, Document, Limits
from toolhaft.openapi.plans import ImportOptions
from toolhaft.openapi.security import Auth
from toolhaft.openapi.tool import KIND, OpenAPITool
from toolhaft.openapi.wire import Wire
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import Tool
from toolhaft.tools.source import ToolSource
from toolhaft.types import ToolSpec, from_value

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient
    from toolhaft.openapi.importing import Import
    from toolhaft.tools.catalog import Catalog


class OpenAPISource(ToolSource):
    """Reads OpenAPI 3 documents; each operation becomes a tool.

    Args:
        auth: Security scheme, or name of the API key's header, parameter or cookie -> reference to the
            secret, ``{"api_key": "env:PETSTORE_KEY"}``. HTTP basic takes ``SCHEME.username`` (plain text
            or a reference) and ``SCHEME.password``; OAuth 2 and OpenID Connect take a token. A declared
            parameter of that name is filled by it, too, and is no argument any more.
        allow_hosts: Hosts that may be spoken to although they are private, and that may get the secrets
            although the document names them for single operations only.
        server: Base URL to use in place of every server of the document.
        server_variables: Values for the variables of server URLs.
        secrets: Where references are looked up.
        client: The client to send with; None makes a guarded one at the first call.
        prefix: Put before the name of every tool.
        limits: What a document may cost.
    """

    def __init__(
        self,
        *,
        auth: Mapping[str, str] | None = None,
        allow_hosts: Sequence[str] = (),
        server: str | None = None,
        server_variables: Mapping[str, str] | None = None,
        secrets: SecretStore | None = None,
        client: HTTPClient | None = None,
        prefix: str = "",
        limits: Limits = LIMITS,
    ) -> None:
        self._options = ImportOptions(
            auth=dict(auth or {}),
            allow_hosts=tuple(allow_hosts),
            server=server,
            server_variables=dict(server_variables or {}),
            prefix=prefix,
        )
        self._auth = Auth(self._options.auth)
        self._secrets = secrets
        self._client = client
        self._own_client: HTTPClient | None = None
        self._limits = limits

    async def load(self, location: Any) -> Catalog:
        """Read a document into a catalog whose tools are built when first used.

        Args:
            location: Path, ``http`` or ``https`` URL, or the parsed document.

        Returns:
            The catalog; ``catalog.report`` says what became of every operation.

        Raises:
            SpecError: It is not an OpenAPI 3 document, or no operation of it can become a tool.
            UsageError: There is nothing at the location, or ``auth`` names what the document has not.
            HTTPError: It could not be fetched.
        """
        from toolhaft.openapi.importing import import_document
        from toolhaft.tools.catalog import Catalog

        document = await self._read(location)
        found = import_document(document, self._options)
        self._check_auth(found)
        if not found.plans:
            raise no_tools(found)
        entries: dict[str, Callable[[], Tool]] = {
            name: partial(self._make, found, name) for name in found.plans
        }
        name = found.report.title or document.location
        return Catalog.lazy(entries, name=name, report=found.report, close=self.close)

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make a tool again from what a catalog file kept; secrets come from this source's ``auth`` alone.

        Raises:
            FormatError: The binding is damaged.
        """
        if binding.get("kind") != KIND or binding.get("format") != 1:
            raise FormatError("not a binding of an OpenAPI tool of format 1", where=spec.name)
        wire = from_value(Wire, binding.get("wire"), where=spec.name)
        return OpenAPITool(spec, wire, auth=self._auth, connect=self._connect)

    async def close(self) -> None:
        """Close the client that this source made; a given one is its owner's."""
        client, self._own_client = self._own_client, None
        if client is not None:
            await client.close()

    def _make(self, found: Import, name: str) -> Tool:
        spec, wire = found.build(name)
        return OpenAPITool(spec, wire, auth=self._auth, connect=self._connect)

    def _connect(self) -> HTTPClient:
        if self._client is not None:
            return self._client
        if self._own_client is None:
            from toolhaft.http import Egress, HTTPClient

            egress = Egress(allow_hosts=tuple(self._options.allow_hosts))
            self._own_client = HTTPClient(egress=egress, secrets=self._secrets)
        return self._own_client

    async def _read(self, location: Any) -> Document:
        from toolhaft.openapi.load import fetch, is_url, read_path, read_value

        if isinstance(location, Mapping):
            return read_value(location, limits=self._limits)
        if isinstance(location, str) and is_url(location):
            return await fetch(location, self._connect(), self._limits)
        if isinstance(location, str | Path):
            return read_path(Path(location), self._limits)
        raise UsageError(
            f"a {type(location).__name__} is no OpenAPI document",
            hint="Give a path, a URL or a parsed document",
        )

    def _check_auth(self, found: Import) -> None:
        known = {name.casefold() for name in found.secret_names}
        for entry in self._auth.names:
            if self._auth.scheme_of(entry).casefold() not in known:
                raise UnknownNameError("security scheme", entry, found.secret_names, where=found.report.title)


def no_tools(found: Import) -> SpecError:
    """Return the error for a document that gives no tool at all."""
    report = found.report
    total = len(report.operations)
    if total:
        what = f"none of the {total} operations can become a tool: {report.commonest()}"
    else:
        what = "; ".join(["there are no operations", *report.warnings[:3]])
    return SpecError(
        what,
        where=f"{found.location}#/paths",
        hint="",
        details={"operations": total, "skipped": report.skipped},
        code="E-SPEC-EMPTY",
    )
