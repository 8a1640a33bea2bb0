"""Arguments schemas as providers take them, and arguments made the tool's own again."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.errors import UnknownNameError
from toolhaft.tools.merging import merge
from toolhaft.tools.profiles import PROFILES, accepts, fit, restore

TREE = {
    "type": "object",
    "properties": {"tree": {"$ref": "#/$defs/Tree"}},
    "$defs": {
        "Tree": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "next": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            },
        }
    },
}
ODD = {
    "type": "object",
    "required": ["level"],
    "properties": {
        "level": {"type": "integer", "enum": [1, 2, 3]},
        "when": {"type": "string", "format": "uri", "description": "A time."},
        "any": {},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "kind": {"const": "cat"},
        "many": {"type": "array"},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
        "either": {
            "oneOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "number"}}}]
        },
        "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
        "open": {"type": ["integer", "null"], "exclusiveMinimum": 0, "multipleOf": 5},
        "$filter[x]": {"type": "string"},
        "no": {"not": {"type": "string"}},
    },
}
TOP = {
    "anyOf": [
        {
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        },
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "string"}, "c": {"type": "string"}},
        },
    ]
}
DEEP = {"type": "object", "properties": {"x": {"type": "string"}}}
for _ in range(14):
    DEEP = {"type": "object", "properties": {"x": DEEP}}
SELF = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/A"}},
    "$defs": {
        "A": {
            "type": "object",
            "properties": {"b": {"type": "string"}},
            "oneOf": [
                {"$ref": "#/$defs/A"},
                {"properties": {"c": {"allOf": [{"$ref": "#/$defs/A"}, {"title": "t"}]}}},
            ],
        }
    },
}
LARGE = {
    "type": "object",
    "properties": {f"p{i}": {"type": "string", "enum": [f"v{j}" for j in range(300)]} for i in range(5)},
}
SCHEMAS = {
    "none": {"type": "object", "properties": {}},
    "tree": TREE,
    "odd": ODD,
    "top": TOP,
    "deep": DEEP,
    "self": SELF,
    "large": LARGE,
    "dangling": {"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}},
    "bare": {},
}


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "plain"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_made_for_a_provider_is_what_it_takes(name, profile):
    made = fit(SCHEMAS[name], profile)
    assert accepts(made.parameters, profile) == []


@pytest.mark.parametrize(
    ("profile", "schema", "reason"),
    [
        ("openai", {"type": "object", "anyOf": [{}]}, "anyOf at the top"),
        ("anthropic", {"type": "object", "properties": {"$top": {}}}, r"the key '\$top'"),
        ("openai", {"type": "array", "items": {}}, "not object"),
        ("openai", {"type": "object", "properties": {"a": {"type": "array"}}}, "a list without items"),
        ("openai", {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}, "leads nowhere"),
        ("plain", {"type": "any"}, "not a JSON Schema"),
        ("openai-strict", {"type": "object", "properties": {"a": {"type": "string"}}}, "not every property"),
        ("openai-strict", {"type": "object", "properties": {}, "required": []}, "additionalProperties"),
        ("openai-strict", fit(DEEP, "openai").parameters, "levels"),
        ("gemini", TREE, "is not known to Gemini"),
        ("gemini", {"type": "object", "properties": {"a": {"type": "integer", "enum": [1]}}}, "but texts"),
        ("gemini", {"type": "object", "properties": {"a": {"type": "object"}}}, "without properties"),
    ],
)
def test_the_checker_refuses_what_providers_refuse(profile, schema, reason):
    import re

    assert any(re.search(reason, one) for one in accepts(schema, profile)), accepts(schema, profile)


def test_a_schema_that_is_taken_as_it_is_stays_the_same_object():
    for profile in ("plain", "openai", "anthropic"):
        assert fit(TREE, profile).parameters is TREE
        assert fit(TREE, profile).notes == ()


def test_strict_asks_for_everything_and_takes_null_for_what_may_be_absent():
    made = fit(TREE, "openai-strict").parameters["$defs"]["Tree"]
    assert made["required"] == ["name", "next"]
    assert made["additionalProperties"] is False
    assert made["properties"]["next"] == {
        "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Tree"}}, {"type": "null"}]
    }


def test_what_is_given_up_is_noted_with_its_place():
    notes = fit(TREE, "openai-strict").notes
    assert notes == ("/$defs/Tree/properties/name: not in strict mode: minLength",)


def test_gemini_unrolls_a_definition_twice():
    made = fit(TREE, "gemini").parameters
    first = made["properties"]["tree"]["properties"]["next"]["items"]
    assert first["properties"]["next"]["items"] == {"type": "string", "description": "JSON, written as text."}


def test_numbers_to_choose_from_are_told_to_gemini_in_words():
    made = fit(ODD, "gemini").parameters["properties"]["level"]
    assert made == {"type": "integer", "description": "One of 1, 2, 3."}


@pytest.mark.parametrize(
    ("schema", "given_by_model", "own"),
    [
        (TREE, {"tree": None}, {}),
        (TREE, {"tree": {"name": "a", "next": None}}, {"tree": {"name": "a"}}),
        (
            TREE,
            {"tree": {"name": "a", "next": [{"name": "b", "next": None}]}},
            {"tree": {"name": "a", "next": [{"name": "b"}]}},
        ),
        (TREE, {"tree": '{"name": "a"}'}, {"tree": {"name": "a"}}),
        (TREE, {"tree": "no JSON"}, {"tree": "no JSON"}),
        (ODD, {"level": 1, "open": None, "filter_x": "y"}, {"level": 1, "$filter[x]": "y"}),
        (ODD, {"level": None}, {"level": None}),
        (ODD, {"level": 1, "map": '{"a": "b"}'}, {"level": 1, "map": {"a": "b"}}),
        (ODD, {"level": 1, "either": {"a": None}}, {"level": 1, "either": {}}),
        (ODD, {"level": 1, "any": '{"a": 1}'}, {"level": 1, "any": '{"a": 1}'}),
    ],
)
def test_arguments_become_the_tools_own(schema, given_by_model, own):
    assert restore(given_by_model, schema, fit(schema, "openai-strict").renamed) == own


def test_an_unknown_profile_is_one_clear_error():
    for ask in (fit, accepts):
        with pytest.raises(UnknownNameError, match="profile"):
            ask(TREE, "opnai")


LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"enum": st.just(["a", "b"])}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(-2, 0),
            "maximum": st.integers(1, 3),
            "multipleOf": st.integers(1, 3),
        },
    ),
    st.just({"type": ["string", "null"]}),
    st.just({"type": "boolean"}),
)


def _objects(inner):
    return st.builds(
        lambda properties, names, closed: {
            "type": "object",
            "properties": properties,
            "required": sorted(names & properties.keys()),
            **({"additionalProperties": False} if closed else {}),
        },
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
        st.sets(st.sampled_from("abc")),
        st.booleans(),
    )


NODES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(_objects(inner), st.builds(lambda one: {"type": "array", "items": one}, inner)),
    max_leaves=6,
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-4, 4), st.sampled_from(["a", "b", "c"]), st.just(1.5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(NODES, NODES, st.lists(VALUES, min_size=3, max_size=8))
def test_a_merged_schema_accepts_exactly_what_both_accept(first, second, values):
    merged = merge(first, second)
    if merged is None:
        return
    one, both = jsonschema_rs.Draft202012Validator(merged), [first, second]
    for value in values:
        wanted = all(jsonschema_rs.is_valid(schema, value) for schema in both)
        assert one.is_valid(value) == wanted


@given(_objects(NODES), st.sampled_from([name for name in PROFILES if name != "plain"]))
def test_any_schema_can_be_made_to_fit(schema, profile):
    assert accepts(fit(schema, profile).parameters, profile) == []


@given(_objects(NODES), st.data())
def test_what_strict_mode_lets_through_is_valid_once_restored(schema, data):
    made = fit(schema, "openai-strict").parameters
    arguments = {name: data.draw(_instance(node)) for name, node in made["properties"].items()}
    assert jsonschema_rs.is_valid(made, arguments)
    assert jsonschema_rs.is_valid(schema, restore(arguments, schema))


def _instance(node):
    """Generate what a strict schema takes."""
    if "anyOf" in node:
        return st.one_of([_instance(branch) for branch in node["anyOf"]])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    made = []
    for kind in kinds:
        if kind == "object":
            made.append(
                st.fixed_dictionaries({name: _instance(one) for name, one in node["properties"].items()})
            )
        elif kind == "array":
            made.append(st.lists(_instance(node["items"]), max_size=2))
        elif kind in ("integer", "number"):
            step = node.get("multipleOf", 1)
            low, high = node.get("minimum", -6), node.get("maximum", 6)
            fitting = [n for n in range(-6, 7) if n % step == 0 and low <= n <= high]
            made += [st.sampled_from(fitting)] if fitting else []
        else:
            made.append({"string": st.text(max_size=3), "boolean": st.booleans(), "null": st.none()}[kind])
    return st.one_of(made) if made else st.nothing()
