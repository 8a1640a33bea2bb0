"""The benchmarks from the command line, on data of their own."""

import gzip
import json
import re

import pytest

from toolhaft.report.store import load_evaluation

pytestmark = pytest.mark.slow

TOOL = "Thought: Do I need to use a tool? Yes\nAction: Edge Detection\nAction Input: image/{}.png"
DOMAINS = ("Birds", "Fish")


@pytest.fixture
def apibench(write_lines, tmp_path):
    """Write a hub of eight models with eight questions, and the answers of two models."""
    rows = [{"domain": DOMAINS[n % 2], "api_call": f"Model.from_pretrained('nest/m{n}')"} for n in range(8)]
    write_lines("data/api/huts_api.jsonl", *rows)
    write_lines(
        "data/apibench/huts_eval.json",
        *[{"code": f"###Instruction: Find {n}.\n###Output: x", "api_call": row["api_call"], "api_data": row}
          for n, row in enumerate(rows)],
    )  # fmt: skip
    write_lines(
        "data/questions/huts/questions_huts_0_shot.jsonl",
        *[{"question_id": n + 1, "text": f" Find animal {n}.\\n", "category": "generic"} for n in range(7)],
    )
    for name, shift in (("good", 0), ("bad", 2)):
        write_lines(
            f"{name}.jsonl",
            *[{"question_id": n + 1, "text": f"<<<api_call>>>: {rows[(n + shift) % 8]['api_call']}"}
              for n in range(7)],
        )  # fmt: skip
    return tmp_path


def test_apibench_in_a_table_and_a_report(toolhaft, apibench):
    words = ("--data", "data", "--predictions", "good=good.jsonl", "--predictions", "bad=bad.jsonl")
    code, out, err = toolhaft("eval", "apibench", *words, "-o", "out")
    assert (code, err) == (0, "")
    assert "APIBench huts: 7 questions" in out
    assert re.search(r"^good +7/7 ", out, re.MULTILINE)
    assert "wrong_api 7" in out
    assert "bad - good" in out
    assert re.search(r"^ceiling: gold +7/7 ", out, re.MULTILINE)
    assert "ARGUMENTS" in out
    html = (apibench / "out/report.html").read_text(encoding="utf-8")
    assert "Parts of the score" in html
    assert "wrong api" in html
    stored = load_evaluation(apibench / "out")
    assert list(stored.arms) == ["good", "bad", "floor: constant", "floor: random", "ceiling: gold"]
    code, out, _ = toolhaft("eval", "apibench", *words, "--evaluator", "apibench-compat", "--json")
    arms = {arm["name"]: arm["passes"]["passed"] for arm in json.loads(out)["arms"]}
    assert (code, arms["bad"]) == (0, 7)  # the same domain is enough
    code, out, _ = toolhaft("compare", "out/good", "out/bad")
    assert (code, "bad is better" in out, "good" in out) == (0, False, True)


def test_a_model_is_asked_and_the_limit_spreads(toolhaft, apibench):
    code, out, err = toolhaft("eval", "apibench", "--data", "data", "--model", "heuristic", "--limit", "3")
    assert (code, err) == (0, "")
    assert "3 questions" in out
    assert "no language model" in out


def test_the_lint_ends_with_1_where_it_finds_something(toolhaft, apibench, write_lines):
    code, out, _ = toolhaft("eval", "apibench", "--data", "data", "--lint")
    assert code == 0
    row = {"domain": "Fish", "api_call": "Model.from_pretrained('nest/m0')"}
    write_lines("data/api/huts_api.jsonl", row, row)
    code, out, _ = toolhaft("eval", "apibench", "--data", "data", "--lint", "--json")
    found = json.loads(out)
    assert code == 1
    assert len(found["call in several rows"]) == 1
    assert len(found["gold call in no row of the database"]) == 6


