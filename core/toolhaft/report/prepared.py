"""A run on its way to disk: every text redacted, its lines and pictures made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolhaft.report.cleaning import clean_record, clean_text
from toolhaft.report.images import pictures_of, read_picture
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import FORMAT, Score, Trajectory, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A run as it goes to disk: redacted; for the fields see `toolhaft.report.store.save_run`."""

    trajectories: list[Trajectory]
    scores: dict[str, list[Score]]
    title: str
    notes: Mapping[str, str]

    def html(self, artifacts: ArtifactStore | None) -> bytes:
        """Return the report."""
        from toolhaft.report.html import render_cleaned

        return render_cleaned(
            self.trajectories,
            scores=self.scores,
            title=self.title,
            notes=self.notes,
            artifacts=artifacts,
        ).encode()


def prepare_run(
    trajectories: Iterable[Trajectory],
    scores: Mapping[str, Sequence[Score]],
    redact: Callable[[str], str] | None,
    title: str,
    notes: Mapping[str, str],
) -> PreparedRun:
    """Return a run with every text redacted; arguments are those of `toolhaft.report.store.save_run`."""
    return PreparedRun(
        trajectories=[clean_record(trajectory, redact) for trajectory in trajectories],
        scores={
            clean_text(name, redact): [clean_record(score, redact) for score in found]
            for name, found in scores.items()
            if found
        },
        title=clean_text(title, redact),
        notes={clean_text(name, redact): clean_text(note, redact) for name, note in notes.items()},
    )


def score_lines(scores: Mapping[str, Sequence[Score]]) -> Iterator[bytes]:
    """Yield one line for each score, with the id of its trajectory."""
    for name, found in scores.items():
        for score in found:
            head = f'{{"format":{FORMAT},"trajectory":{json.dumps(name)},"score":'
            yield head.encode() + to_json(score) + b"}\n"


def keep_pictures(trajectories: Sequence[Trajectory], artifacts: ArtifactStore | None, folder: Path) -> None:
    """Write the pictures that a report shows to a folder."""
    # Only what the report shows is kept: other files are not text that could be redacted.
    for trajectory in trajectories:
        for artifact in pictures_of(trajectory):
            picture = read_picture(artifact, artifacts)
            if picture is not None:
                ArtifactStore(folder).put(picture.data, media_type=picture.media_type)
