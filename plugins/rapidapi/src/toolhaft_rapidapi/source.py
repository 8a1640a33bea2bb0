"""RapidAPI and ToolBench tool files as a source of tools: ``rapidapi:PATH``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, SpecError, UnknownNameError, UsageError
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.source import check_binding, reachable_origins
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import Tool
from toolhaft.tools.source import ToolSource
from toolhaft.types import SecretRef, ToolSpec, from_value
from toolhaft_rapidapi.address import may_have_key
from toolhaft_rapidapi.naming import NAMINGS, Naming
from toolhaft_rapidapi.tool import KIND, Choice, LiveTool, RapidAPITool, ServedTool, SimulatedTool

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient
    from toolhaft.tools.catalog import Catalog
    from toolhaft_rapidapi.importing import Import
    from toolhaft_rapidapi.virtual import VirtualAPIs

SCHEME = "rapidapi"
KEY = "env:RAPIDAPI_KEY"
_LONGEST = 4000
"""Characters of a path."""


class RapidAPISource(ToolSource):
    """Reads tool files; each API becomes a tool.

    All settings but the last four may also stand behind the path, as in
    ``rapidapi:tools/?virtual&seed=7``; what is given here goes before.

    Args:
        virtual: Answer calls in process, from the cache or by the simulator, instead of asking the APIs.
        server: Base URL of a server that keeps to ToolBench's contract, to ask instead of the APIs.
        naming: ``readable`` or ``toolbench``.
        seed: Of the simulator.
        cache: File with kept answers, for ``virtual``.
        responses: Folder of ToolBench's ``response_examples``: shapes of answers for the simulator.
        auth: ``{"rapidapi": "env:NAME"}``: where RapidAPI's key is kept; ``env:RAPIDAPI_KEY`` otherwise.
        allow_hosts: Hosts that may be spoken to although they are private, and that may have RapidAPI's key
            although they are not RapidAPI's.
        secrets: Where references are looked up.
        client: The client to send with; None makes guarded ones.

    Raises:
        UsageError: Settings contradict each other.
    """

    def __init__(
        self,
        *,
        virtual: bool | None = None,
        server: str | None = None,
        naming: Naming | None = None,
        seed: int | None = None,
        cache: Path | str | None = None,
        responses: Path | str | None = None,
        auth: Mapping[str, str] | None = None,
        allow_hosts: Sequence[str] = (),
        secrets: SecretStore | None = None,
        client: HTTPClient | None = None,
    ) -> None:
        given = {"virtual": virtual, "server": server, "naming": naming, "seed": seed, "cache": cache}
        given["responses"] = responses
        self._given: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        for scheme in auth or {}:
            if scheme != SCHEME:
                raise UnknownNameError("security scheme", scheme, (SCHEME,))
        self._key = SecretRef((auth or {}).get(SCHEME, KEY))
        self._allow_hosts = tuple(allow_hosts)
        self._secrets = secrets
        self._client = client
        self._own_clients: dict[tuple[str, ...], HTTPClient] = {}
        self._simulators: dict[tuple[int, str], VirtualAPIs] = {}
        self._servers = {_origin(_choice(self._given).server, "server")}

    async def load(self, location: Any) -> Catalog:
        """Read tool files into a catalog whose tools are built when first used.

        Args:
            location: A tool file, a folder of them (``Category/tool.json``), JSON lines, or queries with
                their ``api_list``.

        Returns:
            The catalog; ``catalog.report`` says what became of every API.

        Raises:
            UsageError: There is nothing at the location.
            SpecError: It holds no tool.
        """
        import asyncio

        from toolhaft.tools.catalog import Catalog

        path, choice = _path(location), _choice(self._given)
        found = await asyncio.to_thread(_import, path, self._given, choice)
        cache = str(self._given.get("cache", ""))
        entries: dict[str, Callable[[], Tool]] = {
            name: partial(self._build, found, name, choice, cache) for name in found.records
        }
        return Catalog.lazy(entries, name=path.name or str(path), report=found.report, close=self.close)

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make a tool again from what a catalog file kept; calls go where this source says, else as kept.

        Raises:
            FormatError: The binding is damaged, or the spec does not say what the requests will do.
        """
        if binding.get("kind") != KIND or binding.get("format") != 1:
            raise FormatError("not a binding of a RapidAPI tool of format 1", where=spec.name)
        wire = from_value(Wire, binding.get("wire"), where=spec.name)
        kept = from_value(Choice, binding.get("choice"), where=spec.name)
        choice = _choice(self._given, kept)
        origin = _origin(wire.server, spec.name)
        check_binding(replace(spec, hosts=(origin,) if origin else ()), wire)
        return self._tool(spec, wire, choice, origin, str(self._given.get("cache", "")))

    async def close(self) -> None:
        """Close the clients and the cache that this source opened."""
        clients, self._own_clients = self._own_clients, {}
        simulators, self._simulators = self._simulators, {}
        for simulator in simulators.values():
            simulator.close()
        for client in clients.values():
            await client.close()

    def _build(self, found: Import, name: str, choice: Choice, cache: str) -> Tool:
        built = found.build(name)
        origin = built.spec.hosts[0] if built.spec.hosts else ""
        return self._tool(built.spec, built.wire, choice, origin, cache)

    def _tool(self, spec: ToolSpec, wire: Wire, choice: Choice, origin: str, cache: str) -> RapidAPITool:
        """Make the tool; the spec names the host that its calls really go to."""
        if choice.mode == "virtual":
            return SimulatedTool(replace(spec, hosts=()), wire, choice, self._simulator(choice.seed, cache))
        if choice.mode == "server":
            server = _origin(choice.server, spec.name)
            # A server that the caller names may be private; one that a catalog file names may not.
            connect = partial(self._connect, allowed=(server,) if server in self._servers else ())
            return ServedTool(replace(spec, hosts=(server,)), wire, choice, connect)
        key = self._key if origin and may_have_key(origin, self._allow_hosts) else None
        hosts = (origin,) if origin else ()
        return LiveTool(replace(spec, hosts=hosts), wire, key=key, connect=self._connect)

    def _simulator(self, seed: int, cache: str) -> VirtualAPIs:
        found = self._simulators.get((seed, cache))
        if found is None:
            from toolhaft_rapidapi.cache import AnswerCache
            from toolhaft_rapidapi.virtual import VirtualAPIs

            kept = AnswerCache(cache, create=False) if cache else None
            found = self._simulators[seed, cache] = VirtualAPIs(seed=seed, cache=kept)
        return found

    def _connect(self, hosts: tuple[str, ...] = (), *, allowed: tuple[str, ...] = ()) -> HTTPClient:
        if self._client is not None:
            return self._client
        found = self._own_clients.get(hosts)
        if found is None:
            from toolhaft.http import Egress, HTTPClient

            private = (*self._allow_hosts, *allowed)
            egress = Egress(allow_hosts=private, origins=reachable_origins(hosts, private))
            found = self._own_clients[hosts] = HTTPClient(egress=egress, secrets=self._secrets)
        return found


