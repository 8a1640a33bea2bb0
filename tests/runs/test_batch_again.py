"""Tasks of a batch that ended otherwise than with an answer: counted, tried again, and settled."""

import asyncio
import json
import sqlite3
from collections import Counter

import pytest

from toolhaft import Agent, Task, ToolCall, tool
from toolhaft.agent.batch import Batch, BatchOptions, run_batch
from toolhaft.errors import (
    JournalError,
    ModelError,
    ToolError,
    UnknownNameError,
    UnreachableError,
    UsageError,
)
from toolhaft.models.base import Model
from toolhaft.runs.reopening import RETRIED
from toolhaft.runs.uncertain import read_uncertain
from toolhaft.types import Completion, Trajectory, from_json

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Walker(Model):
    """Makes the calls that the words of its instruction name, one after the other, then answers.

    ``circle`` makes it read the same again and again, ``break`` fails; ``ask`` asks back.
    """

    name, origin = "walker", "scripted"

    def __init__(self):
        self.mended = False

    async def complete(self, messages, tools=(), **_):
        await asyncio.sleep(0)
        words = messages[1].text.split()[2:]
        done = sum(message.role == "tool" for message in messages)
        if words[-1] == "circle" and not self.mended:
            return self.call(done, "read", "x")
        if words[-1] == "break" and done == len(words) - 1 and not self.mended:
            raise ModelError("the answer is no JSON")
        if words[-1] == "ask":
            return Completion(text="For which day?", origin=self.origin)
        if done < len(words) and words[done].count(":"):
            return self.call(done, *words[done].split(":"))
        return Completion(text="Done.", origin=self.origin)

    def call(self, number, name, word):
        made = (ToolCall(id=f"c{number}", name=name, arguments={"word": word}),)
        return Completion(calls=made, finish="tool_calls", origin=self.origin)


class World:
    """What the tools did: every write is counted by its word."""

    def __init__(self):
        self.arrived = Counter()
        self.down = False
        self.mended = False

    def agent(self, allow=("write",), **options):
        @tool(effect="read")
        async def read(word: str) -> str:
            """Read a word."""
            if self.down:
                raise UnreachableError("no connection", where="shop:80", retryable=True)
            self.arrived[f"read {word}"] += 1
            return word

        @tool(effect="write")
        async def send(word: str) -> str:
            """Send a word off."""
            if self.down:
                raise UnreachableError("no connection", where="shop:80", retryable=True)
            self.arrived[word] += 1
            if word.startswith("lost") and not self.mended:
                raise ToolError("no answer came", effect="uncertain")
            if word.startswith("crash") and not self.mended:
                raise ZeroDivisionError("a bug")
            return "sent"

        @tool(effect="irreversible")
        async def drop(word: str) -> str:
            """Drop a word."""
            return "dropped"

        model = Walker()
        model.mended = self.mended
        return Agent([read, send, drop], model=model, allow=allow, **options)


@pytest.fixture
def world():
    return World()


def tasks(*words):
    return [Task(id=f"t{number}", instruction=f"Deal with {text}") for number, text in enumerate(words)]


def records(folder):
    lines = (folder / "trajectories.jsonl").read_bytes().splitlines()
    return {found.task.id: found for found in (from_json(Trajectory, line) for line in lines)}


ENDS = {
    "answers": (("read:a", "send:b"), {"answered": 2}, 0),
    "circles": (("read:a", "circle"), {"answered": 1, "loop": 1}, 3),
    "failures": (("read:a", "break"), {"answered": 1, "error": 1}, 3),
    "questions": (("read:a", "ask"), {"answered": 1, "asked": 1}, 4),
    "leave": (("read:a", "drop:b"), {"answered": 2}, 4),
    "doubt": (("read:a", "send:lost", "circle"), {"answered": 1, "uncertain": 1, "loop": 1}, 4),
}


@pytest.mark.parametrize("kind", ENDS)
async def test_how_tasks_ended_is_counted_over_all_starts_and_gives_the_exit_code(tmp_path, world, kind):
    words, outcomes, code = ENDS[kind]
    for here in (len(words), 0):
        result = await run_batch(tmp_path, tasks(*words), agent=world.agent())
        assert dict(result.outcomes) == outcomes
        assert (result.exit_code, result.here) == (code, here)
        assert result.refused == (kind == "leave")


