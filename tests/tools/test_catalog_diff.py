"""What a change does to those who call a tool: decided by rules, and breaking where no rule speaks."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.catalog_diff import compare_catalogs, compare_tools
from toolhaft.tools.catalog_schema_diff import compare_schemas

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def closed(properties, required=()):
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


SAME = []
RULES = {
    "nothing": (STRING, dict(STRING), SAME),
    "true and empty": (True, {}, SAME),
    "type narrowed": ({"type": ["string", "null"]}, STRING, ["breaking /type"]),
    "type widened": (STRING, {"type": ["string", "null"]}, ["additive /type"]),
    "type changed": (STRING, INTEGER, ["breaking /type", "additive /type"]),
    "integer to number": (INTEGER, {"type": "number"}, ["additive /type"]),
    "number to integer": ({"type": "number"}, INTEGER, ["breaking /type"]),
    "type stated": ({}, STRING, ["breaking /type"]),
    "type dropped": (STRING, {}, ["additive /type"]),
    "value gone": ({"enum": ["a", "b"]}, {"enum": ["a"]}, ["breaking /enum"]),
    "value added": ({"enum": ["a"]}, {"enum": ["a", "b"]}, ["additive /enum"]),
    "values listed": (STRING, {"type": "string", "enum": ["a"]}, ["breaking /enum"]),
    "const to enum": ({"const": "a"}, {"enum": ["a", "b"]}, ["additive /enum"]),
    "maximum down": ({"maximum": 10}, {"maximum": 5}, ["breaking /maximum"]),
    "maximum up": ({"maximum": 10}, {"maximum": 50}, ["additive /maximum"]),
    "minimum new": (INTEGER, {"type": "integer", "minimum": 0}, ["breaking /minimum"]),
    "minimum down": ({"minimum": 1}, {"minimum": 0}, ["additive /minimum"]),
    "length gone": ({"type": "string", "maxLength": 3}, STRING, ["additive /maxLength"]),
    "pattern new": (STRING, {"type": "string", "pattern": "a"}, ["breaking /pattern"]),
    "pattern other": ({"pattern": "a"}, {"pattern": "b"}, ["breaking /pattern"]),
    "pattern gone": ({"type": "string", "pattern": "a"}, STRING, ["additive /pattern"]),
    "format new": (STRING, {"type": "string", "format": "date"}, ["breaking /format"]),
    "multiple of a divisor": ({"multipleOf": 6}, {"multipleOf": 3}, ["additive /multipleOf"]),
    "multiple of another": ({"multipleOf": 6}, {"multipleOf": 4}, ["breaking /multipleOf"]),
    "unique now": ({"type": "array"}, {"type": "array", "uniqueItems": True}, ["breaking /uniqueItems"]),
    "description": ({"description": "a"}, {"description": "b"}, ["textual /description"]),
    "examples": (STRING, {"type": "string", "examples": ["x"]}, ["textual /examples"]),
    "default changed": ({"default": 1}, {"default": 2}, ["breaking /default"]),
    "argument gone": (closed({"a": STRING}), closed({}), ["breaking /properties/a"]),
    "optional argument": (closed({}), closed({"a": STRING}), ["additive /properties/a"]),
    "required argument": (closed({}), closed({"a": STRING}, ["a"]), ["breaking /properties/a"]),
    "required now": (closed({"a": STRING}), closed({"a": STRING}, ["a"]), ["breaking /required"]),
    "optional now": (closed({"a": STRING}, ["a"]), closed({"a": STRING}), ["additive /required"]),
    "text on nothing": ({}, {"description": "a"}, ["textual /description"]),
    "nested": (
        closed({"a": {"type": "array", "items": STRING}}),
        closed({"a": {"type": "array", "items": INTEGER}}),
        ["breaking /properties/a/items/type", "additive /properties/a/items/type"],
    ),
    "escaped": (closed({"a/b": STRING}), closed({"a/b": {}}), ["additive /properties/a~1b/type"]),
    "closed now": ({"type": "object"}, closed({}), ["breaking /additionalProperties"]),
    "opened": (closed({}), {"type": "object", "properties": {}}, ["additive /additionalProperties"]),
    "union grows": ({"anyOf": [STRING]}, {"anyOf": [STRING, INTEGER]}, ["additive /anyOf"]),
    "union shrinks": ({"anyOf": [STRING, INTEGER]}, {"anyOf": [STRING]}, ["breaking /anyOf"]),
    "into a union": (STRING, {"anyOf": [STRING, INTEGER]}, ["additive "]),
    "out of a union": ({"anyOf": [STRING, INTEGER]}, {"type": ["string", "integer", "null"]}, ["additive "]),
    "out of a union, narrower": ({"anyOf": [STRING, INTEGER]}, STRING, ["breaking /type", "additive /anyOf"]),
    "oneOf grows apart": ({"oneOf": [STRING]}, {"oneOf": [STRING, INTEGER]}, ["additive /oneOf"]),
    "oneOf may overlap": (
        {"oneOf": [STRING]},
        {"oneOf": [STRING, {"minLength": 3}]},
        ["breaking /oneOf"],
    ),
    "allOf part gone": ({"allOf": [STRING, {"minLength": 1}]}, {"allOf": [STRING]}, ["additive /allOf"]),
    "allOf part new": ({"allOf": [STRING]}, {"allOf": [STRING, {"minLength": 1}]}, ["breaking /allOf"]),
    "unknown keyword": ({}, {"contentEncoding": "base64"}, ["breaking /contentEncoding"]),
    "if": ({"type": "object"}, {"type": "object", "if": {"required": ["a"]}}, ["breaking /if"]),
    "extension": (STRING, {"type": "string", "x-note": 1}, ["textual /x-note"]),
}  # fmt: skip


def told(changes):
    return [f"{change.kind} {change.pointer}" for change in changes]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.replace(" ", "-").replace(",", ""))
def test_rules(rule):
    old, new, expected = RULES[rule]
    assert told(compare_schemas(old, new)) == expected


def test_references_are_followed_on_both_sides_and_recursion_ends():
    def tree(leaf):
        node = {
            "type": "object",
            "properties": {"leaf": leaf, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
        }
        return {**closed({"root": {"$ref": "#/$defs/Node"}}), "$defs": {"Node": node}}

    changes = compare_schemas(tree(STRING), tree(INTEGER))
    assert told(changes) == [
        "breaking /properties/root/properties/leaf/type",
        "additive /properties/root/properties/leaf/type",
    ]


def test_an_inlined_definition_is_no_change():
    referring = {**closed({"a": {"$ref": "#/$defs/A"}}), "$defs": {"A": STRING}}
    assert compare_schemas(referring, closed({"a": STRING})) == []


def test_for_answers_more_is_what_breaks():
    old, new = {"type": "string"}, {"type": ["string", "null"]}
    assert told(compare_schemas(old, new, output=True)) == ["breaking /type"]
    assert told(compare_schemas(new, old, output=True)) == ["additive /type"]
    gone = compare_schemas(closed({"a": STRING}), closed({}), output=True)
    assert told(gone) == ["breaking /properties/a"]


def test_huge_and_deep_schemas_end_in_time_and_are_breaking():
    deep_old, deep_new = STRING, INTEGER
    for _ in range(2000):
        deep_old, deep_new = {"items": deep_old}, {"items": deep_new}
    assert "breaking" in {change.kind for change in compare_schemas(deep_old, deep_new)}
    wide = compare_schemas(closed({f"a{n}": STRING for n in range(5000)}), closed({}))
    assert len(wide) == 501
    assert wide[-1].what == "there are more changes"


SCHEMAS = st.recursive(
    st.sampled_from(
        [True, STRING, INTEGER, {"type": ["string", "null"]}, {"enum": ["a", 1]}, {"minimum": 2}]
    ),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(closed),
        inner.map(lambda schema: {"type": "array", "items": schema}),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
    ),
    max_leaves=6,
)
VALUES = [
    None,
    True,
    0,
    1,
    3,
    "a",
    "b",
    [],
    ["a"],
    [1],
    [None],
    {},
    {"a": "a"},
    {"b": 1},
    {"a": {}, "c": ["a"]},
]


@settings(max_examples=150, deadline=None)
@given(old=SCHEMAS, new=SCHEMAS)
def test_what_is_called_harmless_never_refuses_what_was_accepted(old, new):
    import jsonschema_rs

    changes = compare_schemas(old, new)
    if any(change.kind == "breaking" for change in changes):
        return
    before, after = jsonschema_rs.Draft202012Validator(old), jsonschema_rs.Draft202012Validator(new)
    for value in VALUES:
        assert after.is_valid(value) or not before.is_valid(value), json.dumps([old, new, value])


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS)
def test_a_schema_does_not_differ_from_its_copy(schema):
    assert compare_schemas(schema, json.loads(json.dumps(schema))) == []


def catalog(**specs):
    return Catalog([CannedTool(tool_spec(name, **fields)) for name, fields in specs.items()])


FACTS = {
    "effect": ({"effect": "read"}, {"effect": "write"}, "breaking /effect"),
    "host": ({"hosts": ("https://a:443",)}, {"hosts": ("https://b:443",)}, "breaking /hosts"),
    "security": ({"metadata": {}}, {"metadata": {"security": "key"}}, "breaking /metadata/security"),
    "repeatable": ({"repeatable": True}, {"repeatable": False}, "breaking /repeatable"),
    "repeatable now": ({"repeatable": False}, {"repeatable": True}, "additive /repeatable"),
    "private": ({"private": True}, {"private": False}, "breaking /private"),
    "description": ({"description": "a"}, {"description": "b"}, "textual /description"),
    "tags": ({"tags": ("a",)}, {"tags": ("b",)}, "textual /tags"),
    "result known": ({}, {"returns": {"type": "object"}}, "additive /returns"),
    "result unknown": ({"returns": {"type": "object"}}, {}, "breaking /returns"),
}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.replace(" ", "-"))
def test_facts_of_a_tool(fact):
    old, new, expected = FACTS[fact]
    assert told(compare_tools(catalog(a=old)["a"], catalog(a=new)["a"])) == [expected]


def test_tools_come_go_and_are_renamed():
    place = {"metadata": {"method": "GET", "path": "/a"}}
    found = compare_catalogs(catalog(a=place, b={}, same={}), catalog(same={}, c=place, d={}))
    assert [(tool.name, tool.kind, tool.changes[0].what) for tool in found.tools] == [
        ("a", "breaking", "the tool was removed; c does the same"),
        ("b", "breaking", "the tool was removed"),
        ("c", "additive", "the tool is new"),
        ("d", "additive", "the tool is new"),
    ]
    assert found.same == 1
    assert str(found) == "2 breaking, 2 additive, 0 textual, 1 unchanged"
    assert found.to_dict()["tools"][0]["changes"][0]["pointer"] == ""
