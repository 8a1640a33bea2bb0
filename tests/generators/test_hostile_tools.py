"""Tools of strangers: whatever their names, descriptions and schemas say, nothing hangs, breaks or is run."""

import time

import pytest

from toolhaft.generators.base import Drops
from toolhaft.generators.environment import ReadOnly
from toolhaft.generators.template import OneTool
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.text import terminal_safe
from toolhaft.tools.catalog import Catalog

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TEXT = {"type": "string"}


def takes(**members):
    return {"type": "object", "properties": members, "required": list(members)}


ENDLESS = {
    **takes(node={"$ref": "#/$defs/n"}),
    "$defs": {"n": takes(next={"$ref": "#/$defs/n"}, v={"type": "integer"})},
}
CIRCLE = {
    **takes(a={"$ref": "#/$defs/a"}),
    "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
}
DESCRIPTIONS = {
    "templates": "Send {act} {args} {label} {value} {noun} {labels} \\1 \\g<0> a note.",
    "escapes": "Send\x1b[31m the\x00 \u202eweather\n\n of a city",
    "long": "Send the thing. " + "word " * 25_000,
    "one word": "a" * 100_000,
    "brackets": "(" * 50_000 + "x",
    "spaces": "Send " + " " * 90_000 + "x",
    "choices": "change " + "a, " * 30_000 + " or b of a",
    "cyrillic": "\u041f\u043e\u043a\u0430\u0437\u0430\u0442\u044c \u043f\u043e\u0433\u043e\u0434\u0443.",
    "chinese": "\u67e5\u8be2\u57ce\u5e02\u7684\u5929\u6c14\u3002\u652f\u6301\u591a\u5929\u3002",
    "nothing": "",
}
SCHEMAS = {
    "no arguments": takes(),
    "endless": ENDLESS,
    "circle": CIRCLE,
    "pattern bomb": takes(code={"type": "string", "pattern": "^(a+)+$"}),
    "repeats": takes(code={"type": "string", "pattern": "(((a{1,1000}){1,1000}){1,1000}){1,1000}"}),
    "no pattern": takes(code={"type": "string", "pattern": "("}),
    "least text": takes(t={"type": "string", "minLength": 10**9}),
    "least items": takes(t={"type": "array", "minItems": 10**9, "items": TEXT}),
    "least items in words": takes(t={"type": "array", "minItems": "many", "items": TEXT}),
    "beyond floats": takes(t={"type": "integer", "minimum": 10**400}),
    "multiples of nothing": takes(t={"type": "integer", "multipleOf": 0}),
    "huge choice": takes(t={"enum": [{"a": "x" * 50_000}]}),
    "names": takes(**{"a\x1b[31mb\n{value}": TEXT, "": TEXT, " ": TEXT, "x" * 5_000: TEXT}),
    "odd values": takes(t={"enum": ["a|b", 'say "hi"', "\u65e5"]}),
    "true": {"type": "object", "properties": {"a": True}, "required": ["a"]},
    "all of": {"allOf": [takes(a=TEXT), takes(b={"type": "integer"})]},
}
FRUITFUL = {"no arguments", "circle", "pattern bomb", "odd values", "true", "all of"}


async def tasks_of(spec):
    drops, catalog = Drops(), Catalog([CannedTool(spec, [])])
    stream = OneTool().generate(catalog, n=3, seed=1, environment=ReadOnly(catalog), drops=drops)
    return [task async for task in stream], drops


@pytest.mark.parametrize("case", DESCRIPTIONS)
async def test_descriptions(case):
    started = time.process_time()
    spec = tool_spec("send_it", description=DESCRIPTIONS[case], parameters=takes(city=TEXT), effect="write")
    tasks, _ = await tasks_of(spec)
    assert len(tasks) == 3
    for task in tasks:
        assert len(task.instruction) < 400
        assert task.instruction == terminal_safe(task.instruction)
        assert task.gold.calls[0].arguments["city"] in task.instruction
    assert time.process_time() - started < 2


@pytest.mark.parametrize("case", SCHEMAS)
async def test_schemas(case):
    started = time.process_time()
    spec = tool_spec("send_it", description="Send it.", parameters=SCHEMAS[case], effect="write")
    tasks, drops = await tasks_of(spec)
    assert bool(tasks) == (case in FRUITFUL)
    assert drops.total >= 3 - len(tasks)
    assert time.process_time() - started < 2
