"""Images on the command line: checked before the work, written to files after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.tools.artifact_places import Place, fill_places
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.handles import Handles
from toolhaft.tools.image_header import read_image_header
from toolhaft.types import Artifact, ToolSpec

_HEAD = 64
_NAME = 60
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
_OTHERS = (b"BM", b"II*\x00", b"MM\x00*")
"""How other images begin that tools may read: BMP and TIFF."""


def check_images(paths: Sequence[Path]) -> None:
    """Check that each file can be read and is an image.

    Raises:
        UsageError: One is missing, a folder, unreadable, empty, or no image.
    """
    for path in paths:
        try:
            if path.is_dir():
                raise UsageError("it is a folder", where=str(path), hint="Name a file: --image FILE")
            with path.open("rb") as file:
                head = file.read(_HEAD)
        except OSError as error:
            raise UsageError(
                f"cannot read the image: {error.strerror or error}", where=str(path), hint="Check the path"
            ) from None
        if not head:
            raise UsageError("the file is empty", where=str(path), hint="Name an image with content")
        if read_image_header(head) is None and not head.startswith(_OTHERS):
            raise UsageError(
                "the file is no image",
                where=str(path),
                hint="PNG, JPEG, GIF, WebP, BMP and TIFF are images, whatever the file is called",
            )


def take_files(
    spec: ToolSpec, given: Mapping[str, Any], store: ArtifactStore, handles: Handles
) -> dict[str, Any]:
    """Return arguments with handles in place of ``@FILE``, where the tool takes images or files.

    Raises:
        UsageError: Something else stands there, or a file cannot be read or is no image where one is wanted.
    """

    def taken(place: Place, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith("@"):
            if place.optional:
                return value
            name = place.pointer.strip("/") or "image"
            raise UsageError(
                f"{name} is an image or file, not {str(value)[:80]!r}",
                where=spec.name,
                hint=f"Write {name.split('/')[0]}=@FILE",
            )
        path = Path(value[1:])
        if place.media_type.startswith("image/"):
            check_images([path])
        return handles.name(store.put_file(path)).handle

    listed = {key: _listed(spec.properties.get(key), value) for key, value in given.items()}
    found: dict[str, Any] = fill_places(spec.parameters, listed, taken)
    return found


def _listed(schema: Any, value: Any) -> Any:
    """Return ``@FILE`` as a list of one where a list is wanted."""
    wants_list = isinstance(schema, Mapping) and schema.get("type") == "array"
    return [value] if wants_list and isinstance(value, str) and value.startswith("@") else value


def save_images(folder: Path, artifacts: Iterable[Artifact], store: ArtifactStore) -> dict[str, Path]:
    """Write the images that tools made, each under its handle and name, and return where they are by handle.

    Raises:
        UsageError: They cannot be written.
    """
    found: dict[str, Path] = {}
    for artifact in artifacts:
        if artifact.made_by is None or not artifact.is_image or artifact not in store:
            continue
        path = folder / file_name(artifact)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get(artifact))
        except OSError as error:
            raise UsageError(f"cannot write: {error.strerror or error}", where=str(path)) from None
        found[artifact.handle] = path
    return found


def file_name(artifact: Artifact) -> str:
    """Return a file name from an artifact's handle, its name without odd characters, and its type."""
    stem, dot, ending = artifact.name.rpartition(".")
    ending = _ENDINGS.get(artifact.media_type, f"{dot}{ending}" if dot else "")
    name = "-".join(part for part in (artifact.handle, stem or artifact.name) if part)
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:_NAME].strip("-") or artifact.id[:12]
    return plain + re.sub(r"[^A-Za-z0-9.]", "", ending)[:10]
