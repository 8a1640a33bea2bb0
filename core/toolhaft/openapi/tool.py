"""One operation of an API as a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from toolhaft.auth.session import Auth, Choice
from toolhaft.http.message import Credential, Request, Response
from toolhaft.openapi.options import CALL_OPTIONS, CallOptions
from toolhaft.openapi.requests.files import holds_file
from toolhaft.openapi.requests.keys import idempotency_key
from toolhaft.openapi.requests.request import RequestBuilder, argument_names, body_of, media_types
from toolhaft.openapi.requests.wire import Wire, wire_value
from toolhaft.openapi.security import describe
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolhaft.tools.artifacts import ArtifactStore

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
        self._builder: RequestBuilder | None = None

    @property
    def argument_names(self) -> Mapping[tuple[str, str], str]:
        """The argument for each value: place and name on the wire -> key; see `argument_names`."""
        return argument_names(self.wire)

    @property
    def media_types(self) -> tuple[str, ...]:
        """What a body may be sent as, the type that is sent by default first; empty if there is none."""
        return media_types(self.wire)

    def request(
        self,
        arguments: Mapping[str, Any],
        *,
        media_type: str = "",
        artifacts: ArtifactStore | None = None,
    ) -> Request:
        """Return exactly what a call would send; secrets stand in it by reference.

        Args:
            arguments: By argument key; artifacts in place of their handles.
            media_type: One of `media_types` to send the body as; empty is the caller's preference, or the
                one it was imported with.
            artifacts: Where the bytes of artifacts are kept.

        Raises:
            InvalidArgumentsError: An argument is missing, unknown, or cannot be sent.
            ConfigError: The document names no server that can be used, and none was given.
            UsageError: The operation takes no body of the media type.
        """
        if self._builder is None:
            self._builder = RequestBuilder(self.wire)
        return self._builder.build(
            arguments,
            where=self.spec.name,
            media_type=media_type or self._preferred(),
            artifacts=artifacts,
            credentials=self.credentials(),
        )

    def _preferred(self) -> str:
        """Return the first media type that the caller prefers and the operation takes, or empty."""
        wanted = self.options.media_types
        return next((media for media in wanted if body_of(self.wire, media) is not None), "")

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
        built = await self._built(arguments, context)
        request = replace(built, key=key, timeout=self.spec.timeout)
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

    async def _built(self, arguments: Mapping[str, Any], context: CallContext) -> Request:
        """Return the request; files are read in a thread."""
        if any(map(holds_file, arguments.values())):
            keywords = {"arguments": arguments, "artifacts": context.artifacts}
            made: Request = await run_in_thread(self.request, keywords)
            return made
        return self.request(arguments, artifacts=context.artifacts)

    def binding(self) -> dict[str, Any]:
        """Return what `toolhaft.openapi.source.OpenAPISource.bind` needs; nothing of ``auth`` is in it."""
        return {"kind": KIND, "format": 1, "wire": wire_value(self.wire)}
