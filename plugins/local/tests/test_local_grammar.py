"""A random model under a grammar: whatever it writes is a call that the tool takes."""

import logging

import pytest

from toolhaft.testing import tool_spec
from toolhaft.tools.schema import check_arguments
from toolhaft.types import Message
from toolhaft_local.model import LocalModel

pytestmark = pytest.mark.slow

ASKED = (Message(role="user", text="Do something."),)


@pytest.fixture(scope="session")
def smallest(tmp_path_factory):
    """A model that costs little more than its grammar."""
    from toolhaft_local.tiny import write_tiny_model

    folder = tmp_path_factory.mktemp("models") / "smallest"
    return write_tiny_model(folder, hidden=16, layers=1, vocabulary=300)


@pytest.fixture(scope="session")
def model(smallest):
    return LocalModel(str(smallest), max_tokens=3_000, temperature=1.0, constrained="calls")


def world_specs():
    """Return every seventh tool of the demo world: 30 schemas of all its services."""
    from toolhaft import open_catalog

    catalog = open_catalog("world:")
    return [catalog.spec(name) for name in sorted(catalog.names)[::7]][:30]


@pytest.mark.anyio
@pytest.mark.parametrize("part", range(3))
async def test_calls_fit_the_schemas_of_thirty_tools(model, part):
    specs = world_specs()
    assert len(specs) == 30
    for number, spec in enumerate(specs[part::3]):
        completion = await model.complete(ASKED, (spec,), seed=number)
        assert completion.finish == "tool_calls", spec.name
        for call in completion.calls:
            assert (call.name, call.problem, call.repaired) == (spec.name, "", False)
            if "uniqueItems" not in str(spec.parameters):  # the engine cannot hold to it, and a note says so
                check_arguments(spec, call.arguments)


@pytest.mark.anyio
async def test_one_grammar_holds_many_tools(model):
    specs = {spec.name: spec for spec in world_specs()[:12]}
    names = set()
    for seed in range(6):
        completion = await model.complete(ASKED, tuple(specs.values()), seed=seed)
        for call in completion.calls:
            check_arguments(specs[call.name], call.arguments)
            names.add(call.name)
    assert len(names) > 1


def spec_of(schema):
    return tool_spec("probe", parameters=schema)


SHAPES = {
    "nested": {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "properties": {
                    "b": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 3, "maximum": 5},
                        "minItems": 2,
                        "maxItems": 3,
                    }
                },
                "required": ["b"],
                "additionalProperties": False,
            }
        },
        "required": ["a"],
    },
    "recursive": {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/Tree"}},
        "required": ["tree"],
        "$defs": {
            "Tree": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/Tree"}},
                "additionalProperties": False,
            }
        },
    },
    "enum": {
        "type": "object",
        "properties": {"unit": {"enum": ["celsius", "kelvin", 3, None]}},
        "required": ["unit"],
    },
    "pattern": {
        "type": "object",
        "properties": {"id": {"type": "string", "pattern": "^ORD-[0-9]{4}$"}},
        "required": ["id"],
    },
    "date": {
        "type": "object",
        "properties": {"on": {"type": "string", "format": "date"}},
        "required": ["on"],
    },
    "any of": {
        "type": "object",
        "properties": {"x": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}},
        "required": ["x"],
    },
    "no properties": {"type": "object", "properties": {}},
    "no type": {"properties": {"x": {"type": "boolean"}}, "required": ["x"]},
    "odd names": {
        "type": "object",
        "properties": {'a"b\\c é': {"type": "boolean"}},
        "required": ['a"b\\c é'],
    },
}


@pytest.mark.anyio
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_shape_of_schema_is_held_to(model, shape):
    spec = spec_of(SHAPES[shape])
    for seed in range(3):
        for call in (await model.complete(ASKED, (spec,), seed=seed)).calls:
            assert not call.problem
            check_arguments(spec, call.arguments)
            assert set(call.arguments) <= set(spec.properties)


