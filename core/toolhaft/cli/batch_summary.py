"""How a batch went, for people and for programs."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from toolhaft.cli.output import notice, print_json, print_line

if TYPE_CHECKING:
    from toolhaft.agent.batch import Batch
    from toolhaft.report.store import RunFiles
    from toolhaft.runs.batch import BatchResult
    from toolhaft.runs.uncertain import UncertainCall

_NAMED = 10
_ARGUMENTS = 200


def tell_batch(made: Batch, result: BatchResult, files: RunFiles | None, *, as_json: bool) -> None:
    """Print how a batch went.

    Args:
        made: The batch, which was run.
        result: How it ended.
        files: What it left; None where others still work on it.
        as_json: Print one JSON document instead of text.
    """
    from toolhaft.agent.export import count_reasons, describe, describe_failures
    from toolhaft.runs.uncertain import read_uncertain

    calls = read_uncertain(made.folder)
    if as_json:
        failures = describe_failures(made.folder)
        print_json(_values(made, result, files) | {"failures": failures, "uncertain": _all(calls)})
        return
    print_line(f"{describe(result)} ({result.seconds:.1f} s)")
    for reason in count_reasons(made.folder):
        notice(f"failed: {reason}")
    _name_uncertain(result, list(islice(calls, _NAMED + 1)))
    for left in made.left[:_NAMED]:
        notice(f"Not tried again: {left}")
    if len(made.left) > _NAMED:
        notice(f"Not tried again for the same reason: {len(made.left) - _NAMED} more; --json names all")
    if result.refused:
        notice("Calls wait for leave: the report says which; --allow NAME lets a tool run in a new batch")
    if result.stopped:
        notice(f"Stopped: {result.stopped}. {result.advice}.")
    if files:
        notice(f"Report: {files.html}")


def _values(made: Batch, result: BatchResult, files: RunFiles | None) -> dict[str, Any]:
    return {
        "counts": dict(result.counts),
        "outcomes": dict(result.outcomes),
        "refused": result.refused,
        "here": result.here,
        "resumed": result.resumed,
        "reopened": list(made.reopened),
        "left": [
            {"task": left.id, "tool": left.tool, "key": left.key, "uncertain": left.uncertain}
            for left in made.left
        ],
        "lost_workers": result.lost_workers,
        "spent": dict(result.spent),
        "stopped": result.stopped,
        "advice": result.advice,
        "seconds": round(result.seconds, 3),
        "report": str(files.html) if files else None,
        "record": str(files.jsonl) if files else None,
    }


def _all(calls: Any) -> list[dict[str, Any]]:
    return [call.to_dict() for call in calls]


def _name_uncertain(result: BatchResult, calls: list[UncertainCall]) -> None:
    for call in calls[:_NAMED]:
        text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
        shown = text if len(text) <= _ARGUMENTS else f"{text[: _ARGUMENTS - 3]}..."
        notice(f"uncertain: {call.task}: {call.tool} {shown}, key {call.key}: {call.error.get('what', '')}")
    if len(calls) > _NAMED:
        notice(
            f"uncertain: more calls, of {result.counts.get('uncertain', 0)} tasks in all; --json names them"
        )
    if calls:
        notice(
            "Find out whether they were carried out, then start it again with --settle TASK=done or "
            "--settle TASK=not-done."
        )
