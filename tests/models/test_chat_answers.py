"""What a chat endpoint may answer, sensible or not: one completion or one clear error."""

import json
import time

import pytest

from toolhaft.errors import ModelError
from toolhaft.http.client import HTTPClient
from toolhaft.http.egress import Egress
from toolhaft.http.limits import Limits
from toolhaft.http.retry import Retry
from toolhaft.models.chat import ChatModel
from toolhaft.types import Message, ToolCall, ToolSpec

pytestmark = pytest.mark.slow

ASK = [Message(role="user", text="What is the weather in Paris?")]
TOOLS = (ToolSpec(name="weather", description="Weather of a city."),)


def choice(message, finish="stop", **more):
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}], **more})


def call(arguments='{"city": "Paris"}', name="weather", id="call_1"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls, finish="tool_calls"):
    return choice({"content": None, "tool_calls": list(calls)}, finish)


def events(*chunks, done=True):
    lines = [f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks]
    return [*lines, *(["data: [DONE]\n\n"] if done else [])]


def delta(finish=None, **fields):
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def fragment(index=0, id=None, name=None, arguments=None):
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    entry = {"index": index, "id": id, "function": function}
    return delta(tool_calls=[{key: value for key, value in entry.items() if value is not None}])


SSE = {"content-type": "text/event-stream; charset=utf-8"}


async def ask(url, *, timeout=5.0, attempts=1, deltas=None, **settings):
    client = HTTPClient(
        egress=Egress(allow_hosts=("127.0.0.1",)),
        limits=Limits(seconds=timeout, decoded_bytes=20_000_000, raw_bytes=20_000_000),
        retry=Retry(attempts=attempts, first_wait=0.01),
    )
    model = ChatModel(f"{url}#m", client=client, timeout=timeout, **settings)
    try:
        listener = deltas.append if deltas is not None else None
        return await model.complete(ASK, TOOLS, on_delta=listener)
    finally:
        await client.close()