def _path(location: Any) -> Path:
    if not isinstance(location, str | Path) or not str(location) or "\0" in str(location):
        raise UsageError(f"{location!r:.80} is no path", hint="Write rapidapi:FILE or rapidapi:FOLDER")
    if len(str(location)) > _LONGEST:
        raise UsageError(f"the location is longer than {_LONGEST} characters", where=str(location)[:80])
    return Path(location)


def _import(path: Path, settings: Mapping[str, Any], choice: Choice) -> Import:
    from toolhaft_rapidapi.importing import import_records
    from toolhaft_rapidapi.reading import read_records
    from toolhaft_rapidapi.responses import add_responses

    reading = read_records(path)
    if "responses" in settings:
        add_responses(reading, Path(settings["responses"]))
    naming = settings.get("naming", "readable")
    found = import_records(reading, naming=naming, title=path.name, live=choice.mode == "live")
    if not found.records:
        skipped = found.report.commonest()
        what = f"no API can become a tool: {skipped}" if skipped else "there are no tools"
        notes = "; ".join(found.report.warnings[:3])
        raise SpecError(
            f"{what}{f' ({notes})' if notes else ''}",
            where=str(path)[:300],
            hint="Tools are JSON with `api_list`, JSON lines, or a folder of them (Category/tool.json)",
            code="E-SPEC-EMPTY",
        )
    return found


def _choice(settings: Mapping[str, Any], kept: Choice | None = None) -> Choice:
    """Return where calls go by the settings, and by what a file kept where they say nothing.

    Raises:
        UsageError: They contradict each other, or are none.
    """
    kept = kept or Choice()
    naming, virtual, server = settings.get("naming"), settings.get("virtual"), settings.get("server")
    if naming is not None and naming not in NAMINGS:
        raise UsageError(f"naming is {naming!r:.40}", hint=f"Give one of {', '.join(NAMINGS)}")
    if virtual and server:
        raise UsageError("virtual and server are both given", hint="Choose one of them")
    if settings.get("cache") and (server or virtual is False):
        raise UsageError("a cache is for virtual=True", hint="A server has a cache of its own")
    seed = settings.get("seed", kept.seed)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise UsageError(f"the seed is {seed!r:.40}", hint="Give a whole number")
    if server:
        return Choice(mode="server", server=_base(str(server)))
    if virtual or settings.get("cache"):
        return Choice(mode="virtual", seed=seed)
    return Choice() if virtual is False else replace(kept, seed=seed)


def _base(server: str) -> str:
    _origin(server, "server")
    return server.rstrip("/")


def _origin(url: str, where: str) -> str:
    """Return the origin of a URL; empty for none."""
    from toolhaft.errors import EgressError
    from toolhaft.http import origin_of

    try:
        return origin_of(url) if url else ""
    except EgressError as error:
        raise UsageError(
            f"the address cannot be used: {error.what}", where=where, hint="Write http://127.0.0.1:8080"
        ) from None
