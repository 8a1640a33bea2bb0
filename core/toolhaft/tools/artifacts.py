"""Images and files by handle: a content-addressed store."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import tempfile
from pathlib import Path

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.image_header import KINDS, read_image_header
from toolhaft.types import Artifact

_LARGEST = 100_000_000
_UNKNOWN = "application/octet-stream"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ArtifactStore:
    """Keeps bytes under their SHA-256, in memory or in a folder.

    Args:
        folder: Where the files go; None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}
        self._forgot = False

    def put(
        self, data: bytes, *, media_type: str = "", name: str = "", preview: bytes | None = None
    ) -> Artifact:
        """Keep bytes and return them as an artifact; the same bytes are kept once.

        Args:
            data: The bytes.
            media_type: What they are. Of PNG, JPEG, GIF and WebP the bytes themselves say it, and their
                width and height too.
            name: A file name for people; folders in it are dropped.
            preview: A smaller image of it (PNG, JPEG, GIF or WebP), for reports.

        Raises:
            UsageError: They are more than 100 MB.
        """
        if len(data) > _LARGEST:
            raise UsageError(
                f"the artifact {name!r} has {len(data)} bytes", hint=f"At most {_LARGEST} are kept"
            )
        header = read_image_header(data)
        return Artifact(
            id=self._keep(data),
            media_type=header.media_type if header is not None else media_type or _UNKNOWN,
            size=len(data),
            name=Path(name).name,
            width=header.width if header is not None else 0,
            height=header.height if header is not None else 0,
            preview=self._keep(preview) if preview is not None else "",
        )

    def put_file(self, path: Path) -> Artifact:
        """Keep a file that the user named; its content decides what it is where its name says otherwise.

        Raises:
            UsageError: There is no such file, or it cannot be read.
        """
        try:
            if path.stat().st_size > _LARGEST:
                raise UsageError("the file is too large", where=str(path), hint=f"At most {_LARGEST} bytes")
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"cannot read the file: {error.strerror}", where=str(path), hint="Check the path"
            ) from None
        said = mimetypes.guess_type(path.name)[0] or _UNKNOWN
        return self.put(data, media_type=_UNKNOWN if said in KINDS else said, name=path.name)

    def get(self, artifact: Artifact | str) -> bytes:
        """Return the bytes of a handle, or of an unambiguous beginning of one (8 digits or more).

        Raises:
            UsageError: Nothing is kept under it.
            FormatError: The file was damaged.
        """
        wanted = artifact.id if isinstance(artifact, Artifact) else artifact
        digest = self._complete(wanted)
        data = self._memory[digest] if self._folder is None else (self._folder / digest).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise FormatError("the artifact's bytes were changed", where=digest)
        return data

    def keep_in(self, folder: Path) -> None:
        """Keep everything in a folder from now on, what is in memory too; a store with one stays there."""
        if self._folder is None:
            for digest, data in self._memory.items():
                self._write(folder / digest, data)
            self._folder, self._memory = folder, {}

    def forget(self) -> None:
        """Let go of what is in memory; what lies in a folder stays there."""
        self._forgot = self._forgot or bool(self._memory)
        self._memory = {}

    def __contains__(self, artifact: Artifact) -> bool:
        return artifact.id in self._memory or (
            self._folder is not None
            and _DIGEST.fullmatch(artifact.id) is not None
            and (self._folder / artifact.id).is_file()
        )

    def _keep(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if self._folder is None:
            self._memory[digest] = data
        else:
            self._write(self._folder / digest, data)
        return digest

    def _complete(self, wanted: str) -> str:
        if len(wanted) >= 8 and all(digit in "0123456789abcdef" for digit in wanted):
            if self._folder is None:
                # A copy, made at once: tools in other threads put more in meanwhile.
                found = [digest for digest in tuple(self._memory) if digest.startswith(wanted)]
            else:
                found = [path.name for path in self._folder.glob(f"{wanted}*")]
            if len(found) == 1:
                return found[0]
        hint = "Use a handle that was shown"
        if self._forgot:
            hint += "; what a catalog held in memory is gone once it is closed"
        raise UsageError(f"there is no artifact {wanted[:70]!r}", hint=hint)

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
