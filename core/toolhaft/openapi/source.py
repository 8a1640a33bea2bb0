"""OpenAPI documents as a source of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.auth.session import Auth
from toolhaft.errors import EgressError, FormatError, SpecError, UsageError
from toolhaft.openapi.documents.document import LIMITS, Document, Limits
from toolhaft.openapi.effects import reads_by_path
from toolhaft.openapi.method_overrides import may_change_request
from toolhaft.openapi.options import CallOptions, ImportOptions
from toolhaft.openapi.requests.request import path_variables
from toolhaft.openapi.requests.wire import DeepLists, Wire
from toolhaft.openapi.schemas.fitting import SIZES, SizeLimits
from toolhaft.openapi.security import kept_names, kept_uses
from toolhaft.openapi.selection import Filter, read_selection
from toolhaft.openapi.servers import Servers
from toolhaft.openapi.tool import KIND, OpenAPITool
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import Tool
from toolhaft.tools.source import ToolSource
from toolhaft.types import ToolSpec, from_value

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient
    from toolhaft.openapi.importing import Import
    from toolhaft.tools.catalog import Catalog


class OpenAPISource(ToolSource):
    """Reads OpenAPI documents; each operation becomes a tool.

    Args:
        auth: Security scheme, or name of the API key's header, parameter or cookie -> reference to the
            secret, ``{"api_key": "env:PETSTORE_KEY"}``. HTTP basic takes ``SCHEME.username`` (plain text
            or a reference) and ``SCHEME.password``; OAuth 2 and OpenID Connect take a token, or what gets
            one: see `toolhaft.auth.entries.Entries`. A declared parameter of that name is filled by it,
            too, and is no argument any more.
        allow_hosts: Hosts that may be spoken to although they are private, and that may get the secrets
            although the document names them for single operations only.
        auth_hosts: Authorisation servers on other hosts than the API that may get client secrets; they may
            be private.
        server: Base URL to use in place of every server of the document; or which of the document's, by its
            place in the list or a word of its description.
        server_variables: Values for the variables of server URLs.
        secrets: Where references are looked up.
        client: The client to send with; None makes guarded ones when needed, which speak to a tool's own
            hosts, to those in ``allow_hosts``, and to no one else, redirects included.
        prefix: Put before the name of every tool.
        include: Import only such operations: ``{"tags": [...], "methods": [...], "paths": ["/pets/*"],
            "operations": [...], "matching": "regular expression", "deprecated": False}``, all of what is
            named together; see `toolhaft.openapi.selection.Selection`.
        exclude: Leave out such operations, in the same words.
        names: ``METHOD /path`` -> the name that this operation keeps, from an earlier import.
        strict: An operation that is degraded or skipped is an error.
        overlays: OpenAPI Overlay documents, applied to the document in this order before it is read.
        deep_lists: How lists inside a ``deepObject`` are written: ``indices``, ``brackets`` or ``repeat``.
        media_types: See `toolhaft.openapi.options.CallOptions`, likewise ``pages`` and ``wait``.
        limits: What a document may cost.
        largest_tool: Bytes of JSON that one tool may have; of a larger one, the deepest optional parts of its
            schema are left out, and the report says which.
        root: Folder that the files of a description may lie in, where it is spread over several; None for
            the folder of the document itself. Nothing outside is ever read.
    """

    def __init__(
        self,
        *,
        auth: Mapping[str, Any] | None = None,
        allow_hosts: Sequence[str] = (),
        auth_hosts: Sequence[str] = (),
        server: str | int | None = None,
        server_variables: Mapping[str, str] | None = None,
        secrets: SecretStore | None = None,
        client: HTTPClient | None = None,
        prefix: str = "",
        include: Mapping[str, Any] | None = None,
        exclude: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
        strict: bool = False,
        overlays: Path | str | Mapping[str, Any] | Sequence[Path | str | Mapping[str, Any]] = (),
        media_types: Sequence[str] = (),
        deep_lists: DeepLists = "indices",
        pages: int = 1,
        wait: float = 0.0,
        limits: Limits = LIMITS,
        largest_tool: int = SIZES.largest,
        root: str | Path | None = None,
    ) -> None:
        self._options = ImportOptions(
            auth=dict(auth or {}),
            allow_hosts=tuple(allow_hosts),
            server=server,
            server_variables=dict(server_variables or {}),
            prefix=prefix,
            names=dict(names or {}),
            media_types=() if isinstance(media_types, str) else tuple(media_types),
            deep_lists=deep_lists,
            sizes=SizeLimits(largest=largest_tool),
            choice=Filter(
                include=read_selection(include, "include"), exclude=read_selection(exclude, "exclude")
            ),
        )
        self._auth_hosts = (*allow_hosts, *auth_hosts)
        self._secrets = secrets or (client.secrets if client is not None else SecretStore())
        self._auth = Auth(
            self._options.auth,
            secrets=self._secrets,
            connect=self._connect_to_issuer,
            auth_hosts=self._auth_hosts,
        )
        self._calls = CallOptions(media_types=tuple(media_types), pages=pages, wait=wait)
        self._strict = strict
        if isinstance(overlays, Mapping | str | Path):
            overlays = (overlays,)
        self._overlays = tuple(overlays)
        self._client = client
        self._own_clients: dict[tuple[str, ...], HTTPClient] = {}
        self._limits = limits
        self._root = None if root is None else Path(root)

    async def load(self, location: Any) -> Catalog:
        """Read a document into a catalog whose tools are built when first used.

        Args:
            location: Path, ``http`` or ``https`` URL, or the parsed document.

        Returns:
            The catalog; ``catalog.report`` says what became of every operation.

        Raises:
            SpecError: It is not an OpenAPI document, no operation of it can become a tool, or ``strict``
                finds one that does not become one whole.
            UsageError: There is nothing at the location, or ``auth`` names what the document has not.
            HTTPError: It could not be fetched.
        """
        from toolhaft.openapi.importing import import_document
        from toolhaft.tools.catalog import Catalog

        document = await self.read(location)
        found = await asyncio.to_thread(import_document, document, self._options)
        schemes = tuple(found.planner.security.names)
        self._auth.check_names(found.secret_names, where=found.report.title, schemes=schemes)
        self._auth.check_issuers(found.planner.security.uses.values(), found.planner.origins)
        if not found.plans and not found.bare:
            raise no_tools(found)
        if self._strict:
            found.report.require_whole()
        entries: dict[str, Callable[[], Tool]] = {
            name: partial(self._make, found, name) for name in found.plans
        }
        name = found.report.title or document.location
        return Catalog.lazy(entries, name=name, report=found.report, close=self.close)

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make a tool again from what a catalog file kept; secrets come from this source's ``auth`` alone.

        Raises:
            FormatError: The binding is damaged, or the spec does not say what the requests will do.
        """
        if binding.get("kind") != KIND or binding.get("format") != 1:
            raise FormatError("not a binding of an OpenAPI tool of format 1", where=spec.name)
        wire = from_value(Wire, binding.get("wire"), where=spec.name)
        check_binding(spec, wire)
        if self._options.server is not None:
            chosen = Servers("", self._options.server, self._options.server_variables).choose([])
            spec = replace(spec, hosts=(chosen.origin,))
            wire = replace(wire, server=chosen.url, server_problem="", trusted=True)
        return self._tool(spec, wire)

    def check_kept(self, read: Callable[[str], list[Any]]) -> None:
        """Raise `UnknownNameError` if ``auth`` names what no tool of a catalog file wants."""
        if not self._auth.names:
            return
        known: dict[str, None] = {}
        for text in read("$.wire.security"):
            for use in kept_uses(text):
                known[use.scheme] = None
                if use.kind == "apiKey":
                    known[use.name] = None
        for text in read("$.wire.secret_parameters"):
            known.update((name, None) for name in kept_names(text))
        self._auth.check_names(list(known))

    async def close(self) -> None:
        """Close the clients that this source made; a given one is its owner's."""
        clients, self._own_clients = self._own_clients, {}
        for client in clients.values():
            await client.close()

    def _make(self, found: Import, name: str) -> Tool:
        return self._tool(*found.build(name))

    def _tool(self, spec: ToolSpec, wire: Wire) -> OpenAPITool:
        return OpenAPITool(spec, wire, auth=self._auth, connect=self._connect, options=self._calls)

    def _connect(self, hosts: tuple[str, ...] = ()) -> HTTPClient:
        """Return the client for tools of these hosts; for none, one that fetches documents."""
        if self._client is not None:
            return self._client
        found = self._own_clients.get(hosts)
        if found is None:
            from toolhaft.http import Egress, HTTPClient

            allowed = tuple(self._options.allow_hosts)
            origins = reachable_origins(hosts, allowed) if hosts else None
            egress = Egress(allow_hosts=allowed, origins=origins)
            found = self._own_clients[hosts] = HTTPClient(egress=egress, secrets=self._secrets)
        return found

    def _connect_to_issuer(self, origin: str) -> HTTPClient:
        """Return the client for an authorisation server."""
        if self._client is not None:
            return self._client
        key = ("issuer", origin)
        found = self._own_clients.get(key)
        if found is None:
            from toolhaft.http import Egress, HTTPClient

            egress = Egress(allow_hosts=self._auth_hosts, origins=(origin,))
            found = self._own_clients[key] = HTTPClient(egress=egress, secrets=self._secrets)
        return found

    async def read(self, location: Any) -> Document:
        """Read a document, the files beside it and the overlays over it; see `load` for what it raises."""
        document = await self._read(location)
        if not self._overlays:
            return document
        from toolhaft.openapi.documents.overlay import apply_overlays

        return await asyncio.to_thread(apply_overlays, document, self._overlays)

    async def _read(self, location: Any) -> Document:
        from toolhaft.openapi.documents.load import fetch, is_url, read_path, read_value

        if isinstance(location, Mapping):
            return await asyncio.to_thread(read_value, location, limits=self._limits)
        if isinstance(location, str) and is_url(location):
            return await fetch(
                location, self._connect(), self._limits, within=lambda origin: self._connect((origin,))
            )
        if isinstance(location, str | Path):
            return await asyncio.to_thread(read_path, Path(location), self._limits, self._root)
        raise UsageError(
            f"a {type(location).__name__} is no OpenAPI document",
            hint="Give a path, a URL or a parsed document",
        )


