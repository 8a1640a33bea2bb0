"""What a batch leaves for people and programs: its trajectories, one a line, and a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.report.files import write_whole
from toolhaft.report.store import TRAJECTORIES, RunFiles, save_run
from toolhaft.runs.batch import BatchResult
from toolhaft.runs.crash import crash_point
from toolhaft.runs.journal import read_results
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Trajectory, from_json

SHOWN = 500
"""Trajectories that a report shows; those that need a look come first."""
_RANK = {"uncertain": 0, "failed": 1, "done": 2}


def export_batch(
    folder: Path,
    result: BatchResult,
    *,
    title: str,
    artifacts: ArtifactStore | None = None,
    redact: Callable[[str], str] | None = None,
) -> RunFiles:
    """Write ``trajectories.jsonl`` with all that ended, and ``report.html`` with the most telling of them.

    One trajectory at a time is held in memory, but for those of the report.

    Args:
        folder: Of the batch; its journal is read.
        result: How the batch ended.
        title: Heading of the report.
        artifacts: Where the images are.
        redact: Removes secrets from a text.

    Raises:
        UsageError: The files cannot be written.
        JournalError: The journal is damaged.
    """
    chosen = _choose(folder)
    ended = sum(result.counts.get(status, 0) for status in _RANK)
    notes = {"jobs": ", ".join(f"{number} {status}" for status, number in sorted(result.counts.items()))}
    if ended > len(chosen):
        notes["shown"] = f"{len(chosen)} of {ended}; all of them are in {TRAJECTORIES}"
    crash_point("before-export")
    files = save_run(folder, chosen, redact=redact, artifacts=artifacts, title=title, notes=notes)
    if ended > len(chosen):
        write_whole(files.jsonl, _lines(folder))
    crash_point("after-export")
    return files


def _choose(folder: Path) -> list[Trajectory]:
    """Return the trajectories that the report shows: in the order of the batch, troubled ones preferred."""
    ranked: list[tuple[int, int]] = []
    for position, status in _statuses(folder):
        ranked.append((_RANK.get(status, 2), position))
    wanted = {position for _, position in sorted(ranked)[:SHOWN]}
    return [
        from_json(Trajectory, row["result"], where=f"{folder}: job {row['position']}")
        for row in read_results(folder)
        if row["position"] in wanted and row["result"]
    ]


def _statuses(folder: Path) -> Iterator[tuple[int, str]]:
    for row in read_results(folder, with_results=False):
        yield int(row["position"]), str(row["status"])


def _lines(folder: Path) -> Iterator[bytes]:
    for row in read_results(folder):
        if row["result"]:
            yield row["result"].encode() + b"\n"


def describe_failures(folder: Path, limit: int = 5) -> list[dict[str, Any]]:
    """Return the first jobs that failed or are uncertain: ``id``, ``status`` and ``error``."""
    found: list[dict[str, Any]] = []
    for row in read_results(folder, with_results=False):
        if row["status"] == "done":
            continue
        try:
            error = json.loads(row["error"]) if row["error"] else {}
        except ValueError:
            raise FormatError("a damaged error", where=f"{folder}: job {row['position']}") from None
        found.append({"id": row["id"], "status": row["status"], "error": error})
        if len(found) == limit:
            break
    return found
