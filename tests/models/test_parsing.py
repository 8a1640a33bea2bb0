"""Reading what a model wrote as the arguments of a call."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.models.parsing import (
    LONGEST,
    LONGEST_RAW,
    NotJSONError,
    check_depth,
    parse_arguments,
    read_arguments,
    read_json,
)

pytestmark = pytest.mark.slow

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a": 1}', {"a": 1}),
        ('  {"a": {"b": [1, 2.5, null, true]}}\n', {"a": {"b": [1, 2.5, None, True]}}),
        ("", {}),
        ("  \n", {}),
        ("null", {}),
        ("{}", {}),
        ('{"n": 123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
        ('{"n": -9007199254740993}', {"n": -9007199254740993}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"text": "trailing, }"}', {"text": "trailing, }"}),
        ('{"text": "it\'s True"}', {"text": "it's True"}),
        ('{"\\u00e9": "\\ud83d\\ude00"}', {"é": "😀"}),
    ],
)
def test_strict_json_is_read_as_it_stands(text, arguments):
    parsed = parse_arguments(text)
    assert parsed.arguments == arguments
    assert (parsed.problem, parsed.repaired, parsed.raw) == ("", False, "")


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}```', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2, ], }', {"a": [1, 2]}),
        ('{"a": "x, }",\n}', {"a": "x, }"}),
        ("{'a': 'b'}", {"a": "b"}),
        ("{'a': 'it\\'s', 'b': \"say 'hi'\"}", {"a": "it's", "b": "say 'hi'"}),
        ("{'a': 'say \"hi\"'}", {"a": 'say "hi"'}),
        ('{"a": True, "b": None, "c": False}', {"a": True, "b": None, "c": False}),
        ('{"a": True, "b": "None of it"}', {"a": True, "b": "None of it"}),
        ('Here you are: {"a": 1}.', {"a": 1}),
        ('{"a": 1}</tool_call>', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
    ],
)
def test_one_repair_is_made_and_marked(text, arguments):
    parsed = parse_arguments(text)
    assert parsed.arguments == arguments
    assert (parsed.problem, parsed.repaired, parsed.raw) == ("", True, text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"amount": 1000', "unexpected end"),
        ('{"amount": 10', "unexpected end"),
        ('{"a": "b', "not JSON"),
        ('{"a": {"b": 1}', "not JSON"),
        ("{'a': 'b", "not JSON"),
        ("{'a': 'b\\'", "not JSON"),
        ('```json\n{"a": 1', "not JSON"),
        ('```json\n{"a": 1,}\n```', "not JSON"),
        ("{'a': 1,}", "not JSON"),
        ('{"a": 1}{"b": 2}', "not JSON"),
        ('{"a": 1}\n{"b": 2}', "not JSON"),
        ('{"a": 1}, "b": 2', "not JSON"),
        ('note {"a": 1} and {"b": 2', "not JSON"),
        ('first [{"a": 1}', "not JSON"),
        ("[1, 2]", "JSON array"),
        ('[{"a": 1}]', "JSON array"),
        ('"text"', "JSON string"),
        ("12", "JSON number"),
        ("true", "JSON boolean"),
        ('{"a": NaN}', "not JSON"),
        ('{"a": Infinity}', "not JSON"),
        ('{"a": 1e999}', "not JSON"),
        ('{"a": 1, , }', "not JSON"),
        ('{"a": "\\ud800"}', "not JSON"),
        ('{"a": "line\nbreak"}', "not JSON"),
        ("{a: 1}", "not JSON"),
        ('{"a": 0x10}', "not JSON"),
        ("city=Paris", "not JSON"),
        ("__import__('os').system('id')", "not JSON"),
        ('{"a": ' + "9" * 5_000 + "}", "not JSON"),
        ("[" * 300 + "]" * 300, "256 levels"),
        ('{"a":' * 100_000, "256 levels"),
        ('{"a": "' + "x" * LONGEST + '"}', "characters long"),
    ],
)
def test_the_rest_is_a_problem_and_nothing_is_guessed(text, part):
    parsed = parse_arguments(text)
    assert parsed.arguments == {}
    assert part in parsed.problem
    assert not parsed.repaired
    assert parsed.raw[:50] == text[:50]
    assert len(parsed.raw) <= LONGEST_RAW


@given(OBJECTS)
def test_what_json_writes_is_read_back(value):
    text = json.dumps(value, ensure_ascii=True)
    parsed = parse_arguments(text)
    if any(ord(character) in range(0xD800, 0xE000) for character in str(value)):
        return
    assert parsed.arguments == value
    assert not parsed.repaired


@given(OBJECTS.filter(bool), st.data())
def test_no_beginning_of_an_object_is_completed(value, data):
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    parsed = parse_arguments(text[:cut])
    assert parsed.arguments == {}
    assert parsed.problem


@given(st.dictionaries(st.text(), st.booleans() | st.none() | st.integers() | st.text(), min_size=1))
def test_python_literals_are_read_or_refused_but_not_changed(value):
    parsed = parse_arguments(repr(value))
    if not parsed.problem:
        assert parsed.arguments == value


@given(st.text(alphabet="{}[]\"'\\,: \n`0aTrue", max_size=80))
def test_any_text_gives_arguments_or_a_problem(text):
    parsed = parse_arguments(text)
    assert isinstance(parsed.arguments, dict)
    assert not (parsed.problem and parsed.arguments)
    if parsed.repaired or parsed.problem:
        assert parsed.raw == text


@pytest.mark.parametrize(
    "unit", ['"\\"', "'\\'", "{'", '{"', ",", ", ", "```", "```a", "[", "]", "\\", "True", '{"a":', "'a'"]
)
def test_long_nonsense_takes_linear_time(unit):
    text = unit * (250_000 // len(unit))
    started = time.process_time()
    for candidate in (text, "```" + text, '{"a":' + text, '"' + text):
        assert parse_arguments(candidate).problem
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("value", "arguments", "problem"),
    [
        ({"a": 1}, {"a": 1}, False),
        ('{"a": 1}', {"a": 1}, False),
        (None, {}, False),
        (5, {}, True),
        ([1], {}, True),
        (True, {}, True),
    ],
)
def test_arguments_as_servers_deliver_them(value, arguments, problem):
    parsed = read_arguments(value)
    assert (parsed.arguments, bool(parsed.problem)) == (arguments, problem)


@pytest.mark.parametrize(("levels", "fine"), [(1, True), (256, True), (257, False), (100_000, False)])
def test_depth(levels, fine):
    for text in ("[" * levels + "]" * levels, '{"[[[":' * levels + "1" + "}" * levels):
        if fine:
            read_json(text)
        else:
            with pytest.raises(NotJSONError, match="levels"):
                check_depth(text)


def test_brackets_in_strings_and_side_by_side_are_no_depth():
    check_depth('["' + "[" * 1_000 + '", "\\"' + "{" * 1_000 + '"]')
    check_depth("[" + "[],{}," * 1_000 + "1]")


def test_bytes_that_are_not_utf_8():
    with pytest.raises(NotJSONError):
        read_json(b'{"a": "\xff"}')
