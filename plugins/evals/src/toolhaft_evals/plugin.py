"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_evaluators() -> Mapping[str, str]:
    """Name the evaluators."""
    return {
        "apibench": "toolhaft_evals.apibench.evaluator:APIBench",
        "apibench-compat": "toolhaft_evals.apibench.evaluator:CompatibleAPIBench",
        "bfcl": "toolhaft_evals.bfcl.evaluator:BFCL",
        "gold-recall": "toolhaft_evals.gold_recall:GoldRecall",
        "gpt4tools": "toolhaft_evals.gpt4tools.strict:GPT4Tools",
        "gpt4tools-compat": "toolhaft_evals.gpt4tools.compatible:CompatibleGPT4Tools",
        "schema-validity": "toolhaft_evals.schema_validity:SchemaValidity",
        "pass-rate": "toolhaft_evals.pass_rate:PassRate",
        "rule": "toolhaft_evals.judge.rule:RuleJudge",
        "win-rate": "toolhaft_evals.win_rate:WinRate",
    }


@hookimpl
def register_commands() -> Mapping[str, str]:
    """Name the commands."""
    return {
        "eval apibench": "toolhaft_evals.commands:evaluate_apibench",
        "eval bfcl": "toolhaft_evals.commands:evaluate_bfcl",
        "eval gpt4tools": "toolhaft_evals.commands:evaluate_gpt4tools",
        "eval judge": "toolhaft_evals.judge.command:judge_evaluation",
    }
