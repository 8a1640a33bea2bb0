"""Any JSON at all as an endpoint's answer: a completion or a ModelError, nothing else."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.errors import ModelError
from toolhaft.models.answer import AnswerReader
from toolhaft.models.stream import StreamedAnswer
from toolhaft.types import Completion

READER = AnswerReader("http://host/v1/chat/completions", {"input": 1.0, "output": 2.0})
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
WHOLE = {
    "id": "x",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": "hi"}],
                "refusal": None,
                "tool_calls": [CALL, {**CALL, "id": "c2"}],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2},
}
PIECES = [
    {"choices": [{"delta": {"role": "assistant", "content": "a", "refusal": None}}], "model": "m"},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, **CALL}]}}]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "delta", "content", "tool_calls", "function", "error", "text"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value, path=()):
    """Return the paths to every part of a JSON value."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def damaged(draw, original):
    """Draw a value with up to three of its parts replaced or taken out."""
    value = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value)))
        if not path:
            return draw(JSON)
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()):
            parent[path[-1]] = draw(JSON)
        else:
            del parent[path[-1]]
    return value


def check(read):
    try:
        completion = read()
    except ModelError as error:
        failure = error
    else:
        failure = None
    if failure is not None:
        assert failure.where == READER.where
        assert failure.hint
        return
    assert isinstance(completion, Completion)
    assert len({call.id for call in completion.calls}) == len(completion.calls)
    assert all(call.name for call in completion.calls)
    assert all(not (call.problem and call.arguments) for call in completion.calls)
    assert completion.usage.input_tokens >= 0


def test_the_undamaged_answer_is_read():
    completion = READER.read(READER.parse(json.dumps(WHOLE).encode()))
    assert [call.arguments for call in completion.calls] == [{"city": "Rome"}] * 2
    streamed = StreamedAnswer(READER)
    for piece in PIECES:
        streamed.take("data: " + json.dumps(piece))
        streamed.take("")
    assert READER.read(streamed.finish()).calls[0].arguments == {"city": "Rome"}


@settings(max_examples=400, deadline=None)
@given(damaged(WHOLE) | JSON)
@pytest.mark.slow
def test_any_answer(payload):
    check(lambda: READER.read(READER.parse(json.dumps(payload).encode())))


@settings(max_examples=400, deadline=None)
@given(damaged(PIECES), st.booleans())
@pytest.mark.slow
def test_any_stream(pieces, done):
    def read():
        streamed = StreamedAnswer(READER, lambda _: None)
        for piece in pieces if isinstance(pieces, list) else [pieces]:
            streamed.take("data: " + json.dumps(piece))
            streamed.take("")
        if done:
            streamed.take("data: [DONE]")
        return READER.read(streamed.finish())

    check(read)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes(body):
    check(lambda: READER.read(READER.parse(body)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet='data: {}[]"DONE\\eventid:retry1', max_size=30), max_size=8))
def test_any_lines(lines):
    def read():
        streamed = StreamedAnswer(READER)
        for line in lines:
            streamed.take(line)
        return READER.read(streamed.finish())

    check(read)


def read_lines(lines):
    streamed = StreamedAnswer(READER)
    for line in lines:
        streamed.take(line)
    return streamed.finish()


def test_a_stream_cut_anywhere_is_never_taken_for_whole():
    text = "\n".join(line for piece in PIECES[:3] for line in ("data: " + json.dumps(piece), ""))
    for end in range(len(text)):
        with pytest.raises(ModelError):
            read_lines(text[:end].split("\n"))
