"""The heuristic model in five places of other domains, with and without a search over its choices."""

import importlib.util
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from toolhaft.models.heuristic import HeuristicModel
from toolhaft.types import Message, ToolCall

pytestmark = pytest.mark.slow


def load_probes():
    file = Path(__file__).parent / "heuristic_probes.py"
    description = importlib.util.spec_from_file_location("heuristic_probes", file)
    module = importlib.util.module_from_spec(description)
    sys.modules["heuristic_probes"] = module
    description.loader.exec_module(module)
    return module


PROBES = load_probes()
FLOORS = {
    "react": {
        "one_call": 12,
        "multi_call": 15,
        "ask": 5,
        "decline": 6,
        "pagination": 5,
        "fault": 2,
        "approval": 1,
        "refused": 2,
    },
    "dfsdt": {
        "one_call": 12,
        "multi_call": 15,
        "dead_end": 11,
        "ask": 5,
        "decline": 6,
        "pagination": 5,
        "fault": 2,
        "approval": 1,
        "refused": 2,
    },
}
"""How many of each kind are done at least."""


def test_there_is_enough_to_probe():
    assert len(PROBES.PROBES) >= 60
    assert len(PROBES.TOOLS) >= 25
    assert len({service for service, *_ in PROBES.TOOLS}) == 5


@pytest.mark.anyio
@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_as_much_is_done_as_before_and_nothing_that_was_not_asked_for(planner):
    done = Counter()
    for probe in PROBES.PROBES:
        passed, trajectory = await PROBES.attempt(probe, planner, k=len(PROBES.TOOLS))
        done[probe.kind] += passed
        found = [one for step in trajectory.steps for one in step.observations]
        written = [one.tool for one in found if one.effect != "read" and not one.failed]
        assert written == [name for name, _ in probe.writes[: len(written)]], probe.instruction
    short = {kind: done[kind] for kind, floor in FLOORS[planner].items() if done[kind] < floor}
    assert short == {}


@pytest.mark.anyio
async def test_a_path_gives_up_where_a_search_finds_another_way():
    probes = [probe for probe in PROBES.PROBES if probe.kind == "dead_end"]
    one = "Order 30 kilos of beetroot from the cheapest supplier."
    probe = next(probe for probe in probes if probe.instruction == one)
    passed, path = await PROBES.attempt(probe, "react", k=30)
    assert not passed
    assert path.status == "gave_up"
    passed, tree = await PROBES.attempt(probe, "dfsdt", k=30)
    assert passed
    assert tree.status == "answered"


async def complete(messages, specs, avoid=()):
    return await HeuristicModel().complete(messages, specs, avoid=avoid)


def answered(messages, completion, text):
    results = [Message(role="tool", text=text, call_id=call.id, name=call.name) for call in completion.calls]
    return [*messages, completion.message(), *results]


@pytest.mark.anyio
async def test_other_records_are_tried_in_order_and_never_one_twice():
    specs = tuple(one.spec for one in PROBES.make(PROBES.Place()) if "achine" in one.spec.name)
    messages = [Message(role="user", text="Rent a baler for 2026-10-01.")]
    first = await complete(messages, specs)
    rows = json.dumps({"machines": [{"machine_id": f"mch-{n}", "kind": "baler"} for n in (1, 2, 3)]})
    messages = answered(messages, first, rows)
    tried = []
    for expected in ("mch-1", "mch-2", "mch-3"):
        completion = await complete(messages, specs, tried)
        assert [call.arguments["machine_id"] for call in completion.calls] == [expected]
        assert await complete(messages, specs, tried) == completion
        tried.extend(completion.calls)
    last = await complete(messages, specs, tried)
    assert last.calls == ()
    assert last.finish == "gave_up"


