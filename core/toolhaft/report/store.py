"""A run in a folder: its trajectories and scores as JSON lines, and the report made from them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.report.cleaning import clean_record, clean_text
from toolhaft.report.images import pictures_of, read_picture
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import FORMAT, Score, Trajectory, from_json, from_value, to_json

TRAJECTORIES = "trajectories.jsonl"
SCORES = "scores.jsonl"
HEADING = "heading.json"
REPORT = "report.html"
PICTURES = "artifacts"

_LONGEST_LINE = 200_000_000
_NOTHING: Mapping[str, Sequence[Score]] = {}
_NO_NOTES: Mapping[str, str] = {}


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
    run = _prepare(trajectories, scores, redact, title, notes)
    files = RunFiles(
        jsonl=folder / TRAJECTORIES, html=folder / REPORT, scores=folder / SCORES if run.scores else None
    )
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _keep_pictures(run.trajectories, artifacts, folder)
        write_whole(files.jsonl, (to_json(trajectory) + b"\n" for trajectory in run.trajectories))
        # Scores of an earlier run would be taken for this one's.
        (folder / SCORES).unlink(missing_ok=True)
        if files.scores:
            write_whole(files.scores, _score_lines(run.scores))
        said = {"format": FORMAT, "title": run.heading.title, "notes": dict(run.heading.notes)}
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
    run = _prepare(trajectories, scores, redact, title, _NO_NOTES)
    files = RunFiles(jsonl=path.with_suffix(".jsonl"), html=path)
    with _writing(path):
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
    trajectories = [from_json(Trajectory, line, where=where) for line, where in _read_lines(file)]
    scores: dict[str, list[Score]] = {}
    beside = file.parent / SCORES
    if file.name == TRAJECTORIES and beside.is_file():
        for line, where in _read_lines(beside):
            value = _read_object(line, where)
            name = value.get("trajectory")
            if not isinstance(name, str):
                raise FormatError("a score without the id of its trajectory", where=where)
            scores.setdefault(name, []).append(from_value(Score, value.get("score"), where=where))
    return trajectories, scores


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


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file all or not at all: beside its place, then moved there.

    Raises:
        OSError: It cannot be written; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A run as it goes to disk: redacted."""

    trajectories: list[Trajectory]
    scores: dict[str, list[Score]]
    heading: Heading

    def html(self, artifacts: ArtifactStore | None) -> bytes:
        from toolhaft.report.html import render_html

        return render_html(
            self.trajectories,
            scores=self.scores,
            title=self.heading.title,
            notes=self.heading.notes,
            artifacts=artifacts,
        ).encode()


def _prepare(
    trajectories: Iterable[Trajectory],
    scores: Mapping[str, Sequence[Score]],
    redact: Callable[[str], str] | None,
    title: str,
    notes: Mapping[str, str],
) -> _Prepared:
    return _Prepared(
        trajectories=[clean_record(trajectory, redact) for trajectory in trajectories],
        scores={
            clean_text(name, redact): [clean_record(score, redact) for score in found]
            for name, found in scores.items()
            if found
        },
        heading=Heading(
            title=clean_text(title, redact),
            notes={clean_text(name, redact): clean_text(note, redact) for name, note in notes.items()},
        ),
    )


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write the run: {error.strerror or error}",
            where=str(error.filename or place),
            hint="Name a place that can be written",
        ) from None


def _score_lines(scores: Mapping[str, Sequence[Score]]) -> Iterator[bytes]:
    for name, found in scores.items():
        for score in found:
            head = f'{{"format":{FORMAT},"trajectory":{json.dumps(name)},"score":'
            yield head.encode() + to_json(score) + b"}\n"


def _keep_pictures(trajectories: Sequence[Trajectory], artifacts: ArtifactStore | None, folder: Path) -> None:
    # Only what the report shows is kept: other files are not text that could be redacted.
    for trajectory in trajectories:
        for artifact in pictures_of(trajectory):
            data = read_picture(artifact, artifacts)
            if data is not None:
                ArtifactStore(folder / PICTURES).put(data, media_type=artifact.media_type)


def _read_lines(file: Path) -> Iterator[tuple[bytes, str]]:
    try:
        with file.open("rb") as lines:
            number = 0
            while line := lines.readline(_LONGEST_LINE + 1):
                number += 1
                where = f"{file}:{number}"
                if len(line) > _LONGEST_LINE:
                    raise FormatError(f"a line of more than {_LONGEST_LINE} bytes", where=where)
                if line.strip():
                    yield line, where
    except OSError as error:
        raise UsageError(
            f"cannot read the run: {error.strerror or error}",
            where=str(file),
            hint=f"Name a folder with {TRAJECTORIES}, or a .jsonl file of trajectories",
        ) from None


def _read_object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=where, hint="The file is damaged or cut off") from None
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=where)
    return value