def check_binding(spec: ToolSpec, wire: Wire) -> None:
    """Raise unless the spec, which policy and person go by, speaks of the requests that will be made."""
    from toolhaft.http import origin_of

    try:
        hosts = (origin_of(wire.server),) if wire.server else ()
    except EgressError as error:
        raise FormatError(f"the server of the tool cannot be used: {error.what}", where=spec.name) from None
    if wire.path[:1] not in ("", "/", "?") or not wire.server.isprintable() or {*"?#"} & {*wire.server}:
        # Behind "https://api.example.com", ".evil.example" would be part of the host's name.
        raise FormatError("the tool's path is none", where=spec.name)
    if spec.hosts != hosts:
        raise FormatError("the tool's hosts are not those that it speaks to", where=spec.name)
    if not reads_by_path(wire.method, wire.path) and "read" in (spec.effect, wire.effect):
        raise FormatError(
            f"a tool that sends {wire.method[:20]!r} does not only read",
            where=spec.name,
            hint="Import its document again, and allow it by its name",
        )
    overriding = [
        one.name
        for one in wire.parameters
        if may_change_request(one.place, one.name, spec.properties.get(one.key))
    ]
    if overriding and "read" in (spec.effect, wire.effect):
        raise FormatError(
            f"a tool whose parameter {overriding[0][:80]!r} may ask for another method does not only read",
            where=spec.name,
        )
    if not spec.untrusted:
        raise FormatError("what an API answers is not to be trusted", where=spec.name)
    named = {parameter.name for parameter in wire.parameters if parameter.place == "path"}
    if not named.issuperset(path_variables(wire)):
        raise FormatError("the tool's path names what is no parameter", where=spec.name)


