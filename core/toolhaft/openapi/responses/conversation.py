"""One call's exchanges with an API: the request, work that goes on, further pages, or a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolhaft.errors import StatusError, ToolError
from toolhaft.http.message import Request, Response
from toolhaft.openapi.responses import paging_words as words
from toolhaft.openapi.responses.collecting import (
    StreamBounds,
    collect_stream,
    read_stream,
    streamed_kind,
)
from toolhaft.openapi.responses.following import Asking, Follow, follow_pages
from toolhaft.openapi.responses.kinds import Kind, is_stream
from toolhaft.openapi.responses.parsing import Parsed
from toolhaft.openapi.responses.reading import parse_response
from toolhaft.openapi.responses.waiting import read_work, wait_for_end
from toolhaft.tools.base import CallContext, ToolResult
from toolhaft.types import Artifact

if TYPE_CHECKING:
    from toolhaft.http.streamed import StreamedResponse
    from toolhaft.openapi.requests.wire import Wire
    from toolhaft.openapi.responses.answers import AnswerChecker
    from toolhaft.types import Exchange, ToolSpec

_FIELDS = frozenset({"fields", "select", "fieldmask", "fieldset", "onlyfields", "returnfields", "attributes"})
"""Parameters that take the names of the fields to return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How far an answer is followed.

    Attributes:
        follow: Pages.
        wait: Seconds for work that goes on; 0 does not wait.
        stream: How much of a stream is collected.
    """

    follow: Follow = Follow()
    wait: float = 0.0
    stream: StreamBounds = StreamBounds()


class Conversation:
    """What one call says and hears.

    Args:
        spec: Of the tool.
        wire: The operation.
        sender: Sends requests: `toolhaft.http.HTTPClient`.
        refuse: Makes the error for an answer with status 400 or above.
        checker: Holds answers against the document.
        context: Of the call.
        redact: Masks known secrets in JSON values; what is sent whole is masked by the sender.
        patience: How far answers are followed.
    """

    def __init__(
        self,
        spec: ToolSpec,
        wire: Wire,
        sender: Any,
        *,
        refuse: Callable[[Response], StatusError],
        checker: AnswerChecker,
        context: CallContext,
        redact: Callable[[Any], Any],
        patience: Patience,
    ) -> None:
        self._spec = spec
        self._wire = wire
        self._sender = sender
        self._refuse = refuse
        self._checker = checker
        self._context = context
        self._redact = redact
        self._patience = patience
        self._exchanges: tuple[Exchange, ...] = ()

    async def fetch(self, request: Request) -> Response:
        """Send a request.

        Raises:
            ToolError: There was no answer, or one with status 400 or above.
        """
        try:
            response: Response = await self._sender.send(request)
            if response.status >= 400:
                raise self._refuse(response)
        except ToolError as error:
            self._exchanges += tuple(error.exchanges)
            raise
        self._exchanges += response.exchanges
        return response

    async def run(
        self, request: Request, arguments: Mapping[str, Any], build: Callable[[Mapping[str, Any]], Request]
    ) -> ToolResult:
        """Return the result of a call.

        Args:
            request: Of the call.
            arguments: That it was made for.
            build: Makes the request for other arguments.

        Raises:
            ToolError: The first answer did not come, or is a failure.
        """
        if is_streamed(self._wire, arguments):
            return await self._collected(request)
        response = await self.fetch(request)
        line = ""
        if self._patience.wait > 0:
            response, line = await wait_for_end(response, request, self.fetch, self._patience.wait)
        elif response.status == 202 or request.method != "GET":
            # What is merely read may say "running" for good: a machine, a game.
            line = read_work(response, request).line()
        told = (line,) if line else ()
        parsed, notes = await self._parse(response)
        return await self._paged(response, parsed, (*notes, *told), request, arguments, build)

    async def events(self, request: Request) -> AsyncIterator[Any]:
        """Iterate over the events or lines of an answer as they come; any other answer is one event.

        Raises:
            ToolError: There is no answer, it is a failure, or it broke off.
        """
        async with self._sender.stream(request) as answer:
            if answer.status < 400 and streamed_kind(answer):
                async for event, _ in read_stream(answer):
                    if event is not None:
                        yield self._redact(event[0])
                return
            response = await self._whole(answer)
        response = replace(response, exchanges=answer.exchanges)
        if response.status >= 400:
            raise self._refuse(response)
        parsed, _ = await self._parse(response)
        yield parsed.value

    async def _collected(self, request: Request) -> ToolResult:
        events: list[Any] | None = None
        note, kind = "", ""
        async with self._sender.stream(request) as answer:
            kind = streamed_kind(answer) if answer.status < 400 else ""
            if kind:
                events, note = await collect_stream(answer, self._patience.stream)
            else:
                response = await self._whole(answer)
        if events is None:
            response = replace(response, exchanges=answer.exchanges)
            if response.status >= 400:
                raise self._refuse(response)
            parsed, notes = await self._parse(response)
            return ToolResult(
                value=parsed.value, notes=notes, exchanges=answer.exchanges, provenance=answer.provenance
            )
        events = self._redact(events)
        whole: Kind = "events" if kind == "events" else "lines"
        said = self._checker.check(Parsed(kind=whole, value=events), answer.status, 0)
        return ToolResult(
            value=events,
            notes=tuple(line for line in (note, said) if line),
            exchanges=answer.exchanges,
            provenance=answer.provenance,
        )

    async def _whole(self, answer: StreamedResponse) -> Response:
        body = await answer.read()
        return Response(status=answer.status, url=answer.url, headers=answer.headers, body=body)

    async def _parse(self, response: Response) -> tuple[Parsed, tuple[str, ...]]:
        parsed, notes = await parse_response(response, self._context, self._checker, name=self._spec.name)
        if parsed.kind == "json" and b"\\" not in response.body and is_plain(response):
            return parsed, notes
        # The sender masked what stands in the body; escapes and other character sets spell it otherwise.
        return replace(parsed, value=self._masked(parsed.value)), tuple(self._redact(list(notes)))

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Artifact):
            return replace(value, name=self._redact(value.name))
        return self._redact(value)

    async def _value(self, response: Response) -> Any:
        return (await self._parse(response))[0].value

    async def _paged(
        self,
        response: Response,
        parsed: Parsed,
        notes: tuple[str, ...],
        request: Request,
        arguments: Mapping[str, Any],
        build: Callable[[Mapping[str, Any]], Request],
    ) -> ToolResult:
        value = parsed.value
        if parsed.kind == "json" and response.status in (200, 206):
            credentials = {one.name for one in request.credentials if one.place == "query"}
            asking = Asking(
                wire=self._wire,
                arguments=arguments,
                request=request,
                build=build,
                fetch=self.fetch,
                parse=self._value,
                secret_names=frozenset(credentials),
            )
            pages = await follow_pages(response, value, asking, self._patience.follow)
            value, notes = pages.value, (*notes, *pages.notes)
        return ToolResult(
            value=value,
            exchanges=self._exchanges,
            provenance=response.provenance,
            notes=notes,
            rest=rest_line(self._wire),
        )


def is_plain(response: Response) -> bool:
    """Whether a body is UTF-8, as far as it says."""
    parameters = response.header("content-type").lower().partition(";")[2]
    return "charset" not in parameters or "utf-8" in parameters


def is_streamed(wire: Wire, arguments: Mapping[str, Any]) -> bool:
    """Whether a call is answered piece by piece: always, or because an argument asks for it."""
    media = [media for answer in wire.answers if answer.status[:1] == "2" for media in answer.media_types]
    if not any(map(is_stream, media)):
        return False
    if all(map(is_stream, media)):
        return True
    keys = {one.key for one in wire.parameters if one.name == "stream"}
    keys |= {one.key for one in (wire.body.fields if wire.body is not None else ()) if one.name == "stream"}
    keys = keys or {"stream"}
    return any(arguments.get(key) is True for key in keys)


def stream_accept(wire: Wire) -> str:
    """Return the value of ``Accept`` by which a stream is asked for."""
    media = [one for answer in wire.answers for one in answer.media_types if is_stream(one)]
    return f"{media[0] if media else 'text/event-stream'}, */*;q=0.5"


def rest_line(wire: Wire) -> str:
    """Return how to get less at once where a result had to be cut; empty if there is no way."""
    found: list[str] = []
    if wire.paging is not None and wire.paging.size:
        found.append(f"fewer items at once with {wire.paging.size}=")
    for parameter in wire.parameters:
        if parameter.place == "query" and words.fold(parameter.name) in _FIELDS:
            found.append(f"only the fields you need with {parameter.key}=")
            break
    return f"Too much to show: ask for {' and '.join(found)}" if found else ""
