"""Arguments as people write them become the values that the schema wants, and typing errors get a hint."""

import json

import pytest

from toolhaft.cli.call_arguments import read_arguments
from toolhaft.errors import UsageError
from toolhaft.testing import tool_spec

FILTER = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "owner": {"$ref": "#/$defs/Owner"},
    },
    "additionalProperties": False,
}
SPEC = tool_spec(
    "find",
    parameters={
        "type": "object",
        "properties": {
            "q": {"type": "string"},
            "limit": {"type": "integer"},
            "exact": {"type": "boolean"},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "maybe": {"type": ["integer", "null"]},
            "any": {},
            "tags": {"type": "array", "items": {"type": "string"}},
            "ids": {"type": "array", "items": {"type": "integer"}},
            "filter": FILTER,
            "people": {"type": "array", "items": {"$ref": "#/$defs/Owner"}},
            "filter.raw": {"type": "string"},
            "free": {"type": "object"},
        },
        "additionalProperties": False,
        "$defs": {"Owner": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    },
)
READ = {
    "text": (["q=007"], {"q": "007"}),
    "text with signs": (["q=a=b&c"], {"q": "a=b&c"}),
    "empty text": (["q="], {"q": ""}),
    "integer": (["limit=5"], {"limit": 5}),
    "what is no integer stays for the check": (["limit=five"], {"limit": "five"}),
    "boolean": (["exact=true"], {"exact": True}),
    "text or integer": (["either=7"], {"either": "7"}),
    "null": (["maybe=null"], {"maybe": None}),
    "anything, JSON": (['any={"a": 1}'], {"any": {"a": 1}}),
    "anything, text": (["any=a b"], {"any": "a b"}),
    "list as JSON": (['tags=["a", "b"]'], {"tags": ["a", "b"]}),
    "one entry": (["tags=a"], {"tags": ["a"]}),
    "entries": (["tags[]=a", "tags[]=b"], {"tags": ["a", "b"]}),
    "entries of integers": (["ids[]=1", "ids[]=2"], {"ids": [1, 2]}),
    "entries by number": (["ids[0]=1", "ids[1]=2"], {"ids": [1, 2]}),
    "member": (["filter.name=x", "filter.age=3"], {"filter": {"name": "x", "age": 3}}),
    "member in brackets": (["filter[name]=x"], {"filter": {"name": "x"}}),
    "member of a member": (["filter.owner.id=7"], {"filter": {"owner": {"id": 7}}}),
    "entries of a member": (["filter.tags[]=a", "filter.tags[]=b"], {"filter": {"tags": ["a", "b"]}}),
    "members of entries": (["people[0].id=1", "people[1].id=2"], {"people": [{"id": 1}, {"id": 2}]}),
    "a name with a point goes first": (["filter.raw=x"], {"filter.raw": "x"}),
    "an open object": (["free.a=1", "free.b=x"], {"free": {"a": 1, "b": "x"}}),
}


@pytest.mark.parametrize("case", READ, ids=lambda case: case.replace(" ", "-"))
def test_words(case):
    words, expected = READ[case]
    assert read_arguments(SPEC, words) == expected


WRONG = {
    "no sign": (["q"], "wants key=value"),
    "no key": (["=x"], "wants key=value"),
    "typing error": (["limt=5"], "Did you mean 'limit'?"),
    "typing error in a member": (["filter.nam=x"], "Did you mean 'name'?"),
    "nothing near": (["zzzzzz=5"], "Arguments: q, limit"),
    "twice": (["q=a", "q=b"], "twice"),
    "an entry left out": (["ids[3]=1"], "leaves out"),
    "a huge position": (["ids[99999999999]=1"], "leaves out"),
    "list and object": (["any.a=1", "any[]=1"], "two ways"),
    "value and object": (["q=x", "q.a=1"], "two ways"),
    "brackets left open": (["tags[=1"], "cannot be read"),
    "a point at the end": (["filter.=1"], "cannot be read"),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_mistakes(case):
    words, said = WRONG[case]
    with pytest.raises(UsageError) as caught:
        read_arguments(SPEC, words)
    assert said in str(caught.value)


def test_a_body_is_json_whose_members_are_arguments_by_their_names_on_the_wire(tmp_path):
    assert read_arguments(SPEC, ["limit=5"], '{"q": "x"}') == {"q": "x", "limit": 5}
    assert read_arguments(SPEC, [], '{"name": "x"}', body_names={"name": "q"}) == {"q": "x"}
    path = tmp_path / "body.json"
    path.write_text('{"tags": ["a"]}')
    assert read_arguments(SPEC, ["tags[]=b"], f"@{path}") == {"tags": ["a", "b"]}


def whole(schema):
    return tool_spec("send", parameters={"type": "object", "properties": {"body": schema, "id": {}}})


WHOLE = {
    "a list": ({"type": "array"}, "[1, 2]", {"body": [1, 2]}),
    "an object": ({"type": "object"}, '{"a": 1}', {"body": {"a": 1}}),
    "arguments": ({"type": "array"}, '{"body": [1], "id": 3}', {"body": [1], "id": 3}),
    "text": ({"type": "string"}, "hello", {"body": "hello"}),
    "a file": ({"type": "string", "format": "artifact"}, "@cat.bin", {"body": "@cat.bin"}),
    "a file or an object": (
        {"anyOf": [{"type": "string", "format": "artifact"}, {"type": "object"}]},
        "@cat.bin",
        {"body": "@cat.bin"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.replace(" ", "-"))
def test_a_body_that_is_one_argument(case):
    schema, body, expected = WHOLE[case]
    assert read_arguments(whole(schema), [], body, body_key="body") == expected


BODIES = {"no JSON": "{", "a list": "[]", "no file": "@nowhere.json", "deep": "[" * 100_000}


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.replace(" ", "-"))
def test_a_body_that_cannot_be_read(case):
    with pytest.raises(UsageError):
        read_arguments(SPEC, [], BODIES[case])


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "https://things.example.com"}],
    "paths": {
        "/things/{id}": {
            "put": {
                "operationId": "putThing",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "requestBody": {
                    "required": True,
                    "content": {
                        kind: {
                            "schema": {
                                "type": "object",
                                "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
                            }
                        }
                        for kind in ("application/json", "application/x-www-form-urlencoded")
                    },
                },
            }
        }
    },
}


