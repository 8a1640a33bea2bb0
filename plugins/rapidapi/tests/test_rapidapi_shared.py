"""Real tool files and queries, where there are some: everything is read, and no key is shown."""

import json
import re

import pytest

from toolhaft import open_catalog
from toolhaft.errors import SpecError
from toolhaft.tools.base import NAME
from toolhaft.tools.schema import compile_schema
from toolhaft_rapidapi.directory import Directory
from toolhaft_rapidapi.importing import import_records
from toolhaft_rapidapi.naming import tool_names
from toolhaft_rapidapi.reading import read_records
from toolhaft_rapidapi.responses import add_responses
from toolhaft_rapidapi.standard import function_name

pytestmark = pytest.mark.slow  # reads tens of thousands of APIs

KEYS = re.compile(r"[0-9a-f]{10}msh[0-9a-f]{15}|eyJ[\w-]{8,}\.[\w-]{8,}|AIza[\w-]{30}|REDACTED_SECRET")


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "toolbench"


@pytest.fixture(scope="module")
def corpus(folder):
    return read_records(folder / "rapidapi_toolenv2404" / "tools.jsonl.gz")


@pytest.fixture(scope="module")
def found(corpus):
    return import_records(corpus)


def test_a_large_corpus_becomes_tools(corpus, found):
    report = found.report
    assert len(corpus.records) > 20_000
    assert report.skipped < 0.01 * len(corpus.records)
    assert report.degraded < 0.02 * len(corpus.records)
    assert report.problems == ()
    degraded = {entry.name for entry in report.operations if entry.outcome == "degraded"}
    for name in found.records:
        built = found.build(name)
        compile_schema(built.spec.parameters, where=name)
        shown = [built.spec.description, built.spec.parameters, built.spec.examples, repr(built.wire)]
        text = json.dumps(shown)
        assert KEYS.search(text) is None, name
        assert NAME.fullmatch(name)
        assert len(built.spec.description) <= 1024
        assert built.wire.server.startswith("https://") or name in degraded, name


@pytest.mark.parametrize("naming", ["readable", "toolbench"])
def test_names_do_not_depend_on_the_order(found, naming):
    records = list(found.records.values())
    names = tool_names(records, naming)
    assert len(set(names)) == len(names)
    assert tool_names(records[::-1], naming) == names[::-1]


@pytest.mark.parametrize(
    "place",
    [
        "rapidapi_toolenv2404/raw_samples",
        "rapidapi_toolenv2404/query_tools_raw.jsonl.gz",
        "stabletoolbench/test_instruction/G1_category.json.gz",
        "stabletoolbench/test_instruction/G1_instruction.json.gz",
        "stabletoolbench/test_instruction/G1_tool.json.gz",
        "toolbench_example/instruction/G1_query.json",
        "toolbench_example/instruction/inference_query_demo.json",
    ],
)
def test_every_file_loads_and_answers(folder, place):
    with open_catalog(f"rapidapi:{folder / place}", virtual=True) as catalog:
        assert catalog.report.skipped == 0
        assert catalog.report.degraded <= 0.02 * len(catalog)
        for spec in catalog.specs():
            arguments = {name: given(spec.properties[name]) for name in spec.required}
            catalog.call_sync(spec.name, **arguments)
            if spec.returns is not None:
                compile_schema(spec.returns, where=spec.name)


def given(schema):
    """Return a value that fits a schema of a parameter."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    values = {"string": "12:30", "number": 1.5, "integer": 2, "boolean": True, "array": [], "object": {}}
    return values[schema["type"]]


def test_the_function_names_of_the_released_answers_are_ours(folder):
    """Every function that the answers show is the name of an API of their queries."""
    queries = json.loads((folder / "toolbench_example/instruction/G1_query.json").read_bytes())
    known = {
        function_name(api["tool_name"], api["api_name"]) for query in queries for api in query["api_list"]
    }
    shown = set()
    for path in (folder / "toolbench_example/answer/G1_answer").glob("*.json"):
        answer = json.loads(path.read_bytes())["answer_generation"]
        wanted = answer["query"].strip()
        if any(query["query"].strip() == wanted for query in queries):
            shown |= {function["name"] for function in answer["function"]} - {"Finish"}
    assert shown <= known


def test_apis_are_found_in_standard_spelling(found):
    directory = Directory(found)
    records = list(found.records.values())[::97]
    specs = [directory.find(record.category, record.tool, record.api) for record in records]
    assert all(specs)
    assert len(directory) == len(found.records)
    assert directory.find("Sports", "no such tool", "x") == ()
    assert "no tool" in directory.missing("Sports", "no such tool", "x")


def test_shapes_of_the_released_examples_are_taken(folder, tmp_path):
    shapes = folder / "toolbench_example" / "toolenv" / "response_examples"
    tool = {
        "tool_name": "PrivatePublicAPI",
        "api_list": [{"name": "getPetById", "url": "https://x.p.rapidapi.com/"}],
    }
    (tmp_path / "Advertising").mkdir()
    path = tmp_path / "Advertising" / "tool.json"
    path.write_text(json.dumps(tool))
    reading = read_records(path)
    assert add_responses(reading, shapes) == 1
    assert set(reading.records[0].response) == {"code", "message"}


def test_queries_without_candidates_say_so(folder):
    place = folder / "toolbench_example/instruction/inference_query_demo_open_domain.json"
    with pytest.raises(SpecError, match="no `api_list`"):
        open_catalog(f"rapidapi:{place}")
