"""Agreement with verdicts that the published scripts gave, on real data."""

import gzip
import json
from collections import Counter, defaultdict

import pytest

from toolhaft.runs.predictions import evaluate_predictions
from toolhaft_evals.apibench.calls import is_python
from toolhaft_evals.apibench.compatible import judge_compatible
from toolhaft_evals.apibench.data import find_hubs, load_answers, load_tasks, open_database
from toolhaft_evals.apibench.differences import REASONS, explain
from toolhaft_evals.apibench.evaluator import APIBench, gold_rows
from toolhaft_evals.apibench.floors import make_floors
from toolhaft_evals.apibench.matching import judge
from toolhaft_evals.bfcl.checker import check_calls
from toolhaft_evals.bfcl.data import load_tasks as load_bfcl
from toolhaft_evals.bfcl.evaluator import BFCL
from toolhaft_evals.bfcl.floors import make_floors as make_bfcl_floors
from toolhaft_evals.files import find_file

pytestmark = pytest.mark.slow


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def stored_verdicts(folder):
    """Yield ``(file, rows, tasks, answers, database)`` of each response file that has verdicts."""
    by_file = defaultdict(list)
    for row in read(folder / "reference_verdicts.jsonl.gz"):
        by_file[row["file"]].append(row)
    opened = {hub: (load_tasks(folder, hub), open_database(folder, hub)) for hub in find_hubs(folder)}
    for name, rows in by_file.items():
        hub = next(hub for hub in opened if f"_{hub}_" in name)
        tasks, database = opened[hub]
        answers = load_answers(find_file(folder / "responses" / hub, name), hub)
        texts = {prediction.task_id: prediction.text for prediction in answers}
        yield name, rows, {task.id: task for task in tasks}, texts, database


def test_the_published_rule_agrees_where_its_verdict_is_no_chance(shared, capsys):
    reasons = Counter()
    for name, rows, tasks, texts, database in stored_verdicts(shared / "apibench"):
        agreed = 0
        for row in rows:
            key = f"{database.hub}-{row['question_id']}"
            found = judge_compatible(texts[key], {tasks[key].metadata["domain"]}, database)
            assert found.source == row["extracted_call"]
            if found.verdict == row["verdict"]:
                agreed += 1
                continue
            # Of Python there is no disagreement at all.
            assert not is_python(found.source or "")
            reasons["running_text" if "api_call" not in texts[key] else "error_recovery"] += 1
        with capsys.disabled():
            print(f"\n  compatible, {name}: {agreed} of {len(rows)}", end="")
    total = sum(reasons.values())
    with capsys.disabled():
        print(f"\n  disagreements: {dict(reasons)}")
    assert reasons["error_recovery"] <= 0.01 * total
    assert total < 0.06 * len(read(shared / "apibench/reference_verdicts.jsonl.gz"))


def test_every_difference_of_the_strict_match_has_a_named_reason(shared, capsys):
    reasons = Counter()
    for name, rows, tasks, texts, database in stored_verdicts(shared / "apibench"):
        agreed = 0
        for row in rows:
            key = f"{database.hub}-{row['question_id']}"
            gold = gold_rows(tasks[key], database)
            why = explain(
                texts[key],
                judge(texts[key], gold, database),
                verdict=row["verdict"],
                row=row["db_index"],
                gold=gold,
                database=database,
            )
            assert why == "" or why in REASONS, (name, row["question_id"], why)
            reasons[why] += 1
            agreed += not why
        with capsys.disabled():
            print(f"\n  strict, {name}: {agreed} of {len(rows)}", end="")
    with capsys.disabled():
        print(f"\n  agreed: {reasons.pop('')}; reasons: {dict(reasons.most_common())}")


