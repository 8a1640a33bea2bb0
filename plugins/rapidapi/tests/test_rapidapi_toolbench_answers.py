"""ToolBench's answer files, converted answers and training conversations: in, out, and back."""

import copy
import gzip
import json
import random

import pytest

from toolhaft import Agent
from toolhaft.errors import FormatError, ToolError, UsageError
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.types import Completion, ToolCall, from_json, to_json
from toolhaft_rapidapi.toolbench.converted import export_converted, import_converted, load_converted
from toolhaft_rapidapi.toolbench.exporting import NOT_KEPT, export_answer, write_answer
from toolhaft_rapidapi.toolbench.importing import import_answer, load_answer
from toolhaft_rapidapi.toolbench.kept import KEY, Kept
from toolhaft_rapidapi.toolbench.training import export_conversations

pytestmark = pytest.mark.slow

GIVE = '{"return_type": "give_answer", "final_answer": "It rains."}'
UP = '{"return_type": "give_up_and_restart"}'


def node(kind, text, *children, number=0, pruned=False, finished=False, **more):
    return {
        "is_terminal": False,
        "pruned": pruned,
        "finished": finished,
        "depth": 0,
        "node_type": kind,
        "description": text,
        "Elo": 1000.0,
        "child_count": len(children),
        "expand_num": number,
        "children": list(children),
        **({"io_state": {}} if kind == "Action Input" else {}),
        **more,
    }


def call(name, arguments, said, code, *children, **marks):
    inner = node("Action Input", arguments, *children, observation=said, observation_code=code, **marks)
    return node("Action", name, inner, finished=marks.get("finished", False))


def deepen(tree, depth=0):
    tree["depth"] = depth
    return 1 + max((deepen(child, depth + 1) for child in tree["children"]), default=0)


def size(tree):
    return 1 + sum(map(size, tree["children"]))


def answer_file(tree, **generation):
    length = deepen(tree)
    function = {
        "name": "weather",
        "description": "Weather.",
        "parameters": {"type": "object", "properties": {}},
    }
    fields = {
        "valid_data": False,
        "query_count": 4,
        "total_tokens": 900,
        "final_answer": "",
        "finish_type": "give_answer",
        "function": [function, {"name": "Finish", "description": "Ends.", "parameters": {}}],
        "chain": [],
        "query": "Rain in Oslo?",
    }
    return {
        "win": False,
        "tree": {"size": size(tree), "max_length": length, "tree": tree},
        "forward_args": {"single_chain_max_step": 12, "tree_beam_size": 2, "max_query_count": 200},
        "compare_candidates": [],
        "answer_generation": {**fields, **generation},
    }


def exhausted():
    """A tree whose three ways all end in vain: at the depth limit, in a give-up, at an unknown function."""
    return node(
        "Action Input",
        "",
        call(
            "weather",
            '{"city": "Oslo"}',
            '{"error": "", "response": "rain"}',
            0,
            node(
                "Thought",
                "Try again.",
                call("weather", "{}", "x", 0, number=2, pruned=True),
            ),
            node("Thought", "", call("Finish", UP, '{"response": "up"}', 4, number=3, pruned=True)),
            number=1,
        ),
        node("Thought", "Alone.", call("login", "{bad", "none", 1, number=5, pruned=True), number=4),
    )


def test_a_tree_without_an_answer():
    source = answer_file(exhausted())
    trajectory = import_answer(source, task_id="7")
    trajectory.check()
    assert trajectory.status == "gave_up"
    assert trajectory.answer == ""
    assert [step.parent for step in trajectory.steps] == [None, 0, 0, None, 3]
    assert [step.status for step in trajectory.steps] == ["abandoned"] * 2 + ["gave_up"] + ["abandoned"] * 2
    assert [step.thought for step in trajectory.steps] == ["", "Try again.", "", "Alone.", ""]
    first, unknown = trajectory.steps[0].observations[0], trajectory.steps[4].observations[0]
    assert (first.text(), first.failed, first.provenance) == (
        '{"error": "", "response": "rain"}',
        False,
        "replayed",
    )
    assert (unknown.error.code, unknown.error.details["code"]) == ("E-TOOL-UNKNOWN", 1)
    assert trajectory.steps[4].calls[0].problem.startswith("not JSON")
    assert (trajectory.usage.model_calls, trajectory.usage.input_tokens) == (4, 900)
    assert export_answer(trajectory) == source


