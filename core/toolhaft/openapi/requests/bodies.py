"""The body of a request, prepared once for each operation and filled for each call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.media_types import is_range, matches
from toolhaft.openapi.requests import styles
from toolhaft.openapi.requests.files import FileContent, decode_base64, is_file, read_file
from toolhaft.openapi.requests.forms import form_text
from toolhaft.openapi.requests.media import encode_text
from toolhaft.openapi.requests.multipart import Boundary, MultipartWriter
from toolhaft.openapi.requests.sequences import sequence_text
from toolhaft.openapi.requests.wire import Wire, WireBody
from toolhaft.openapi.requests.xml import xml_text

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_UNKNOWN = "application/octet-stream"


class BodyWriter:
    """Fills one kind of body of one operation.

    Args:
        body: What is known of it.
        wire: The operation.
        boundary: See `MultipartWriter`.
    """

    def __init__(self, body: WireBody, wire: Wire, boundary: Boundary | None = None) -> None:
        self._body = body
        self._parts = MultipartWriter(body, boundary, wire.deep_lists) if body.form == "multipart" else None
        self._pairs = [(field.name, field.key) for field in body.fields]
        self._fields = {field.name: field for field in body.fields}
        self._claimed = frozenset(
            [
                *(field.key for field in body.fields),
                *(field.headers_key for field in body.fields if field.headers_key),
                *(parameter.key for parameter in wire.parameters),
            ]
        )
        self._deep_lists = wire.deep_lists

    def write(
        self, arguments: Mapping[str, Any], artifacts: ArtifactStore | None = None
    ) -> tuple[str, bytes | None]:
        """Return the content type and the body; empty and None where none is sent.

        Args:
            arguments: By argument key.
            artifacts: Where the bytes of artifacts are kept.

        Raises:
            InvalidArgumentsError: What is required is missing, or a value cannot be sent.
        """
        body = self._body
        if body.key:
            value = arguments.get(body.key)
            if value is None and (body.key not in arguments or not body.required):
                if body.required:
                    raise InvalidArgumentsError(
                        f"the argument {body.key!r} is missing", details={"pointer": ""}
                    )
                return "", None
        else:
            value = {name: arguments[key] for name, key in self._pairs if key in arguments}
            if body.open:
                value.update({key: item for key, item in arguments.items() if key not in self._claimed})
            if not value and not body.required:
                return "", None
        if body.form == "json":
            return body.media_type, _json(value)
        return self._encode(value, arguments, artifacts)

    def _encode(
        self, value: Any, arguments: Mapping[str, Any], artifacts: ArtifactStore | None
    ) -> tuple[str, bytes]:
        body = self._body
        if body.form == "form":
            return body.media_type, form_text(value, self._fields, self._deep_lists).encode()
        if self._parts is not None:
            return self._parts.write(value, arguments, lambda item, key: read_file(item, key, artifacts))
        if body.form == "xml":
            text = value if isinstance(value, str) else xml_text(body.xml, value)
            return body.media_type, encode_text(text, body.media_type)
        if body.form == "text":
            if is_file(value):
                return body.media_type, self._file(value, artifacts).data
            return body.media_type, encode_text(styles.scalar_text(value), body.media_type)
        if body.form == "bytes":
            file = self._file(value, artifacts)
            return _concrete(body.media_type, file), file.data
        return body.media_type, sequence_text(body.form, value).encode()

    def _file(self, value: Any, artifacts: ArtifactStore | None) -> FileContent:
        if isinstance(value, str):  # catalog files written before handles were taken hold base64 here
            return FileContent(data=decode_base64(value, self._body.key))
        return read_file(value, self._body.key, artifacts)


def _json(value: Any) -> bytes:
    try:
        return _JSON.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, UnicodeEncodeError):
            raise
        raise InvalidArgumentsError(f"an argument is not JSON: {error}") from None


def _concrete(media_type: str, file: FileContent) -> str:
    """Return the type to send where the document names a range of them."""
    if not is_range(media_type):
        return media_type
    known = file.media_type
    return known if known and matches(known, media_type) else _UNKNOWN
