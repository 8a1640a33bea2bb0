"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.hooks import hookimpl


@hookimpl
def register_evaluators() -> Mapping[str, str]:
    """Name the evaluators."""
    return {
        "gold-recall": "toolhaft_evals.gold_recall:GoldRecall",
        "schema-validity": "toolhaft_evals.schema_validity:SchemaValidity",
    }