@pytest.fixture
def bfcl(write_lines, tmp_path):
    """Write three questions of two categories with their answers, the answers gzipped, and results."""
    function = {
        "name": "clock.set",
        "description": "Set an alarm.",
        "parameters": {"type": "dict", "properties": {"hour": {"type": "integer"}}, "required": ["hour"]},
    }

    def question(name, text):
        return {"id": name, "question": [[{"role": "user", "content": text}]], "function": [function]}

    write_lines(
        "data/BFCL_v4_simple_python.json",
        question("simple_python_0", "Wake me at 7."),
        question("simple_python_1", "Wake me at 9."),
    )
    write_lines("data/BFCL_v4_irrelevance.json", question("irrelevance_0", "What is love?"))
    answers = tmp_path / "data/possible_answer/BFCL_v4_simple_python.json.gz"
    answers.parent.mkdir()
    with gzip.open(answers, "wt", encoding="utf-8") as file:
        for number, hour in enumerate((7, 9)):
            row = {"id": f"simple_python_{number}", "ground_truth": [{"clock.set": {"hour": [hour]}}]}
            file.write(json.dumps(row) + "\n")
    write_lines(
        "prompting/BFCL_v4_simple_python_result.json",
        {"id": "simple_python_0", "result": "[clock.set(hour=7)]", "output_token_count": 9},
        {"id": "simple_python_1", "result": "[clock.set(hour=9.0)]"},
    )
    write_lines("prompting/BFCL_v4_irrelevance_result.json", {"id": "irrelevance_0", "result": "A feeling."})
    write_lines(
        "native.jsonl",
        {"id": "simple_python_0", "result": [{"clock_set": '{"hour": 7}'}]},
        {"id": "irrelevance_0", "result": [{"clock_set": '{"hour": 7}'}]},
    )
    return tmp_path


def test_bfcl_reads_result_files_and_folders_as_they_are(toolhaft, bfcl):
    code, out, err = toolhaft("eval", "bfcl", "--data", "data", "--predictions", "p=prompting", "-o", "one")
    assert (code, err) == (0, "")
    assert re.search(r"^p +2/3 ", out, re.MULTILINE)
    assert "wrong_type 1" in out
    words = ("--predictions", "n=native.jsonl", "--names", "underscored")
    code, out, _ = toolhaft("eval", "bfcl", "--data", "data", *words, "--evaluator", "bfcl",
                            "--evaluator", "schema-validity", "-o", "two", "--json")  # fmt: skip
    (arm, *_) = json.loads(out)["arms"]
    assert (code, arm["failures"]) == (0, {"passed": 1, "missing": 1, "called": 1})
    scores = load_evaluation(bfcl / "two").arms["n"][1]
    assert [score.name for score in scores["n-simple_python_0-0"]] == ["bfcl", "schema_validity"]
    assert scores["n-simple_python_0-0"][1].value == 1.0


def test_bfcl_asks_a_model_with_tools(toolhaft, bfcl):
    code, out, _ = toolhaft("eval", "bfcl", "--data", "data", "--model", "heuristic", "--json")
    (arm, *_) = json.loads(out)["arms"]
    assert code == 0
    assert arm["failures"].get("missing", 0) == 0
    assert arm["model_calls"] == 1.0


def test_bfcl_categories(toolhaft, bfcl):
    code, _, err = toolhaft("eval", "bfcl", "--data", "data", "--category", "simple_java", "--model", "x")
    assert code == 2
    assert "not there yet" in err
    code, out, _ = toolhaft("eval", "bfcl", "--data", "data", "--category", "irrelevance", "--lint")
    assert (code, "question that stands twice" in out) == (0, True)


def test_gpt4tools_strict_and_compatible(toolhaft, write_lines):
    records = [
        {"instruction": f"Edges of image/a{n}.png", "input": "", "output": TOOL.format(f"a{n}")}
        for n in range(6)
    ]
    write_lines("gold.jsonl", *records)
    write_lines("said.jsonl", *[{"output": TOOL.format("wrong")} for _ in records])
    words = ("--data", "gold.jsonl", "--predictions", "m=said.jsonl", "--json")
    code, out, _ = toolhaft("eval", "gpt4tools", *words)
    (arm, *_) = json.loads(out)["arms"]
    assert (code, arm["failures"]) == (0, {"wrong_file": 6})
    code, out, _ = toolhaft("eval", "gpt4tools", *words, "--evaluator", "gpt4tools-compat")
    (arm, *_) = json.loads(out)["arms"]
    assert (code, arm["failures"]) == (0, {"passed": 6})


def test_a_model_whose_requests_all_fail_ends_it(toolhaft, apibench):
    code, _, err = toolhaft("eval", "apibench", "--data", "data", "--model", "http://127.0.0.1:9/v1#none",
                            "--limit", "1")  # fmt: skip
    assert code == 1
    assert "Error: " in err