def test_the_published_scores_come_out_within_the_noise_of_parsers(shared):
    scores = json.loads((shared / "apibench/reference_scores.json").read_bytes())["files"]
    for name, rows, tasks, texts, database in stored_verdicts(shared / "apibench"):
        declared = [row for row in rows if "api_call" in texts[f"{database.hub}-{row['question_id']}"]]
        verdicts = Counter()
        for row in declared:
            key = f"{database.hub}-{row['question_id']}"
            verdicts[judge_compatible(texts[key], {tasks[key].metadata["domain"]}, database).verdict] += 1
        expected = Counter(row["verdict"] for row in declared)
        for verdict in ("correct", "hallucination"):
            assert abs(verdicts[verdict] - expected[verdict]) <= 0.012 * len(rows)
        if len(declared) == len(rows):
            published = scores[name]["reference"]["accuracy"]
            assert verdicts["correct"] / len(rows) == pytest.approx(published, abs=0.012)


def test_the_published_rule_is_fooled_by_a_constant_answer_and_the_strict_one_is_not(shared):
    folder = shared / "apibench"
    database, tasks = open_database(folder, "torchhub"), load_tasks(folder, "torchhub")
    rates = {}
    for compatible in (True, False):
        evaluator = APIBench(database=database, compatible=compatible)
        found = evaluate_predictions(
            tasks, {}, [evaluator], references=make_floors(tasks, database), resamples=200
        )
        rates[compatible] = {arm.name: round(100 * arm.passes.rate, 2) for arm in found.comparison.arms}
    assert rates[True]["floor: constant"] == 84.95
    assert rates[True]["floor: random"] > 50
    assert rates[False]["floor: constant"] < 2
    assert rates[False]["floor: random"] < 2
    assert rates[False]["ceiling: gold"] == rates[True]["ceiling: gold"] == 100


BFCL_REASONS = {
    "matching": "the published checker gives an expected call the first call that fits",
    "empty_for_omitted": "an empty value passes there for what may be omitted",
    "deep_types": "types are checked one level deep there, and 1 is no 1.0 within a list",
}


def bfcl_reason(case, found):
    """Return why the checker differs from the published one, by looking at the case alone."""
    values = [
        (value, answer[name].get(parameter, ()))
        for call, answer in zip(case["model_output"], case["possible_answer"], strict=False)
        for name, arguments in call.items()
        if name in answer
        for parameter, value in arguments.items()
    ]
    if any(value in ("", [], {}) and "" in accepted for value, accepted in values) and not found.valid:
        return "empty_for_omitted"
    if any(isinstance(value, list | dict) for value, _ in values):
        return "deep_types"
    several = len(case["possible_answer"]) > 1
    return "matching" if several and found.valid else ""


def test_the_checker_agrees_with_stored_verdicts_but_for_named_reasons(shared, capsys):
    cases = [case for case in read(shared / "bfcl/checker_cases.jsonl.gz") if case["language"] == "python"]
    agreed, reasons = Counter(), Counter()
    for case in cases:
        for compatible in (True, False):
            found = check_calls(
                case["functions"],
                case["model_output"],
                case["possible_answer"],
                names="underscored" if case["underscore_to_dot"] else "dotted",
                compatible=compatible,
            )
            if found.valid == case["expected"]["valid"]:
                agreed[compatible] += 1
                continue
            assert not compatible, case["case_id"]
            reason = bfcl_reason(case, found)
            assert reason in BFCL_REASONS, case["case_id"]
            reasons[reason] += 1
    with capsys.disabled():
        print(f"\n  BFCL: {agreed[True]} compatible, {agreed[False]} own, of {len(cases)}; {dict(reasons)}")
    assert agreed[True] == len(cases)
    assert sum(reasons.values()) < 0.01 * len(cases)


def test_perfect_outputs_pass_but_where_the_answer_names_what_the_function_lacks(shared):
    tasks = load_bfcl(shared / "bfcl")
    gold = make_bfcl_floors(tasks)["ceiling: gold"]
    found = evaluate_predictions(tasks, {}, [BFCL()], references={"gold": gold}, resamples=200)
    failed = {task for task, by_arm in found.comparison.outcomes.items() if by_arm["gold"] < 1}
    lacking = {
        task.id
        for task in tasks
        for answer in task.metadata["possible_answer"]
        for name, accepted in answer.items()
        for function in task.metadata["functions"]
        if function["name"] == name and not accepted.keys() <= function["parameters"]["properties"].keys()
    }
    assert len(tasks) == 1240
    assert failed == lacking
    assert len(failed) == 2
