"""Images and files of a batch that was stopped are there when it goes on, whoever goes on with it."""

import sys
import threading

import pytest

from toolhaft import Agent, Artifact, CallContext, tool
from toolhaft.agent.batch import Batch
from toolhaft.testing import ScriptedModel
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Completion, Task, ToolCall


@tool(effect="read")
def draw(text: str, context: CallContext) -> Artifact:
    """Draw a text."""
    return context.artifacts.put(text.encode(), media_type="text/plain", name="drawing.txt")


@tool(effect="read")
def read_back(file: Artifact, context: CallContext) -> str:
    """Read a file."""
    return context.artifacts.get(file).decode()


@pytest.mark.parametrize("kept_before", [False, True])
def test_a_batch_goes_on_with_what_tools_made_before_it_was_stopped(tmp_path, kept_before):
    batches = []

    def asks_to_read(request):
        if len(batches) == 1:
            batches[0].stop()
        call = ToolCall(id="2", name="read_back", arguments={"file": "file-1"})
        return Completion(calls=(call,), finish="tool_calls", model="m", origin="scripted")

    for outcomes in ({}, {"answered": 1}):
        drawing = ToolCall(id="1", name="draw", arguments={"text": "a tree"})
        model = ScriptedModel(drawing, asks_to_read, "done", name="m")
        agent = Agent([draw, read_back], model=model)
        if kept_before:
            agent.artifacts.put(b"of the user")
        batches.append(Batch(tmp_path / "batch", [Task(id="t", instruction="Draw a tree.")], agent=agent))
        assert batches[-1].run_sync().outcomes == outcomes
    assert "a tree" in batches[-1].export().jsonl.read_text()


def test_what_is_in_memory_moves_into_the_folder(tmp_path):
    store = ArtifactStore()
    first = store.put(b"one")
    store.keep_in(tmp_path / "kept")
    second = store.put(b"two")
    store.keep_in(tmp_path / "elsewhere")
    assert [store.get(first), store.get(second)] == [b"one", b"two"]
    assert sorted(path.read_bytes() for path in (tmp_path / "kept").iterdir()) == [b"one", b"two"]
    assert not (tmp_path / "elsewhere").exists()


def test_tools_in_threads_put_and_get_at_the_same_time():
    store = ArtifactStore()
    first = store.put(b"first")
    failures = []

    def put(number):
        for turn in range(1500):
            store.put(f"{number} {turn}".encode())

    def get():
        try:
            for _ in range(150):
                store.get(first)
        except RuntimeError as error:
            failures.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=put, args=(number,)) for number in range(2)]
        threads += [threading.Thread(target=get) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert failures == []


def test_a_forged_id_asks_after_no_other_file(tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    store = ArtifactStore(tmp_path / "kept")
    kept = store.put(b"one")
    assert kept in store
    assert Artifact(id="../secret.txt", media_type="text/plain", size=1) not in store
