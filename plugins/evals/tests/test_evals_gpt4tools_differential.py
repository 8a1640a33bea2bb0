"""The published success rate beside a second reading of its rules, on transcripts that are made up."""

import asyncio
import math
import random
import re

import pytest

from toolhaft.evaluators.prediction import trajectory_of
from toolhaft.types import Prediction, Task
from toolhaft_evals.gpt4tools.compatible import CompatibleGPT4Tools
from toolhaft_evals.gpt4tools.strict import GPT4Tools

pytestmark = pytest.mark.slow
CASES = 1_500
TOOLS = ("Edge Detection On Image", "Crop Image", "Answer Question About The Image")
FILES = ("image/a.png", "image/b.png", "c.png")
TEXTS = ("a red duck", "what is it?", "replace the cat, softly", "x", "a red, red duck", "", "naïve café")


def make_step(draw):
    argument = draw.choice(
        (draw.choice(FILES), f"{draw.choice(FILES)}, {draw.choice(TEXTS)}", draw.choice(TEXTS))
    )
    return draw.choice(TOOLS), argument


def make_steps(draw):
    return [make_step(draw) for _ in range(draw.choice((0, 0, 1, 1, 1, 2, 2, 3)))]


def spoil(draw, steps):
    made = list(steps)
    for number in range(len(made)):
        if draw.random() < 0.3:
            tool, argument = made[number]
            made[number] = draw.choice(((draw.choice(TOOLS), argument), (tool, make_step(draw)[1])))
    if draw.random() < 0.15:
        made = draw.choice((made[1:], [*made, make_step(draw)], made[::-1]))
    return made


def write(draw, steps, answer):
    lines = []
    for tool, argument in steps:
        lines += ["Thought: Do I need to use a tool? Yes", f"Action: {tool}", f"Action Input: {argument}"]
        if draw.random() < 0.8:
            lines.append(f"Observation: {draw.choice(FILES)}")
    if answer is not None:
        lines += ["Thought: Do I need to use a tool? No", f"AI: {answer}"]
    return "\n".join(lines)


# The published rules, read a second time.


def published(made, gold):
    """Return whether a transcript succeeds, by the published rules; both are texts."""
    thoughts, wanted = (re.findall(r"Do I need to use a tool\? (\w+)", text) for text in (made, gold))
    steps, right = (re.findall(r"^Action: (.*)\nAction Input:[ ]?(.*)$", text, re.M) for text in (made, gold))
    if not right:
        return thoughts[:1] == ["No"] and "AI:" in made
    for texts, uses in ((thoughts, steps), (wanted, right)):
        if len(texts) == len(uses) + 1 and texts[-1] == "No":
            texts.pop()
    if thoughts != wanted or [tool for tool, _ in steps] != [tool for tool, _ in right]:
        return False
    worth = [worth_of(mine.strip(), its.strip()) for (_, mine), (_, its) in zip(steps, right, strict=True)]
    return math.fsum(worth) / len(worth) >= 0.5


def worth_of(mine, its):
    parts, wanted = mine.split(","), its.split(",")
    if len(parts) != len(wanted):
        return 0.0
    worth = []
    for part, other in zip(parts, wanted, strict=True):
        if ".png" in other and ".png" not in part:
            return 0.0
        worth.append(1.0 if ".png" in other else bleu(part.split(), other.split()))
    return math.fsum(worth) / len(worth)


def bleu(words, reference):
    if not words or not reference:
        return 0.0
    left = list(reference)
    hits = 0
    for word in words:
        if word in left:
            left.remove(word)
            hits += 1
    short = math.exp(1 - len(reference) / len(words)) if len(words) < len(reference) else 1.0
    return short * hits / len(words)


def test_both_readings_agree_and_gold_passes_strictly():
    passed, strict_passed = 0, 0
    for seed in range(CASES):
        draw = random.Random(seed)
        steps = make_steps(draw)
        answer = draw.choice((None, "Done: image/b.png.", "Ducks, mostly.")) if steps else "Ducks, mostly."
        gold = write(draw, steps, answer)
        made = write(draw, spoil(draw, steps), draw.choice((answer, answer, None, "image/a.png")))
        task = Task(id="t", instruction="-", metadata={"output": gold})
        trajectory = trajectory_of(task, Prediction(task_id="t", text=made))
        found = asyncio.run(CompatibleGPT4Tools().evaluate(task, trajectory))
        assert found.value == published(made, gold), (seed, made, gold, found)
        strict = asyncio.run(GPT4Tools().evaluate(task, trajectory))
        if strict.value > found.value:  # a right text with a comma or nothing to say counts for little there
            assert found.outcome in ("wrong_arguments", "wrong_thought"), (seed, made, gold, found)
        passed, strict_passed = passed + found.value, strict_passed + strict.value
        perfect = asyncio.run(
            GPT4Tools().evaluate(task, trajectory_of(task, Prediction(task_id="t", text=gold)))
        )
        assert perfect.value == 1.0, (seed, gold, perfect)
    assert CASES * 0.2 < strict_passed < passed < CASES * 0.8


@pytest.mark.parametrize(
    "text", ["", "Thought:", "AI:", "Action: x", "Thought: Do I need to use a tool?", "é" * 50]
)
def test_what_is_no_transcript_fails(text):
    task = Task(
        id="t", instruction="-", metadata={"output": "Thought: Do I need to use a tool? No\nAI: Ducks."}
    )
    trajectory = trajectory_of(task, Prediction(task_id="t", text=text))
    for evaluator in (GPT4Tools(), CompatibleGPT4Tools()):
        assert asyncio.run(evaluator.evaluate(task, trajectory)).value == 0.0