async def test_what_failed_is_tried_again_unless_it_wrote(tmp_path, world):
    words = ("circle", "send:a break", "break", "read:x", "send:b circle", "drop:d break")
    result = await run_batch(tmp_path, tasks(*words), agent=world.agent())
    assert dict(result.outcomes) == {"answered": 1, "loop": 2, "error": 3}
    assert world.arrived["b"] == 0
    world.mended = True
    batch = Batch(
        tmp_path, tasks(*words), agent=world.agent(), options=BatchOptions(retry=("failed", "loop"))
    )
    result = await batch.run()
    assert batch.reopened == ("t0", "t2", "t4", "t5")
    assert [left.id for left in batch.left] == ["t1"]
    assert (batch.left[0].tool, batch.left[0].uncertain) == ("send", False)
    assert "could double it" in str(batch.left[0])
    assert result.counts == {"done": 5, "failed": 1}
    assert world.arrived["a"] == world.arrived["b"] == 1, "a write that was made is not made again"
    batch.export()
    assert records(tmp_path)["t0"].status == "answered"


async def test_a_task_that_ran_out_of_budget_gets_more(tmp_path, world):
    short, long = world.agent(budget={"steps": 1}), world.agent(budget={"steps": 9})
    result = await run_batch(tmp_path, tasks("read:a", "ask"), agent=short)
    assert dict(result.outcomes) == {"asked": 1, "budget": 1}
    options = BatchOptions(retry=("budget",), resume_changed=True)
    result = await run_batch(tmp_path, tasks("read:a", "ask"), agent=long, options=options)
    assert dict(result.outcomes) == {"answered": 1, "asked": 1}


async def test_nothing_is_tried_again_unasked(tmp_path, world):
    await run_batch(tmp_path, tasks("circle", "break"), agent=world.agent())
    world.mended = True
    result = await run_batch(tmp_path, tasks("circle", "break"), agent=world.agent())
    assert dict(result.outcomes) == {"loop": 1, "error": 1}
    options = BatchOptions(retry=("loop",))
    result = await run_batch(tmp_path, tasks("circle", "break"), agent=world.agent(), options=options)
    assert dict(result.outcomes) == {"answered": 1, "error": 1}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"retry": ("lop",)}, "loop"),
        ({"retry": ("failed", "answered")}, "answered"),
        ({"settle": {"t0": "don"}}, "done"),
        ({"settle": {"t0": "done"}, "join": True}, "--join"),
    ],
)
def test_names_that_nothing_answers_to_are_refused(options, named):
    with pytest.raises(UsageError) as caught:
        BatchOptions(**options)
    assert named in str(caught.value)
    assert "answered" not in RETRIED


async def test_uncertain_writes_are_named_with_what_finds_them(tmp_path, world):
    await run_batch(tmp_path, tasks("send:fine", "read:a send:lost1", "send:crash2"), agent=world.agent())
    first, second = read_uncertain(tmp_path)
    assert (first.task, first.tool, first.arguments) == ("t1", "send", {"word": "lost1"})
    assert first.error == {"code": "E-TOOL", "what": "no answer came", "effect": "uncertain"}
    assert (second.task, second.arguments, second.error["effect"]) == ("t2", {"word": "crash2"}, "uncertain")
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        keys = dict(connection.execute("SELECT job, key FROM entries WHERE name = 'send'"))
    assert (first.key, second.key) == (keys[1], keys[2])
    html = (tmp_path / "report.html").read_text()
    assert "Uncertain write" in html
    assert ">uncertain</option>" in html, "the list can be filtered by it"
    assert "Imported" not in html
    assert html.index("lost1") < html.index("crash2") < html.index("send:fine")
    assert list(records(tmp_path)) == ["t0", "t1", "t2"]


