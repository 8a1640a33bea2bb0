"""Queries with their tools, in every layout, and every way in which files of them can be broken."""

from __future__ import annotations

import gzip
import json

import pytest

from toolhaft.errors import FormatError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.runs.search_sets.base import LONGEST_QUERY
from toolhaft.runs.search_sets.lines import LARGEST_DOCUMENT, LONGEST_LINE, read_document
from toolhaft.runs.search_sets.opening import layout_of, open_search_set
from toolhaft.runs.search_sets.own import read_own

CAR = {
    "category_name": "Cars",
    "tool_name": "Garage",
    "api_name": "list cars",
    "api_description": 'Lists "cars"',
    "required_parameters": [{"name": "make", "type": "STRING", "description": "who made it"}],
    "optional_parameters": [{"name": "year"}],
    "method": "GET",
}
BIKE = {"category_name": "Bikes", "tool_name": "Shed", "api_name": "list cars", "api_description": "None"}


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def toolbench(**changes):
    """Return the files of ToolBench's layout, quoted as its scripts quote them."""
    corpus = [("1", CAR), ("2", BIKE), ("3", CAR)]
    rows = "".join(f"{id}\t{quoted(json.dumps(content))}\n" for id, content in corpus)
    return {
        "corpus.tsv": f"docid\tdocument_content\n{rows}",
        "test.query.txt": '7\t"Which ""cars"" are there?"\n8\tBikes, please\n9\tnothing\n',
        "qrels.test.tsv": "7\t0\t1\t1\n7\t0\t3\t1\n8\t0\t2\t1\n8\t0\t99\t1\n8\t0\t1\t0\n",
        "train.query.txt": "1\tcars\n",
        "qrels.train.tsv": "1\t0\t1\t1\n",
        **changes,
    }


def test_toolbench_as_its_scripts_write_it(tmp_path):
    found = open_search_set(write(tmp_path, toolbench()))
    car, bike = found.specs
    assert (car.name, car.parent, car.tags, car.description) == (
        "Garage_list_cars",
        "Garage",
        ("Cars",),
        'Lists "cars"',
    )
    assert car.parameters["required"] == ["make"]
    assert set(car.parameters["properties"]) == {"make", "year"}
    cars, bikes, nothing = found.queries
    assert (cars.text, cars.gold, cars.category) == ('Which "cars" are there?', (car.name,), "Cars")
    assert bikes.gold == (bike.name, "document:99")
    assert nothing.gold == ()
    assert found.notes == ("1 document is another of the same category, tool and API, and counts as it",)
    assert [query.id for query in open_search_set(tmp_path, part="train").queries] == ["1"]


def test_toolbench_as_packed_lines(tmp_path):
    corpus = [
        {"id": "a", "category": "Cars", "tool_name": "Garage", "api_name": "x", "description": "cars"},
        {"id": "b", "description": "plain"},
    ]
    queries = [
        {"id": "q1", "text": "cars", "subset": "one"},
        {"id": "q2", "text": "more", "subset": "two"},
    ]
    write(
        tmp_path,
        {
            "corpus.jsonl.gz": gzip.compress("\n".join(map(json.dumps, corpus)).encode()),
            "queries.jsonl": "\n\n".join(map(json.dumps, queries)),
            "qrels.tsv": "query_id\t0\tapi_id\trelevance\nq1\t0\ta\t1\nq2\t0\tb\t1\n",
        },
    )
    found = open_search_set(tmp_path)
    assert [(query.gold, query.category, query.where[-2:]) for query in found.queries] == [
        (("Garage_x",), "one", ":1"),
        (("b",), "two", ":3"),
    ]
    assert [query.id for query in open_search_set(tmp_path, part="two").queries] == ["q2"]
    with pytest.raises(UnknownNameError, match="three"):
        open_search_set(tmp_path, part="three")


def test_documents_of_plain_text_and_names_that_collide(tmp_path):
    long = "x" * 90
    rows = [("1", CAR), ("2", {**CAR, "category_name": "Toys"}), ("3", {**CAR, "tool_name": long})]
    text = "".join(f"{id}\t{quoted(json.dumps(content))}\n" for id, content in rows) + "4\tcar wash\n"
    found = open_search_set(write(tmp_path, toolbench(**{"corpus.tsv": f"docid\tdocument_content\n{text}"})))
    names = [spec.name for spec in found.specs]
    assert len(set(names)) == 4
    assert all(len(name) <= 64 and name.isascii() for name in names)
    assert (names[3], found.specs[3].description) == ("4", "car wash")


