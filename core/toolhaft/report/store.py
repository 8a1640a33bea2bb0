"""Runs and evaluations in folders: their records as JSON lines, and the reports made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.report.cleaning import clean_json, clean_text
from toolhaft.report.files import (
    read_at_most,
    read_lines,
    read_object,
    read_record,
    write_whole,
    writing,
)
from toolhaft.report.prepared import keep_pictures, prepare_run, score_lines
from toolhaft.report.reuse import JOURNALS, check_arms, check_folder, remove_arms
from toolhaft.report.visible import make_line
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import FORMAT, Score, Trajectory, from_value, to_json, to_value
from toolhaft.types.comparison import Comparison

TRAJECTORIES = "trajectories.jsonl"
SCORES = "scores.jsonl"
HEADING = "heading.json"
REPORT = "report.html"
PICTURES = "artifacts"
EVALUATION = "evaluation.json"

Records = tuple[Sequence[Trajectory], Mapping[str, Sequence[Score]]]
"""What one arm did: its trajectories in order, and their scores by the id of the trajectory."""

_OWN = {TRAJECTORIES: False, SCORES: False, HEADING: False, REPORT: False, PICTURES: True}
"""What `save_run` writes; True is a folder."""
_HINT = f"Name a folder with {TRAJECTORIES}, or a .jsonl file of trajectories"
_LARGEST_EVALUATION = 100_000_000
_NOTHING: Mapping[str, Sequence[Score]] = {}
_NO_NOTES: Mapping[str, str] = {}
_NO_SETTINGS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """Where a run was written.

    Attributes:
        jsonl: One trajectory a line.
        html: The report.
        scores: One score a line; None if nothing was scored.
    """

    jsonl: Path
    html: Path
    scores: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a report says above the trajectories; see `toolhaft.report.html.render_html`."""

    title: str = "Toolhaft run"
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFiles:
    """Where an evaluation was written.

    Attributes:
        json: The comparison and the settings.
        html: The comparison as a report, which links to those of the arms.
        runs: The files of each arm, by its name.
    """

    json: Path
    html: Path
    runs: Mapping[str, RunFiles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A stored evaluation.

    Attributes:
        settings: How it was run, as JSON values.
        arms: What each arm did, by its name, in the order of the comparison.
        folders: Name of the sub-folder of each arm.
    """

    comparison: Comparison
    settings: Mapping[str, Any]
    arms: Mapping[str, Records]
    folders: Mapping[str, str]


def save_run(
    folder: Path,
    trajectories: Iterable[Trajectory],
    *,
    scores: Mapping[str, Sequence[Score]] = _NOTHING,
    redact: Callable[[str], str] | None = None,
    artifacts: ArtifactStore | None = None,
    title: str = "Toolhaft run",
    notes: Mapping[str, str] = _NO_NOTES,
) -> RunFiles:
    """Write a run: ``trajectories.jsonl``, ``scores.jsonl`` if there are any, and ``report.html``.

    Every text is redacted first. Each file is written beside its place and moved there, so that a
    reader never finds half of one. Pictures that the report shows are kept in ``artifacts/``.

    Args:
        folder: Made if it is not there; files of an earlier run in it are replaced.
        trajectories: In the order in which the report shows them.
        scores: By the id of the trajectory.
        redact: Removes secrets from a text.
        artifacts: Where the pictures of the trajectories are.
        title: Heading of the report.
        notes: Summaries of what was imported, by service.

    Raises:
        UsageError: The folder or a file in it cannot be written.
    """
    run = prepare_run(trajectories, scores, redact, title, notes)
    files = RunFiles(
        jsonl=folder / TRAJECTORIES, html=folder / REPORT, scores=folder / SCORES if run.scores else None
    )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        keep_pictures(run.trajectories, artifacts, folder / PICTURES)
        write_whole(files.jsonl, (to_json(trajectory) + b"\n" for trajectory in run.trajectories))
        # Scores of an earlier run would be taken for this one's.
        (folder / SCORES).unlink(missing_ok=True)
        if files.scores:
            write_whole(files.scores, score_lines(run.scores))
        said = {"format": FORMAT, "title": run.title, "notes": dict(run.notes)}
        write_whole(folder / HEADING, [json.dumps(said).encode() + b"\n"])
        write_whole(files.html, [run.html(artifacts)])
    return files


def save_report(
    path: Path,
    trajectories: Iterable[Trajectory],
    *,
    scores: Mapping[str, Sequence[Score]] = _NOTHING,
    redact: Callable[[str], str] | None = None,
    artifacts: ArtifactStore | None = None,
    title: str = "Toolhaft run",
) -> RunFiles:
    """Write a report to the path given, and the trajectories beside it under the same name as ``.jsonl``.

    Arguments are those of `save_run`.

    Raises:
        UsageError: A file cannot be written.
    """
    run = prepare_run(trajectories, scores, redact, title, _NO_NOTES)
    files = RunFiles(jsonl=path.with_suffix(".jsonl"), html=path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(files.jsonl, (to_json(trajectory) + b"\n" for trajectory in run.trajectories))
        write_whole(files.html, [run.html(artifacts)])
    return files


def load_run(path: Path) -> tuple[list[Trajectory], dict[str, list[Score]]]:
    """Read what `save_run` wrote, from its folder or from a ``.jsonl`` file of trajectories.

    Returns:
        The trajectories in their order, and their scores by the id of the trajectory.

    Raises:
        UsageError: There is no such folder or file.
        FormatError: A line is damaged or of a newer format; the message has file and line.
    """
    file = path / TRAJECTORIES if path.is_dir() else path
    trajectories = [read_record(Trajectory, line, where) for line, where in read_lines(file, _HINT)]
    scores: dict[str, list[Score]] = {}
    beside = file.parent / SCORES
    if file.name == TRAJECTORIES and beside.is_file():
        for line, where in read_lines(beside, _HINT):
            value = read_object(line, where)
            name = value.get("trajectory")
            if not isinstance(name, str):
                hint = f"Remove {SCORES} to have the run scored again"
                raise FormatError("a score without the id of its trajectory", where=where, hint=hint)
            scores.setdefault(name, []).append(from_value(Score, value.get("score"), where=where))
    return trajectories, scores


def save_evaluation(
    folder: Path,
    comparison: Comparison,
    arms: Mapping[str, Records],
    *,
    settings: Mapping[str, Any] = _NO_SETTINGS,
    redact: Callable[[str], str] | None = None,
    artifacts: ArtifactStore | None = None,
) -> EvaluationFiles:
    """Write an evaluation: ``evaluation.json``, a run per arm in its sub-folder, and ``report.html``.

    The first score of a rollout decides whether it passed, and its details hold the failure kind under
    ``failure``. Each file is written as `save_run` writes.

    Args:
        folder: Made if it is not there; an earlier evaluation in it makes room, its arms included.
        comparison: What was found.
        arms: Trajectories and scores of each arm, by its name; rollouts of one task are its trials.
        settings: How it was run, as JSON values.
        redact: Removes secrets from a text.
        artifacts: Where the pictures of the trajectories are.

    Raises:
        UsageError: The folder or a file in it cannot be written, or it holds something else.
    """
    check_output(folder, arms)
    title = comparison.title
    folders = name_folders(arms)
    earlier = set(_earlier_arms(folder)) - set(folders.values())
    runs = {
        name: save_run(
            folder / folders[name],
            trajectories,
            scores=scores,
            redact=redact,
            artifacts=artifacts,
            title=f"{title}: {name}",
        )
        for name, (trajectories, scores) in arms.items()
    }
    stored = _Stored(
        comparison=from_value(Comparison, clean_json(to_value(comparison), redact)),
        settings=clean_json(dict(settings), redact),
        folders={clean_text(name, redact): place for name, place in folders.items()},
    )
    files = EvaluationFiles(json=folder / EVALUATION, html=folder / REPORT, runs=runs)
    shown = Evaluation(comparison=comparison, settings=settings, arms=arms, folders=folders)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(files.json, [to_json(stored, indent=1) + b"\n"])
        write_whole(files.html, [evaluation_html(shown, redact)])
    remove_arms(folder, earlier, _OWN)
    return files


def load_evaluation(folder: Path) -> Evaluation:
    """Read what `save_evaluation` wrote.

    Raises:
        UsageError: There is no such folder, or a file of it is missing.
        FormatError: A file is damaged or of a newer format; the message says which, and where.
    """
    stored = _read_stored(folder)
    return Evaluation(
        comparison=stored.comparison,
        settings=stored.settings,
        arms={name: load_run(folder / place) for name, place in stored.folders.items()},
        folders=stored.folders,
    )


def check_output(folder: Path, arms: Iterable[str]) -> None:
    """Raise if an evaluation cannot be written to a folder, for it holds something else than an earlier one.

    Args:
        folder: Need not be there.
        arms: Names of those that are to be written.

    Raises:
        UsageError: It does.
        FormatError: The earlier evaluation is damaged.
    """
    check_folder(folder, EVALUATION)
    check_arms(folder, dict.fromkeys((*_earlier_arms(folder), *name_folders(arms).values())), _OWN)


def _earlier_arms(folder: Path) -> tuple[str, ...]:
    return tuple(_read_stored(folder).folders.values()) if is_evaluation(folder) else ()


def is_evaluation(path: Path) -> bool:
    """Return whether a folder holds an evaluation."""
    return (path / EVALUATION).is_file()


def evaluation_html(evaluation: Evaluation, redact: Callable[[str], str] | None = None) -> bytes:
    """Return the report of an evaluation, with every text redacted."""
    from toolhaft.report.comparison import render_comparison

    return render_comparison(
        evaluation.comparison,
        arms=evaluation.arms,
        folders=evaluation.folders,
        settings=evaluation.settings,
        redact=redact,
    ).encode()


def name_folders(names: Iterable[str]) -> dict[str, str]:
    """Return a folder's name for each arm: its own as far as any file system can hold it, and unique."""
    found: dict[str, str] = {}
    taken = {"", PICTURES, EVALUATION, REPORT, JOURNALS}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9@_+.-]+", "-", name)[:80].strip(".-")
        place = plain
        number = 1
        while place.lower() in taken:
            number += 1
            place = f"{plain or 'arm'}-{number}"
        taken.add(place.lower())
        found[name] = place
    return found