async def test_a_write_that_was_done_is_closed(tmp_path, world):
    words = ("send:lost", "read:a")
    await run_batch(tmp_path, tasks(*words), agent=world.agent())
    options = BatchOptions(settle={"t0": "done"})
    result = await run_batch(tmp_path, tasks(*words), agent=world.agent(), options=options)
    assert dict(result.outcomes) == {"answered": 1, "settled": 1}
    assert (result.counts, result.exit_code) == ({"done": 2}, 0)
    assert world.arrived["lost"] == 1
    assert list(read_uncertain(tmp_path)) == []
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        kept = connection.execute("SELECT value FROM meta WHERE name = 'settled t0'").fetchone()[0]
    (said,) = json.loads(kept)
    assert said["verdict"] == "done"
    assert said["at"]
    assert len(said["calls"]) == 1


async def test_a_write_that_was_not_done_is_made_and_nothing_else_twice(tmp_path, world):
    words = ("send:before read:r send:lost send:after", "read:a")
    await run_batch(tmp_path, tasks(*words), agent=world.agent())
    assert [call.arguments for call in read_uncertain(tmp_path)] == [{"word": "lost"}]
    world.mended = True
    options = BatchOptions(settle={"t0": "not-done"})
    result = await run_batch(tmp_path, tasks(*words), agent=world.agent(), options=options)
    assert dict(result.outcomes) == {"answered": 2}
    assert result.exit_code == 0
    assert world.arrived == {"before": 1, "read r": 1, "lost": 2, "after": 1, "read a": 1}
    assert [seen.failed for seen in records(tmp_path)["t0"].observations()] == [False] * 4


@pytest.mark.parametrize(("name", "kind"), [("t9", UnknownNameError), ("t1", UsageError)])
async def test_only_what_is_uncertain_is_settled_all_or_nothing(tmp_path, world, name, kind):
    words = ("send:lost", "read:a")
    await run_batch(tmp_path, tasks(*words), agent=world.agent())
    options = BatchOptions(settle={"t0": "done", name: "done"})
    with pytest.raises(kind, match=name):
        await run_batch(tmp_path, tasks(*words), agent=world.agent(), options=options)
    assert len(list(read_uncertain(tmp_path))) == 1


async def test_an_uncertain_task_is_left_by_retry(tmp_path, world):
    await run_batch(tmp_path, tasks("send:lost"), agent=world.agent())
    options = BatchOptions(retry=("uncertain",))
    batch = Batch(tmp_path, tasks("send:lost"), agent=world.agent(), options=options)
    await batch.run()
    assert [left.uncertain for left in batch.left] == [True]
    assert world.arrived["lost"] == 1


async def test_tools_that_cannot_be_reached_stop_the_batch_and_the_tasks_wait(tmp_path, world):
    world.down = True
    words = [f"{'send' if number % 2 else 'read'}:w{number}" for number in range(60)]
    options = BatchOptions(concurrency=4)
    result = await run_batch(tmp_path, tasks(*words), agent=world.agent(), options=options)
    assert "no tool could be reached in 16 tasks in a row" in result.stopped
    assert "shop:80: no connection" in result.stopped
    assert result.counts == {"waiting": 60}, "what failed by it alone waits again"
    assert result.exit_code == 3
    world.down = False
    result = await run_batch(tmp_path, tasks(*words), agent=world.agent(), options=options)
    assert result.counts == {"done": 60}
    assert result.exit_code == 0


async def test_one_tool_that_cannot_be_reached_stops_nothing(tmp_path, world):
    words = [f"read:w{number}" for number in range(40)]
    agent = world.agent()
    asked = Counter()
    whole = agent.model.complete

    async def complete(messages, tools=(), **given):
        asked["now"] += 1
        world.down = asked["now"] % 9 != 0
        return await whole(messages, tools, **given)

    agent.model.complete = complete
    result = await run_batch(tmp_path, tasks(*words), agent=agent, options=BatchOptions(concurrency=1))
    assert result.stopped == ""
    assert result.counts == {"done": 40}


async def test_begun_tasks_are_named_before_a_way_is_offered_that_does_not_work(tmp_path, world):
    await run_batch(tmp_path, tasks("read:a", "read:b"), agent=world.agent())
    for resume in (False, True):
        options = BatchOptions(resume_changed=resume)
        with pytest.raises(JournalError, match="'t0' was begun") as caught:
            await run_batch(tmp_path, tasks("read:c", "read:b"), agent=world.agent(), options=options)
        assert "must stay as they are" in caught.value.hint