def test_the_budget_of_the_search_was_spent():
    trajectory = import_answer(answer_file(exhausted(), query_count=200))
    assert trajectory.status == "budget"
    assert trajectory.error.code == "E-BUDGET"


def answered(*, gave_up=False, numbered=True):
    code, arguments = (4, UP) if gave_up else (3, GIVE)
    marks = {"number": 2 * numbered, "pruned": gave_up, "finished": not gave_up}
    end = call("Finish", arguments, '{"response": "done"}', code, **marks)
    first = call("weather", '{"city": "Oslo"}', "rain", 0, end, number=1 * numbered, finished=not gave_up)
    tree = node("Action Input", "", first, finished=not gave_up)
    messages = [
        {"role": "system", "content": "Say something."},
        {"role": "user", "content": "\nRain in Oslo?\nBegin!\n"},
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        },
        {"role": "function", "name": "weather", "content": "rain"},
        {"role": "assistant", "content": None, "function_call": {"name": "Finish", "arguments": arguments}},
    ]
    source = answer_file(
        tree,
        valid_data=True,
        final_answer=arguments,
        finish_type="give_up" if gave_up else "give_answer",
        train_messages=[messages[:3], messages],
    )
    source["win"] = not gave_up
    if not gave_up:
        chain, each = [], tree
        while each["children"]:
            each = each["children"][0]
            chain.append({name: value for name, value in each.items() if name != "children"})
        source["compare_candidates"] = [chain]
    return source


@pytest.mark.parametrize("gave_up", [False, True])
def test_an_end_that_is_taken(gave_up):
    source = answered(gave_up=gave_up)
    trajectory = import_answer(source, task_id="7", method="DFS_woFilter_w2")
    assert trajectory.status == ("gave_up" if gave_up else "answered")
    assert trajectory.answer == ("" if gave_up else "It rains.")
    assert [step.id for step in trajectory.path()] == [0, 1]
    assert Kept.of(trajectory).answer == {}, "the trajectory says all of it"
    assert export_answer(trajectory) == source
    assert from_json(type(trajectory), to_json(trajectory)) == trajectory
    assert export_answer(from_json(type(trajectory), to_json(trajectory))) == source


def test_what_the_tree_does_not_say_is_kept_beside_it():
    source = answered()
    source["answer_generation"]["train_messages"][0][1]["content"] = "other"
    source["answer_generation"]["extra"] = 3
    trajectory = import_answer(source)
    assert set(Kept.of(trajectory).answer) == {"train_messages", "extra"}
    assert export_answer(trajectory) == source


@pytest.mark.parametrize("name", NOT_KEPT)
def test_fields_that_are_written_as_the_reference_has_them(name):
    source = answered()
    changed = copy.deepcopy(source)
    changed["tree"]["tree"]["children"][0]["children"][0][name] = "other"
    assert export_answer(import_answer(changed)) == source


def test_chains():
    tree = answered(numbered=False)["tree"]["tree"]
    chain, each = [], tree
    while each["children"]:
        each = each["children"][0]
        chain.append({name: value for name, value in each.items() if name != "children"})
    source = answered(numbered=False)
    del source["tree"]
    source |= {"try_count": 2, "trys": [{"chain": chain[:2], "win": False}, {"chain": chain, "win": True}]}
    trajectory = import_answer(source, method="CoT@2")
    assert [step.parent for step in trajectory.steps] == [None, None, 1]
    assert trajectory.answer == "It rains."
    written = export_answer(trajectory)
    assert [len(each["chain"]) for each in written["trys"]] == [2, 4]
    assert [each["win"] for each in written["trys"]] == [False, True]
    again = import_answer(written, method="CoT@2")
    assert [(step.thought, step.calls, step.status) for step in again.steps] == [
        (step.thought, step.calls, step.status) for step in trajectory.steps
    ]


