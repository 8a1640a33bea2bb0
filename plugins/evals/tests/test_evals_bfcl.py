"""Function calls against acceptable answers, and their way out of text."""

import gzip
import time

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.evaluators.prediction import trajectory_of
from toolhaft.testing import record_trajectory
from toolhaft.types import Prediction, Task, ToolCall
from toolhaft_evals.bfcl.checker import assign, check_calls
from toolhaft_evals.bfcl.data import check_category, load_results, load_tasks, tool_specs
from toolhaft_evals.bfcl.decoding import decode_calls, decode_text
from toolhaft_evals.bfcl.evaluator import BFCL
from toolhaft_evals.bfcl.floors import make_floors, perfect_calls
from toolhaft_evals.bfcl.lint import lint_bfcl


def function(name="shop.find", required=("what",), **types):
    properties = {key: kind if isinstance(kind, dict) else {"type": kind} for key, kind in types.items()}
    return {
        "name": name,
        "parameters": {"type": "dict", "properties": properties, "required": list(required)},
    }


FIND = function(
    what="string",
    count="integer",
    price="float",
    new="boolean",
    sizes={"type": "array", "items": {"type": "float"}},
    tags={"type": "array", "items": {"type": "string"}},
    grid={"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
    point={"type": "tuple", "items": {"type": "integer"}},
    box={"type": "dict"},
    rows={"type": "array", "items": {"type": "dict"}},
)


def check(given, accepted, **policy):
    answer = [{"shop.find": {"what": ["lamp"], **accepted}}]
    return check_calls([FIND], [{"shop.find": {"what": "lamp", **given}}], answer, **policy)


VALUES = {
    "equal": ({"count": 5}, {"count": [5]}, ""),
    "one of several": ({"count": 7}, {"count": [5, 7]}, ""),
    "another": ({"count": 6}, {"count": [5]}, "wrong_value"),
    "float for integer": ({"count": 5.0}, {"count": [5]}, "wrong_type"),
    "true for integer": ({"count": True}, {"count": [1]}, "wrong_type"),
    "1 for true": ({"new": 1}, {"new": [True]}, "wrong_type"),
    "null": ({"count": None}, {"count": [5]}, "wrong_type"),
    "integer for float": ({"price": 5}, {"price": [5.0]}, ""),
    "integer for float, answered as integer": ({"price": 0}, {"price": [0]}, ""),
    "case and punctuation": ({"what": "La-Mp. "}, {}, ""),
    "a tab counts": ({"what": "la\tmp"}, {}, "wrong_value"),
    "omitted, as it may": ({}, {"count": [5, ""]}, ""),
    "omitted, as it may not": ({}, {"count": [5]}, "missing_argument"),
    "not documented": ({"colour": "red"}, {"colour": ["red"]}, "unexpected_argument"),
    "not in the answer": ({"count": 5}, {}, "unexpected_argument"),
    "a variable of the answer's type": ({"count": "n"}, {"count": ["n"]}, ""),
    "a list": ({"tags": ["A b", "c"]}, {"tags": [["ab", "C"]]}, ""),
    "a list in another order": ({"tags": ["c", "ab"]}, {"tags": [["ab", "c"]]}, "wrong_value"),
    "a longer list": ({"tags": ["ab", "c", "d"]}, {"tags": [["ab", "c"]]}, "wrong_value"),
    "an element of another type": ({"tags": ["ab", 1]}, {"tags": [["ab", "c"]]}, "wrong_type"),
    "a tuple": ({"point": (1, 2)}, {"point": [[1, 2]]}, ""),
    "a list of lists": ({"grid": [[1], [2]]}, {"grid": [[[1], [2]]]}, ""),
    "a wrong type two levels deep": ({"grid": [[1], ["2"]]}, {"grid": [[[1], [2]]]}, "wrong_type"),
    "an object": ({"box": {"w": 1, "n": "A-b"}}, {"box": [{"w": [1, 2], "n": ["ab"], "o": ["", 3]}]}, ""),
    "an object with a strange member": ({"box": {"w": 1, "x": 1}}, {"box": [{"w": [1]}]}, "wrong_value"),
    "an object that lacks a member": ({"box": {}}, {"box": [{"w": [1]}]}, "wrong_value"),
    "objects in a list": ({"rows": [{"a": 1}, {"a": 2}]}, {"rows": [[{"a": [1]}, {"a": [2]}]]}, ""),
    "objects in another order": (
        {"rows": [{"a": 2}, {"a": 1}]},
        {"rows": [[{"a": [1]}, {"a": [2]}]]},
        "wrong_value",
    ),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("compatible", [False, True], ids=["own", "compatible"])
def test_values(name, compatible):
    given, accepted, kind = VALUES[name]
    if compatible and name == "a wrong type two levels deep":
        kind = "wrong_value"  # types are checked one level deep
    found = check(given, accepted, compatible=compatible)
    assert (found.mismatch.kind if found.mismatch else "") == kind
    assert found.valid is (kind == "")
    assert (found.matched, found.expected) == (int(found.valid), 1)


@pytest.mark.parametrize(
    ("given", "accepted", "own", "published"),
    [
        ({"tags": []}, {"tags": [["a"], ""]}, False, True),
        ({"what": ""}, {"what": ["lamp", ""]}, False, True),
        ({"sizes": [True]}, {"sizes": [[1.0], ""]}, False, True),
        ({"sizes": [1]}, {"sizes": [[1.0]]}, True, False),
        ({"sizes": [1.0]}, {"sizes": [[1.0]]}, True, True),
    ],
    ids=["an empty list", "an empty text", "true for 1.0", "1 for 1.0 in a list", "equal"],
)
def test_where_the_published_checker_departs_from_its_rules(given, accepted, own, published):
    assert check(given, accepted).valid is own
    assert check(given, accepted, compatible=True).valid is published


def test_strings_may_be_compared_strictly():
    assert not check({"what": "Lamp"}, {}, strings="strict").valid
    assert check({}, {}, strings="strict").valid
    assert not check({"tags": ["A"]}, {"tags": [["a"]]}, strings="strict").valid


def test_names_are_a_policy_and_not_a_models():
    answer = [{"shop.find": {"what": ["lamp"]}}]
    for names, written, valid in (
        ("dotted", "shop.find", True),
        ("dotted", "shop_find", False),
        ("underscored", "shop_find", True),
        ("underscored", "shop.find", False),
    ):
        assert check_calls([FIND], [{written: {"what": "lamp"}}], answer, names=names).valid is valid


def test_calls_in_any_order_are_matched_and_not_taken_greedily():
    # The first expected call fits both, the second only the first: greedy gives it away.
    calls = [{"shop.find": {"what": "lamp", "count": 1}}, {"shop.find": {"what": "lamp"}}]
    answer = [
        {"shop.find": {"what": ["lamp"], "count": ["", 1]}},
        {"shop.find": {"what": ["lamp"], "count": [1]}},
    ]
    assert check_calls([FIND], calls, answer).valid
    greedy = check_calls([FIND], calls, answer, compatible=True)
    assert (greedy.valid, greedy.matched) == (False, 1)
    assert check_calls([FIND], calls[::-1], answer, compatible=True).valid
    assert assign([[0, 1], [0], []]) == {0: 1, 1: 0}


def test_the_first_mismatch_says_where():
    found = check({"count": "five"}, {"count": [5]})
    assert (found.mismatch.kind, found.mismatch.where) == ("wrong_type", "/0/count")
    assert (found.mismatch.expected, found.mismatch.found) == ("integer", "five")
    assert "wrong type at /0/count" in str(found.mismatch)
    counted = check_calls([FIND], [], [{"shop.find": {"what": ["lamp"]}}])
    assert (counted.mismatch.kind, counted.mismatch.expected, counted.mismatch.found) == ("wrong_count", 1, 0)


TEXTS = {
    "a list of calls": (
        "[f(a=1, b='x'), g.h(c=[1, -2.5])]",
        [{"f": {"a": 1, "b": "x"}}, {"g.h": {"c": [1, -2.5]}}],
    ),
    "without brackets": ("f(a=1), g(b=2)", [{"f": {"a": 1}}, {"g": {"b": 2}}]),
    "in a fence": ("```python\n[f(a=True)]\n```", [{"f": {"a": True}}]),
    "in backquotes": ("`f(a=None)`", [{"f": {"a": None}}]),
    "words of JSON": ("[f(a=true, b={'x': null})]", [{"f": {"a": True, "b": {"x": None}}}]),
    "plus is no minus": ("f(a=+5)", [{"f": {"a": 5}}]),
    "a tuple": ("f(a=(1, 2))", [{"f": {"a": (1, 2)}}]),
    "no arguments": ("f()", [{"f": {}}]),
    "JSON with names": ('[{"name": "f", "arguments": {"a": 5.0}}]', [{"f": {"a": 5.0}}]),
    "JSON in JSON": ('[{"f": "{\\"a\\": 5}"}]', [{"f": {"a": 5}}]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_becomes_calls(name):
    text, calls = TEXTS[name]
    found = decode_text(text)
    assert list(found.calls) == calls
    assert not found.problem
    numbers = [value for call in found.calls for arguments in call.values() for value in arguments.values()]
    assert [type(value) for value in numbers] == [
        type(value) for call in calls for arguments in call.values() for value in arguments.values()
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a=1+__import__('os').getpid()",
        "[f(a=1+__import__('os').getpid())]",
        "f(a=__import__('os').system('touch {target}'))",
        "f(a=[x for x in (1, 2)])",
        "f(a=not True)",
        "f(a=1 if True else 2)",
        "f(a=lambda: 1)",
        "f(a=f'{{1}}')",
        "f(a='x' * 9)",
        "f(1, 2)",
        "f(**{{'a': 1}})",
        "f(a=1)(b=2)",
        "f(a=1); g(b=2)",
        "Sure: f(a=1)",
        "[f(a=1)",
        '[{{"name": "f", "arguments": [1]}}]',
        '[{{"f": "not JSON"}}]',
        "f(a=" + "[" * 90 + "]" * 90 + ")",
        "f(a=" + "(" * 5_000 + ")",
        "f(a=1)" * 20_000,
    ],
    ids=str.__len__,
)
def test_what_is_no_literal_is_refused_and_never_run(text, tmp_path):
    target = tmp_path / "touched"
    found = decode_text(text.format(target=target))
    assert found.problem
    assert not found.calls
    assert not found.abstained
    assert not target.exists()


@pytest.mark.parametrize(
    "text",
    [
        "```" + "\n" * 90_000,
        "f(" * 45_000,
        "f(" + " " * 90_000,
        "f(a=" + "-" * 90_000,
        "a" * 90_000,
        "(" * 90_000,
    ],
    ids=["line ends", "openings", "blanks", "minus", "a word", "brackets"],
)
def test_hostile_texts_take_no_long_time(text):
    begun = time.monotonic()
    decode_text(text)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "None of these tools fits.",
        "I cannot find out (no tool does it).",
        "The function(s) do not help: abc",
        "abc",
    ],
    ids=["nothing", "an empty list", "prose", "parentheses", "a plural", "a word"],
)
def test_an_abstention_is_no_failure(text):
    assert decode_text(text).abstained


def test_results_that_keep_calls_apart():
    assert decode_calls([{"f": '{"a": 1}'}, {"g": {}}]).calls == ({"f": {"a": 1}}, {"g": {}})
    assert decode_calls("f(a=1)").calls == ({"f": {"a": 1}},)
    assert decode_calls([]).abstained
    for broken in (5, [1], [{}], [{"f": 1}], [{"f": {}, "g": {}}]):
        assert decode_calls(broken).problem


def question(category="parallel", functions=(FIND,), answer=({"shop.find": {"what": ["lamp"]}},)):
    return Task(
        id="q-1",
        instruction="Find a lamp.",
        metadata={"category": category, "functions": list(functions), "possible_answer": list(answer)},
    )


NOTHING_FITS = question("irrelevance", answer=())
SCORES = {
    "right text": (question(), "[shop.find(what='lamp')]", (), 1.0, ""),
    "right calls": (question(), "", ("shop.find", {"what": "lamp"}), 1.0, ""),
    "wrong value": (question(), "[shop.find(what='chair')]", (), 0.0, "wrong_value"),
    "wrong function": (question(), "[find(what='lamp')]", (), 0.0, "wrong_function"),
    "two calls": (question(), "[shop.find(what='lamp'), shop.find(what='lamp')]", (), 0.0, "wrong_count"),
    "a failure": (question(), "shop.find('lamp')", (), 0.0, "parse_failure"),
    "an abstention": (question(), "I cannot.", (), 0.0, "abstained"),
    "silence where nothing fits": (NOTHING_FITS, "No tool fits.", (), 1.0, "abstained"),
    "a call where nothing fits": (NOTHING_FITS, "[shop.find(what='x')]", (), 0.0, "called"),
    "a failure where nothing fits": (NOTHING_FITS, "[shop.find(", (), 0.0, "parse_failure"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", SCORES)
async def test_scores(name):
    task, text, call, value, outcome = SCORES[name]
    calls = (ToolCall(id="1", name=call[0], arguments=call[1]),) if call else ()
    score = await BFCL().evaluate(
        task, trajectory_of(task, Prediction(task_id="q-1", text=text, calls=calls))
    )
    assert score.value == value
    assert score.outcome == (outcome or "passed")
    assert all(0 <= figure <= 1 for figure in score.parts.values())
    if outcome in ("wrong_value", "wrong_count"):
        assert score.details["mismatch"]["kind"] == outcome


@pytest.mark.anyio
async def test_a_prediction_says_how_it_writes_names_and_a_rollout_may_take_several_steps():
    task = question()
    call = ToolCall(id="1", name="shop_find", arguments={"what": "lamp"})
    said = Prediction(task_id="q-1", calls=(call,), metadata={"names": "underscored"})
    assert (await BFCL().evaluate(task, trajectory_of(task, said))).value == 1.0
    two = question(answer=({"shop.find": {"what": ["lamp"]}}, {"shop.find": {"what": ["chair"]}}))
    steps = [
        (ToolCall(id="1", name="shop_find", arguments={"what": "chair"}), "found"),
        (ToolCall(id="2", name="shop_find", arguments={"what": "lamp"}), "found"),
    ]
    rollout = record_trajectory(two, *steps, answer="Both are there.")
    assert (await BFCL(names="underscored").evaluate(two, rollout)).value == 1.0


def test_categories_that_are_not_there_yet_are_said():
    for category in ("simple_java", "simple_javascript", "multi_turn_base", "memory"):
        with pytest.raises(UsageError, match="is not there yet"):
            check_category(category)
    with pytest.raises(UsageError, match="unknown category 'simple_pyhton'"):
        check_category("simple_pyhton")


def test_functions_become_tools():
    (spec,) = tool_specs(question())
    assert spec.name == "shop_find"
    assert spec.parameters["type"] == "object"
    assert spec.properties["price"] == {"type": "number"}
    assert spec.properties["point"] == {"type": "array", "items": {"type": "integer"}}
    assert spec.properties["box"] == {"type": "object"}


def test_floors_and_the_perfect_calls():
    answer = [{"f": {"a": ["", 5], "b": [{"x": [1, 2], "y": [""]}], "c": [[{"d": ["e"]}]]}}]
    assert perfect_calls(answer) == ({"f": {"a": 5, "b": {"x": 1}, "c": [{"d": "e"}]}},)
    floors = make_floors([question()], seed=1)
    assert floors == make_floors([question()], seed=1)
    assert [bool(said[0].calls) for said in floors.values()] == [False, True, True]


def test_the_lint():
    broken = question(answer=({"shop.find": {"what": ["lamp", ""], "colour": ["red"], "count": [""]}},))
    counts = {kind: len(lines) for kind, lines in lint_bfcl([broken, question()]).items()}
    assert counts == {
        "answer that its own first values do not meet": 1,
        "required argument that may be omitted": 1,
        "argument that the function does not have": 1,
        "only acceptable value is to omit it": 1,
        "question that stands twice": 1,
    }


@pytest.mark.parametrize(
    ("functions", "answer", "policy", "error", "message"),
    [
        ([FIND], [{"other": {}}], {}, FormatError, "was not offered"),
        ([FIND], [{}], {}, FormatError, "an expected call is"),
        ([FIND], [{"shop.find": {"what": "lamp"}}], {}, FormatError, "no lists"),
        ([FIND], [{"shop.find": {}}] * 101, {}, FormatError, "more than 100"),
        ([{**FIND, "parameters": {"properties": [1]}}], [{"shop.find": {}}], {}, FormatError, "no schema"),
        ([{**FIND, "parameters": {"required": "what"}}], [{"shop.find": {}}], {}, FormatError, "no schema"),
        ([FIND], [], {"names": "camel"}, UsageError, "no policy 'camel'"),
        ([FIND], [], {"strings": "loose"}, UsageError, "no policy"),
    ],
    ids=[
        "unknown function",
        "no function",
        "no list",
        "too many",
        "properties",
        "required",
        "names",
        "strings",
    ],
)
def test_answers_and_policies_that_make_no_sense(functions, answer, policy, error, message):
    with pytest.raises(error, match=message):
        check_calls(functions, [], answer, **policy)


def test_calls_of_another_shape_are_an_error_and_not_a_verdict():
    with pytest.raises(FormatError, match="a call is"):
        check_calls([FIND], [{"shop.find": ["lamp"]}], [{"shop.find": {"what": ["lamp"]}}])


def test_of_two_functions_of_one_name_the_first_is_meant():
    other = function(required=("colour",), colour="string")
    answer = [{"shop.find": {"what": ["lamp"]}}]
    assert check_calls([FIND, other], [{"shop.find": {"what": "lamp"}}], answer).valid


@pytest.mark.parametrize(
    ("given", "accepted", "own", "published"),
    [
        ({"a": {"b": "x"}}, [{"a": [{"b": ["x", "y"]}]}], True, False),
        ({"a": {"b": "x"}}, [{"a": [{"b": "x"}]}], True, True),
        ({"a": {"b": ["x"]}}, [{"a": [{"b": ["x"]}]}], True, True),
        ({"a": ["x"]}, [{"a": ["x"]}], False, False),
        ({"a": ["x", "Y"]}, [{"a": [["x", "y"]]}], True, False),
        ({"a": ""}, [{"a": ["x", ""]}], False, True),
        ({"a": "x"}, [{"a": "x"}], True, True),
        ({"a": "xy"}, [{"a": "xy"}], True, False),
    ],
)
def test_objects_within_objects(given, accepted, own, published):
    assert check({"box": given}, {"box": accepted}).valid is own
    assert check({"box": given}, {"box": accepted}, compatible=True).valid is published


@pytest.mark.anyio
async def test_live_categories(tmp_path, write_lines):
    places = {"type": "array", "items": {"type": "dict"}}
    offered = [function(f"f{number}", (), n="integer") for number in range(36)] + [
        function("plan.trip", ("places",), places=places)
    ]
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Plan Oslo for two days."},
    ]
    row = {"question": [asked], "function": offered}
    answer = [{"plan.trip": {"places": [[{"city": ["Oslo"], "days": [2, ""]}]]}}]
    for category in ("live_multiple", "live_relevance", "live_irrelevance"):
        write_lines(f"BFCL_v4_{category}.json", {"id": f"{category}_7-3-0", **row})
    write_lines(
        "possible_answer/BFCL_v4_live_multiple.json", {"id": "live_multiple_7-3-0", "ground_truth": answer}
    )
    tasks = load_tasks(tmp_path)
    assert [task.id for task in tasks] == [
        "live_multiple_7-3-0",
        "live_irrelevance_7-3-0",
        "live_relevance_7-3-0",
    ]
    assert tasks[0].instruction == "Be brief.\nPlan Oslo for two days."
    floors = make_floors(tasks)
    said = {
        "[plan.trip(places=[{'city': 'oslo'}])]": [1.0, 0.0, 1.0],
        "[f3(n=1)]": [0.0, 0.0, 1.0],
        "[f3(n=": [0.0, 0.0, 0.0],
        "I cannot.": [0.0, 1.0, 0.0],
    }
    for text, values in said.items():
        made = [Prediction(task_id=task.id, text=text) for task in tasks]
        scores = [
            await BFCL().evaluate(task, trajectory_of(task, one))
            for task, one in zip(tasks, made, strict=True)
        ]
        assert [score.value for score in scores] == values
    gold = zip(tasks, floors["ceiling: gold"], strict=True)
    assert all([(await BFCL().evaluate(task, trajectory_of(task, one))).value for task, one in gold])


@pytest.mark.anyio
async def test_results_may_be_prediction_records_and_gzipped(tmp_path, write_lines):
    record = {
        "task_id": "q-1",
        "calls": [{"id": "1", "name": "shop.find", "arguments": {"what": "lamp"}}],
        "origin": "model",
    }
    plain = write_lines("said.jsonl", record)
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, tmp_path / "packed.jsonl"):
        (said,) = load_results(path, [question()])
        assert said.origin == "replay"  # whatever the file says, no model was asked now
        assert (await BFCL().evaluate(question(), trajectory_of(question(), said))).value == 1.0
    for broken, message in (
        ({"text": 5}, "#/text"),
        ({"origin": "oracle"}, "#/origin"),
        ({}, "answered twice"),
    ):
        write_lines("said.jsonl", record, {**record, **broken})
        with pytest.raises(FormatError, match=message):
            load_results(plain, [question()])
