"""The live tree: what it shows, and what of untrusted text never reaches a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from toolhaft.report.terminal import LiveTree
from toolhaft.types import (
    CallFinished,
    CallStarted,
    RolloutFinished,
    RolloutStarted,
    StepFinished,
    TextDelta,
    ToolsRetrieved,
)

OWN_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def events_of(trajectory):
    yield RolloutStarted(task=trajectory.task, planner=trajectory.planner, model=trajectory.model)
    yield ToolsRetrieved(hits=trajectory.retrieved, retriever="bm25", pool=214)
    for step in trajectory.steps:
        yield TextDelta(text=step.thought)
        for call, observation in zip(step.calls, step.observations, strict=True):
            yield CallStarted(step=step.id, call=call)
            yield CallFinished(step=step.id, call=call, observation=observation)
        yield StepFinished(step=step)
    yield RolloutFinished(trajectory=trajectory)


def show(events, *, terminal=False, **options):
    output = io.StringIO()
    console = Console(file=output, width=120, height=15, force_terminal=terminal, legacy_windows=False)
    with LiveTree(console, **options) as tree:
        for event in events:
            tree.feed(event)
    return output.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_shows_task_tools_calls_errors_answer_and_honest_label(sample, terminal):
    shown = show(events_of(sample(origin="heuristic", model="heuristic")), terminal=terminal)
    plain = OWN_SEQUENCES.sub("", shown)
    for expected in (
        "Reserve the oldest available dog",
        "5 of 214 tools by bm25",
        'findPets(species="dog", status="available")',
        "E-HTTP-STATUS",
        "E-TOOL-ARGUMENTS",
        "simulated",
        "R-2041",
        "not a language model",
    ):
        assert expected in plain


def test_plain_lines_come_in_order_and_hold_no_sequence(sample):
    shown = show(events_of(sample()))
    assert "\x1b" not in shown
    lines = shown.splitlines()
    back = lines.index("Back to step 1")
    assert "reservePet" in lines[back - 1]
    assert "getPet(petId=7)" in lines[back + 1]


def test_the_whole_tree_stays_on_a_terminal_lower_than_it(sample):
    shown = show(events_of(sample()), terminal=True)
    final = OWN_SEQUENCES.sub("", shown[shown.rindex("Task  ") :]) if "Task  " in shown else ""
    assert "findPets" in final
    assert "├╴✗ getPet(petId=1)" in final
    assert "Answer" in final


def test_a_rollout_that_breaks_off_leaves_what_was_seen(sample):
    started = [event for event in events_of(sample()) if not isinstance(event, RolloutFinished)][:9]
    for terminal in (False, True):
        assert "getPet(petId=1)" in OWN_SEQUENCES.sub("", show(started, terminal=terminal))


def test_quiet_shows_nothing(sample):
    assert show(events_of(sample()), quiet=True) == ""


def test_secrets_are_redacted_in_every_line(sample, every_text):
    leaking = every_text(sample(), lambda text: f"{text} s3cr3t-value")
    for terminal in (False, True):
        shown = show(
            events_of(leaking), terminal=terminal, redact=lambda text: text.replace("s3cr3t-value", "#")
        )
        assert "s3cr3t" not in shown


HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://127.0.0.1/\x07link\x1b]8;;\x07",
    "\x1b]52;c;aGk=\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b[8m hidden",
    "\x9b31m",
    "\x9d0;owned\x9c",
    "a\rb",
    "a\bb\x7f",
    "\x07\x00\x0e",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth",
    "".join(chr(0xE0000 + ord(letter)) for letter in "ignore"),
    "[bold red]markup[/]",
    "[link=http://127.0.0.1]x[/link]",
    ":warning: emoji",
    "\ud800",
    "line\x85two\u2028three",
    "x" * 100_000,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_control_character_of_untrusted_text_reaches_the_terminal(sample, every_text, hostile):
    dirty = every_text(sample(), lambda text: f"{text[:20]}{hostile}")
    plain = show(events_of(dirty))
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]",
        plain,
    )
    drawn = OWN_SEQUENCES.sub("", show(events_of(dirty), terminal=True))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", drawn)
    assert len(plain) < 40_000


def test_markup_of_rich_is_plain_text(sample, every_text):
    shown = show(events_of(every_text(sample(), lambda text: "[bold red]x[/] :warning:")), terminal=True)
    assert "[bold red]x[/] :warning:" in shown


def test_an_encoding_without_these_characters_gets_others(sample):
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    with LiveTree(Console(file=output, width=120)) as tree:
        for event in events_of(sample()):
            tree.feed(event)
    shown = output.buffer.getvalue().decode("ascii")
    assert "x getPet(petId=1)" in shown
    assert "19 \\xb0C" in shown


@pytest.mark.anyio
async def test_follow_returns_the_trajectory(sample):
    trajectory = sample()

    async def stream():
        for event in events_of(trajectory):
            yield event

    with LiveTree(Console(file=io.StringIO())) as tree:
        assert await tree.follow(stream()) is trajectory