def said(trajectory):
    """What a trajectory and ToolBench's layout can both say."""
    return {
        "instruction": trajectory.task.instruction,
        "answer": trajectory.answer,
        "end": trajectory.answer_step,
        "status": "answered" if trajectory.status == "asked" else trajectory.status,
        "model_calls": trajectory.usage.model_calls,
        "tools": [(spec.name, spec.description, spec.parameters) for spec in trajectory.tools],
        "steps": [
            (
                step.id,
                step.parent,
                step.thought,
                step.status,
                [(each.name, each.arguments) for each in step.calls],
                [(each.failed, None if each.failed else each.text()) for each in step.observations],
            )
            for step in trajectory.steps
        ],
    }


def ask(name, id, **arguments):
    return Completion(
        text=f"I try {name}.", calls=(ToolCall(id=id, name=name, arguments=arguments),), finish="tool_calls"
    )


SCRIPTS = {
    "react": (ask("weather", "1", city="Oslo"), ask("rates", "2", city="Oslo"), "It rains."),
    "react silent": (ask("weather", "1", city="Oslo"), "", "It rains."),
    "react asked": ("Which city do you mean?",),
    "react gave up": (ask("rates", "1", city="Oslo"), "GIVE UP: no rates today."),
    "dfsdt": (
        ask("rates", "1", city="Oslo"),
        "GIVE UP: no rates.",
        ask("weather", "2", city="Oslo"),
        ask("weather", "3", city="Bergen"),
        "It rains.",
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", SCRIPTS)
async def test_own_rollouts_come_back(name):
    tools = [
        CannedTool(tool_spec("weather", effect="read"), {"sky": "rain"}),
        CannedTool(tool_spec("rates", effect="read"), ToolError("closed")),
    ]
    model = ScriptedModel(*SCRIPTS[name])
    run = await Agent(tools, model=model, planner=name.split()[0]).run("Rain in Oslo?")
    written = export_answer(run.trajectory)
    assert ("tree" in written) == name.startswith("dfsdt")
    again = import_answer(json.loads(json.dumps(written)), task_id="task")
    again.check()
    assert said(again) == said(run.trajectory)
    assert written["win"] == (run.trajectory.status in ("answered", "asked"))
    assert export_answer(again)["answer_generation"] == written["answer_generation"]


@pytest.mark.anyio
async def test_conversations_leave_out_what_no_model_did_and_what_gave_up():
    tools = [CannedTool(tool_spec("weather", effect="read"), "rain")]
    run = await Agent(tools, model=ScriptedModel(*SCRIPTS["react silent"]), planner="react").run("Rain?")
    assert export_conversations([run.trajectory]) == []
    found = export_conversations([run.trajectory], origins=("model", "scripted"), thoughts=True)
    assert [each["id"] for each in found] == ["Step 2: Rain?", "Step 5: Rain?"]
    assert [turn["from"] for turn in found[-1]["conversations"]] == [
        "system",
        "user",
        "assistant",
        "function",
        "assistant",
    ]
    first = found[0]["conversations"][-1]["value"]
    assert first == '\nThought: I try weather.\nAction: weather\nAction Input: {"city": "Oslo"}'
    up = import_answer(answered(gave_up=True))
    assert export_conversations([up]) == []
    assert len(export_conversations([up], gave_up=True)) == 2


def test_a_converted_answer_and_its_short_variant():
    trajectory = import_answer(answered(), task_id="7", method="CoT@1")
    full = export_converted([trajectory])
    short = export_converted([trajectory], variant="short")
    assert full["7"]["answer"]["total_steps"] == short["7"]["answer"]["total_steps"] == 4
    assert full["7"]["answer"]["final_answer"] == GIVE
    again = import_converted(full["7"], query_id="7")
    assert again.answer == "It rains."
    assert export_converted([again]) == full
    cut = import_converted(short["7"], query_id="7")
    assert [step.calls[0].name for step in cut.steps if step.calls] == ["weather"]
    assert export_converted([cut], variant="short") == short


def broken(change):
    source = answered()
    change(source)
    return source


BAD = {
    "a list": lambda source: [],
    "no generation": lambda source: broken(lambda each: each.pop("answer_generation")),
    "no tree": lambda source: broken(lambda each: each.pop("tree")),
    "a tree that is text": lambda source: broken(lambda each: each["tree"].update(tree="x")),
    "a child that is text": lambda source: broken(lambda each: each["tree"]["tree"].update(children=["x"])),
    "an action alone": lambda source: broken(
        lambda each: each["tree"]["tree"].update(children=[node("Action", "weather")])
    ),
    "an unknown node": lambda source: broken(
        lambda each: each["tree"]["tree"].update(children=[node("Plan", "weather")])
    ),
    "a code that is text": lambda source: broken(
        lambda each: each["tree"]["tree"].update(children=[call("weather", "{}", "", "3")])
    ),
    "arguments that are no text": lambda source: broken(
        lambda each: each["tree"]["tree"].update(children=[call("weather", {}, "", 0)])
    ),
    "tokens below nothing": lambda source: broken(
        lambda each: each["answer_generation"].update(total_tokens=-1)
    ),
    "a function without a name": lambda source: broken(
        lambda each: each["answer_generation"].update(function=[{"description": "x"}])
    ),
    "messages that are no lists": lambda source: broken(
        lambda each: each["answer_generation"].update(train_messages=[3])
    ),
    "a chain that never ends": lambda source: broken(
        lambda each: (each.pop("tree"), each.update(trys=[{"chain": [node("Thought", "")] * 2001}]))
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_are_one_clear_error(name, tmp_path):
    path = tmp_path / "7_CoT@1.json"
    path.write_text(json.dumps(BAD[name](None)))
    with pytest.raises(FormatError) as caught:
        load_answer(path)
    assert str(path) in caught.value.where


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (b"{", FormatError),
        (b"\x1f\x8b\x00broken", FormatError),
        (b"[" * 100_000, FormatError),
        (b'{"a": NaN}', FormatError),
        (b"\xff\xfe", FormatError),
        (None, UsageError),
    ],
)
def test_bad_files_are_one_clear_error(data, error, tmp_path):
    path = tmp_path / "answer.json"
    if data is not None:
        path.write_bytes(data)
    for load in (load_answer, load_converted):
        with pytest.raises(error) as caught:
            load(path)
        assert str(path) in caught.value.where


@pytest.mark.parametrize(
    "change",
    [
        {"answer": 3},
        {"query": 3},
        {"available_tools": [3]},
        {"answer": {"answer_details": [{"role": "judge", "message": "", "next": []}]}},
        {"answer": {"answer_details": [{"role": "tool", "message": "no name here", "next": []}]}},
        {"answer": {"answer_details": [{"role": "tool", "message": {"name": 3}, "next": []}]}},
        {"answer": {"answer_details": [{"role": "user", "message": "", "next": 3}]}},
    ],
)
def test_bad_converted_answers_are_one_clear_error(change):
    source = {"query": "Rain?", "available_tools": [], "answer": {"answer_details": []}}
    with pytest.raises(FormatError):
        import_converted({**source, **change})


def places(value, path=()):
    found = [path] if path else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, part in parts for place in places(part, (*path, key))]


ODD = (None, True, -1, 1.5, 2**70, "", "x", "\ud800", "{", "Finish", [], ["x"], {}, {"a": 1}, [[]], 3, 4)


def test_whatever_stands_in_a_file_is_read_or_refused():
    draw = random.Random(7)
    read = refused = 0
    for _ in range(800):
        source = copy.deepcopy(draw.choice([answered(), answer_file(exhausted())]))
        for _ in range(draw.randint(1, 3)):
            *above, last = draw.choice(places(source))
            inner = source
            for key in above:
                inner = inner[key]
            inner[last] = copy.deepcopy(draw.choice(ODD))
        try:
            trajectory = import_answer(source)
        except FormatError:
            refused += 1
            continue
        trajectory.check()
        read += 1
        json.dumps(export_answer(trajectory))
        export_converted([trajectory], variant="short")
        export_conversations([trajectory], gave_up=True)
    assert read > 100
    assert refused > 100


def test_every_raw_answer_comes_back_whole(shared, tmp_path):
    folder = shared / "toolbench"
    files = [
        *folder.glob("toolbench_example/answer/*/*.json"),
        *folder.glob("stabletoolbench/example/answer/*/*/*.json"),
    ]
    assert len(files) == 8
    for file in files:
        trajectory = load_answer(file)
        trajectory.check()
        source = json.loads(file.read_text())
        assert export_answer(trajectory) == source, file.name
        assert Kept.of(trajectory).answer == {}, file.name
        assert trajectory.settings[KEY]["forward_args"] == source["forward_args"]
        assert trajectory.planner == "DFS_woFilter_w2"
        assert load_answer(write_answer(tmp_path / file.name, trajectory)) == trajectory


def test_every_converted_answer_comes_back_whole(shared):
    folder = shared / "toolbench"
    full = [*folder.glob("stabletoolbench/example/model_predictions_converted/*/*.json")]
    full += [*folder.glob("golden/tooleval_converted_*.json")]
    short = [*folder.glob("tooleval_default_evalset/*/*.json.gz")]
    count = 0
    for variant, files in (("full", full), ("short", short)):
        for file in files:
            found = load_converted(file)
            data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            assert export_converted(found.values(), variant=variant) == json.loads(data), file.name
            count += len(found)
    assert count == 311


def test_exports_equal_those_of_the_reference(shared):
    folder = shared / "toolbench"
    expected = json.loads((folder / "golden/tooleval_converted_G1.json").read_text())
    answers = folder / "toolbench_example/answer/G1_answer"
    found = [load_answer(next(answers.glob(f"{query_id}_*.json"))) for query_id in expected]
    written = export_converted(found, method="DFS_woFilter_w2")
    differing = [query_id for query_id in expected if written[query_id] != expected[query_id]]
    # Of a tree without an answer the reference takes a leaf by lot; we take where the search ended.
    assert differing == ["69"]
    assert found[4].status == "gave_up"
    assert {**written["69"]["answer"], "answer_details": 0} == {
        **expected["69"]["answer"],
        "answer_details": 0,
    }
    conversations = json.loads((folder / "golden/toolllama_G1_dfs.json").read_text())
    assert export_conversations(found) == conversations
    assert export_conversations(found, gave_up=True) != conversations


def test_the_reference_hides_the_names_of_unknown_functions_on_a_way_that_ended():
    end = call("Finish", GIVE, '{"response": "done"}', 3, number=2, finished=True)
    tree = node("Action Input", "", call("login", "{}", "none", 1, end, number=1))
    source = answer_file(tree, valid_data=True, final_answer=GIVE)
    trajectory = import_answer(source, task_id="7")
    details = export_converted([trajectory])["7"]["answer"]["answer_details"]
    assert details[0]["next"][0]["next"][0]["message"]["name"] == "invalid_hallucination_function_name"
    (first, _) = export_conversations([trajectory])
    assert "Action: invalid_hallucination_function_name" in first["conversations"][-1]["value"]
    alone = import_answer(answer_file(exhausted()), task_id="7")
    assert "login" in str(export_converted([alone]))


def test_messages_that_were_kept_are_what_is_trained_on():
    source = answered()
    for messages in source["answer_generation"]["train_messages"]:
        messages[1]["content"] = "other"
    trajectory = import_answer(source)
    for each in export_conversations([trajectory]):
        assert each["conversations"][1] == {"from": "user", "value": "other"}
    source["answer_generation"]["train_messages"][0][1]["content"] = 3
    for each in export_conversations([import_answer(source)]):
        assert each["conversations"][1]["value"] == "\nRain in Oslo?\nBegin!\n"