def test_metatool(tmp_path):
    tools = [{"name": "Air Plan", "description": "flights"}, {"name": "Other", "description": "x"}]
    write(
        tmp_path,
        {
            "tools.json": json.dumps(tools),
            "merged_tools.json": '{"NewsTool": "news", "other": "again"}',
            "single_tool_queries.csv": 'query,tool\n"Fly, now",air plan\n"two\nlines",Gone\n',
            "multi_tool.json": '[{"query": "both", "tools": ["NewsTool", "Other"]}]',
        },
    )
    single = open_search_set(tmp_path)
    assert [(query.text, query.gold) for query in single.queries] == [
        ("Fly, now", ("Air_Plan",)),
        ("two\nlines", ("Gone",)),
    ]
    multi = open_search_set(tmp_path, part="multi")
    assert [spec.name for spec in multi.specs] == ["Air_Plan", "Other", "NewsTool"]
    assert multi.queries[0].gold == ("NewsTool", "Other")


def apibench(**changes):
    card = {"domain": "Images", "functionality": "Images", "api_name": "acme/net", "description": "N/A"}
    cards = [{**card, "api_call": "load(1)"}, {**card, "api_call": "load(1)", "api_name": "b"}]
    return {
        "api/hub_api.jsonl": "\n".join(map(json.dumps, cards)),
        "apibench/hub_eval.json": (
            '{"api_call": "load(1)", "api_data": {"domain": "D"}}\n{"api_call": "no()"}\n'
        ),
        "questions/hub/questions_hub_0_shot.jsonl": (
            '{"question_id": 1, "text": "See?\\\\n"}\n{"question_id": 2, "text": "What"}\n'
        ),
        **changes,
    }


def test_apibench(tmp_path):
    found = open_search_set(write(tmp_path, apibench()))
    assert [(query.text, query.gold, query.category) for query in found.queries] == [
        ("See?", ("acme_net", "b"), "D"),
        ("What", ("call:no()",), ""),
    ]
    assert found.specs[0].tags == ("Images",)
    assert found.specs[0].description == ""
    assert "1 questions ask" in found.notes[1]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_your_own_lines(tmp_path, packed):
    rows = [
        {"query": "a", "tools": ["x", "y", "x"], "category": "c"},
        {"id": 5, "text": "b", "tool": "z"},
        {"instruction": "none of them", "tools": []},
    ]
    data = "\ufeff" + "\n".join(map(json.dumps, rows))
    path = tmp_path / ("q.jsonl.gz" if packed else "q.jsonl")
    path.write_bytes(gzip.compress(data.encode()) if packed else data.encode())
    assert [(query.id, query.text, query.gold, query.category) for query in read_own(path).queries] == [
        ("line-1", "a", ("x", "y"), "c"),
        ("5", "b", ("z",), ""),
        ("line-3", "none of them", (), ""),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", 'Query,Tools,category\n"a, b","x; y",c\n\nd,z,\n'),
        ("q.tsv", "query\ttool\tcategory\na, b\tx y\tc\nd\tz\t\n"),
    ],
)
def test_your_own_table(tmp_path, name, text):
    found = read_own(write(tmp_path, {name: text}) / name)
    assert [(query.text, query.gold, query.category) for query in found.queries] == [
        ("a, b", ("x", "y"), "c"),
        ("d", ("z",), ""),
    ]


OWN = {
    "no file": ("q.jsonl", None, "cannot read it: No such file"),
    "other ending": ("q.txt", "a", "ends in '.txt'"),
    "no ending": ("q", "a", "ends in 'nothing'"),
    "empty": ("q.jsonl", "\n \n", "no queries"),
    "no JSON": ("q.jsonl", '{"query": "a", "tools": []}\n{oops', "q.jsonl:2"),
    "no object": ("q.jsonl", "[1]", "not a JSON object"),
    "nested too deep": ("q.jsonl", "[" * 100_000, "not JSON"),
    "no query": ("q.jsonl", '{"tools": ["a"]}', "no 'query'"),
    "query of another kind": ("q.jsonl", '{"query": ["a"], "tools": []}', "'query' is no text but list"),
    "blank query": ("q.jsonl", '{"query": " ", "tools": []}', "the query is empty"),
    "no tools": ("q.jsonl", '{"query": "a"}', "there is no 'tools'"),
    "tools of another kind": ("q.jsonl", '{"query": "a", "tools": [1]}', "'tools' is no list of names"),
    "id twice": (
        "q.jsonl",
        '{"id": "a", "query": "a", "tools": []}\n{"id": "a", "query": "b", "tools": []}',
        "two queries have the id 'a'",
    ),
    "no UTF-8": ("q.jsonl", b'{"query": "\xff"}', "not UTF-8"),
    "NUL": ("q.jsonl", b'{"query": "a\0"}', "NUL"),
    "cut gzip": ("q.jsonl.gz", gzip.compress(b"{}" * 1000)[:-9], "damaged"),
    "garbage in gzip": ("q.jsonl.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff\xff", "damaged"),
    "a long line": ("q.jsonl", b" " * (LONGEST_LINE + 2), "a line of more than"),
    "a long query": (
        "q.jsonl",
        json.dumps({"query": "a" * (LONGEST_QUERY + 1), "tools": []}),
        "a query of 100,001 characters",
    ),
    "table without titles": ("q.csv", "a,b\nc,d\n", "does not name the columns"),
    "cells missing": ("q.csv", "query,tools\n\na\n", "q.csv:3: 1 cells under 2 titles"),
    "a cell too long": ("q.csv", f"query,tools\n{'a' * 140_000},b\n", "no table"),
    "table of nothing": ("q.csv", "", "does not name the columns"),
}


