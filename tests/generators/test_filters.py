"""Copies, near-copies and splits."""

import random
import time

import pytest

from toolhaft.errors import UsageError
from toolhaft.generators.filters import exact_key, find_near_copies
from toolhaft.generators.splits import split_tasks
from toolhaft.types import Gold, Task, ToolCall

LONG = "Please show me the status of the order that I placed last week for the garden party in June"


def similarity(a, b, size=3):
    one, two = [
        {tuple(text.casefold().split()[i : i + size]) for i in range(len(text.split()) - size + 1)}
        for text in (a, b)
    ]
    return len(one & two) / len(one | two)


def task(id, *tools, text="", **arguments):
    calls = tuple(ToolCall(id=name, name=name, arguments=arguments) for name in tools)
    return Task(id=id, instruction=text or f"Task {id}", gold=Gold(tools=tools, calls=calls))


def test_a_near_copy_is_found_and_the_first_one_stays():
    near = LONG.replace("June", "July")
    other = "Cancel my flight to Lisbon and book the hotel again for two nights in the old town please"
    assert find_near_copies([LONG, other, near]) == {2: LONG}


def test_nothing_made_may_be_near_what_is_held_out():
    near = LONG.replace("June", "July")
    assert find_near_copies([near, "Something else entirely"], against=[LONG]) == {0: LONG}


def test_case_and_punctuation_do_not_count():
    assert find_near_copies([LONG, f"{LONG.upper()}!"], threshold=1.0) == {1: LONG}


def test_short_texts_that_differ_in_a_value_are_different():
    assert find_near_copies(["Show ticket TCK-2009", "Show ticket TCK-2010", "Show ticket TCK-2011"]) == {}


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9])
def test_it_finds_what_comparing_all_pairs_finds(threshold):
    draw = random.Random(threshold)
    words = ["a", "b", "c", "d", "e", "f", "g", "h"]
    texts = [" ".join(draw.choice(words) for _ in range(draw.randint(4, 12))) for _ in range(90)]
    texts += [f"{text} {draw.choice(words)}" for text in texts[:30]] + texts[:10]
    kept, slow = [], set()
    for position, text in enumerate(texts):
        if any(similarity(text, texts[other]) >= threshold for other in kept):
            slow.add(position)
        else:
            kept.append(position)
    assert set(find_near_copies(texts, threshold=threshold)) == slow
    assert slow


@pytest.mark.slow
def test_many_texts_take_seconds():
    draw = random.Random(0)
    words = [f"word{number}" for number in range(3000)]
    texts = [" ".join(draw.choices(words, k=18)) for _ in range(20_000)]
    texts += [f"{text} again" for text in texts[:2_000]]
    began = time.process_time()
    assert len(find_near_copies(texts)) == 2_000
    assert time.process_time() - began < 20


@pytest.mark.parametrize("threshold", [0, -1, 1.5, float("nan")])
def test_thresholds_that_make_no_sense(threshold):
    with pytest.raises(UsageError, match="threshold"):
        find_near_copies(["a"], threshold=threshold)


@pytest.mark.parametrize("size", [0, -3, True, 1.5])
def test_sizes_that_make_no_sense(size):
    with pytest.raises(UsageError, match="shingle"):
        find_near_copies(["a"], size=size)


def test_copies_are_alike_in_words_and_calls():
    assert exact_key(task("a", "x", text="Show it.", n=1)) == exact_key(task("b", "x", text="show  IT", n=1))
    assert exact_key(task("a", "x", text="Show it.", n=1)) != exact_key(task("b", "x", text="Show it.", n=2))


def test_a_split_by_instruction_keeps_wordings_of_the_same_calls_together():
    tasks = [task(f"{n}-{wording}", "x", n=n) for n in range(30) for wording in range(3)]
    parts = split_tasks(tasks, share=0.2, seed=1)
    numbers = [{one.gold.calls[0].arguments["n"] for one in part} for part in (parts.train, parts.test)]
    assert numbers[0] & numbers[1] == set()
    assert (len(numbers[0]), len(numbers[1])) == (24, 6)
    assert len(parts.train) + len(parts.test) == 90
    assert parts == split_tasks(tasks, share=0.2, seed=1) != split_tasks(tasks, share=0.2, seed=2)


def test_a_split_by_tool_shows_no_tool_of_the_test_in_training():
    names = [f"tool{n}" for n in range(20)]
    tasks = [task(f"{a}-{b}", a, *([b] if a != b else [])) for a in names for b in names]
    parts = split_tasks(tasks, share=0.25, by="tool", seed=3)
    seen = [{name for one in part for name in one.gold.tools} for part in (parts.train, parts.test)]
    assert seen[0] & seen[1] == set()
    assert seen[1] == set(parts.unseen)
    assert len(parts.unseen) == 5
    assert len(parts.train) + len(parts.test) + len(parts.mixed) == len(tasks)
    assert parts.mixed


@pytest.mark.parametrize(("share", "by"), [(0, "tool"), (1, "tool"), (-0.1, "tool"), (0.5, "day")])
def test_splits_that_make_no_sense(share, by):
    with pytest.raises(UsageError):
        split_tasks([task("a", "x")], share=share, by=by)
