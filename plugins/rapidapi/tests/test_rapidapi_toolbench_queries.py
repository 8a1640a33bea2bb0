"""ToolBench's queries: read as tasks with gold tools, written back as they were."""

import gzip
import json

import pytest

from toolhaft import open_catalog
from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft.types import Task
from toolhaft_rapidapi.toolbench.candidates import simulated_catalog
from toolhaft_rapidapi.toolbench.queries import (
    bare,
    export_ids,
    export_queries,
    load_ids,
    load_queries,
    read_queries,
    write_queries,
)


def api(name, tool="Weather Now", **more):
    parameters = [{"name": "city", "type": "STRING", "description": "", "default": "Oslo"}]
    return {
        "category_name": "Weather",
        "tool_name": tool,
        "api_name": name,
        "api_description": "Says what the sky looks like today",
        "required_parameters": parameters,
        "optional_parameters": [],
        "method": "GET",
        "template_response": {"sky": "str", "degrees": "int"},
        **more,
    }


def query(number, *apis, relevant=(), **more):
    return {
        "query": f"Rain in Oslo? {number}",
        "query_id": number,
        "api_list": list(apis),
        "relevant APIs": [list(pair) for pair in relevant],
        **more,
    }


@pytest.fixture
def file(tmp_path):
    value = [
        query(1, api("Today"), api("Forecast"), relevant=[("Weather Now", "Today")]),
        query(2, api("Today"), api("Today", "Other"), relevant=[("Other", "Today"), ("Gone", "API")]),
    ]
    path = tmp_path / "G1_small.json"
    path.write_text(json.dumps(value))
    return path


def test_queries_are_tasks(file):
    first, second = load_queries(file)
    assert (first.id, first.instruction, first.tags) == ("1", "Rain in Oslo? 1", ("G1_small",))
    assert first.gold.tools == ("weather_now_today",)
    assert first.metadata["candidates"] == ["weather_now_today", "weather_now_forecast"]
    assert second.gold.tools == ("other_today",)
    assert second.metadata["unresolved"] == [["Gone", "API"]]
    assert "api_list" not in bare(first).metadata
    assert bare(first).metadata["query_id"] == 1


@pytest.mark.parametrize("naming", ["readable", "toolbench"])
def test_names_are_those_of_the_catalog(file, naming):
    found = read_queries(file, naming=naming)
    catalog = open_catalog(f"rapidapi:{file}", naming=naming, virtual=True)
    assert sorted(found.imported.records) == sorted(catalog.names)
    assert {name for each in found.candidates.values() for name in each} == set(catalog.names)


def test_queries_come_back_as_they_were(file, tmp_path):
    tasks = load_queries(file)
    assert export_queries(tasks) == json.loads(file.read_text())
    assert load_queries(write_queries(tmp_path / "out" / "G1_small.json", tasks)) == tasks
    assert export_queries([Task(id="9", instruction="Hello?")]) == [{"query": "Hello?", "query_id": "9"}]


def test_the_open_domain_and_compressed_files(tmp_path):
    path = tmp_path / "open.json.gz"
    path.write_bytes(gzip.compress(b'[{"query": "Rain?", "query_id": 3}]'))
    (task,) = load_queries([path])
    assert task.gold is None
    assert "candidates" not in task.metadata
    assert export_queries([task]) == [{"query": "Rain?", "query_id": 3}]


def test_the_same_id_in_two_files(file, tmp_path):
    other = tmp_path / "G1_other.json"
    other.write_text(json.dumps([query(1, api("Today")), query(3, api("Today")), query(3, api("Today"))]))
    assert [task.id for task in load_queries([file, other])] == ["G1_small-1", "2", "G1_other-1", "3", "3-2"]


def test_ids(file, tmp_path):
    path = tmp_path / "ids.json"
    path.write_text(json.dumps(export_ids(load_queries(file))))
    assert json.loads(path.read_text()) == {"1": 0, "2": 0}
    assert load_ids(path) == ("1", "2")


@pytest.mark.anyio
async def test_a_query_has_its_own_apis_and_simulated_answers(file):
    found = read_queries(file)
    catalog = simulated_catalog(found.candidates["1"])
    assert catalog.names == ("weather_now_today", "weather_now_forecast")
    answer = await catalog.call("weather_now_today", city="Oslo")
    assert set(answer) == {"sky", "degrees"}
    assert answer == await simulated_catalog(found.candidates["1"]).call("weather_now_today", city="Oslo")


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        ["text"],
        [{"query": "Rain?"}],
        [{"query": "Rain?", "query_id": True}],
        [{"query": "  ", "query_id": 1}],
        [{"query": 3, "query_id": 1}],
        [{"query": "Rain?", "query_id": 1, "api_list": "x"}],
        [{"query": "Rain?", "query_id": 1, "api_list": ["x"]}],
        [{"query": "Rain?", "query_id": 1, "relevant APIs": "x"}],
        [{"query": "Rain?", "query_id": 1, "relevant APIs": [["one"]]}],
        [{"query": "Rain?", "query_id": 1, "relevant APIs": [["one", 2]]}],
    ],
)
def test_bad_queries_are_one_clear_error(value, tmp_path):
    path = tmp_path / "queries.json"
    path.write_text(json.dumps(value))
    with pytest.raises(ToolhaftError) as caught:
        load_queries(path)
    assert str(path) in caught.value.where


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError):
        load_queries([])
    with pytest.raises(UsageError, match="cannot read"):
        load_queries(tmp_path)
    path = tmp_path / "queries.json.gz"
    path.write_bytes(gzip.compress(b"[]")[:-4])
    with pytest.raises(FormatError, match="damaged"):
        load_queries(path)


@pytest.mark.slow
def test_every_query_file_comes_back_whole(shared):
    folder = shared / "toolbench"
    files = [
        *folder.glob("stabletoolbench/test_instruction/*.json.gz"),
        *folder.glob("toolbench_example/instruction/*.json"),
    ]
    count = 0
    for file in files:
        tasks = load_queries(file)
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert export_queries(tasks) == json.loads(data), file.name
        for task in tasks:
            assert "unresolved" not in task.metadata
            assert len(task.gold.tools if task.gold else ()) == len(task.metadata.get("relevant", ()))
            assert set(task.gold.tools if task.gold else ()) <= set(task.metadata.get("candidates", ()))
        count += len(tasks)
    assert count == 481