NONSENSE = {
    "empty": ({"body": ""}, "is empty"),
    "blank": ({"body": "  \n"}, "is empty"),
    "web page": ({"body": "<html>hi</html>", "headers": {"content-type": "text/html"}}, "web page"),
    "web page that claims to be JSON": ({"body": "<!DOCTYPE html><html>"}, "web page"),
    "text": ({"body": "all fine"}, "not JSON"),
    "cut JSON": ({"body": choice({"content": "hi"})[:-9]}, "not JSON"),
    "two documents": ({"body": "{}{}"}, "not JSON"),
    "NaN": ({"body": '{"choices": NaN}'}, "not JSON"),
    "not UTF-8": (
        {"raw": 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"a":"\xff"}'},
        "not JSON",
    ),
    "deep": ({"body": {"repeat": ["[", 100_000]}}, "levels deep"),
    "array": ({"body": "[]"}, "the answer is array"),
    "string": ({"body": '"hi"'}, "the answer is string"),
    "null": ({"body": "null"}, "the answer is null"),
    "number": ({"body": "5"}, "the answer is number"),
    "empty object": ({"body": "{}"}, "has no choices"),
    "no choices": ({"body": '{"choices": []}'}, "has no choices"),
    "null choices": ({"body": '{"choices": null}'}, "has no choices"),
    "choices an object": ({"body": '{"choices": {"0": 1}}'}, "choices is object"),
    "choices a string": ({"body": '{"choices": "hello"}'}, "choices is string"),
    "choice null": ({"body": '{"choices": [null]}'}, r"choices\[0\] is null"),
    "choice a string": ({"body": '{"choices": ["hi"]}'}, r"choices\[0\] is string"),
    "no message": ({"body": '{"choices": [{"text": "hi"}]}'}, "message is null"),
    "message a string": ({"body": choice("hi")}, "message is string"),
    "content a number": ({"body": choice({"content": 5})}, "content is number"),
    "content an object": ({"body": choice({"content": {"text": "hi"}})}, "content is object"),
    "content parts of numbers": ({"body": choice({"content": [1]})}, r"content\[0\] is number"),
    "content part without text": (
        {"body": choice({"content": [{"type": "text", "text": 7}]})},
        "text is number",
    ),
    "refusal a list": ({"body": choice({"content": None, "refusal": 3})}, "refusal is number"),
    "calls an object": ({"body": choice({"tool_calls": {"a": 1}})}, "tool_calls is object"),
    "calls a string": ({"body": choice({"tool_calls": "weather()"})}, "tool_calls is string"),
    "call null": ({"body": calling(None)}, r"tool_calls\[0\] is null"),
    "call without function": ({"body": calling({"id": "a"})}, "function is null"),
    "function a string": ({"body": calling({"id": "a", "function": "weather"})}, "function is string"),
    "name missing": ({"body": calling({"id": "a", "function": {"arguments": "{}"}})}, "name is null"),
    "name a number": ({"body": calling(call(name=5))}, "name is number"),
    "name empty": ({"body": calling(call(name=" "))}, "name is empty"),
    "too many calls": ({"body": calling(*[call(id=f"c{i}") for i in range(129)])}, "129 calls"),
    "error with status 200": (
        {"body": '{"error": {"message": "model overloaded"}}'},
        "reports an error: model overloaded",
    ),
    "error as text with status 200": ({"body": '{"error": "no such model"}'}, "no such model"),
    "closed before the answer": ({"close": "before"}, "endpoint failed|cannot be reached"),
    "closed within the answer": ({"body": choice({"content": "x" * 99}), "close": "within"}, "failed"),
    "no HTTP": ({"raw": "SSH-2.0-OpenSSH_9.9\r\n"}, "failed"),
    "slow": ({"wait": 30, "body": choice({"content": "late"})}, "failed"),
    "huge": ({"body": {"repeat": ["x" * 1000, 21_000]}}, "failed"),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("script", "part"), NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_nonsense_is_one_clear_error(endpoint, script, part, streamed):
    url = endpoint(**script)
    with pytest.raises(ModelError, match=part) as caught:
        await ask(url, timeout=1.0, stream=streamed)
    error = caught.value
    assert error.where == f"{url}/chat/completions"
    assert error.hint
    assert len(error.what) < 600
    assert "\n" not in error.what


STATUSES = {
    400: ("refuses the request", "extra=", False),
    401: ("wants a key", "api_key='env:NAME'", False),
    403: ("wants a key", "api_key='env:NAME'", False),
    404: ("knows no model 'm'", "toolhaft models detect", False),
    413: ("too large", "fewer tools", False),
    422: ("refuses the request", "extra=", False),
    429: ("asks to wait", "later", True),
    500: ("failed", "later", True),
    503: ("failed", "later", True),
    418: ("unexpected", "base_url", False),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "told"), STATUSES.items())
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_statuses_say_what_to_do(endpoint, status, told, streamed):
    what, hint, retryable = told
    body = json.dumps({"error": {"message": "server says\nso", "type": "x"}})
    with pytest.raises(ModelError, match=what) as caught:
        await ask(endpoint(status=status, body=body), stream=streamed)
    error = caught.value
    assert f"(status {status}: server says so)" in error.what
    assert hint in error.hint
    assert (error.retryable, error.details["status"]) == (retryable, status)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", ""),
        ("<html><h1>Bad gateway</h1></html>", ""),
        ("plain words", ": plain words"),
        ('{"detail": [{"msg": "field required"}]}', ": field required"),
        ('{"message": "top"}', ": top"),
        ('{"error": "flat"}', ": flat"),
        ('{"error": {"message": 5}}', ""),
        ("[1, 2]", ""),
        ("\x1b[31mred\u202e", ": [31mred"),
    ],
)
async def test_what_a_server_says_about_an_error(endpoint, body, said):
    with pytest.raises(ModelError) as caught:
        await ask(endpoint(status=500, body=body))
    assert f"(status 500{said})" in caught.value.what