@pytest.mark.parametrize("case", OWN)
def test_bad_queries_of_your_own_are_told(tmp_path, case):
    name, text, said = OWN[case]
    if text is not None:
        write(tmp_path, {name: text})
    with pytest.raises((UsageError, FormatError)) as caught:
        read_own(tmp_path / name)
    assert said in str(caught.value)
    assert caught.value.where.startswith(str(tmp_path))


SETS = {
    "no folder": (None, {}, "no such folder"),
    "no layout": ({"a.txt": "x"}, {}, "none of the layouts"),
    "unknown layout": (toolbench(), {"layout": "toolbank"}, "unknown layout 'toolbank'"),
    "another layout": (toolbench(), {"layout": "metatool"}, "there is no tools.json"),
    "unknown part": (toolbench(), {"part": "dev"}, "unknown part 'dev'"),
    "no judgements": (toolbench(**{"qrels.test.tsv": ""}), {}, None),
    "relevance of another kind": (
        toolbench(**{"qrels.test.tsv": "7\t0\t1\thigh\n"}),
        {},
        "qrels.test.tsv:1: the relevance is 'high'",
    ),
    "cells missing": (toolbench(**{"qrels.test.tsv": "7 0 1 1\n"}), {}, "1 cells in place of 4"),
    "queries without text": (toolbench(**{"test.query.txt": "7\n"}), {}, "1 cells in place of 2"),
    "titles of another corpus": (toolbench(**{"corpus.tsv": "id\ttext\n1\tx\n"}), {}, "the titles are id"),
    "empty corpus": (toolbench(**{"corpus.tsv": "docid\tdocument_content\n"}), {}, "no documents"),
    "document cut": (
        toolbench(**{"corpus.tsv": 'docid\tdocument_content\n1\t"{""a"": "\n'}),
        {},
        "corpus.tsv:2: not JSON",
    ),
    "document twice": (
        toolbench(**{"corpus.tsv": "docid\tdocument_content\n1\ta\n1\tb\n"}),
        {},
        "two documents have the id '1'",
    ),
    "parameters of another kind": (
        toolbench(**{"corpus.tsv": 'docid\tdocument_content\n1\t{"required_parameters": "a"}\n'}),
        {},
        "'required_parameters' is no list",
    ),
    "several hubs": (
        apibench(**{"api/other_api.jsonl": "{}"}),
        {},
        "it has 2 hubs",
    ),
    "unknown hub": (apibench(), {"part": "tensorhub"}, "unknown part 'tensorhub'"),
    "question without gold": (
        apibench(**{"questions/hub/questions_hub_0_shot.jsonl": '{"question_id": 3, "text": "a"}'}),
        {},
        "the question '3' has no gold",
    ),
    "card without a call": (apibench(**{"api/hub_api.jsonl": '{"api_name": "a"}'}), {}, "no 'api_call'"),
    "tools no list": (
        {"tools.json": "{}", "single_tool_queries.csv": "query,tool\n"},
        {},
        "not a list",
    ),
    "titles of another table": (
        {"tools.json": '[{"name": "a"}]', "single_tool_queries.csv": "a,b\nc,d\n"},
        {},
        "the titles are a, b",
    ),
}


@pytest.mark.parametrize("case", SETS)
def test_bad_folders_are_told(tmp_path, case):
    files, options, said = SETS[case]
    folder = tmp_path / "set"
    if files is not None:
        write(folder, files)
    if said is None:  # queries without gold are for the figures to leave out
        assert all(not query.gold for query in open_search_set(folder, **options).queries)
        return
    with pytest.raises(ToolhaftError) as caught:
        open_search_set(folder, **options)
    assert said in str(caught.value)


@pytest.mark.slow
def test_a_small_file_that_unpacks_to_a_large_document_is_not_read_whole(tmp_path):
    place = tmp_path / "tools.json.gz"
    line = b" " * (LONGEST_LINE - 1) + b"\n"
    with gzip.open(place, "wb", compresslevel=1) as file:
        for _ in range(LARGEST_DOCUMENT // len(line) + 2):
            file.write(line)
    with pytest.raises(FormatError, match="more than 200,000,000 bytes"):
        read_document(place)


def test_the_layouts_of_real_data(shared):
    assert layout_of(shared / "toolbench/retrieval") == "toolbench"
    found = open_search_set(shared / "toolbench/retrieval")
    assert len({spec.name for spec in found.specs}) == len(found.specs) > 1000
    names = {spec.name for spec in found.specs}
    assert all(query.gold and names.issuperset(query.gold) for query in found.queries)
    assert open_search_set(shared / "apibench", part="torchhub").queries
    assert len(open_search_set(shared / "metatool", part="multi").queries) > 100
