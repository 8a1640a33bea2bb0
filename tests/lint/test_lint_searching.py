"""Tools that searches do not find or cannot tell apart, and descriptions that hold too little or too much."""

import json
import time

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.lint.linting import lint
from toolhaft.lint.searching import MOST_SEARCHES, first_sentence
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.testing import tool_spec

SUBJECTS = ("train", "ferry", "hotel", "stamp", "tulip", "melon", "chess", "organ")


def spec(name, description, **fields):
    return tool_spec(name, description=description, effect="read", **fields)


def catalog(*more):
    return [
        *(spec(f"get{word.title()}", f"Return one {word} of the {word} list.") for word in SUBJECTS),
        *more,
    ]


def found(rule, specs, queries=()):
    return {finding.tool: finding for finding in lint(specs, queries).findings if finding.rule == rule}


def test_a_tool_that_its_own_first_sentence_does_not_find_is_named():
    others = [spec(f"defaultEndpoint{n}", "Default endpoint") for n in range(6)]
    finding = found("search-unfound", [spec("qx", "Default endpoint. Anything goes."), *others])["qx"]
    assert (
        "'Default endpoint.' finds defaultEndpoint0, defaultEndpoint1, defaultEndpoint2, ..." in finding.what
    )
    assert (finding.pointer, finding.mend) == ("/description", "describe")
    assert finding.cost > 0


def test_tools_that_their_own_words_find_are_spared():
    counts = lint(catalog()).counts()
    assert not [rule for rule in counts if rule.startswith("search-")]


def test_a_tool_of_a_catalog_that_is_shown_whole_is_not_searched_for():
    report = lint([spec("a", "Return one thing."), spec("b", "Return one thing or another.")])
    assert report.searched == 0
    assert lint(catalog()).searched == len(SUBJECTS)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "nothing else differs but the name"),
        ({"parent": "Harbour"}, "the service ('Harbour' and none)"),
        ({"effect": "write"}, "the effect (write and read)"),
        (
            {"parameters": {"type": "object", "properties": {"town": {"type": "string"}}}},
            "the arguments (town only here), the arguments (city only there)",
        ),
    ],
    ids=["nothing", "service", "effect", "arguments"],
)
def test_tools_that_a_search_cannot_tell_apart_are_named_with_what_differs(fields, said):
    same = spec("list_ferry", "List the ferries.")
    other = tool_spec("ferryList", **{"description": "The list: ferries", "effect": "read", **fields})
    alike = found("search-look-alike", catalog(same, other))
    assert set(alike) == {"list_ferry", "ferryList"}
    assert "cannot tell it from list_ferry" in alike["ferryList"].what
    assert said in alike["ferryList"].what


def test_of_many_look_alikes_the_rest_is_counted():
    names = ("list_all_ferries", "list_ferries_all", "ferries_list_all", "all_ferries_list")
    many = [spec(name, "List the ferries") for name in names]
    alike = found("search-look-alike", many)
    assert "and 2 more" in alike["ferries_list_all"].what


@pytest.mark.parametrize("description", ["", "  ", "...", "-", "\u200b", "\n"])
def test_a_description_without_a_letter_is_none(description):
    assert "a" in found("description-missing", [spec("a", description)])


@pytest.mark.parametrize(("length", "long"), [(1_024, False), (1_025, True), (50_000, True)])
def test_a_description_may_be_too_long(length, long):
    text = ("Return the ferries of a town. " * 3_000)[:length]
    assert ("a" in found("description-long", [spec("a", text.strip().ljust(length, "x"))])) == long


def test_queries_that_do_not_find_what_they_need_name_the_tool():
    queries = [
        SearchQuery(id="1", text="When does the boat leave?", gold=("getFerry",), where="mine.jsonl:3"),
        SearchQuery(id="2", text="the ferry list", gold=("getFerry",)),
        SearchQuery(id="3", text="a boat", gold=("nobody",)),
        SearchQuery(id="4", text="a boat", gold=()),
    ]
    missed = found("search-missed", catalog(), queries)
    assert set(missed) == {"getFerry"}
    assert "'When does the boat leave?' (mine.jsonl:3) finds nothing before it" in missed["getFerry"].what


def test_of_many_queries_for_one_tool_three_are_told():
    queries = [SearchQuery(id=f"{n}", text=f"boat {n}", gold=("getFerry",)) for n in range(9)]
    findings = [one for one in lint(catalog(), queries).findings if one.rule == "search-missed"]
    assert len(findings) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Return it. And more.", "Return it."),
        ("No end", "No end"),
        ("Version 1.5 of it! Yes.", "Version 1.5 of it!"),
        ("查询渡轮。然后预订。", "查询渡轮"),
        ("A title\n\nA text", "A title"),
        ("", ""),
        ("\u202e \u200b", ""),
    ],
)
def test_the_first_sentence(text, sentence):
    assert first_sentence(text) == sentence
    assert len(first_sentence("word " * 9_000)) <= 300


def test_chinese_descriptions_are_searched_too():
    words = ("渡轮时刻表", "酒店预订", "火车票价", "邮票目录", "郁金香花园", "西瓜市场")
    report = lint([spec(f"tool{n}", f"查询{word}") for n, word in enumerate(words)])
    assert report.searched == len(words)
    assert "search-unfound" not in report.counts()


@pytest.mark.slow
def test_of_a_large_catalog_a_sample_is_searched_for_in_bounded_time():
    specs = [spec(f"tool{n}", f"Return number {n} of the list {n % 7}.") for n in range(600)]
    began = time.monotonic()
    report = lint(specs)
    assert report.searched == MOST_SEARCHES
    assert report.to_dict()["searched"] == MOST_SEARCHES
    assert time.monotonic() - began < 30
    assert report == lint(specs)


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("q.jsonl", "{", FormatError),
        ("q.jsonl", '{"query": "x"}', FormatError),
        ("q.jsonl", '{"query": "x", "tools": [3]}', FormatError),
        ("q.csv", "a,b\n1,2\n", FormatError),
        ("q.txt", "x", UsageError),
        ("q.jsonl", "", FormatError),
        ("missing.jsonl", None, UsageError),
    ],
)
def test_bad_queries_are_one_clear_error(tmp_path, name, text, error):
    from toolhaft.runs.search_sets.own import read_own

    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(error) as caught:
        read_own(tmp_path / name)
    assert name in str(caught.value.where)


@pytest.mark.slow
def test_the_command_takes_queries(tmp_path, capsys):
    from toolhaft.cli.tools_lint import lint as command

    document = {
        "openapi": "3.1.0",
        "info": {"title": "Harbour", "version": "1"},
        "servers": [{"url": "https://harbour.example"}],
        "paths": {
            f"/{word}": {"get": {"operationId": f"get{word.title()}", "summary": f"Return the {word} list"}}
            for word in SUBJECTS
        },
    }
    (tmp_path / "harbour.json").write_text(json.dumps(document))
    (tmp_path / "mine.jsonl").write_text('{"query": "When does the boat leave?", "tools": ["getFerry"]}\n')
    command(location=str(tmp_path / "harbour.json"), worst=10, queries=tmp_path / "mine.jsonl", as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["rules"]["search-missed"] == 1


def test_findings_of_some_rules_alone():
    whole = lint(catalog(spec("a", ""), spec("getTrains", "Return one train of the train list.")))
    only = whole.only(["search-*", "description-miss*"])
    assert {finding.rule for finding in only.findings} == {"search-look-alike", "description-missing"}
    assert len(only.findings) < len(whole.findings)
    assert only.score == whole.score
    assert whole.only(["none"]).findings == ()