@pytest.mark.anyio
async def test_a_path_that_left_the_first_choice_goes_on_with_the_other():
    specs = tuple(one.spec for one in PROBES.make(PROBES.Place()) if "achine" in one.spec.name)
    messages = [Message(role="user", text="Rent a baler for 2026-10-01.")]
    rows = '{"machines":[{"machine_id":"mch-1","kind":"baler"},{"machine_id":"mch-2","kind":"baler"}]}'
    messages = answered(messages, await complete(messages, specs), rows)
    other = await complete(messages, specs, (await complete(messages, specs)).calls)
    end = await complete(answered(messages, other, '{"rental_id":"rnt-1"}'), specs)
    assert end.calls == ()
    assert end.finish == "stop"
    assert "mch-2" in end.text


@pytest.mark.anyio
async def test_a_conversation_of_another_model_is_followed():
    specs = tuple(one.spec for one in PROBES.make(PROBES.Place()) if "achine" in one.spec.name)
    call = ToolCall(id="x", name="listMachines", arguments={"kind": "plough"})
    rows = '{"machines":[{"machine_id":"mch-7","kind":"plough"}]}'
    messages = [
        Message(role="user", text="Rent a baler for 2026-10-01."),
        Message(role="assistant", calls=(call,)),
        Message(role="tool", text=rows, call_id="x", name="listMachines"),
    ]
    completion = await complete(messages, specs)
    assert [(one.name, one.arguments) for one in completion.calls] == [("listMachines", {"kind": "baler"})]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "code", "again"),
    [
        ("rentMachine", "the API answered 429 Too Many Requests", True),
        ("rentMachine", "the API answered 503: nothing was rented", True),
        ("rentMachine", "the API answered 503 Service Unavailable", False),
        ("rentMachine", "the API answered 409 Conflict", False),
        ("listMachines", "the API answered 503 Service Unavailable", True),
        ("listMachines", "the API answered 404 Not Found", False),
    ],
)
async def test_what_may_pass_later_is_tried_once_more(name, code, again):
    specs = tuple(one.spec for one in PROBES.make(PROBES.Place()) if one.spec.name == name)
    text = "Rent the machine mch-11 for 2026-10-01." if name == "rentMachine" else "List the machines."
    messages = [Message(role="user", text=text)]
    first = await complete(messages, specs)
    assert [call.name for call in first.calls] == [name]
    messages = answered(messages, first, f"Error E-HTTP-STATUS: {name}: {code}")
    second = await complete(messages, specs)
    assert bool(second.calls) == again
    if again:
        assert second.calls[0].arguments == first.calls[0].arguments
        messages = answered(messages, second, f"Error E-HTTP-STATUS: {name}: {code}")
        assert (await complete(messages, specs)).finish == "gave_up"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("parameter", "more"),
    [
        ({"cursor": {"type": "string"}}, {"next_cursor": "c2"}),
        ({"page_token": {"type": "string"}}, {"meta": {"nextPageToken": "c2"}}),
        ({"cursor": {"type": "string"}}, {"next": "https://x.example/cows?cursor=c2"}),
        ({"offset": {"type": "integer"}}, {"total": 3}),
        ({"page": {"type": "integer", "minimum": 1}}, {"has_more": True}),
    ],
    ids=["cursor", "token", "link", "offset", "page"],
)
async def test_the_next_page_is_read_by_what_the_schema_takes(parameter, more):
    (spec,) = (one.spec for one in PROBES.make(PROBES.Place()) if one.spec.name == "listAnimals")
    spec = replace(spec, parameters={"type": "object", "properties": parameter, "required": []})
    messages = [Message(role="user", text="How many animals are on the farm?")]
    first = await complete(messages, (spec,))
    page = {"animals": [{"animal_id": "a-1"}, {"animal_id": "a-2"}], **more}
    second = await complete(answered(messages, first, json.dumps(page)), (spec,))
    wanted = {"cursor": "c2", "page_token": "c2", "offset": 2, "page": 2}
    (key,) = parameter
    assert [call.arguments for call in second.calls] == [{key: wanted[key]}]