def reachable_origins(hosts: tuple[str, ...], allow_hosts: Sequence[str]) -> tuple[str, ...]:
    """Return where a tool's requests and redirects may go: its hosts, also by TLS, and those allowed."""
    from toolhaft.http import origin_of

    found = dict.fromkeys(hosts)
    for host in hosts:
        if host.startswith("http://"):
            name = host.removeprefix("http://").rpartition(":")[0]
            found[origin_of(f"https://{name}")] = None
    for entry in allow_hosts:
        if "://" in entry:
            found[origin_of(entry)] = None
            continue
        name = f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry
        found.update(dict.fromkeys((origin_of(f"http://{name}"), origin_of(f"https://{name}"))))
    return tuple(found)


def no_tools(found: Import) -> SpecError:
    """Return the error for a document that gives no tool at all."""
    report = found.report
    total = len(report.operations)
    hint = ""
    if total:
        what = f"none of the {total} operations can become a tool: {report.commonest()}"
    elif left := len(report.mentioned("left out")):
        what = f"what you chose leaves out all of the {left} operations"
        hint = "Look at tags, methods, paths and names: toolhaft tools list DOCUMENT --json"
    else:
        what = "; ".join(["there are no operations", *report.warnings[:3]])
    return SpecError(
        what,
        where=f"{found.location}#/paths",
        hint=hint,
        details={"operations": total, "skipped": report.skipped},
        code="E-SPEC-EMPTY",
    )
