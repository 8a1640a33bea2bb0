"""One operation of an API as a tool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolhaft.auth.schemes import describe
from toolhaft.auth.session import Auth, Choice
from toolhaft.errors import ConfigError
from toolhaft.http.message import Credential, Request, Response, Sender
from toolhaft.openapi.options import CALL_OPTIONS, CallOptions
from toolhaft.openapi.requests.files import holds_file
from toolhaft.openapi.requests.keys import idempotency_key
from toolhaft.openapi.requests.request import RequestBuilder, argument_names, body_of, media_types
from toolhaft.openapi.requests.wire import Wire, wire_value
from toolhaft.openapi.responses.conversation import Conversation, Patience, is_streamed, stream_accept
from toolhaft.openapi.responses.following import Follow
from toolhaft.tools.base import CallContext, Tool, ToolResult
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolhaft.errors import StatusError
    from toolhaft.openapi.responses.answers import AnswerChecker
    from toolhaft.tools.artifacts import ArtifactStore

KIND = "openapi"
_CALL_SECONDS = 30.0
"""What one exchange may take where the spec does not say."""


class OpenAPITool(Tool):
    """An operation: arguments in, parsed answer out.

    Args:
        spec: The spec.
        wire: How requests are made.
        auth: The caller's secrets.
        connect: Returns the client for the tool's hosts; called at every call.
        options: What the caller chose about calls.

    Attributes:
        patience: How far answers are followed: pages, work that goes on, streams; see `following`.
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
        self.patience = Patience(follow=Follow(pages=options.pages), wait=options.wait)
        self._timeout = spec.timeout
        self.spec = spec
        if options.pages > 1 or options.wait > 0:
            self.spec = replace(spec, timeout=_longest(spec.timeout, self.patience))
        self.wire = wire
        self.options = options
        self._checker: AnswerChecker | None = None
        self._auth = auth
        self._connect = connect
        self._choice: Choice | None = None
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
            try:
                self._builder = RequestBuilder(self.wire)
            except UnicodeEncodeError:
                what = "the document names a parameter with half a character (a lone surrogate)"
                raise ConfigError(what, where=self.spec.name) from None
        return self._builder.build(
            arguments,
            where=self.spec.name,
            media_type=media_type or self._preferred(),
            artifacts=artifacts,
            credentials=self.credentials(),
        )

    @property
    def auth(self) -> Auth:
        """The caller's secrets."""
        return self._auth

    def sender(self) -> Sender:
        """Return what sends this tool's requests, without the caller's secrets."""
        return self._connect(self.spec.hosts)

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
        if self._choice is None:
            wanted = self.wire.security if self.wire.trusted else ()
            self._choice = self._auth.choose(wanted, self.spec.hosts)
        return self._choice

    def following(
        self, *, pages: int | None = None, wait: float | None = None, patience: Patience | None = None
    ) -> OpenAPITool:
        """Return the same tool with other bounds on how far its answers are followed.

        Args:
            pages: In all, 1 to 1,000; None leaves it as it is, likewise ``wait``.
            wait: Seconds for work that goes on after the answer, 0 to 3,600.
            patience: Further bounds: items, seconds and bytes of pages, events of streams.

        Raises:
            UsageError: A number is out of its range.
        """
        options = replace(
            self.options,
            pages=self.options.pages if pages is None else pages,
            wait=self.options.wait if wait is None else wait,
        )
        chosen = patience or self.patience
        made = copy(self)
        made.options = options
        made.patience = replace(chosen, follow=replace(chosen.follow, pages=options.pages), wait=options.wait)
        made.spec = replace(self.spec, timeout=_longest(self._timeout, made.patience))
        return made

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Make the call; further pages are followed and work waited for as far as the caller chose.

        Raises:
            StatusError: The API answered with status 400 or above; the hint names what to change.
            HTTPError: There was no complete answer.
            InvalidArgumentsError: See `request`.
        """
        request = await self._prepared(arguments, context)
        talk = self._conversation(request, context)

        def build(other: Mapping[str, Any]) -> Request:
            return replace(self.request(other, artifacts=context.artifacts), key=request.key)

        return await talk.run(request, arguments, build)

    async def stream(
        self, arguments: Mapping[str, Any], context: CallContext | None = None
    ) -> AsyncIterator[Any]:
        """Make the call and iterate over its events, or lines of JSON, as they come.

        An answer that is no stream is one event. It is not asked again where it breaks off.

        Raises:
            StatusError: The API answered with status 400 or above.
            HTTPError: The answer did not come, or broke off.
            InvalidArgumentsError: See `request`; the arguments are not checked against the schema.
        """
        context = context or CallContext()
        request = await self._prepared(arguments, context, streamed=True)
        async for event in self._conversation(request, context).events(request):
            yield event

    async def _prepared(
        self, arguments: Mapping[str, Any], context: CallContext, *, streamed: bool = False
    ) -> Request:
        key = idempotency_key(context.key) if self.wire.key_header else context.key
        built = await self._built(arguments, context)
        headers = built.headers
        if streamed or is_streamed(self.wire, arguments):
            plain = [(name, value) for name, value in headers if name.lower() != "accept"]
            headers = (("accept", stream_accept(self.wire)), *plain)
        return replace(built, key=key, timeout=self._timeout, headers=headers)

    def _conversation(self, request: Request, context: CallContext) -> Conversation:
        from toolhaft.openapi.responses.answers import AnswerChecker
        from toolhaft.openapi.responses.failures import status_error

        chosen = self._chosen()
        if self._checker is None:
            self._checker = AnswerChecker(self.wire.answers, self.spec.returns)

        def refuse(response: Response) -> StatusError:
            error = status_error(
                response,
                self.wire,
                where=self.spec.name,
                wants=describe(self.wire.security),
                authorised=bool(request.credentials),
                advice=self._auth.advice(self.wire.security, chosen, response.status, response.headers),
                spec=self.spec,
            )
            # What the answer says was decoded, and may hold now what was masked before in other letters.
            redact = self._auth.secrets.redact_value
            error.what, error.hint, error.details = redact([error.what, error.hint, error.details])
            error.args = (error.what,)
            return error

        return Conversation(
            self.spec,
            self.wire,
            self._auth.sender(self._connect(self.spec.hosts), chosen),
            refuse=refuse,
            checker=self._checker,
            context=context,
            redact=self._auth.secrets.redact_value,
            patience=self.patience,
        )

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


def _longest(timeout: float | None, patience: Patience) -> float | None:
    """Return what a call may take that is followed as far as was chosen; None is the context's default."""
    further = (patience.follow.seconds if patience.follow.pages > 1 else 0) + patience.wait
    return timeout if not further else (timeout or _CALL_SECONDS) + further
