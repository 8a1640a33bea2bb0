"""The order and depth of steps, and where arguments come from."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.report.sources import Reading, stands_in
from toolhaft.report.tree import ancestors, answer_path, arrange_steps
from toolhaft.report.visible import make_line, make_visible
from toolhaft.types import JSONPart, Observation, Step, Task, TextPart, ToolCall, Trajectory


def steps_of(*parents):
    return [Step(id=position, parent=parent) for position, parent in enumerate(parents)]


@pytest.mark.parametrize(
    ("parents", "answer", "rows"),
    [
        ((), None, []),
        ((None,), 0, [(0, 0)]),
        ((None, 0, 1), 2, [(0, 0), (1, 0), (2, 0)]),
        ((None, 0, 1, 0), 3, [(0, 0), (1, 1), (2, 1), (3, 0)]),
        ((None, None, None), 2, [(0, 1), (1, 1), (2, 0)]),
        ((None, 0, 0, 2), 1, [(0, 0), (2, 1), (3, 1), (1, 0)]),
        ((None, 0, 1, 1, 0), 4, [(0, 0), (1, 1), (2, 2), (3, 1), (4, 0)]),
        ((None, 0, 0), None, [(0, 0), (1, 1), (2, 0)]),
        ((None, 0, 0), 99, [(0, 0), (1, 1), (2, 0)]),
        ((5, 1, 2), 2, [(0, 1), (1, 1), (2, 0)]),
        ((-1, -7), -1, [(0, 1), (1, 0)]),
    ],
)
def test_order_and_depth(parents, answer, rows):
    found = arrange_steps(steps_of(*parents), answer)
    assert [(row.position, row.depth) for row in found] == rows


@given(st.data())
def test_every_tree_is_drawn_whole_once_and_parents_first(data):
    size = data.draw(st.integers(0, 30))
    parents = [data.draw(st.none() | st.integers(-2, size + 2)) for _ in range(size)]
    steps = steps_of(*parents)
    answer = data.draw(st.none() | st.integers(-2, size + 2))
    rows = arrange_steps(steps, answer)
    assert sorted(row.position for row in rows) == list(range(size))
    drawn = {}
    for order, row in enumerate(rows):
        before = ancestors(steps, row.position)
        assert all(parent in drawn for parent in before)
        drawn[row.position] = order
    path = answer_path(steps, answer)
    assert {row.position for row in rows if row.on_path} == path
    assert all(row.depth == 0 for row in rows if row.on_path)


@pytest.mark.slow
def test_a_path_of_100_000_steps_takes_no_recursion_and_little_time():
    steps = steps_of(None, *range(99_999))
    begun = time.monotonic()
    assert len(arrange_steps(steps, 99_999)) == 100_000
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("7", '{"id":7}', True),
        ("7", '{"id":17, "n": 72}', False),
        ("7", "17 and 7", True),
        ("Ana Silva", "for Ana Silva,", True),
        ("Ana", "Anabel", False),
        ("a-b", "xa-b", False),
        ("(x)", "f(x)y", True),
        ("дом", "домой дом", True),
        ("x", "", False),
    ],
)
def test_a_value_stands_in_a_text_as_a_whole_word(word, text, expected):
    assert stands_in(word, text)[0] is expected


def test_text_made_to_be_slow_to_search_is_given_up():
    begun = time.monotonic()
    stands_in("x" * 3_000, "x" * 20_000)
    stands_in("x", "x" * 20_000)
    assert time.monotonic() - begun < 2


def reading_of(value, *, effort=200_000_000):
    first = Step(
        id=0,
        calls=(ToolCall(id="a", name="find"),),
        observations=(Observation(call_id="a", tool="find", parts=(JSONPart({"id": 7, "name": "Juno"}),)),),
    )
    side = Step(
        id=1,
        parent=0,
        observations=(Observation(call_id="b", tool="other", parts=(TextPart("aside 42"),)),),
    )
    last = Step(id=2, parent=0, calls=(ToolCall(id="c", name="get", arguments={"value": value}),))
    task = Task(id="t", instruction="Reserve Juno on 2026-11-28")
    return Reading(Trajectory(id="x", task=task, steps=(first, side, last), answer_step=2), effort)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, [("tool:find", 0)]),
        (7.0, [("tool:find", 0)]),
        ("Juno", [("user", None), ("tool:find", 0)]),
        ("2026-11-28", [("user", None)]),
        (42, []),  # it stands on a branch that this step did not come by
        ("Bram", []),
        ({"pet": [7], "when": "2026-11-28"}, [("user", None), ("tool:find", 0)]),
        (True, None),
        (None, None),
        ({}, None),
        ({"a": False}, None),
    ],
)
def test_arguments_are_traced_to_the_texts_on_their_own_path(value, expected):
    found = reading_of(value).sources(2, 0, "value")
    assert (found if found is None else [(source.label, source.position) for source in found]) == expected


def test_without_effort_left_nothing_is_claimed():
    assert reading_of(7, effort=0).sources(2, 0, "value") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a␍b"),
        ("\x1b[2J", "␛[2J"),
        ("\x00\x7f", "␀␡"),
        ("\x9b", "‹U+009B›"),
        ("\u202egnp", "‹U+202E›gnp"),
        ("\U000e0041", "‹U+E0041›"),
        ("zero\u200bwidth", "zero‹U+200B›width"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\ud800", "‹U+D800›"),
    ],
)
def test_what_would_hide_is_spelled_out(text, expected):
    assert make_visible(text) == expected


def test_a_line_is_one_line_and_short():
    assert make_line("  a \n\n b\tc ", 10) == "a b c"
    assert make_line("word " * 100, 20) == "word word word word…"
    assert len(make_line("\x00" * 10_000_000, 50)) == 50
