"""The heuristic model on hostile input: it is bounded, and nothing escapes."""

import asyncio
import json
import time

import pytest

from toolhaft.models.heuristic import HeuristicModel
from toolhaft.types import Message, ToolCall, ToolSpec

FIND = ToolSpec(
    name="find_items",
    description="Find items by their name.",
    effect="read",
    parameters={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
)


def complete(text, tools=(FIND,), observation=None):
    messages = [Message(role="user", text=text)]
    if observation is not None:
        call = ToolCall(id="1", name="find_items", arguments={"name": "Lamp"})
        messages += [
            Message(role="assistant", calls=(call,)),
            Message(role="tool", text=observation, call_id="1"),
        ]
    return asyncio.run(HeuristicModel().complete(messages, tools))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "?" * 5000,
        "find " * 20_000,
        "'" * 9000,
        "[[a]   " * 2000,
        "1+11111111111111111111" * 400,
        "a_" * 5000,
        "A " * 5000,
        "Aa, " * 3000,
        "1, " * 4000,
        "\ud800 find items \x00",
        "find items named " + "Ab " * 3000,
        "(" * 4000 + ")" * 4000,
        "1/" * 4000,
    ],
    ids=range(15),
)
def test_no_instruction_is_slow_or_fatal(text):
    began = time.perf_counter()
    complete(text)
    assert time.perf_counter() - began < 3.0


@pytest.mark.parametrize(
    "observation",
    [
        "[" * 50_000 + "]" * 50_000,
        json.dumps([{"name": "Lamp", "id": number} for number in range(20_000)]),
        "x" * 2_000_000,
        '{"a":' * 5000,
        "NaN",
        "Error : nonsense",
        "Error E-X: " + "'required' " * 20_000,
        json.dumps({str(number): {"name": number} for number in range(5000)}),
        json.dumps({"items": [None, 1, "x", [], {}, [[1]]]}),
    ],
    ids=range(9),
)
def test_no_observation_is_slow_or_fatal(observation):
    began = time.perf_counter()
    completion = complete('Find items by the name "Lamp".', observation=observation)
    assert time.perf_counter() - began < 3.0
    assert len(completion.text) < 20_000


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"type": "object", "properties": None},
        {"type": "object", "properties": {"a": None, "b": True, "c": []}},
        {"properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "http://x.example"}}, "required": ["a"]},
        {"properties": {"a": {"enum": []}}, "required": ["a"]},
        {"properties": {"a": {"enum": [None, 1, {}, []]}}, "required": ["a"]},
        {"properties": {"a": {"type": ["null"]}}, "required": ["a"]},
        {"properties": {"a": {"type": "string", "pattern": "(x+x+)+y"}}, "required": ["a"]},
        {"properties": {"a": {"type": "integer", "minimum": "low"}}, "required": ["a"]},
        {"properties": {"a": {"type": "array"}}, "required": "a"},
        {"properties": {"a": {"type": "string", "description": 5}}, "required": [1, None]},
    ],
    ids=range(12),
)
def test_no_schema_is_fatal(parameters):
    spec = ToolSpec(name="find_items", description="Find items.", effect="read", parameters=parameters)
    complete("Find items for 5 people called Ann on 2026-01-01.", (spec,))


def tools_of(count):
    verbs = ("list", "get", "create", "update", "delete", "search")
    nouns = (
        "order",
        "invoice",
        "parcel",
        "ticket",
        "customer",
        "booking",
        "device",
        "article",
        "sensor",
        "route",
    )
    return tuple(
        ToolSpec(
            name=f"{verbs[number % 6]}_{nouns[number % 10]}_{number}",
            description=f"{verbs[number % 6].title()} the {nouns[number % 10]}s of the shop.",
            effect="read" if number % 6 in (0, 1, 5) else "write",
            parameters={
                "type": "object",
                "properties": {
                    f"{nouns[number % 10]}_id": {"type": "string", "description": "Which one."},
                    "limit": {"type": "integer", "maximum": 50},
                    "state": {"type": "string", "enum": ["open", "closed"]},
                },
                "required": [f"{nouns[number % 10]}_id"],
            },
        )
        for number in range(count)
    )


@pytest.mark.parametrize(("count", "limit"), [(8, 0.005), (200, 0.020)])
def test_a_completion_is_quick(count, limit):
    tools = tools_of(count)
    model = HeuristicModel()
    rows = json.dumps(
        {"orders": [{"order_id": f"o-{n}", "name": f"Thing {n}", "total": n} for n in range(40)]}
    )
    call = ToolCall(id="1", name=tools[0].name, arguments={"order_id": "o-1"})
    messages = [
        Message(
            role="user",
            text="Show the order o-1, then cancel the cheapest open booking and tell me its total.",
        ),
        Message(role="assistant", calls=(call,)),
        Message(role="tool", text=rows, call_id="1"),
    ]
    asyncio.run(model.complete(messages, tools))
    best = 1.0
    for _ in range(12):
        began = time.process_time()
        asyncio.run(model.complete(messages, tools))
        best = min(best, time.process_time() - began)
    assert best < limit
