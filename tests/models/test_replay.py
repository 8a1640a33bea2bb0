"""Recordings of what a model answered."""

import json

import pytest

from toolhaft.errors import FormatError, ReplayMissError, UsageError
from toolhaft.models.base import Model
from toolhaft.models.replay import RecordingModel, ReplayModel, hash_request
from toolhaft.secrets import SecretStore
from toolhaft.types import Completion, Message, ToolCall, ToolSpec, Usage

ASK = (Message(role="system", text="Be brief."), Message(role="user", text="Weather?"))
TOOLS = (ToolSpec(name="weather", description="Weather of a city."),)


class Counting(Model):
    """Answers with the number of the question, and sometimes with a call."""

    name = "openai:test"

    def __init__(self):
        self.asked = 0
        self.closed = False

    async def complete(self, messages, tools=(), *, avoid=(), on_delta=None, seed=None, max_tokens=None):
        self.asked += 1
        call = ToolCall(id=f"srv_{self.asked}", name="weather", arguments={"n": 2**70, "city": "Köln"})
        calls = (call,) if tools else ()
        return Completion(
            text=f"answer {self.asked}",
            calls=calls,
            finish="tool_calls" if calls else "stop",
            usage=Usage(model_calls=1, input_tokens=3, cost=0.5),
            model="gpt",
        )

    async def close(self):
        self.closed = True


@pytest.mark.anyio
async def test_what_was_recorded_is_replayed(tmp_path):
    path = tmp_path / "deep" / "run.jsonl"
    inner = Counting()
    recording = RecordingModel(inner, path)
    assert (recording.name, recording.origin) == ("openai:test", "model")
    first = await recording.complete(ASK, TOOLS)
    second = await recording.complete(ASK)
    third = await recording.complete(ASK, TOOLS, avoid=first.calls)
    await recording.close()
    assert inner.closed
    replay = ReplayModel(path)
    assert (replay.name, replay.origin) == (f"replay:{path}", "replay")
    deltas = []
    answers = [
        await replay.complete(ASK, TOOLS, on_delta=deltas.append),
        await replay.complete(ASK),
        await replay.complete(ASK, TOOLS, avoid=first.calls),
    ]
    assert deltas == ["answer 1"]
    assert inner.asked == 3
    for answer, recorded in zip(answers, (first, second, third), strict=True):
        assert answer.origin == "replay"
        assert (answer.text, answer.calls, answer.usage, answer.finish, answer.model) == (
            recorded.text,
            recorded.calls,
            recorded.usage,
            recorded.finish,
            recorded.model,
        )


@pytest.mark.anyio
async def test_the_same_question_gets_its_answers_in_turn(tmp_path):
    recording = RecordingModel(Counting(), tmp_path / "run.jsonl")
    for _ in range(2):
        await recording.complete(ASK)
    replay = ReplayModel(str(tmp_path / "run.jsonl"))
    assert [(await replay.complete(ASK)).text for _ in range(3)] == ["answer 1", "answer 2", "answer 1"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("messages", "tools", "avoid", "part"),
    [
        (ASK[:1], TOOLS, (), "no answer to this conversation"),
        (ASK, (), (), "with other tools"),
        (ASK, (ToolSpec(name="weather", description="Changed."),), (), "with other tools"),
        (ASK, TOOLS, (ToolCall(id="x", name="weather"),), "other calls to avoid"),
    ],
)
async def test_a_miss_says_what_differs(tmp_path, messages, tools, avoid, part):
    path = tmp_path / "run.jsonl"
    await RecordingModel(Counting(), path).complete(ASK, TOOLS)
    with pytest.raises(ReplayMissError, match=part) as caught:
        await ReplayModel(path).complete(messages, tools, avoid=avoid)
    assert caught.value.where == str(path)
    assert "Record it again" in caught.value.hint


@pytest.mark.anyio
async def test_an_empty_recording_holds_nothing(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("\n\n")
    with pytest.raises(ReplayMissError, match="empty"):
        await ReplayModel(path).complete(ASK)


def test_ids_of_calls_do_not_matter_but_their_order_does():
    def conversation(first, second, answered):
        calls = (ToolCall(id=first, name="a"), ToolCall(id=second, name="b"))
        return [
            *ASK,
            Message(role="assistant", calls=calls),
            Message(role="tool", text="x", call_id=answered),
        ]

    assert hash_request(conversation("1", "2", "1")) == hash_request(conversation("p", "q", "p"))
    assert hash_request(conversation("1", "2", "1")) != hash_request(conversation("1", "2", "2"))


@pytest.mark.parametrize(
    "other",
    [
        [Message(role="user", text="Be brief."), ASK[1]],
        [ASK[0], Message(role="user", text="Weather!")],
        [*ASK, Message(role="assistant", calls=(ToolCall(id="a", name="weather"),))],
        [ASK[0], Message(role="user", text="\ud800")],
    ],
)
def test_another_conversation_has_another_hash(other):
    assert hash_request(other) != hash_request(ASK)


@pytest.mark.anyio
async def test_secrets_do_not_reach_the_file(tmp_path):
    class Leaking(Counting):
        async def complete(self, *arguments, **settings):
            call = ToolCall(id="1", name="t", arguments={"canary-12345678": "canary-12345678"})
            return Completion(text="the key is canary-12345678", calls=(call,))

    path = tmp_path / "run.jsonl"
    secrets = SecretStore({"key": "canary-12345678"})
    completion = await RecordingModel(Leaking(), path, secrets=secrets).complete(ASK)
    assert "canary" in completion.text
    assert "canary" not in path.read_text()
    assert "[secret memory:key]" in (await ReplayModel(path).complete(ASK)).text


@pytest.mark.anyio
async def test_each_line_is_a_record_of_format_1(tmp_path):
    path = tmp_path / "run.jsonl"
    await RecordingModel(Counting(), path).complete(ASK, TOOLS)
    record = json.loads(path.read_text())
    assert (record["format"], record["model"]) == (1, "openai:test")
    assert record["completion"]["calls"][0]["arguments"] == {"n": 2**70, "city": "Köln"}


RECORD = {"format": 1, "messages": "a", "tools": "b", "avoid": "c", "completion": {"text": "x"}}


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{", "not JSON"),
        ("[]", "no JSON object"),
        ("{}", "format None"),
        (json.dumps({**RECORD, "format": 2}), "format 2"),
        (json.dumps({**RECORD, "messages": 5}), "digests"),
        (json.dumps({**RECORD, "completion": None}), "Completion"),
        (json.dumps({**RECORD, "completion": {"finish": "banana"}}), "Completion"),
        (json.dumps(RECORD)[:-5], "not JSON"),
    ],
)
def test_damaged_recordings_are_named_with_their_line(tmp_path, line, part):
    path = tmp_path / "run.jsonl"
    path.write_text(f"{json.dumps(RECORD)}\n{line}\n")
    with pytest.raises(FormatError, match=part) as caught:
        ReplayModel(path)
    assert f"{path}:2" in caught.value.where


def test_a_recording_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        ReplayModel(tmp_path / "none.jsonl")


@pytest.mark.anyio
async def test_a_recording_that_cannot_be_written(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        await RecordingModel(Counting(), tmp_path).complete(ASK)