def load_heading(path: Path) -> Heading:
    """Read title and notes of a run; what is not there or damaged is left at its default."""
    folder = path if path.is_dir() else path.parent
    if path != folder and path.name != TRAJECTORIES:
        return Heading(notes={})
    try:
        value = json.loads((folder / HEADING).read_bytes())
        title, notes = value["title"], value["notes"]
        if isinstance(title, str) and all(isinstance(note, str) for note in notes.values()):
            return Heading(title=title, notes=notes)
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        pass
    return Heading(notes={})


def load_pictures(path: Path) -> ArtifactStore | None:
    """Return the store of the pictures that `save_run` kept, if it kept any."""
    folder = (path if path.is_dir() else path.parent) / PICTURES
    return ArtifactStore(folder) if folder.is_dir() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What ``evaluation.json`` holds."""

    comparison: Comparison
    settings: dict[str, Any]
    folders: dict[str, str]
    format: int = FORMAT


def _read_stored(folder: Path) -> _Stored:
    file = folder / EVALUATION
    hint = f"Name a folder with {EVALUATION}, as `toolhaft eval` writes it"
    data = read_at_most(file, _LARGEST_EVALUATION, what="evaluation", hint=hint)
    stored = read_record(_Stored, data, str(file))
    for place in stored.folders.values():
        if not re.fullmatch(r"[A-Za-z0-9@_+-][A-Za-z0-9@_+.-]{0,99}", place):
            raise FormatError(
                f"{make_line(place, 80)!r} is no sub-folder",
                where=f"{file}#/folders",
                hint="The file is damaged; evaluate again",
            )
    return stored
