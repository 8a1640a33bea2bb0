"""What a chat model sends: the body byte for byte, the key only where it belongs, and nothing twice."""

import gc
import json
import time

import pytest

from toolhaft.errors import ConfigError, ModelError, UsageError
from toolhaft.models.chat import ChatModel
from toolhaft.models.wire import RequestEncoder, render_avoid
from toolhaft.secrets import SecretStore
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Message, ToolCall, ToolSpec

ASK = (Message(role="user", text="Hello"),)
SPEC = ToolSpec(
    name="weather",
    description="Weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


def body(*messages, tools=(), encoder=None, **more):
    encoder = encoder or RequestEncoder({"model": "m"})
    return json.loads(encoder.body(messages or ASK, tools, **more))


async def seen(endpoint, *, reference="", stream=False, **settings):
    """Return what the server saw of one request."""
    url = endpoint(echo_stream=1) if stream else endpoint(echo=1)
    model = ChatModel(reference or f"{url}#m", **settings)
    try:
        completion = await model.complete(ASK, (SPEC,), on_delta=(lambda _: None) if stream else None)
    finally:
        await model.close()
    return json.loads(completion.text)


def test_a_whole_conversation():
    calls = (
        ToolCall(id="c1", name="weather", arguments={"city": "Paris"}),
        ToolCall(id="c2", name="weather", problem="not JSON", raw='{"city": '),
    )
    sent = body(
        Message(role="system", text="Be brief."),
        Message(role="user", text="Hello"),
        Message(role="assistant", calls=calls),
        Message(role="tool", text="sunny", call_id="c1", name="weather"),
        Message(role="tool", text="Error", call_id="c2", name="weather"),
        Message(role="assistant", text="It is sunny."),
        tools=(SPEC,),
    )
    assert sent == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                    },
                    {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "c2", "content": "Error"},
            {"role": "assistant", "content": "It is sunny."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Weather of a city.",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("settings", "asked", "fields"),
    [
        ({}, {}, {}),
        ({}, {"seed": 7, "max_tokens": 100}, {"seed": 7, "max_tokens": 100}),
        ({}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"parallel": False}, {"tools": (SPEC,)}, {"parallel_tool_calls": False}),
        ({"parallel": False}, {}, {}),
        ({"limit_name": "max_completion_tokens"}, {"max_tokens": 5}, {"max_completion_tokens": 5}),
    ],
)
def test_fields_besides_messages(settings, asked, fields):
    sent = body(encoder=RequestEncoder({"model": "m"}, **settings), **asked)
    for name in ("model", "messages", "tools"):
        sent.pop(name, None)
    assert sent == fields


def test_extra_fields_win_and_none_leaves_one_out():
    encoder = RequestEncoder({"model": "m", "seed": None, "top_p": 0.5, "max_tokens": 9})
    sent = body(encoder=encoder, seed=3, max_tokens=100)
    assert (sent["top_p"], sent["max_tokens"], "seed" in sent) == (0.5, 9, False)


def test_calls_to_avoid_follow_as_a_message():
    tried = [
        ToolCall(id="1", name="weather", arguments={"city": "Paris"}),
        ToolCall(id="2", name="weather", problem="no JSON", raw="{city"),
    ]
    after_tool = body(*ASK, Message(role="assistant", text="Hm."), avoid=tried)["messages"]
    assert [message["role"] for message in after_tool] == ["user", "assistant", "user"]
    assert '- weather({"city":"Paris"})\n- weather({city)' in after_tool[-1]["content"]
    after_user = body(*ASK, avoid=tried)["messages"]
    assert [message["role"] for message in after_user] == ["user"]
    assert after_user[0]["content"].startswith("Hello\n\nThese calls were tried")


def test_what_the_user_says_in_a_row_is_one_message():
    said = [Message(role="user", text="One."), Message(role="user"), Message(role="user", text="Two.")]
    sent = body(*said, Message(role="assistant", text="Yes."), Message(role="user", text="Three."))[
        "messages"
    ]
    assert [(one["role"], one["content"]) for one in sent] == [
        ("user", "One.\n\nTwo."),
        ("assistant", "Yes."),
        ("user", "Three."),
    ]


def test_the_prompt_to_avoid_calls_is_bounded():
    many = [ToolCall(id="x", name="t", arguments={"text": "y" * 10_000}) for _ in range(500)]
    text = render_avoid(many)
    assert len(text) < 15_000
    assert "and 480 more" in text