@pytest.mark.anyio
async def test_how_long_to_wait_is_told(endpoint):
    url = endpoint(status=429, headers={"retry-after": "3600"}, body="{}")
    with pytest.raises(ModelError, match="asks to wait") as caught:
        await ask(url)
    assert caught.value.retryable or caught.value.details["retry_after"] == 3600
    assert caught.value.details["retry_after"] == 3600


@pytest.mark.anyio
async def test_a_server_that_is_down():
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        await ask("http://127.0.0.1:1/v1")
    assert "Is the server running? `toolhaft models detect`" in caught.value.hint


@pytest.mark.anyio
async def test_a_redirect_to_another_address_is_not_followed(endpoint):
    url = endpoint(status=307, headers={"location": "http://127.0.0.1:9/v1"}, body="")
    model = ChatModel(f"{url}#m", timeout=3)
    with pytest.raises(ModelError, match="endpoint"):
        await model.complete(ASK)
    await model.close()


@pytest.mark.anyio
async def test_text_with_usage_and_price(endpoint):
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
    url = endpoint(body=choice({"role": "assistant", "content": "Sunny."}, model="qwen3-8b", usage=usage))
    completion = await ask(url, prices={"input": 2.0, "output": 8.0})
    assert (completion.text, completion.calls, completion.finish) == ("Sunny.", (), "stop")
    assert (completion.model, completion.origin) == ("qwen3-8b", "model")
    assert (completion.usage.model_calls, completion.usage.cost) == (1, pytest.approx(0.006))
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == (1000, 500)
    assert completion.usage.seconds > 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, (0, 0)),
        ("lots", (0, 0)),
        ([], (0, 0)),
        ({}, (0, 0)),
        ({"prompt_tokens": -5, "completion_tokens": True}, (0, 0)),
        ({"prompt_tokens": "12", "completion_tokens": 3}, (0, 3)),
        ({"prompt_tokens": 12.0, "completion_tokens": 1.5}, (12, 0)),
        ({"prompt_tokens": 10**40}, (0, 0)),
    ],
)
async def test_usage_that_makes_no_sense_counts_as_nothing(endpoint, usage, counted):
    completion = await ask(endpoint(body=choice({"content": "hi"}, usage=usage)))
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == counted


SENSE = {
    "null content": (choice({"content": None}), "", "stop"),
    "no content": (choice({"role": "assistant"}), "", "stop"),
    "content in parts": (
        choice({"content": [{"type": "text", "text": "a"}, {"type": "x"}, {"text": "b"}]}),
        "ab",
        "stop",
    ),
    "cut": (choice({"content": "It is"}, "length"), "It is", "length"),
    "filtered": (choice({"content": "no"}, "content_filter"), "no", "refusal"),
    "refused": (choice({"content": None, "refusal": "I cannot."}), "I cannot.", "refusal"),
    "unknown finish": (choice({"content": "hi"}, "banana"), "hi", "stop"),
    "finish a number": (choice({"content": "hi"}, 7), "hi", "stop"),
    "no finish": (json.dumps({"choices": [{"message": {"content": "hi"}}]}), "hi", "stop"),
    "calls announced but missing": (choice({"content": "hi"}, "tool_calls"), "hi", "stop"),
    "calls null": (choice({"content": "hi", "tool_calls": None}), "hi", "stop"),
    "model a number": (choice({"content": "hi"}, model=4), "hi", "stop"),
    "line separators and escapes": (
        choice({"content": "a\u2028b\x85c\x1b[0m"}),
        "a\u2028b\x85c\x1b[0m",
        "stop",
    ),
    "second choice ignored": (
        json.dumps({"choices": [{"message": {"content": "one"}}, {"message": {"content": "two"}}]}),
        "one",
        "stop",
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("body", "text", "finish"), SENSE.values(), ids=SENSE)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_what_can_be_read_is_read(endpoint, body, text, finish, streamed):
    completion = await ask(endpoint(body=body), stream=streamed)
    assert (completion.text, completion.finish, completion.calls) == (text, finish, ())


@pytest.mark.anyio
async def test_parallel_calls(endpoint):
    url = endpoint(
        body=calling(call(id="a"), call('{"city": "Rome"}', id="b"), call("", name="time", id="c"))
    )
    completion = await ask(url)
    assert completion.finish == "tool_calls"
    assert completion.calls == (
        ToolCall(id="a", name="weather", arguments={"city": "Paris"}),
        ToolCall(id="b", name="weather", arguments={"city": "Rome"}),
        ToolCall(id="c", name="time", arguments={}),
    )


@pytest.mark.anyio
async def test_calls_that_finish_with_stop_are_calls(endpoint):
    assert (await ask(endpoint(body=calling(call(), finish="stop")))).finish == "tool_calls"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "ids", [["a", "a"], [None, None], ["", ""], [5, {}], ["x" * 500, "b\n"], ["a", None]]
)
async def test_ids_are_made_unique(endpoint, ids):
    entries = [call(id=id) for id in ids]
    completion = await ask(endpoint(body=calling(*entries)))
    found = [made.id for made in completion.calls]
    assert len(set(found)) == 2
    assert all(0 < len(id) <= 128 and id.isprintable() for id in found)
    if ids[0] == "a":
        assert found[0] == "a"


