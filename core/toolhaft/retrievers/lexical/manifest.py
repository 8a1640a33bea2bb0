"""What a folder says it keeps: one JSON file, which appears last and whole, and names the others."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.base import IndexSettings
from toolhaft.retrievers.lexical.plain_files import open_plain

NAME = "index.json"
LOCK = "lock"
FORMAT = 1
_LAYOUT = 2
"""Of the files of segments: what was written in another is made anew without a word."""
_LARGEST = 1_000_000
_PATIENCE = 1.0
"""Seconds to wait for another process that writes its manifest, which takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPart:
    """Files of one part of an index.

    Attributes:
        file: Name within the folder.
        digest: Of its content.
        removed: Name of the file that says what was removed of it, or empty.
    """

    file: str
    digest: str
    removed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is kept.

    Attributes:
        version: Of the content, as the caller named it.
        made_with: What the files depend on; see `made_with`.
        kind: Which engine reads it: ``arrays`` or ``documents``.
        parts: The first is the largest.
        next_order: Of the next document to be added.
        generation: Differs between any two manifests.
    """

    version: str
    made_with: str
    kind: str
    parts: tuple[KeptPart, ...]
    next_order: int
    generation: str

    def files(self) -> set[str]:
        """Return the names of the files that belong to it."""
        return {name for part in self.parts for name in (part.file, part.removed) if name}


def made_with(settings: IndexSettings) -> str:
    """Return what the kept files depend on: epsilon and idf are applied when a query comes."""
    return f"layout={_LAYOUT} k1={settings.k1!r} b={settings.b!r} {settings.composition}"


def new_token() -> str:
    """Return a name that no other process takes."""
    return secrets.token_hex(8)


def read_manifest(folder: Path) -> Manifest | None:
    """Return what a folder keeps, or None if it keeps nothing.

    Raises:
        FormatError: It is damaged, or of another format.
        OSError: It cannot be read.
    """
    place = folder / NAME
    try:
        with open_plain(place) as file:
            text = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None

    def damaged(what: str) -> FormatError:
        return FormatError(f"the search index is damaged: {what}", where=str(place))

    if len(text) > _LARGEST:
        raise damaged("it is too long")
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise damaged(f"its format is {told['format']!r}, and this version reads {FORMAT}")
        facts = told["facts"]
        if told["digest"] != _digest(facts):
            raise damaged("it is not what was written")
        parts = tuple(KeptPart(**part) for part in facts.pop("parts"))
        manifest = Manifest(**facts, parts=parts)
        if not _sound(manifest):
            raise damaged("what it says makes no sense")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged("it cannot be read") from None
    # The digest is no secret: names must not lead elsewhere even if somebody made it on purpose.
    if any(Path(name).name != name or name in (".", "..", NAME) for name in manifest.files()):
        raise damaged("it names a file outside")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a folder keeps; raises `OSError` if that cannot be."""
    facts = asdict(manifest)
    text = json.dumps({"format": FORMAT, "digest": _digest(facts), "facts": facts}, indent=1)
    temporary = folder / f"{new_token()}.part"
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / NAME)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Keep other processes from writing a manifest meanwhile; gives False if one does for over a second.

    The lock ends with the process that holds it. Where the system has none, nothing is locked.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        yield True
        return
    import time

    with open_plain(folder / LOCK, lock=True) as file:
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    yield False
                    return
                time.sleep(0.01)
        yield True


def _sound(manifest: Manifest) -> bool:
    """Return whether everything in a manifest is of its kind."""
    texts = [manifest.version, manifest.made_with, manifest.kind, manifest.generation]
    for part in manifest.parts:
        texts += [part.file, part.digest, part.removed]
    following = manifest.next_order
    return (
        all(isinstance(text, str) and "\0" not in text for text in texts)
        and isinstance(following, int)
        and 0 <= following < 2**32
    )


def _digest(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