def test_images_are_sent_as_data_and_after_all_tool_messages():
    store = ArtifactStore()
    image = store.put(b"\x89PNG", media_type="image/png", name="cat.png")
    text = store.put(b"words", media_type="text/plain", name="a.txt")
    encoder = RequestEncoder({"model": "m"}, artifacts=store)
    user = body(Message(role="user", text="Look", artifacts=(image, text)), encoder=encoder)["messages"][0]
    handles = f"[artifact {image.id[:12]} image/png 'cat.png' 4 bytes]"
    assert user["content"][0]["text"].startswith(f"Look\n{handles}\n[artifact {text.id[:12]}")
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    assert user["content"][1:] == [url]
    calls = (ToolCall(id="a", name="draw"), ToolCall(id="b", name="draw"))
    sent = body(
        *ASK,
        Message(role="assistant", calls=calls),
        Message(role="tool", text="one", call_id="a", artifacts=(image,)),
        Message(role="tool", text="two", call_id="b"),
        Message(role="assistant", text="Done."),
        encoder=encoder,
    )["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert sent[2]["content"] == "one"
    assert sent[4]["content"][1:] == [url]


def test_without_a_store_only_handles_are_sent():
    image = ArtifactStore().put(b"\x89PNG", media_type="image/png", name="cat.png")
    sent = body(Message(role="user", text="Look", artifacts=(image,)))["messages"][0]
    assert sent["content"] == f"Look\n[artifact {image.id[:12]} image/png 'cat.png' 4 bytes]"


@pytest.mark.anyio
async def test_a_store_can_be_attached_later(endpoint):
    store = ArtifactStore()
    image = store.put(b"\x89PNG", media_type="image/png", name="cat.png")
    message = Message(role="user", text="Look", artifacts=(image,))
    model = ChatModel(f"{endpoint(echo=1)}#m")
    before = await model.complete([message])
    model.attach(artifacts=store, secrets=SecretStore())
    after = await model.complete([message])
    await model.close()
    assert "base64" not in before.text
    assert "data:image/png;base64,iVBORw==" in after.text


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (2**70, 2**70),
        ("\ud800 lone", "? lone"),
        ({1: "key"}, {"1": "key"}),
        (float("nan"), None),
        ("tab\t\u2028", "tab\t\u2028"),
    ],
)
def test_values_that_are_hard_to_write(value, sent):
    call = ToolCall(id="a", name="t", arguments={"value": value})
    message = body(*ASK, Message(role="assistant", calls=(call,)))["messages"][1]
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"value": sent}
    assert body(tools=(ToolSpec(name="t", parameters={"default": value}),))["tools"]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_values_that_are_no_json(value):
    with pytest.raises(UsageError, match="tool t: cannot be written as JSON"):
        body(tools=(ToolSpec(name="t", parameters={"default": value}),))


def test_a_schema_that_holds_itself():
    schema = {"type": "object"}
    schema["properties"] = {"self": schema}
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        body(tools=(ToolSpec(name="t", parameters=schema),))


def test_no_message_is_no_question():
    with pytest.raises(UsageError, match="without a message"):
        RequestEncoder({"model": "m"}).body([])


def test_messages_and_tools_are_serialised_once_and_forgotten_with_them():
    encoder = RequestEncoder({"model": "m"})
    messages = [Message(role=("user", "assistant")[i % 2], text=f"number {i}") for i in range(50)]
    tools = tuple(ToolSpec(name=f"t{i}") for i in range(20))
    first = encoder.body(messages, tools)
    assert encoder.body(list(messages), tools) == first
    assert len(encoder._messages) == 50
    kept = encoder._tool_sets[id(tools)][1]
    encoder.body(messages, tools)
    assert encoder._tool_sets[id(tools)][1] is kept
    del messages
    gc.collect()
    assert len(encoder._messages) == 0


def test_equal_messages_at_a_reused_address_are_not_confused():
    encoder = RequestEncoder({"model": "m"})
    for i in range(2_000):
        assert body(Message(role="user", text=str(i)), encoder=encoder)["messages"][0]["content"] == str(i)
        tools = (ToolSpec(name=f"t{i}"),)
        assert body(tools=tools, encoder=encoder)["tools"][0]["function"]["name"] == f"t{i}"


def test_a_list_of_tools_may_change():
    encoder = RequestEncoder({"model": "m"})
    tools = [ToolSpec(name="a")]
    assert len(body(tools=tools, encoder=encoder)["tools"]) == 1
    tools.append(ToolSpec(name="b"))
    assert len(body(tools=tools, encoder=encoder)["tools"]) == 2


def test_two_hundred_tools_cost_hardly_more_than_ten():
    def seconds(count):
        encoder = RequestEncoder({"model": "m"})
        tools = tuple(
            ToolSpec(name=f"tool_{i}", description="Does something. " * 10, parameters=SPEC.parameters)
            for i in range(count)
        )
        messages = [Message(role="user", text="x" * 200) for _ in range(20)]
        encoder.body(messages, tools)
        best = 1.0
        for _ in range(20):
            started = time.perf_counter()
            encoder.body(messages, tools)
            best = min(best, time.perf_counter() - started)
        return best

    assert seconds(200) < 10 * seconds(10) + 0.0005


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_what_goes_over_the_wire(endpoint, stream):
    request = await seen(endpoint, stream=stream, temperature=0.5, max_tokens=9, extra={"top_p": 1})
    sent = json.loads(request["body"])
    assert request["path"].endswith("/v1/chat/completions")
    assert request["headers"]["content-type"] == "application/json"
    assert (sent["model"], sent["temperature"], sent["max_tokens"], sent["top_p"]) == ("m", 0.5, 9, 1)
    assert sent["tools"][0]["function"]["name"] == "weather"
    assert sent.get("stream", False) is stream


