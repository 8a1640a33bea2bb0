"""Tool files and queries as people write them: everything loads, is kept, and can be called."""

import json
from random import Random

import pytest

from toolhaft import open_catalog
from toolhaft_rapidapi.inputs import argument_names, input_problem
from toolhaft_rapidapi.toolbench.candidates import simulated_catalog
from toolhaft_rapidapi.toolbench.queries import export_queries, read_queries

pytestmark = pytest.mark.slow  # some hundred files

NAMES = (
    *(
        "a.b.c",
        "Weather API - v2.0",
        "日本の天気",
        "Ünïcödé Tôol",
        "x" * 280,
        "123 go",
        "../../etc",
        "a/b",
        "\ud800x",
    ),
    *(
        "from",
        "class",
        "id",
        "ID",
        "Id",
        "and",
        "True",
        "name",
        "arguments",
        "self",
        "null",
        "{name}",
        "p[]",
        "p[0][k]",
    ),
    *("--", "_", "@x", "x-b: c", "Host", "X-RapidAPI-Key", "Authorization", "emoji 🌍", "1", " ", ""),
)
KINDS = (
    "STRING",
    "NUMBER",
    "BOOLEAN",
    "ENUM",
    "DATE (YYYY-MM-DD)",
    "OBJECT",
    "ARRAY",
    "MAP",
    None,
    7,
    [],
    "FILE",
)
VALUES = (
    *("", None, "x", "5", "5.5", "true", "[1, 2]", '{"a": 1}', "{broken", [1, "a"], {"k": [1]}, True, 0, -1),
    *(1e308, 10**40, "9" * 400, "NaN", "2020-01-01", "\ud800", "x" * 3000, []),
)
OPTIONS = (["a", "b"], [1, 2], ["a", 1, None, True], "a", [], [["x"]], [1, True, 1.0], ["x"] * 300)
URLS = (
    *("https://h.p.rapidapi.com/x", "https://h.p.rapidapi.com/{id}/{from}", "https://h.p.rapidapi.com/{}/x"),
    *(
        "https://h.p.rapidapi.com/a?x=1&y={id}",
        "",
        None,
        5,
        "h.p.rapidapi.com/x",
        "https://{id}/x",
        "ftp://x/y",
    ),
    *("https://h.p.rapidapi.com/}{", "https://日本.example/x y", "https://127.0.0.1:99999/"),
)
SHAPES = (
    *(
        {"a": "str", "b": [{"_list_length": 3, "id": "int"}]},
        [],
        "x",
        5,
        {"_list_length": -1},
        {"properties": 5},
    ),
    *(
        [{"_list_length": 10**9, "a": "str"}],
        {"type": "array", "minItems": 10**9},
        {"type": "integer", "minimum": 5},
    ),
)


def a_value(draw):
    return draw.choice(VALUES)


def a_parameter(draw):
    found = {
        "name": draw.choice(NAMES),
        "type": draw.choice(KINDS),
        "description": draw.choice(("", None, 5, "d")),
    }
    found["default"] = a_value(draw)
    if draw.random() < 0.2:
        found["enum"] = draw.choice(OPTIONS)
    if draw.random() < 0.1:
        found["name"] = draw.choice((None, 5, ["x"]))
    return found if draw.random() > 0.05 else draw.choice((None, 5, "x"))


def an_api(draw, prefix=""):
    lists = [[a_parameter(draw) for _ in range(draw.randrange(6))] for _ in range(2)]
    found = {
        f"{prefix}name": draw.choice(NAMES),
        "url": draw.choice(URLS),
        f"{prefix}description": draw.choice(("", "d" * 5000, None, "What it does in some words")),
        "method": draw.choice(("GET", "POST", "get", "DELETE", "TRACE", "", None, 5)),
        "required_parameters": lists[0] if draw.random() > 0.1 else None,
        "optional_parameters": lists[1] if draw.random() > 0.1 else "none",
    }
    if draw.random() < 0.7:
        found["template_response"] = draw.choice(SHAPES)
    return found


