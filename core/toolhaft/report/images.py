"""Small pictures of a run, as ``data:`` addresses."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from toolhaft.errors import ToolhaftError
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.image_header import KINDS, read_image_header
from toolhaft.types import Artifact, Trajectory

LARGEST = 256_000
"""Bytes of a picture that is shown; of larger ones the preview, if they have one, else the handle."""


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
        found = read_picture(artifact, self._artifacts)
        if found is None or len(found.data) > self._room:
            return None
        # Charged each time: a picture that is shown twice stands in the file twice.
        self._room -= len(found.data)
        return f"data:{found.media_type};base64,{base64.b64encode(found.data).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small picture."""

    media_type: str
    data: bytes


def read_picture(artifact: Artifact, artifacts: ArtifactStore | None) -> Picture | None:
    """Return a small PNG, JPEG, GIF or WebP, by name and by content; of a large one its preview."""
    if artifacts is None or artifact.media_type not in KINDS:
        return None
    found = _small(artifact.id, artifacts) if artifact.size <= LARGEST else None
    if found is not None:
        return found if found.media_type == artifact.media_type else None
    return _small(artifact.preview, artifacts) if artifact.preview else None


def _small(id: str, artifacts: ArtifactStore) -> Picture | None:
    try:
        data = artifacts.get(id)
    except (ToolhaftError, OSError):
        return None
    header = read_image_header(data) if len(data) <= LARGEST else None
    return Picture(media_type=header.media_type, data=data) if header is not None else None


def pictures_of(trajectory: Trajectory) -> list[Artifact]:
    """Return the artifacts of the task and of every observation, each once."""
    return list(trajectory.artifacts())