@pytest.mark.anyio
async def test_an_id_of_the_conversation_is_not_used_again(endpoint):
    url = endpoint(body=calling(call(id="call_0")))
    before = Message(role="assistant", calls=(ToolCall(id="call_0", name="weather"),))
    model = ChatModel(f"{url}#m")
    completion = await model.complete(
        [*ASK, before, Message(role="tool", call_id="call_0", text="sunny")], TOOLS
    )
    await model.close()
    assert completion.calls[0].id != "call_0"


ARGUMENTS = {
    "cut": ('{"amount": 1000', {}, True, False),
    "single quotes": ("{'city': 'Paris'}", {"city": "Paris"}, False, True),
    "fenced": ('```json\n{"city": "Paris"}\n```', {"city": "Paris"}, False, True),
    "an array": ("[1]", {}, True, False),
    "two objects": ('{"a": 1}{"b": 2}', {}, True, False),
    "an object, not text": ({"city": "Paris"}, {"city": "Paris"}, False, False),
    "a number": (5, {}, True, False),
    "null": (None, {}, False, False),
    "too deep": ("[" * 300, {}, True, False),
    "huge": ('{"a": "' + "x" * 1_100_000 + '"}', {}, True, False),
    "big integer": ('{"n": 18446744073709551617}', {"n": 18446744073709551617}, False, False),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ARGUMENTS)
async def test_arguments_come_back_read_or_with_their_problem(name):
    """Read in place: the largest of these do not fit into the address of a script."""
    from toolhaft.models.answer import AnswerReader

    written, arguments, problem, repaired = ARGUMENTS[name]
    reader = AnswerReader("http://here/v1/chat/completions", {})
    completion = reader.read(reader.parse(calling(call(written)).encode()))
    made = completion.calls[0]
    assert (made.arguments, bool(made.problem), made.repaired) == (arguments, problem, repaired)
    assert len(made.raw) <= 20_000


@pytest.mark.anyio
async def test_names_that_are_not_offered_come_back_as_they_are(endpoint):
    completion = await ask(endpoint(body=calling(call(name="weather_v2\u202e"))))
    assert completion.calls[0].name == "weather_v2"


@pytest.mark.anyio
async def test_a_retry_after_a_failure_of_the_server(endpoint):
    started = time.monotonic()
    with pytest.raises(ModelError, match="status 503"):
        await ask(endpoint(status=503, body="{}"), attempts=3)
    assert time.monotonic() - started < 2


