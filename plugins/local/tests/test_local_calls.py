"""Reading the calls in what a model wrote: a table of spellings, honest and hostile."""

import contextlib
import time

import pytest

from toolhaft.errors import ModelError
from toolhaft_local.calls import UNREADABLE, read_answer, visible_length

CALL = '{"name": "weather", "arguments": {"city": "Oslo"}}'
LLAMA_CALL = '{"name": "weather", "parameters": {"city": "Oslo"}}'
OSLO = ("weather", {"city": "Oslo"})

READ = {
    "nothing": ("", "", []),
    "text": ("It rains.", "It rains.", []),
    "marked": (f"<tool_call>\n{CALL}\n</tool_call>", "", [OSLO]),
    "marked, one line": (f"<tool_call>{CALL}</tool_call>", "", [OSLO]),
    "marked, after a thought": (f"I look it up.\n<tool_call>{CALL}</tool_call>", "I look it up.", [OSLO]),
    "marked, between texts": (f"One.<tool_call>{CALL}</tool_call>Two.", "One.\nTwo.", [OSLO]),
    "marked, two": (f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>", "", [OSLO, OSLO]),
    "marked, a list": (f"<tool_call>[{CALL}, {CALL}]</tool_call>", "", [OSLO, OSLO]),
    "marked, not closed": (f"<tool_call>{CALL}", "", [OSLO]),
    "marked, parameters": (f"<tool_call>{LLAMA_CALL}</tool_call>", "", [OSLO]),
    "marked, arguments as text": (
        '<tool_call>{"name": "weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}</tool_call>',
        "",
        [OSLO],
    ),
    "marked, no arguments": ('<tool_call>{"name": "today"}</tool_call>', "", [("today", {})]),
    "marked, closing mark in a value": (
        '<tool_call>{"name": "say", "arguments": {"text": "a"}}</tool_call> </tool_call>',
        "</tool_call>",
        [("say", {"text": "a"})],
    ),
    "marks within a value": (
        '<tool_call>{"name": "say", "arguments": {"text": "<tool_call>a</tool_call>"}}</tool_call>b',
        "b",
        [("say", {"text": "<tool_call>a</tool_call>"})],
    ),
    "openai's shape": (
        '<tool_call>{"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}'
        "</tool_call>",
        "",
        [OSLO],
    ),
    "llama, tagged": (f"<|python_tag|>{LLAMA_CALL}", "", [OSLO]),
    "llama, tagged, two": (f"<|python_tag|>{LLAMA_CALL}; {LLAMA_CALL}", "", [OSLO, OSLO]),
    "llama, bare": (LLAMA_CALL, "", [OSLO]),
    "llama, bare, two": (f"{LLAMA_CALL}; {LLAMA_CALL}", "", [OSLO, OSLO]),
    "mistral": (f"[TOOL_CALLS] [{CALL}]", "", [OSLO]),
    "mistral, two": (f"[TOOL_CALLS][{CALL}, {CALL}]", "", [OSLO, OSLO]),
    "mistral, thought before": (f"Let me see. [TOOL_CALLS] [{CALL}]", "Let me see.", [OSLO]),
    "mistral, text behind": (f"[TOOL_CALLS] [{CALL}] done", "done", [OSLO]),
    "mistral, named": ('[TOOL_CALLS]weather{"city": "Oslo"}', "", [OSLO]),
    "mistral, named, arguments marked": ('[TOOL_CALLS]weather[ARGS]{"city": "Oslo"}', "", [OSLO]),
    "mistral, named, with id": ('[TOOL_CALLS]weather[CALL_ID]123[ARGS]{"city": "Oslo"}', "", [OSLO]),
    "mistral, named, two": (
        '[TOOL_CALLS]weather[ARGS]{"city": "Oslo"}[TOOL_CALLS]weather[ARGS]{"city": "Oslo"}',
        "",
        [OSLO, OSLO],
    ),
    "bare": (CALL, "", [OSLO]),
    "bare list": (f"[{CALL}]", "", [OSLO]),
    "bare, after a line of text": (f"I call:\n{CALL}", "I call:", [OSLO]),
    "fenced": (f"```json\n{CALL}\n```", "", [OSLO]),
    "fenced, in prose": (f"I call:\n```json\n{CALL}\n```\nNow.", "I call:\nNow.", [OSLO]),
    "fenced, no call": ('```json\n{"a": 1}\n```', '```json\n{"a": 1}\n```', []),
    "json that is an answer": ('{"name": "Bob", "age": 3}', '{"name": "Bob", "age": 3}', []),
    "json with parameters that are no object": (
        '{"name": "Bob", "parameters": 3}',
        '{"name": "Bob", "parameters": 3}',
        [],
    ),
    "a list of numbers": ("[1, 2]", "[1, 2]", []),
    "braces in prose": ("Use {braces} like this.", "Use {braces} like this.", []),
    "a call within a sentence": (f"I would write {CALL} here.", f"I would write {CALL} here.", []),
}


@pytest.mark.parametrize("case", READ)
def test_a_spelling_is_read(case):
    text, around, calls = READ[case]
    answer = read_answer(text, offered=True)
    assert [(call.name, call.parsed.arguments) for call in answer.calls] == calls
    assert answer.text == around
    assert not any(call.parsed.problem or call.parsed.repaired for call in answer.calls)


@pytest.mark.parametrize("case", READ)
def test_without_tools_everything_is_text(case):
    text, _, _ = READ[case]
    assert read_answer(text, offered=False).calls == ()
    assert read_answer(text, offered=False).text == text.strip()


MALFORMED = {
    "breaks off": ('<tool_call>{"name": "weather", "arguments": {"city": "Os', "weather", "not JSON"),
    "breaks off in the name": ('<tool_call>{"name": "wea', UNREADABLE, "not JSON"),
    "empty": ("<tool_call></tool_call>", UNREADABLE, "empty"),
    "no JSON": ("<tool_call>weather(Oslo)</tool_call>", UNREADABLE, "not JSON"),
    "no name": ('<tool_call>{"arguments": {}}</tool_call>', UNREADABLE, 'no "name"'),
    "name is a number": ('<tool_call>{"name": 3, "arguments": {}}</tool_call>', UNREADABLE, 'no "name"'),
    "name is blank": ('<tool_call>{"name": " ", "arguments": {}}</tool_call>', UNREADABLE, 'no "name"'),
    "arguments are a list": ('<tool_call>{"name": "x", "arguments": [1]}</tool_call>', "x", "array"),
    "arguments are a number": ('<tool_call>{"name": "x", "arguments": 3}</tool_call>', "x", "number"),
    "not a number": ('<tool_call>{"name": "x", "arguments": {"a": NaN}}</tool_call>', "x", "not JSON"),
    "too deep": (
        '<tool_call>{"name": "x", "arguments": {"a": ' + "[" * 300 + "]" * 300 + "}}</tool_call>",
        "x",
        "levels",
    ),
    "list of nothing": ("<tool_call>[3]</tool_call>", UNREADABLE, 'no "name"'),
    "mistral, cut": ('[TOOL_CALLS] [{"name": "x", "arguments": {"a": 1}', "x", "not JSON"),
    "mistral, named, cut": ('[TOOL_CALLS]x[ARGS]{"a": 1', "x", "not JSON"),
    "llama, cut": ('<|python_tag|>{"name": "x", "parameters": {"a"', "x", "not JSON"),
    "bare, cut": ('{"name": "x", "parameters": {"a": ', "x", "not JSON"),
    "two objects in one mark": ('<tool_call>{"name": "x"}{"name": "y"}</tool_call>', "x", "not JSON"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_comes_back_as_a_call_with_its_problem(case):
    text, name, problem = MALFORMED[case]
    (call,) = read_answer(text, offered=True).calls
    assert call.name == name
    assert problem in call.parsed.problem
    assert call.parsed.arguments == {}


def test_what_was_mended_says_so():
    (call,) = read_answer(
        "<tool_call>{'name': 'x', 'arguments': {'a': True}}</tool_call>", offered=True
    ).calls
    assert (call.name, call.parsed.arguments, call.parsed.repaired) == ("x", {"a": True}, True)
    assert call.parsed.raw


def test_a_flood_of_calls_is_an_error():
    with pytest.raises(ModelError, match="129 calls at once"):
        read_answer(f"<tool_call>{CALL}</tool_call>" * 129, offered=True)


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>" * 20_000,
        "[" * 200_000,
        '{"name": "' * 20_000,
        "```json\n" * 20_000,
        "<tool_call>{" * 20_000,
        "[TOOL_CALLS][" * 20_000,
        "{\n" * 50_000,
        "<" * 200_000,
    ],
    ids=["marks", "brackets", "names", "fences", "open calls", "open lists", "lines", "angles"],
)
def test_hostile_texts_are_read_in_linear_time(text):
    started = time.perf_counter()
    with contextlib.suppress(ModelError):
        read_answer(text, offered=True)
    visible_length(text)
    assert time.perf_counter() - started < 2


VISIBLE = {
    "Hello": 5,
    "Hello <tool": 6,
    "Hello <tool_call>": 6,
    "Hello <": 6,
    "a < b": 5,
    "Hi\n{": 3,
    "Hi\n``": 3,
    "x [TOOL_CAL": 2,
    "": 0,
}


@pytest.mark.parametrize("text", VISIBLE)
def test_what_may_become_a_call_is_held_back(text):
    assert visible_length(text) == VISIBLE[text]
