"""What a batch leaves for people and programs: its trajectories, one a line, and a report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
_NAMED = 10
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReason:
    """Why jobs failed.

    Attributes:
        first: Id of the first of them.
        tasks: How many there are.
        what: The error of the first.
        hint: What to do about it, or empty.
    """

    first: str
    tasks: int = 1
    what: str
    hint: str = ""

    def __str__(self) -> str:
        others = f" and {self.tasks - 1} more" if self.tasks > 1 else ""
        said = f"{self.first}{others}: {self.what.removesuffix('.')}"
        return f"{said}. {self.hint}" if self.hint else said


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
    shown = _shown(folder)
    chosen, missing = _choose(folder, shown)
    ended = sum(result.outcomes.values())
    notes = {"Tasks": describe(result), **missing}
    if ended > len(shown):
        notes["Shown"] = f"{len(shown)} of {ended}; all of them are in {TRAJECTORIES}"
    crash_point("before-export")
    files = save_run(folder, chosen, redact=redact, artifacts=artifacts, title=title, notes=notes)
    if ended > len(shown) or shown != sorted(shown):
        # The report begins with what needs a look; the file of records keeps the order of the batch.
        write_whole(files.jsonl, _lines(folder))
    crash_point("after-export")
    return files


def describe(result: BatchResult) -> str:
    """Return how a batch stands: ``18 of 20 tasks carried out: 3 answered, 15 loop; 2 waiting``."""
    carried_out = sum(result.outcomes.values())
    names = sorted(result.outcomes, key=lambda name: (name != "answered", name == "uncertain", name))
    said = ", ".join(f"{result.outcomes[name]} {name.replace('_', ' ')}" for name in names)
    more = [
        f"{result.counts[status]} {words}"
        for status, words in (("waiting", "waiting"), ("leased", "under way"))
        if result.counts.get(status)
    ]
    if result.refused:
        more.append(f"{result.refused} with a call that waits for leave")
    text = f"{carried_out} of {sum(result.counts.values())} tasks carried out"
    return "; ".join([f"{text}: {said}" if said else text, *more])


def _shown(folder: Path) -> list[int]:
    """Return the positions of the jobs that the report shows: those that need a look first."""
    ranked = [
        (_rank(str(row["status"]), str(row["outcome"])), int(row["position"]))
        for row in read_results(folder, with_results=False)
    ]
    return [position for _, position in sorted(ranked)[:SHOWN]]


def _rank(status: str, outcome: str) -> int:
    if status != "done":
        return 0 if status == "uncertain" else 1
    return 3 if outcome == "answered" else 2


def _choose(folder: Path, shown: list[int]) -> tuple[list[Trajectory], dict[str, str]]:
    """Return the trajectories at some positions, in this order, and why the first that are missing failed."""
    place = {position: number for number, position in enumerate(shown)}
    found: list[tuple[int, Trajectory]] = []
    missing: dict[str, str] = {}
    for row in read_results(folder):
        position = row["position"]
        if position in place and row["result"]:
            found.append((place[position], from_json(Trajectory, row["result"], where=_where(folder, row))))
        elif position in place and len(missing) < _NAMED:
            missing[str(row["id"])] = str(_error(folder, row).get("what", "there is no record"))
    return [trajectory for _, trajectory in sorted(found, key=lambda one: one[0])], missing


def _lines(folder: Path) -> Iterator[bytes]:
    for row in read_results(folder):
        if row["result"]:
            yield row["result"].encode() + b"\n"


def describe_failures(folder: Path, limit: int = 5) -> list[dict[str, Any]]:
    """Return the first jobs that failed: ``id``, ``status`` and ``error``."""
    found: list[dict[str, Any]] = []
    for row in read_results(folder, with_results=False):
        if row["status"] != "failed":
            continue
        found.append({"id": row["id"], "status": row["status"], "error": _error(folder, row)})
        if len(found) == limit:
            break
    return found


def count_reasons(folder: Path, limit: int = 5) -> list[FailureReason]:
    """Return why jobs failed, the reasons of most jobs first; numbers in them make no other reason.

    Args:
        folder: Of the batch; its journal is read.
        limit: At most so many reasons.
    """
    found: dict[str, FailureReason] = {}
    for row in read_results(folder, with_results=False):
        if row["status"] != "failed":
            continue
        error = _error(folder, row)
        what = str(error.get("what") or "see its record")
        key = _NUMBER.sub("#", what)
        before = found.get(key)
        if before is None:
            reason = FailureReason(first=str(row["id"]), what=what, hint=str(error.get("hint") or ""))
            found[key] = reason
        else:
            found[key] = replace(before, tasks=before.tasks + 1)
    return sorted(found.values(), key=lambda reason: -reason.tasks)[:limit]


def _error(folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    try:
        error = json.loads(row["error"]) if row["error"] else {}
    except ValueError:
        error = None
    if not isinstance(error, dict):
        raise FormatError("a damaged error", where=_where(folder, row))
    return error


def _where(folder: Path, row: dict[str, Any]) -> str:
    return f"{folder}: job {row['position']}"
