"""One operation of an API as a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from toolhaft.auth.session import Auth, Choice
from toolhaft.http.message import Credential, Request, Response
from toolhaft.openapi.options import CALL_OPTIONS, CallOptions
from toolhaft.openapi.requests.keys import idempotency_key
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.security import describe
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.types import ToolSpec, to_value

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = "openapi"


class Sender(Protocol):
    """What sends requests: `toolhaft.http.HTTPClient`."""

    async def send(self, request: Request) -> Response:
        """Send a request and return the whole answer."""


class OpenAPITool(Tool):
    """An operation: arguments in, parsed answer out.

    Args:
        spec: The spec.
        wire: How requests are made.
        auth: The caller's secrets.
        connect: Returns the client for the tool's hosts; called at every call.
        options: What the caller chose about calls.
    """

    def __init__(
        self,
        spec: ToolSpec,
        wire: Wire,
        *,
        auth: Auth,
        connect: Callable[[tuple[str, ...]], Sender],
        options: CallOptions = CALL_OPTIONS,
    ) -> None:
        self.spec = spec
        self.wire = wire
        self.options = options
        self._auth = auth
        self._connect = connect

    def request(self, arguments: Mapping[str, Any]) -> Request:
        """Return exactly what a call would send; secrets stand in it by reference.

        Raises:
            InvalidArgumentsError: An argument is missing or cannot be sent.
            ConfigError: The document names no server that can be used, and none was given.
        """
        built = build_request(self.wire, arguments, where=self.spec.name)
        return replace(built, credentials=self.credentials(), key_header=self.wire.key_header)

    def credentials(self) -> tuple[Credential, ...]:
        """Return what the transport adds to a request: the caller's secrets, for this origin alone."""
        if not self.wire.trusted:
            return ()
        chosen = self._chosen().credentials
        extra = [
            Credential(secret=secret, origins=self.spec.hosts, place=place, name=name)
            for place, name in self.wire.secret_parameters
            if place in ("header", "query", "cookie") and (secret := self._auth.secret(name)) is not None
        ]
        return (*chosen, *extra)

    def _chosen(self) -> Choice:
        """Return what the caller gave of what the operation wants."""
        wanted = self.wire.security if self.wire.trusted else ()
        return self._auth.choose(wanted, self.spec.hosts)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Make the call.

        Raises:
            StatusError: The API answered with status 400 or above; the hint says what may help.
            HTTPError: There was no complete answer.
            InvalidArgumentsError: See `request`.
        """
        from toolhaft.openapi.responses.reading import read_response, status_error

        key = idempotency_key(context.key) if self.wire.key_header else context.key
        request = replace(self.request(arguments), key=key, timeout=self.spec.timeout)
        chosen = self._chosen()
        response = await self._auth.sender(self._connect(self.spec.hosts), chosen).send(request)
        if response.status >= 400:
            raise status_error(
                response,
                self.wire,
                where=self.spec.name,
                wants=describe(self.wire.security),
                authorised=bool(request.credentials),
                advice=self._auth.advice(self.wire.security, chosen, response.status, response.headers),
            )
        return read_response(response, context)

    def binding(self) -> dict[str, Any]:
        """Return what `toolhaft.openapi.source.OpenAPISource.bind` needs; nothing of ``auth`` is in it."""
        return {"kind": KIND, "format": 1, "wire": to_value(self.wire)}
