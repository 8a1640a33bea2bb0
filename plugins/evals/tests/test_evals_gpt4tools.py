"""Transcripts of image tools: the strict score, and the published one with its defects."""

import time

import pytest

from toolhaft.evaluators.prediction import trajectory_of
from toolhaft.testing import record_trajectory
from toolhaft.types import Gold, Prediction, Task, ToolCall
from toolhaft_evals.gpt4tools.compatible import CompatibleGPT4Tools, argument_score, bleu_1
from toolhaft_evals.gpt4tools.data import load_outputs, load_tasks, make_floors
from toolhaft_evals.gpt4tools.strict import GPT4Tools
from toolhaft_evals.gpt4tools.transcript import ToolStep, files_in, read_transcript


def transcript(*steps, answer=None):
    """Write a transcript: steps as ``(tool, input)``, each with an observation."""
    lines = []
    for number, (action, argument) in enumerate(steps):
        lines += [
            "Thought: Do I need to use a tool? Yes",
            f"Action: {action}",
            f"Action Input: {argument}",
            f"Observation: Result saved as image/made{number}.png",
        ]
    if answer is not None:
        lines += ["Thought: Do I need to use a tool? No", f"AI: {answer}"]
    return "\n".join(lines)


EDGES = ("Edge Detection On Image", "image/pond.png")
PAINT = ("Instruct Image Using Text", "image/pond.png, make it look like a drawing")
REMOVE = ("Remove Something From The Photo", "image/pond.png, the duck, left of the reeds")
CHAIN = (EDGES, ("Generate Image Condition On Canny Image", "image/made0.png, a duck at night"))
DONE = "The result is image/made0.png."


async def scores(gold, made, *, facts=()):
    task = Task(id="r", instruction="Do.", gold=Gold(facts=facts), metadata={"output": gold})
    trajectory = trajectory_of(task, Prediction(task_id="r", text=made))
    strict = await GPT4Tools().evaluate(task, trajectory)
    return strict, await CompatibleGPT4Tools().evaluate(task, trajectory)


