"""Made-up answers: of the right shape, plausible, repeatable; and long ones made short."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.testing import tool_spec
from toolhaft.tools.schema import compile_schema
from toolhaft_rapidapi.cache import Question
from toolhaft_rapidapi.shortening import keep_known, shorten_json
from toolhaft_rapidapi.simulator import simulate
from toolhaft_rapidapi.skeleton import response_schema

pytestmark = pytest.mark.slow  # hundreds of answers

SKELETON = {
    "date": "str",
    "count": "int",
    "price": "float",
    "success": "bool",
    "nothing": "NoneType",
    "posters": ["list of str with length 8"],
    "none": ["empty list"],
    "city": "str",
    "line_up": [{"id": "int", "email": "str", "_list_length": 2}],
    "error": "str",
}
DOCUMENT = {
    "type": "object",
    "properties": {
        "level": {"type": "string", "enum": ["low", "high"]},
        "items": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "when": {"type": ["string", "null"], "format": "date"},
    },
}


def asked(**arguments):
    return Question.of("Music", "Clique", "Search", arguments)


def answer(shape, seed=0, **arguments):
    spec = tool_spec("search", returns=response_schema(shape, 200))
    return simulate(spec, asked(**arguments), seed)


def test_skeletons_become_schemas():
    schema = response_schema(SKELETON, 200)
    assert schema["properties"]["line_up"]["items"]["properties"] == {
        "id": {"type": "integer"},
        "email": {"type": "string"},
    }
    assert schema["properties"]["posters"]["minItems"] == 8
    assert schema["properties"]["nothing"] == {"type": "null"}


@pytest.mark.parametrize("shape", [SKELETON, DOCUMENT, [SKELETON], {"type": "str", "name": "str"}])
@pytest.mark.parametrize("seed", range(5))
def test_answers_have_the_shape(shape, seed):
    schema = response_schema(shape, 200)
    compile_schema(schema).validate(answer(shape, seed))


def test_answers_are_plausible_by_the_names_of_keys():
    found = answer(SKELETON)
    assert len(found["posters"]) == 8
    assert len(found["line_up"]) == 2
    assert found["none"] == []
    assert found["success"] is True
    assert found["error"] == ""
    assert "@example.com" in found["line_up"][0]["email"]
    assert found["date"].startswith("202")
    assert found["line_up"][0]["id"] != found["line_up"][1]["id"]


def test_answers_repeat_the_input_where_they_speak_of_it():
    found = answer(SKELETON, city="Riga", count="3")
    assert (found["city"], found["count"]) == ("Riga", 3)
    assert len(answer(DOCUMENT, limit=5)["items"]) == 5
    assert simulate(tool_spec("search"), asked(city="Riga"), 0)["request"] == {"city": "Riga"}


def test_the_same_seed_and_input_give_the_same_answer_and_others_do_not():
    assert answer(SKELETON, 3, city="Riga") == answer(SKELETON, 3, city="Riga")
    assert answer(SKELETON, 3, city="Riga") != answer(SKELETON, 4, city="Riga")
    assert answer(SKELETON, 3, name="Riga") != answer(SKELETON, 3, name="Oslo")


def test_a_shape_without_end_gives_an_answer_with_one():
    shape = {"a": "str"}
    for _ in range(12):
        shape = {"list": [{"x": shape, "_list_length": 20}]}
    assert len(json.dumps(answer(shape))) < 200_000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=10), inner, max_size=8),
    max_leaves=60,
)


@settings(max_examples=50, deadline=None)
@given(values, st.integers(40, 400))
def test_shortened_answers_are_json_of_the_same_kind_within_the_limit(value, most):
    found, cut = shorten_json(value, most)
    length = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")))
    assert length <= most or (not isinstance(value, str | list | dict))
    assert type(found) is type(value) or not isinstance(value, str | list | dict)
    assert cut is (found != value)


def test_shortening_cuts_on_structure():
    value = {"items": [{"id": index, "text": "x" * 300} for index in range(100)]}
    found, cut = shorten_json(value, 2048)
    assert cut
    assert set(found["items"][0]) == {"id", "text"}
    assert 1 <= len(found["items"]) < 100


def test_the_filter_keeps_what_the_schema_names():
    schema = response_schema({"a": "int", "rows": [{"b": "str"}]}, 50)
    assert keep_known({"a": 1, "c": 2, "rows": [{"b": "x", "d": 3}]}, schema) == {
        "a": 1,
        "rows": [{"b": "x"}],
    }
