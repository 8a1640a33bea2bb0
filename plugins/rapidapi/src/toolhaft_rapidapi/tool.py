"""One API as a tool: asked itself, asked of a server, or simulated in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from toolhaft.errors import ConfigError
from toolhaft.http.message import Credential, Request, Sender
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.reading import read_response
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.types import SecretRef, ToolSpec, to_value

if TYPE_CHECKING:
    from toolhaft_rapidapi.virtual import VirtualAPIs

KIND = "rapidapi"
KEY_HEADER = "X-RapidAPI-Key"
HOST_HEADER = "X-RapidAPI-Host"
Mode = Literal["live", "virtual", "server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where calls go.

    Attributes:
        mode: To the API, to the simulator in process, or to a server.
        server: Base URL of the server.
        seed: Of the simulator.
    """

    mode: Mode = "live"
    server: str = ""
    seed: int = 0


class RapidAPITool(Tool):
    """What the three have in common: the plan that a catalog file keeps.

    Args:
        spec: The spec.
        wire: How live requests are made.
        choice: Where calls go.
    """

    def __init__(self, spec: ToolSpec, wire: Wire, choice: Choice) -> None:
        self.spec = spec
        self.wire = wire
        self.choice = choice

    def binding(self) -> dict[str, Any]:
        """Return what `toolhaft_rapidapi.source.RapidAPISource.bind` needs; no key is in it."""
        return {"kind": KIND, "format": 1, "wire": to_value(self.wire), "choice": to_value(self.choice)}


class LiveTool(RapidAPITool):
    """An API on RapidAPI.

    Args:
        spec: The spec.
        wire: How requests are made.
        key: Reference to RapidAPI's key; None sends none, as to hosts that are not to be given it.
        connect: Returns the client for the tool's hosts.
    """

    def __init__(
        self,
        spec: ToolSpec,
        wire: Wire,
        *,
        key: SecretRef | None,
        connect: Callable[[tuple[str, ...]], Sender],
    ) -> None:
        super().__init__(spec, wire, Choice())
        self._key = key
        self._connect = connect

    def request(self, arguments: Mapping[str, Any]) -> Request:
        """Return exactly what a call would send; the key stands in it by reference.

        Raises:
            InvalidArgumentsError: An argument is missing or cannot be sent.
            ConfigError: The file has no address for the API.
        """
        if not self.wire.server:
            raise ConfigError(
                f"it cannot be called live: {self.wire.server_problem}",
                where=self.spec.name,
                hint="Open it with virtual=True for simulated answers, or with server= for a server's",
            )
        built = build_request(self.wire, arguments, where=self.spec.name)
        host = self.spec.hosts[0].partition("://")[2].removesuffix(":443")
        credentials: tuple[Credential, ...] = ()
        if self._key is not None:
            credentials = (Credential(secret=self._key, origins=self.spec.hosts, name=KEY_HEADER),)
        return replace(built, headers=(*built.headers, (HOST_HEADER, host)), credentials=credentials)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Make the call.

        Raises:
            ToolError: One of `toolhaft_rapidapi.statuses.ERRORS`, or what `toolhaft.http` raises.
        """
        from toolhaft_rapidapi.answers import call_error, classify
        from toolhaft_rapidapi.statuses import StatusCode

        request = replace(self.request(arguments), key=context.key, timeout=self.spec.timeout)
        response = await self._connect(self.spec.hosts).send(request)
        code = classify(response)
        if code is not StatusCode.OK:
            authorised = bool(request.credentials)
            raise call_error(code, response, self.wire, where=self.spec.name, authorised=authorised)
        return read_response(response, context)


class SimulatedTool(RapidAPITool):
    """An API answered in process: from the cache, else by the simulator.

    Args:
        spec: The spec.
        wire: Kept for the catalog file.
        choice: With the seed.
        apis: Answers.
    """

    def __init__(self, spec: ToolSpec, wire: Wire, choice: Choice, apis: VirtualAPIs) -> None:
        super().__init__(spec, wire, choice)
        self._apis = apis

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Answer the call; the result says whether it was cached or simulated.

        Raises:
            ToolError: The cache holds a failure, or the input is not what the API takes.
        """
        from toolhaft_rapidapi.replies import result_of

        return result_of(await self._apis.answer_spec(self.spec, arguments), self.spec.name)


class ServedTool(RapidAPITool):
    """An API asked of a server that keeps to ToolBench's contract, at ``/virtual``.

    Args:
        spec: The spec; its hosts are the server's.
        wire: Kept for the catalog file.
        choice: With the server.
        connect: Returns the client for the tool's hosts.
    """

    def __init__(
        self, spec: ToolSpec, wire: Wire, choice: Choice, connect: Callable[[tuple[str, ...]], Sender]
    ) -> None:
        super().__init__(spec, wire, choice)
        self._connect = connect

    def request(self, arguments: Mapping[str, Any]) -> Request:
        """Return what a call would send."""
        from toolhaft_rapidapi.replies import contract_request

        return contract_request(self.spec, self.choice.server, arguments)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Make the call.

        Raises:
            ToolError: The server says that it failed, or does not keep to the contract.
        """
        from toolhaft_rapidapi.replies import read_reply, result_of

        request = replace(self.request(arguments), key=context.key, timeout=self.spec.timeout)
        response = await self._connect(self.spec.hosts).send(request)
        return result_of(read_reply(response, self.spec.name), self.spec.name, response.exchanges)
