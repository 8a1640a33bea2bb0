"""Streams: given on as they come, and collected within bounds, whatever their server does."""

import json
import time

import pytest

from toolhaft.errors import LimitError, StatusError
from toolhaft.openapi.responses.collecting import StreamBounds
from toolhaft.openapi.responses.conversation import Patience
from toolhaft.tools.base import CallContext

SSE = {"200": {"description": "", "content": {"text/event-stream": {}}}}
LINES = {"200": {"description": "", "content": {"application/x-ndjson": {}}}}


def streamed(pieces, media="text/event-stream", pause=0.0):
    def answer(exchange):
        exchange.begin(media)
        for piece in pieces:
            exchange.wfile.write(piece.encode())
            exchange.wfile.flush()
            time.sleep(pause)

    return answer


def endless(text, pause=0.0):
    def pieces():
        while True:
            yield text

    return streamed(pieces(), pause=pause)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("media", "responses", "pieces", "events"),
    [
        (
            "text/event-stream",
            SSE,
            ['data: {"n": 1}\n', "\ndata: 2\n\n", "data: [DONE]\n\n", "data: 9\n\n"],
            [{"n": 1}, 2],
        ),
        (
            "text/event-stream",
            SSE,
            ["event: a\nid: 1\ndata: x\n\n"],
            [{"event": "a", "id": "1", "data": "x"}],
        ),
        ("application/x-ndjson", LINES, ['{"n": 1}\n{"n"', ": 2}\n"], [{"n": 1}, {"n": 2}]),
        ("application/json-seq", LINES, ["\x1e1\n\x1e2\n"], [1, 2]),
    ],
    ids=["sse", "named", "lines", "sequence"],
)
async def test_streams_are_collected_and_given_on(api, tool_of, media, responses, pieces, events):
    api.routes["/things"] = streamed(pieces, media)
    tool = await tool_of({"responses": responses})
    result = await tool.call({}, CallContext())
    assert result.value == events
    assert (result.notes, len(result.exchanges)) == ((), 1)
    assert [event async for event in tool.stream({})] == events
    accepted = [seen[2]["accept"] for seen in api.seen]
    assert all("event-stream" in accept or "ndjson" in accept for accept in accepted)


@pytest.mark.anyio
async def test_events_come_before_the_stream_ends(api, tool_of):
    api.routes["/things"] = endless("data: tick\n\n", pause=0.02)
    tool = await tool_of({"responses": SSE})
    found = []
    async for event in tool.stream({}):
        found.append(event)
        if len(found) == 3:
            break
    assert found == ["tick"] * 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "bounds", "says"),
    [
        ("data: tick\n\n", StreamBounds(events=40), "left after 40 events"),
        ("data: " + "x" * 1000 + "\n\n", StreamBounds(characters=20_000), "characters"),
        (": comment\n", StreamBounds(characters=5000), "characters"),
        ("data: t\n\n", StreamBounds(seconds=0.3), "left after 0.3 seconds"),
    ],
    ids=["events", "characters", "comments", "seconds"],
)
async def test_endless_streams_are_left(api, tool_of, text, bounds, says):
    api.routes["/things"] = endless(text, pause=0.01 if "seconds" in says else 0)
    tool = await tool_of({"responses": SSE}, patience=Patience(stream=bounds))
    started = time.monotonic()
    result = await tool.call({}, CallContext())
    assert time.monotonic() - started < 5
    assert says in result.notes[0]
    assert isinstance(result.value, list)


@pytest.mark.anyio
async def test_a_line_without_end_is_refused(api, tool_of):
    api.routes["/things"] = endless("x" * 50_000)
    tool = await tool_of({"responses": SSE})
    with pytest.raises(LimitError):
        await tool.call({}, CallContext())


@pytest.mark.anyio
async def test_a_stream_that_breaks_off_leaves_what_came(api, tool_of):
    def answer(exchange):
        exchange.begin("text/event-stream", length=500)
        exchange.wfile.write(b"data: 1\n\ndata: 2\n\ndata: 3")

    api.routes["/things"] = answer
    result = await (await tool_of({"responses": SSE})).call({}, CallContext())
    assert result.value == [1, 2]
    assert "broke off after 2 events" in result.notes[0]


@pytest.mark.anyio
async def test_an_answer_that_is_no_stream_is_read_whole(api, tool_of):
    api.routes["/things"] = (200, {"a": 1})
    tool = await tool_of({"responses": SSE})
    assert (await tool.call({}, CallContext())).value == {"a": 1}
    assert [event async for event in tool.stream({})] == [{"a": 1}]
    api.routes["/things"] = (429, {"message": "slow down"})
    with pytest.raises(StatusError, match="slow down"):
        await tool.call({}, CallContext())
    with pytest.raises(StatusError, match="slow down"):
        _ = [event async for event in tool.stream({})]


@pytest.mark.anyio
async def test_an_argument_asks_for_a_stream(api, tool_of):
    content = {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}}
    body = {
        "content": {
            "application/json": {"schema": {"type": "object", "properties": {"stream": {"type": "boolean"}}}}
        }
    }
    operation = {"requestBody": body, "responses": {"200": {"description": "", "content": content}}}

    def answer(exchange):
        if "event-stream" in exchange.headers["Accept"]:
            streamed(["data: 1\n\n"])(exchange)
        else:
            exchange.reply(body={"whole": True})

    api.routes["/things"] = answer
    tool = await tool_of(operation, method="post")
    assert (await tool.call({}, CallContext())).value == {"whole": True}
    assert (await tool.call({"stream": True}, CallContext())).value == [1]


@pytest.mark.anyio
async def test_events_are_held_against_their_schema_and_secrets_masked(api, tool_of):
    from toolhaft.secrets import SecretStore

    item = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    responses = {"200": {"description": "", "content": {"text/event-stream": {"itemSchema": item}}}}
    lines = [
        f"data: {json.dumps(event)}\n\n"
        for event in ({"n": 1}, {"n": "two"}, {"n": 3, "k": "secret-value-9"})
    ]
    api.routes["/things"] = streamed(lines)
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    settings = {"auth": {"key": "memory:key"}, "secrets": SecretStore({"key": "secret-value-9"})}
    operation = {"responses": responses, "security": [{"key": []}]}
    tool = await tool_of(operation, version="3.2.0", components=schemes, source=settings)
    result = await tool.call({}, CallContext())
    assert "differs from the document at /1/n" in result.notes[0]
    assert api.seen[0][2]["X-Key"] == "secret-value-9"
    assert "secret-value-9" not in repr(result)
    assert "secret-value-9" not in repr([event async for event in tool.stream({})])