def given(schema):
    """Return a value that fits a schema of a parameter."""
    for key in ("enum", "examples"):
        if key in schema:
            return schema[key][0]
    if schema.get("format") == "date":
        return "2024-02-03"
    values = {"number": 1.5, "integer": 2, "boolean": True, "array": [], "object": {}}
    return values.get(schema["type"], "12:30")


@pytest.mark.parametrize("naming", ["readable", "toolbench"])
@pytest.mark.parametrize("seed", range(6))
def test_a_file_of_anything_loads_is_kept_and_answers(seed, naming, tmp_path):
    draw = Random(seed)
    tools = [
        {
            "tool_name": draw.choice(NAMES[:20]),
            "category": "Odd",
            "api_list": [an_api(draw) for _ in range(8)],
        }
        for _ in range(6)
    ]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(tools))
    with open_catalog(f"rapidapi:{path}", naming=naming, virtual=True) as catalog:
        catalog.save(tmp_path / "odd.catalog")
        with open_catalog(tmp_path / "odd.catalog") as kept:
            assert list(kept) == list(catalog)
            for spec in catalog.specs():
                assert kept.spec(spec.name) == spec
                arguments = {key: given(spec.properties[key]) for key in spec.required}
                arguments |= {
                    key: schema["default"] for key, schema in spec.properties.items() if "default" in schema
                }
                assert kept.call_sync(spec.name, **arguments) == catalog.call_sync(spec.name, **arguments)


@pytest.mark.parametrize("seed", range(6))
def test_queries_with_anything_come_back_and_their_tools_answer(seed, tmp_path):
    draw = Random(seed)
    queries = []
    for number in range(8):
        apis = [
            {**an_api(draw, "api_"), "tool_name": draw.choice(NAMES), "category_name": draw.choice(NAMES)}
            for _ in range(draw.randrange(1, 8))
        ]
        pairs = [[api["tool_name"], api["api_name"]] for api in apis[::2]]
        queries.append(
            {"query": f"Do {number}", "query_id": number, "api_list": apis, "relevant APIs": pairs}
        )
    queries[3]["api_list"] = [None, "x"]
    path = tmp_path / "G3_odd.json"
    path.write_text(json.dumps(queries))
    read = read_queries(path)
    assert export_queries(read.tasks) == queries
    assert read.candidates["3"] == {}
    assert {problem.pointer for problem in read.imported.report.problems} >= {
        "/3/api_list/0",
        "/3/api_list/1",
    }
    for task in read.tasks:
        catalog = simulated_catalog(read.candidates[task.id])
        assert set(task.gold.tools if task.gold else ()) <= set(catalog)
        for spec in catalog.specs():
            catalog.call_sync(spec.name, **{key: given(spec.properties[key]) for key in spec.required})


def test_parameters_that_are_spelled_alike_each_get_what_they_fit(tmp_path):
    parameters = [{"name": "id", "type": "NUMBER"}, {"name": "ID", "type": "ENUM", "enum": ["a", "b"]}]
    api = {"name": "get", "url": "https://h.p.rapidapi.com/x", "required_parameters": parameters}
    path = tmp_path / "alike.json"
    path.write_text(json.dumps({"tool_name": "Alike", "api_list": [api]}))
    with open_catalog(f"rapidapi:{path}", virtual=True) as catalog:
        (spec,) = catalog.specs()
        number, letter = spec.required
        catalog.call_sync(spec.name, **{number: 5, letter: "b"})
    assert argument_names(spec, {"is_id": "a"}) == {letter: "a"}
    assert argument_names(spec, {"is_id": "7"}) == {number: "7"}
    assert input_problem(spec, {"is_id": "7"}) == ""
    assert "is_id" in input_problem(spec, {})
    assert "no number" in input_problem(spec, {"is_id": "c"})
