"""Bad input to the benchmarks: one clear error each, that says what and where."""

import gzip
import json

import pytest

from toolhaft.errors import FormatError, ToolhaftError, UsageError
from toolhaft_evals import files
from toolhaft_evals.apibench.data import choose_hub, load_answers, load_tasks, open_database
from toolhaft_evals.apibench.evaluator import APIBench
from toolhaft_evals.benchmark import Options, open_evaluators
from toolhaft_evals.bfcl.data import load_results
from toolhaft_evals.bfcl.data import load_tasks as load_bfcl
from toolhaft_evals.bfcl.evaluator import BFCL
from toolhaft_evals.gpt4tools.data import load_outputs
from toolhaft_evals.gpt4tools.data import load_tasks as load_gpt4tools

ROW = {"domain": "Birds", "api_call": "f('a')"}
EVAL = {"code": "x", "api_call": "f('a')", "api_data": ROW}
FUNCTION = {"name": "f", "parameters": {"type": "dict", "properties": {}}}
ASKED = {"id": "s_0", "question": [[{"role": "user", "content": "?"}]], "function": [FUNCTION]}
RECORD = {"instruction": "x", "output": "AI: y"}
HUB = "api/hut_api.jsonl"
SIMPLE = "BFCL_v4_simple_python.json"


def database(folder):
    return open_database(folder, "hut")


def questions(folder):
    return load_tasks(folder, "hut")


def answers(folder):
    return load_answers(folder / "said.jsonl", "hut")


def results(folder):
    return load_results(folder / "said.jsonl", load_bfcl(folder))


def outputs(folder):
    return load_outputs(folder / "said.jsonl", load_gpt4tools(folder / "gold.jsonl"))


def records(folder):
    return load_gpt4tools(folder / "gold.jsonl")


def hub(folder):
    return choose_hub(folder, "nest")


BFCL_DATA = {SIMPLE: [ASKED], f"possible_answer/{SIMPLE}": [{"id": "s_0", "ground_truth": [{"f": {}}]}]}
# name -> files (rows or bytes), what reads them, error, message
CASES = {
    "no folder": ({}, database, UsageError, "there are no APIs in it"),
    "no such hub": ({HUB: [ROW]}, hub, UsageError, "unknown hub 'nest'"),
    "an empty database": ({HUB: b"\n\n"}, database, FormatError, "there is no API in it"),
    "not JSON": ({HUB: b"{'a': 1}\n"}, database, FormatError, "hut_api.jsonl:1: not JSON"),
    "no object": ({HUB: b"5\n"}, database, FormatError, "a JSON object is wanted, not int"),
    "nested beyond reason": ({HUB: b"[" * 100_000 + b"\n"}, database, FormatError, "not JSON"),
    "not UTF-8": ({HUB: b"\xff\xfe{}\n"}, database, FormatError, "not UTF-8"),
    "a row without a call": (
        {HUB: [{"domain": "x"}]},
        database,
        FormatError,
        "hut_api.jsonl:1: 'api_call' is missing",
    ),
    "a call that is no text": ({HUB: [{"api_call": 5}]}, database, FormatError, "'api_call' is no text"),
    "a broken gzip": ({f"{HUB}.gz": b"\x1f\x8bnot really"}, database, UsageError, "cannot read it"),
    "a gzip that breaks off": (
        {f"{HUB}.gz": gzip.compress(b"{}\n" * 9)[:-9]},
        database,
        UsageError,
        "cannot read it",
    ),
    "no questions": ({HUB: [ROW]}, questions, UsageError, "there is no evaluation file"),
    "a row without data": (
        {"apibench/hut_eval.json": [{"api_call": "x"}]},
        questions,
        FormatError,
        "'api_data' is no object",
    ),
    "a question without a number": (
        {
            "apibench/hut_eval.json": [EVAL],
            "questions/hut/questions_hut_0_shot.jsonl": [{"question_id": "1"}],
        },
        questions,
        FormatError,
        "'question_id' is no number",
    ),
    "questions of something else": (
        {
            "apibench/hut_eval.json": [EVAL],
            "questions/hut/questions_hut_0_shot.jsonl": [{"question_id": 9, "text": "x"}],
        },
        questions,
        FormatError,
        "there is no question in it",
    ),
    "no answers": ({}, answers, UsageError, "cannot read it"),
    "an empty file of answers": ({"said.jsonl": b""}, answers, FormatError, "there is no answer in it"),
    "an answer to nothing": (
        {"said.jsonl": [{"text": "x"}]},
        answers,
        FormatError,
        "neither 'question_id' nor 'task_id'",
    ),
    "a number that is true": (
        {"said.jsonl": [{"question_id": True, "text": "x"}]},
        answers,
        FormatError,
        "neither",
    ),
    "an answer twice": (
        {"said.jsonl": [{"question_id": 1, "text": "x"}] * 2},
        answers,
        FormatError,
        "said.jsonl:2: 'hut-1' is answered twice",
    ),
    "an answer that is no text": (
        {"said.jsonl": [{"question_id": 1, "text": ["x"]}]},
        answers,
        FormatError,
        "'text' is no text",
    ),
    "no BFCL data": ({}, load_bfcl, UsageError, "there are no questions of Python single-turn"),
    "no BFCL answers": ({SIMPLE: [ASKED]}, load_bfcl, UsageError, "there is no file of answers"),
    "a question without an answer": (
        {SIMPLE: [ASKED], f"possible_answer/{SIMPLE}": [{"id": "s_9", "ground_truth": []}]},
        load_bfcl,
        FormatError,
        "'s_0' has no answer",
    ),
    "an answer of another shape": (
        {SIMPLE: [ASKED], f"possible_answer/{SIMPLE}": [{"id": "s_0", "ground_truth": [{"f": {"a": 5}}]}]},
        load_bfcl,
        FormatError,
        "an answer to 's_0' is not {function: {parameter: [values]}}",
    ),
    "no functions": (
        {**BFCL_DATA, SIMPLE: [{**ASKED, "function": "f"}]},
        load_bfcl,
        FormatError,
        "'function' is no list of functions",
    ),
    "no message": (
        {**BFCL_DATA, SIMPLE: [{**ASKED, "question": [[{}]]}]},
        load_bfcl,
        FormatError,
        "'question' holds no message",
    ),
    "results of other questions": (
        {**BFCL_DATA, "said.jsonl": [{"id": "t", "result": ""}]},
        results,
        UsageError,
        "no result of these questions",
    ),
    "a result twice": (
        {**BFCL_DATA, "said.jsonl": [{"id": "s_0", "result": ""}] * 2},
        results,
        FormatError,
        "answered twice",
    ),
    "no result": ({**BFCL_DATA, "said.jsonl": [{"id": "s_0"}]}, results, FormatError, "'result' is missing"),
    "no records": ({"gold.jsonl": b"[]"}, records, FormatError, "there is no record in it"),
    "a record without a transcript": (
        {"gold.jsonl": [{**RECORD, "output": "hm"}]},
        records,
        FormatError,
        "needs a gold transcript",
    ),
    "an id twice": (
        {"gold.jsonl": [{**RECORD, "id": 1}] * 2},
        records,
        FormatError,
        "the id '1' stands twice",
    ),
    "facts that are no texts": (
        {"gold.jsonl": [{**RECORD, "facts": [1]}]},
        records,
        FormatError,
        "'facts' is no list of texts",
    ),
    "output for nothing": (
        {"gold.jsonl": [RECORD], "said.jsonl": [{"id": "z", "text": "x"}]},
        outputs,
        FormatError,
        "the id 'z' is no task",
    ),
    "a folder of many files": (
        {"a.json": [RECORD], "b.json": [RECORD]},
        load_gpt4tools,
        UsageError,
        "there are 2 files of records",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_files(name, tmp_path):
    written, read, error, message = CASES[name]
    for place, content in written.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            content
            if isinstance(content, bytes)
            else "".join(json.dumps(row) + "\n" for row in content).encode()
        )
        path.write_bytes(lines)
    with pytest.raises(error) as caught:
        read(tmp_path)
    assert message in str(caught.value)
    assert caught.value.where


def test_a_file_that_never_ends_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 10_000)
    bomb = tmp_path / "api/hut_api.jsonl.gz"
    bomb.parent.mkdir()
    bomb.write_bytes(gzip.compress(b"\n" * 1_000_000))
    with pytest.raises(FormatError, match="more than 10,000 bytes"):
        database(tmp_path)
    monkeypatch.setattr(files, "LONGEST", 100)
    bomb.write_bytes(gzip.compress(b"x" * 5_000))
    with pytest.raises(FormatError, match="a line of more than 100 characters"):
        database(tmp_path)