@pytest.mark.anyio
async def test_no_key_is_sent_to_an_address_it_does_not_belong_to(endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-1234567890")
    request = await seen(endpoint)
    assert "canary" not in json.dumps(request)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert "canary" not in json.dumps(await seen(endpoint))


@pytest.mark.anyio
async def test_the_key_goes_to_the_address_of_the_environment(endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-1234567890")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint(echo=1))
    request = await seen(endpoint, reference="m")
    # The server repeats the request in its answer; the filter shows that it got this very value.
    assert request["headers"]["authorization"] == "Bearer [secret env:OPENAI_API_KEY]"
    assert (await seen(endpoint, reference="m", api_key=None))["headers"].get("authorization") is None


@pytest.mark.anyio
async def test_a_key_that_is_named_is_sent(endpoint):
    secrets = SecretStore({"house": "key-canary-42"})
    request = await seen(endpoint, api_key="memory:house", secrets=secrets)
    assert request["headers"]["authorization"] == "Bearer [secret memory:house]"


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [200, 401])
async def test_a_key_that_a_server_repeats_is_not_shown(endpoint, status, streamed):
    secrets = SecretStore({"house": "key-canary-42"})
    script = {"status": status, "body": '{"error": {"message": "bad key key-canary-42"}}'}
    model = ChatModel(f"{endpoint(**script)}#m", api_key="memory:house", secrets=secrets, stream=streamed)
    with pytest.raises(ModelError) as caught:
        await model.complete(ASK)
    await model.close()
    assert "canary" not in f"{caught.value} {caught.value.to_dict()} {caught.value!r}"
    if status == 401:
        assert "refuses the key memory:house" in caught.value.what
        assert "it is sent to http://127.0.0.1:" in caught.value.hint


@pytest.mark.anyio
async def test_a_key_that_is_not_set_is_named(monkeypatch):
    model = ChatModel("gpt-5")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        await model.complete(ASK)
    await model.close()


@pytest.mark.anyio
async def test_the_only_model_that_is_served_is_taken(endpoint):
    url = endpoint(echo=1, models={"data": [{"id": "qwen3"}]})
    model = ChatModel(url)
    completion = await model.complete(ASK)
    await model.close()
    assert json.loads(json.loads(completion.text)["body"])["model"] == "qwen3"
    assert model.name == f"{url}#qwen3"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("models", "part"),
    [
        ({"data": []}, "serves 0 models"),
        ({"data": [{"id": "a"}, {"id": "b"}]}, "serves 2 models"),
        ({"data": "x"}, "no list of models"),
        ([], "no list of models"),
        ({"data": [None, {"id": 5}, {}]}, "serves 0 models"),
    ],
)
async def test_no_model_is_guessed(endpoint, models, part):
    model = ChatModel(endpoint(models=models))
    with pytest.raises((ConfigError, ModelError), match=part):
        await model.complete(ASK)
    await model.close()


@pytest.mark.parametrize(
    ("name", "settings", "shown", "url"),
    [
        ("gpt-5", {}, "openai:gpt-5", "https://api.openai.com/v1/chat/completions"),
        ("openai:gpt-5", {}, "openai:gpt-5", "https://api.openai.com/v1/chat/completions"),
        (
            "http://127.0.0.1:8000/v1#qwen3:8b",
            {},
            "http://127.0.0.1:8000/v1#qwen3:8b",
            "http://127.0.0.1:8000/v1/chat/completions",
        ),
        (
            "org/model",
            {"base_url": "http://gpu:8000/v1/"},
            "http://gpu:8000/v1#org/model",
            "http://gpu:8000/v1/chat/completions",
        ),
        (
            "m",
            {"base_url": "https://x.example/openai/v1/chat/completions?api-version=1"},
            "https://x.example/openai/v1#m",
            "https://x.example/openai/v1/chat/completions?api-version=1",
        ),
    ],
)
def test_addresses(name, settings, shown, url):
    model = ChatModel(name, **settings)
    assert model.name == shown
    assert model._reader.where == url


@pytest.mark.parametrize(
    ("name", "settings", "part"),
    [
        ("", {}, "no model is named"),
        ("m", {"base_url": "ftp://host/v1"}, "address is refused"),
        ("m", {"base_url": "localhost:8000"}, "address is refused"),
        ("http://user:secret@host/v1#m", {}, "address is refused"),
        ("http://[::1/v1#m", {}, "address is refused"),
        ("m\x1b[0m", {}, "name is no name"),
        ("m", {"api_key": "sk-1234567890"}, "by reference"),
        ("m", {"timeout": 0}, "timeout"),
        ("m", {"max_tokens": 0}, "max_tokens"),
        ("m", {"extra": {"messages": []}}, "extra may not set 'messages'"),
        ("m", {"extra": {"x": object()}}, "extra"),
        ("m", {"prices": {"in": 1}}, "prices"),
        ("m", {"prices": {"input": -1}}, "prices"),
    ],
)
def test_settings_that_make_no_sense(name, settings, part):
    with pytest.raises(ConfigError, match=part) as caught:
        ChatModel(name, **settings)
    assert "secret@" not in str(caught.value)
    assert "1234567890" not in str(caught.value)
