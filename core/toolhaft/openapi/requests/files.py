"""What may be given where a file is wanted, and the bytes behind it.

A model gives the handle of an artifact, or an object with the content itself; a Python caller may give a
path or bytes as well. A text alone is no file, so that a handle that was misspelt is never sent in place of
what it should have stood for.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.tools.artifact_places import artifact_schema
from toolhaft.types import Artifact

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore

TEXT, BASE64, NAME, MEDIA_TYPE = "text", "base64", "filename", "media_type"
_BYTES = "$bytes"
"""Another name of ``base64``, for callers that write binary values so everywhere."""
_CONTENTS = frozenset({TEXT, BASE64, _BYTES})
_KEYS = _CONTENTS | {NAME, MEDIA_TYPE}
_LARGEST = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file as it is sent.

    Attributes:
        name: Without folders; empty if none was given.
        media_type: Empty if nothing is known.
    """

    data: bytes
    name: str = ""
    media_type: str = ""


def file_schema(media_type: str = "", *, named: bool = True) -> dict[str, Any]:
    """Return the schema of an argument that is a file.

    Args:
        media_type: What an artifact has to be, for example ``image/*``; empty takes anything.
        named: Whether a name and a type are sent with it.
    """
    properties: dict[str, Any] = {
        TEXT: {"type": "string", "description": "The content, if it is text."},
        BASE64: {"type": "string", "contentEncoding": "base64", "description": "The content otherwise."},
    }
    if named:
        properties[NAME] = {"type": "string"}
        properties[MEDIA_TYPE] = {"type": "string"}
    inline = {"type": "object", "properties": properties, "additionalProperties": False}
    handle = {**artifact_schema(media_type), "description": "Handle of a file or image."}
    return {"anyOf": [handle, inline]}


def is_file(value: Any) -> bool:
    """Whether a value is certainly a file."""
    if isinstance(value, Artifact | Path | bytes | bytearray):
        return True
    return isinstance(value, Mapping) and bool(_CONTENTS & value.keys()) and value.keys() <= _KEYS


def holds_file(value: Any) -> bool:
    """Whether an argument is a file whose bytes lie elsewhere, or a list with one."""
    if isinstance(value, list | tuple):
        return any(isinstance(item, Artifact | Path) for item in value)
    return isinstance(value, Artifact | Path)


def read_file(value: Any, key: str, artifacts: ArtifactStore | None = None) -> FileContent:
    """Return the content of a file that was given.

    Args:
        value: An artifact, a path, bytes, or an object of `file_schema`.
        key: Name of the argument, for the error.
        artifacts: Where the bytes of artifacts are kept.

    Raises:
        InvalidArgumentsError: It is none of these, or what it holds cannot be read.
        UsageError: The artifact's bytes are gone.
    """
    if isinstance(value, bytes | bytearray):
        return FileContent(data=bytes(value))
    if isinstance(value, Artifact):
        if artifacts is None:
            raise _wrong(key, "is an artifact, and where its bytes are kept was not said")
        return FileContent(data=artifacts.get(value), name=value.name, media_type=value.media_type)
    if isinstance(value, Path):
        return _of_path(value, key)
    if isinstance(value, Mapping) and is_file(value):
        return _inline(value, key)
    raise _wrong(key, f"is no file, but {shown(value)}")


def shown(value: Any) -> str:
    """Return what was given in place of a file, for an error: a text itself, of others what they are."""
    return repr(value[:80]) if isinstance(value, str) else f"a value of type {type(value).__name__}"


def _inline(value: Mapping[str, Any], key: str) -> FileContent:
    texts = {name: text for name, text in value.items() if text is not None}
    if not all(isinstance(text, str) for text in texts.values()) or len(_CONTENTS & texts.keys()) != 1:
        raise _wrong(key, f"needs {TEXT!r} or {BASE64!r}, one of the two")
    name, media_type = texts.get(NAME, ""), texts.get(MEDIA_TYPE, "")
    if not media_type.isascii() or not media_type.isprintable():
        raise _wrong(key, f"has a {MEDIA_TYPE} that is none")
    if TEXT in texts:
        return FileContent(data=texts[TEXT].encode(), name=name, media_type=media_type)
    encoded = texts.get(BASE64, texts.get(_BYTES, ""))
    return FileContent(data=decode_base64(encoded, key), name=name, media_type=media_type)


def decode_base64(text: str, key: str) -> bytes:
    """Return the bytes of a base64 text of either alphabet.

    Raises:
        InvalidArgumentsError: It is none.
    """
    try:
        plain = text.replace("-", "+").replace("_", "/")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(key, "is not base64") from None


def _of_path(path: Path, key: str) -> FileContent:
    import mimetypes

    try:
        if path.stat().st_size > _LARGEST:
            raise _wrong(key, f"is a file of more than {_LARGEST} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise _wrong(key, f"cannot be read: {error.strerror}") from None
    return FileContent(data=data, name=path.name, media_type=mimetypes.guess_type(path.name)[0] or "")


def _wrong(key: str, what: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"the argument {key!r} {what}",
        hint=f'Give the handle of a file, or {{"{TEXT}": ...}} or {{"{BASE64}": ...}}',
        details={"pointer": f"/{key}"},
    )