def test_an_array_over_several_lines_is_read_too(tmp_path):
    path = tmp_path / "gold.json"
    path.write_text(json.dumps([RECORD, {**RECORD, "id": 7}], indent=2), encoding="utf-8-sig")
    assert [task.id for task in load_gpt4tools(path)] == ["record-1", "7"]
    path.write_text("[\n1,\n2\n]", encoding="utf-8")
    with pytest.raises(FormatError, match=r"gold\.json#/0"):
        load_gpt4tools(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BFCL(names="camel"), "no policy 'camel'"),
        (lambda: BFCL(strings="loose"), "for strings"),
        (lambda: APIBench(data="/no/such/folder"), "there are no APIs in it"),
        (lambda: open_evaluators(Options(evaluators=["no-such"]), {}, "bfcl"), "unknown evaluator 'no-such'"),
    ],
    ids=["names", "strings", "no data", "no evaluator"],
)
def test_bad_settings(make, message):
    with pytest.raises(ToolhaftError, match=message):
        make()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["apibench", "--data", "none", "--model", "heuristic"], "there are no APIs in it"),
        (["gpt4tools", "--data", "none.json", "--model", "heuristic"], "cannot read it"),
        (["gpt4tools", "--data", "gold.jsonl"], "there is nothing to evaluate"),
        (
            ["gpt4tools", "--data", "gold.jsonl", "--predictions", "gold.jsonl"],
            "--predictions wants key=value",
        ),
        (["gpt4tools", "--data", "gold.jsonl", "--predictions", "m=none"], "cannot read it"),
        (
            ["gpt4tools", "--data", "gold.jsonl", "--predictions", "nothing=gold.jsonl"],
            "the name 'nothing' is taken",
        ),
        (["gpt4tools", "--data", "gold.jsonl", "--predictions", "ceiling: gold=gold.jsonl"], "is taken"),
        (["gpt4tools", "--data", "gold.jsonl", "--model", "none:x"], "none"),
        (
            ["gpt4tools", "--data", "gold.jsonl", "--model", "heuristic", "--evaluator", "state"],
            "nothing to be checked by",
        ),
        (["gpt4tools", "--data", "gold.jsonl", "--model", "heuristic", "-o", "gold.jsonl"], "gold.jsonl"),
    ],
    ids=[
        "no data",
        "no file",
        "no arm",
        "no name",
        "no predictions",
        "a name",
        "a reference",
        "a model",
        "an evaluator",
        "a file for a folder",
    ],
)
def test_bad_words_on_the_command_line(words, message, toolhaft, write_lines):
    write_lines("gold.jsonl", RECORD)
    code, _, err = toolhaft("eval", *words)
    assert code in (1, 2)
    assert message in err
    assert "Traceback" not in err
