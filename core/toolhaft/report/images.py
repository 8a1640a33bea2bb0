"""Small pictures of a run, as ``data:`` addresses."""

from __future__ import annotations

import base64

from toolhaft.errors import ToolhaftError
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Artifact, ArtifactPart, Trajectory

LARGEST = 256_000
"""Bytes of a picture that is shown; larger ones are shown by their handle."""

_BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}


class Pictures:
    """Reads pictures for one trajectory, as long as there is room.

    Args:
        artifacts: Where the bytes are; None shows handles alone.
        room: Bytes of all pictures together.
    """

    def __init__(self, artifacts: ArtifactStore | None, room: int = 700_000) -> None:
        self._artifacts = artifacts
        self._room = room

    def address(self, artifact: Artifact) -> str | None:
        """Return a ``data:`` address, or None if it is no picture, too large or not kept."""
        data = read_picture(artifact, self._artifacts)
        if data is None or len(data) > self._room:
            return None
        # Charged each time: a picture that is shown twice stands in the file twice.
        self._room -= len(data)
        return f"data:{artifact.media_type};base64,{base64.b64encode(data).decode()}"


def read_picture(artifact: Artifact, artifacts: ArtifactStore | None) -> bytes | None:
    """Return a picture's bytes if it is a small PNG, JPEG, GIF or WebP by name and by content."""
    beginnings = _BEGINNINGS.get(artifact.media_type)
    if artifacts is None or beginnings is None or artifact.size > LARGEST:
        return None
    try:
        data = artifacts.get(artifact)
    except (ToolhaftError, OSError):
        return None
    return data if len(data) <= LARGEST and data.startswith(beginnings) else None


def pictures_of(trajectory: Trajectory) -> list[Artifact]:
    """Return the artifacts of the task and of every observation, each once."""
    found = {artifact.id: artifact for artifact in trajectory.task.artifacts}
    for observation in trajectory.observations():
        for part in observation.parts:
            if isinstance(part, ArtifactPart):
                found.setdefault(part.artifact.id, part.artifact)
    return list(found.values())