STREAMS = {
    "text": (
        events(
            delta(role="assistant", content=""), delta(content="Sun"), delta(content="ny."), delta("stop")
        ),
        "Sunny.",
        [],
        "stop",
    ),
    "calls in fragments": (
        events(
            fragment(0, "a", "weather", ""),
            fragment(0, arguments='{"city"'),
            fragment(0, arguments=': "Paris"}'),
            fragment(1, "b", "time", "{}"),
            delta("tool_calls"),
        ),
        "",
        [("a", "weather", {"city": "Paris"}), ("b", "time", {})],
        "tool_calls",
    ),
    "interleaved fragments": (
        events(
            fragment(1, "b", "time", '{"zone"'),
            fragment(0, "a", "weather", '{"city": '),
            fragment(1, arguments=': "CET"}'),
            fragment(0, arguments='"Rome"}'),
            delta("tool_calls"),
        ),
        "",
        [("a", "weather", {"city": "Rome"}), ("b", "time", {"zone": "CET"})],
        "tool_calls",
    ),
    "fragments without numbers": (
        events(
            fragment(None, "a", "weather", '{"city":'),
            fragment(None, arguments='"Rome"}'),
            fragment(None, "b", "time", "{}"),
            delta("tool_calls"),
        ),
        "",
        [("a", "weather", {"city": "Rome"}), ("b", "time", {})],
        "tool_calls",
    ),
    "name repeated": (
        events(
            fragment(0, "a", "weather", '{"city":'),
            fragment(0, "a", "weather", '"Rome"}'),
            delta("tool_calls"),
        ),
        "",
        [("a", "weather", {"city": "Rome"})],
        "tool_calls",
    ),
    "comments and other fields": (
        [": ping\n\n", "event: message\nid: 1\nretry: 5\n", *events(delta("stop", content="hi"))],
        "hi",
        [],
        "stop",
    ),
    "carriage returns": (["data: " + json.dumps(delta("stop", content="hi")) + "\r\n\r\n"], "hi", [], "stop"),
    "cut in the middle of a character": (
        ["data: " + json.dumps(delta("stop", content="naïve 漢字"), ensure_ascii=False) + "\n\n"],
        "naïve 漢字",
        [],
        "stop",
    ),
    "an event over two lines": (
        ['data: {"choices": [{"delta":\n', 'data: {"content": "hi"}, "finish_reason": "stop"}]}\n\n'],
        "hi",
        [],
        "stop",
    ),
    "finished, but not done": (events(delta("stop", content="hi"), done=False), "hi", [], "stop"),
    "no blank line at the end": (["data: " + json.dumps(delta("stop", content="hi"))], "hi", [], "stop"),
    "done, but not finished": (events(delta(content="hi")), "hi", [], "stop"),
    "the whole message at once": (
        events({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}),
        "hi",
        [],
        "stop",
    ),
    "refusal": (events(delta(refusal="I can"), delta("stop", refusal="not.")), "I cannot.", [], "refusal"),
    "after the end": (events(delta("stop", content="hi")) + events("nonsense"), "hi", [], "stop"),
    "of no declared type": (events(delta("stop", content="hi")), "hi", [], "stop"),
    "null everywhere": (
        events(
            {"choices": [{"delta": {"content": None, "tool_calls": None}, "finish_reason": None}]},
            {"choices": [{"delta": None, "finish_reason": None}]},
            {"choices": None},
            delta("stop", content="hi"),
        ),
        "hi",
        [],
        "stop",
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("pieces", "text", "calls", "finish"), STREAMS.values(), ids=STREAMS)
async def test_streams_are_put_together(endpoint, request, pieces, text, calls, finish):
    deltas = []
    headers = {"content-type": "text/plain"} if "declared" in request.node.name else SSE
    completion = await ask(endpoint(headers=headers, pieces=pieces), deltas=deltas)
    assert (completion.text, completion.finish) == (text, finish)
    assert [(made.id, made.name, made.arguments) for made in completion.calls] == calls
    if finish != "refusal":
        assert "".join(deltas) == text


@pytest.mark.anyio
async def test_line_separators_within_a_streamed_text(endpoint):
    pieces = ["data: " + json.dumps(delta("stop", content="a\u2028b\x85c"), ensure_ascii=False) + "\n\n"]
    assert (await ask(endpoint(headers=SSE, pieces=pieces), stream=True)).text == "a\u2028b\x85c"


@pytest.mark.anyio
async def test_usage_of_a_stream_comes_last(endpoint):
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}, "model": "q"}
    completion = await ask(
        endpoint(headers=SSE, pieces=events(delta("stop", content="hi"), usage)), deltas=[]
    )
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == (7, 2)
    assert completion.model == "q"