UNSUPPORTED = {
    "uniqueItems": {"type": "array", "uniqueItems": True, "items": {"type": "integer"}},
    "an unknown format": {"type": "string", "format": "artifact", "contentMediaType": "image/*"},
    "look-ahead": {"type": "string", "pattern": "^(?=a)b$"},
    "not": {"not": {"const": 1}},
    "a schema elsewhere": {"$ref": "http://127.0.0.1:9/schema.json"},
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", UNSUPPORTED)
async def test_what_the_engine_cannot_hold_to_is_noted(smallest, caplog, case):
    model = LocalModel(str(smallest), max_tokens=1_000, temperature=1.0, constrained="calls")
    spec = spec_of({"type": "object", "properties": {"x": UNSUPPORTED[case]}})
    with caplog.at_level(logging.INFO):
        completion = await model.complete(ASKED, (spec,), seed=2)
    assert all(call.name == "probe" and not call.problem for call in completion.calls)
    (note,) = model.notes
    assert note.startswith("tool probe: ")
    assert "not held to" in note
    assert note in caplog.text
    await model.complete(ASKED, (spec,), seed=3)
    assert len(model.notes) == 1


def test_a_tools_own_hints_to_the_engine_are_dropped():
    from toolhaft_local.arguments import _supported

    schema, _ = _supported(spec_of({"type": "object", "properties": {}, "x-guidance": {"lenient": True}}))
    assert "lenient" not in schema["x-guidance"]


@pytest.mark.anyio
async def test_off_holds_to_nothing_and_auto_leaves_answers_free(tiny):
    for mode in ("off", "auto"):
        model = LocalModel(str(tiny), max_tokens=30, temperature=1.0, constrained=mode)
        completion = await model.complete(ASKED, (spec_of(SHAPES["enum"]),), seed=1)
        assert completion.calls == ()
        assert completion.text


@pytest.mark.anyio
async def test_a_grammar_is_compiled_once(tiny):
    model = LocalModel(str(tiny), max_tokens=2, constrained="calls")
    spec = spec_of(SHAPES["enum"])
    for _ in range(3):
        await model.complete(ASKED, (spec,))
    await model.complete(ASKED, (spec, tool_spec("weather")))
    assert len(model._prompter._constraints._kept) == 2


SPELLINGS = ("hermes", "llama", "mistral", "mistral-named")


@pytest.mark.anyio
@pytest.mark.parametrize("with_tokens", [True, False], ids=["tokens", "letters"])
@pytest.mark.parametrize("must_call", [True, False], ids=["calls", "auto"])
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_every_spelling_has_a_grammar_that_takes_its_calls_and_nothing_else(
    tiny, spelling, must_call, with_tokens
):
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer
    from transformers import AutoTokenizer

    from toolhaft_local.calls import MARKERS
    from toolhaft_local.grammar import build_grammar

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    if with_tokens:
        tokenizer.add_tokens(list(MARKERS))
    else:
        from toolhaft_local.tiny import _train_tokenizer

        tokenizer = _train_tokenizer(400, None, markers=())
    known = tokenizer.get_vocab()
    engine = from_tokenizer(tokenizer, n_vocab=len(tokenizer))
    tools = (spec_of(SHAPES["enum"]), tool_spec("order", parameters=SHAPES["pattern"]))
    grammar = build_grammar(
        tools,
        spelling=spelling,
        tokens={mark: known[mark] for mark in MARKERS if mark in known},
        must_call=must_call,
    )

    def takes(text):
        matcher = LLMatcher(engine, LLMatcher.grammar_from_lark(grammar.source), log_level=0)
        assert not matcher.get_error()
        tokens = tokenizer.encode(text, add_special_tokens=False)
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    good = {
        "hermes": [
            '<tool_call>\n{"name": "probe", "arguments": {"unit": "kelvin"}}\n</tool_call>',
            '<tool_call>{"name":"order","arguments":{"id":"ORD-1234"}}</tool_call>\n'
            '<tool_call>{"name":"probe","arguments":{"unit":3}}</tool_call>',
        ],
        "llama": [
            '{"name": "probe", "parameters": {"unit": "kelvin"}}',
            '{"name": "order", "parameters": {"id": "ORD-1234"}}; '
            '{"name": "probe", "parameters": {"unit": 3}}',
        ],
        "mistral": [
            '[TOOL_CALLS] [{"name": "probe", "arguments": {"unit": "kelvin"}}, '
            '{"name": "order", "arguments": {"id": "ORD-1234"}}]',
        ],
        "mistral-named": [
            '[TOOL_CALLS]probe[ARGS]{"unit": "kelvin"}',
            '[TOOL_CALLS]probe[ARGS]{"unit": 3}[TOOL_CALLS]order[ARGS]{"id":"ORD-1234"}',
        ],
    }[spelling]
    for text in good:
        assert takes(text), text
        assert not takes(text.replace("kelvin", "rankine").replace("ORD-", "ord-"))
        assert not takes(text.replace("probe", "remove_all").replace("order", "remove_all"))
        if not must_call and spelling != "llama":
            assert takes(f"I look it up. {text}")
    assert takes("It rains in Oslo.") is not must_call


def test_tokens_around_a_thought_may_stand_in_free_text(smallest):
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer
    from transformers import AutoTokenizer

    from toolhaft_local.grammar import build_grammar

    tokenizer = AutoTokenizer.from_pretrained(smallest)
    tokenizer.add_tokens(["<think>", "</think>"])
    known = tokenizer.get_vocab()
    engine = from_tokenizer(tokenizer, n_vocab=len(tokenizer))
    text = '<think>Hm.</think> I look. <tool_call>{"name": "probe", "arguments": {"unit": 3}}</tool_call>'
    tokens = tokenizer.encode(text, add_special_tokens=False)
    for prose, allowed in (([known["<think>"], known["</think>"]], True), ([], False)):
        grammar = build_grammar(
            [spec_of(SHAPES["enum"])], spelling="hermes", tokens=known, prose=prose, must_call=False
        )
        matcher = LLMatcher(engine, LLMatcher.grammar_from_lark(grammar.source), log_level=0)
        assert (matcher.try_consume_tokens(tokens) == len(tokens)) is allowed


ORDERED = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/B"}, "c": {"enum": ["x"]}},
    "required": ["b"],
    "$defs": {"B": {"type": "boolean"}},
}
ARGUMENTS = {
    '{"a":1,"b":true,"c":"x"}': True,
    '{"c": "x", "b": false, "a": 1}': True,
    '{"b": true, "a": 1}': True,
    '{\n  "b": true\n}': True,
    '{"a": 1}': False,
    "{}": False,
    '{"b": true, "b": true}': False,
    '{"b": true, "d": 1}': False,
    '{"b": true,}': False,
    '{,"b": true}': False,
    '{"b": 3}': False,
    '{"b": true, "a": "1"}': False,
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_arguments_stand_in_any_order_each_once_and_the_required_ones_always(smallest, arguments):
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer
    from transformers import AutoTokenizer

    from toolhaft_local.grammar import build_grammar

    tokenizer = AutoTokenizer.from_pretrained(smallest)
    grammar = build_grammar([spec_of(ORDERED)], spelling="llama", tokens={}, must_call=True)
    matcher = LLMatcher(from_tokenizer(tokenizer), LLMatcher.grammar_from_lark(grammar.source), log_level=0)
    assert not matcher.get_error()
    tokens = tokenizer.encode(f'{{"name": "probe", "parameters": {arguments}}}', add_special_tokens=False)
    taken = matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()
    assert taken is ARGUMENTS[arguments]


def test_many_tools_of_many_arguments_make_a_grammar_of_bounded_size(smallest):
    from llguidance import LLMatcher

    from toolhaft_local.grammar import build_grammar

    schema = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(8)}}
    tools = [tool_spec(f"tool{number}", parameters=schema) for number in range(60)]
    grammar = build_grammar(tools, spelling="hermes", tokens={}, must_call=False)
    assert len(grammar.source) < 500_000
    assert LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(grammar.source)) == ""