ONE, TEXT = transcript(EDGES, answer=DONE), transcript(PAINT, answer=DONE)
TWO = transcript(*CHAIN, answer="It is image/made1.png.")
SILENT = transcript(answer="Ducks eat plants.")
# name -> gold, prediction, outcome of the strict score, whether the published one passes
CASES = {
    "gold": (ONE, ONE, "correct", True),
    "gold of two steps": (TWO, TWO, "correct", True),
    "gold without a tool": (SILENT, SILENT, "correct", True),
    "other blanks and punctuation": (
        TEXT,
        TEXT.replace("png, make it look like a drawing", "png ,  Make it look like a drawing!"),
        "correct",
        True,
    ),
    "a wrong file": (ONE, ONE.replace("image/pond.png", "image/lake.png"), "wrong_file", True),
    "an entirely different text": (
        TEXT,
        TEXT.replace("make it look like a drawing", "xyzzy"),
        "wrong_arguments",
        True,
    ),
    "a comma within a right text": (
        TEXT,
        TEXT.replace("make it look like a drawing", "make it look, like a drawing"),
        "correct",
        False,
    ),
    "a needless step": (ONE, transcript(EDGES, PAINT, answer=DONE), "extra_step", False),
    "a missing step": (TWO, transcript(EDGES, answer="It is image/made1.png."), "missing_step", False),
    "another tool": (ONE, ONE.replace("Edge", "Line"), "wrong_tool", False),
    "no tool": (ONE, SILENT, "wrong_decision", False),
    "a tool where none is needed": (SILENT, ONE, "wrong_decision", False),
    "a wrong answer without a tool": (SILENT, transcript(answer="Ducks eat stones."), "correct", True),
    "no answer": (SILENT, "Thought: Do I need to use a tool? No", "wrong_answer", False),
    "an answer about another file": (ONE, ONE.replace(DONE, "It is image/other.png."), "wrong_answer", True),
    "nothing of the form": (ONE, "I would draw the edges.", "unparseable", False),
    "nothing": (ONE, "", "unparseable", False),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", CASES)
async def test_strict_and_published(name):
    gold, made, outcome, published = CASES[name]
    strict, compatible = await scores(gold, made)
    assert strict.outcome == outcome, strict.reason
    assert strict.value == float(outcome == "correct")
    assert compatible.value == float(published), compatible.reason
    assert all(0 <= figure <= 1 for figure in (*strict.parts.values(), *compatible.parts.values()))


@pytest.mark.anyio
async def test_facts_of_a_record_must_be_in_the_answer():
    strict, compatible = await scores(SILENT, transcript(answer="Ducks eat stones."), facts=("plants|grass",))
    assert (strict.outcome, compatible.value) == ("wrong_answer", 1.0)
    strict, _ = await scores(SILENT, transcript(answer="They eat Grass."), facts=("plants|grass",))
    assert strict.value == 1.0


@pytest.mark.anyio
async def test_the_parts_of_a_needless_step():
    strict, compatible = await scores(ONE, transcript(EDGES, PAINT, answer=DONE))
    assert (strict.parts["precision"], strict.parts["recall"]) == (0.5, 1.0)
    # What is too much is left out of the intersection and of the union alike.
    assert compatible.parts["iou"] == 1.0
    assert compatible.parts["action"] == 0.5


@pytest.mark.parametrize(
    ("made", "gold", "score"),
    [
        ("image/a.png", "image/b.png", 1.0),
        ("no file", "image/b.png", 0.0),
        ("image/a.png, xyzzy", "image/b.png, a duck", 0.5),
        ("image/a.png, a duck", "image/b.png, a duck", 1.0),
        ("image/a.png, a, duck", "image/b.png, a duck", 0.0),
        ("a red duck", "a duck", 2 / 3),
    ],
)
def test_the_published_worth_of_an_input(made, gold, score):
    assert argument_score(made, gold) == pytest.approx(score)


@pytest.mark.parametrize(
    ("made", "gold", "score"),
    [
        ("a b", "a b", 1.0),
        ("a a a", "a b", 1 / 3),
        ("a", "a b", 2.718281828**-1),
        ("", "a", 0.0),
        ("c", "a", 0.0),
    ],
)
def test_bleu_of_single_words(made, gold, score):
    assert bleu_1(made, gold) == pytest.approx(score)


def test_arguments_in_json_are_compared_as_json():
    read = read_transcript(transcript(("Crop", '{"image": "a.png", "box": [1, 2, 3, 4]}')))
    assert read.steps == (ToolStep(action="Crop", argument='{"image": "a.png", "box": [1, 2, 3, 4]}'),)
    assert files_in("See 'a.png', (b.JPG) and c.txt.") == ("a.png", "b.JPG")


@pytest.mark.anyio
async def test_a_rollout_is_scored_by_its_calls():
    gold = transcript(("crop", '{"image": "a.png", "box": [1, 2, 3, 4]}'), answer="Done: a.png")
    task = Task(id="r", instruction="Crop.", metadata={"output": gold})
    call = ToolCall(id="1", name="crop", arguments={"box": [1, 2, 3, 4.0], "image": "a.png"})
    rollout = record_trajectory(task, (call, "ok"), answer="Done: a.png")
    assert (await GPT4Tools().evaluate(task, rollout)).value == 1.0
    idle = Task(id="r", instruction="What do ducks eat?", metadata={"output": SILENT})
    assert (await GPT4Tools().evaluate(idle, record_trajectory(idle, answer="Plants."))).value == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Action:" * 20_000,
        "Action: x\n" * 20_000,
        " " * 190_000,
        "a.png" * 40_000,
        "Do I need to use a tool?" * 9_000,
    ],
    ids=["one line", "lines", "blanks", "files", "thoughts"],
)
def test_hostile_transcripts_take_no_long_time(text):
    begun = time.monotonic()
    files_in(read_transcript(text).steps[0].argument if "\n" in text else text)
    read_transcript(text)
    assert time.monotonic() - begun < 5


def test_records_and_outputs_are_read(write_lines):
    records = [
        {"instruction": "Find the edges of image/pond.png", "input": "", "output": ONE},
        {
            "instruction": "What do ducks eat?",
            "input": "",
            "output": SILENT,
            "id": "ducks",
            "facts": ["plants"],
        },
    ]
    tasks = load_tasks(write_lines("gold.jsonl", *records))
    assert [(task.id, task.tags) for task in tasks] == [("record-1", ("one tool",)), ("ducks", ("no tool",))]
    said = load_outputs(write_lines("said.jsonl", {"output": ONE}, {"id": "ducks", "text": SILENT}), tasks)
    assert [prediction.task_id for prediction in said] == ["record-1", "ducks"]
    assert set(make_floors(tasks)) == {"floor: no tool", "ceiling: gold"}