BROKEN_STREAMS = {
    "nothing": ([], "holds no event"),
    "comments only": ([": ping\n\n"] * 3, "holds no event"),
    "broke off": (events(delta(content="half an ans"), done=False), "broke off"),
    "broke off within a call": (
        events(fragment(0, "a", "weather", '{"amount": 10'), done=False),
        "broke off",
    ),
    "an event that is no JSON": (events("{'single': 1}"), "not JSON"),
    "a cut event": (events('{"choices": [{"delta"', done=False), "not JSON"),
    "an error": (events(delta(content="x"), {"error": {"message": "out of memory"}}), "out of memory"),
    "an error as text": (events({"error": "out of memory"}), "out of memory"),
    "an event that is an array": (events([1]), "an event is no object"),
    "choices a string": (events({"choices": "x"}), "choices is no array"),
    "a choice that is null": (events({"choices": [None]}), r"choices\[0\] is no object"),
    "a delta that is text": (events({"choices": [{"delta": "hi"}]}), "delta is no object"),
    "content a number": (events(delta(content=5)), "content is no string"),
    "calls a string": (events(delta(tool_calls="x")), "tool_calls is no array"),
    "a fragment that is text": (events(delta(tool_calls=["x"])), "is no object"),
    "an index of text": (events(fragment("0", "a", "weather", "{}")), "index"),
    "an index beyond all bounds": (events(fragment(10**9, "a", "weather", "{}")), "index"),
    "a negative index": (events(fragment(-1, "a", "weather", "{}")), "index"),
    "function a string": (events(delta(tool_calls=[{"index": 0, "function": "x"}])), "function is no object"),
    "arguments a number": (events(fragment(0, "a", "weather", 5)), "arguments is no string"),
    "a call without a name": (events(fragment(0, "a", None, "{}"), delta("tool_calls")), "name is empty"),
    "a line beyond all bounds": (["data: "] + ["x" * 100] * 5, "not JSON"),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("pieces", "part"), BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
async def test_broken_streams_are_one_clear_error(endpoint, pieces, part):
    with pytest.raises(ModelError, match=part) as caught:
        await ask(endpoint(headers=SSE, pieces=pieces), deltas=[])
    assert caught.value.where
    assert caught.value.hint


@pytest.mark.anyio
async def test_a_stream_that_drips_for_ever_ends_at_the_time_limit(endpoint):
    pieces = events(*[delta(content="x") for _ in range(400)])
    started = time.monotonic()
    with pytest.raises(ModelError, match="failed"):
        await ask(endpoint(headers=SSE, pieces=pieces, pause=0.2), timeout=1.0, deltas=[])
    assert time.monotonic() - started < 5


@pytest.mark.anyio
async def test_a_cut_call_of_a_stream_is_a_problem_and_not_completed(endpoint):
    pieces = events(fragment(0, "a", "pay", '{"amount": 10'), delta("length"))
    completion = await ask(endpoint(headers=SSE, pieces=pieces), deltas=[])
    assert completion.finish == "length"
    assert completion.calls[0].problem
    assert completion.calls[0].arguments == {}