@pytest.fixture
def things(tmp_path):
    (tmp_path / "things.json").write_text(json.dumps(DOCUMENT))
    return "things.json"


def test_the_body_of_a_call_has_its_own_names(things, toolhaft):
    words = ("call", things, "putThing", "id=7", "--dry-run", "--json")
    code, out, err = toolhaft(*words, "--body", '{"id": 8, "name": "x"}')
    assert code == 0, err
    shown = json.loads(out)
    assert shown["url"] == "https://things.example.com/things/7"
    assert json.loads(shown["body"]) == {"id": 8, "name": "x"}


def test_another_media_type_and_server(things, toolhaft):
    words = ("call", things, "putThing", "id=7", "name=a b", "--dry-run")
    form = "application/x-www-form-urlencoded"
    code, out, err = toolhaft(*words, "--media-type", form, "--server", "https://stage.example.com/v2")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "PUT https://stage.example.com/v2/things/7"
    assert f"content-type: {form}" in lines
    assert lines[-1] == "name=a+b"
    code, _, err = toolhaft(*words, "--media-type", "text/html")
    assert code == 2
    assert "Types of the body: application/json, application/x-www-form-urlencoded" in err


def test_a_saved_catalog_takes_another_server_too(things, toolhaft):
    toolhaft("tools", "import", things, "-o", "things.catalog")
    words = ("call", "things.catalog", "putThing", "id=7", "--dry-run")
    _, out, _ = toolhaft(*words, "--server", "https://stage.example.com/v2")
    assert out.startswith("PUT https://stage.example.com/v2/things/7\n")
    code, _, err = toolhaft(*words, "--server", "ftp://stage.example.com")
    assert code == 2
    assert "absolute URL" in err


@pytest.mark.parametrize("words", [("--pages", "0"), ("--wait", "-1")])
def test_numbers_out_of_their_range(things, toolhaft, words):
    code, _, err = toolhaft("call", things, "putThing", "id=7", *words)
    assert code == 2
    assert err


def test_a_file_where_text_is_wanted_is_told_of(things, toolhaft, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"x")
    words = ("call", things, "putThing", "id=7", "--dry-run")
    code, _, err = toolhaft(*words, "name=@cat.png")
    assert (code, "'name' takes text by the document, so '@cat.png' is sent" in err) == (0, True)
    code, _, err = toolhaft(*words, "name=@nobody")
    assert (code, "takes text" in err) == (0, False)
