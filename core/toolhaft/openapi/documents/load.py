"""From a path, a URL, bytes or a parsed document to a `Document`, within limits."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import SpecError, StatusError, UsageError
from toolhaft.openapi.documents.document import LIMITS, Document, Limits, Parsed
from toolhaft.openapi.documents.kinds import check_kind
from toolhaft.openapi.documents.swagger2 import convert_root
from toolhaft.tools.report import Problem

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient

_URL = re.compile(r"https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ACCEPT = (
    "application/vnd.oai.openapi+json, application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5"
)


def is_url(location: str) -> bool:
    """Whether a location is fetched rather than read from disk."""
    return bool(_URL.match(location))


def read_path(path: Path, limits: Limits = LIMITS) -> Document:
    """Read a document from a file; a gzipped one is unpacked within the limit of bytes.

    Raises:
        UsageError: There is no such file, or it cannot be read.
        SpecError: It is not an OpenAPI document that this version reads.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the document: {error.strerror}", where=str(path), hint="Check the path"
        ) from None
    return read_bytes(data, str(path), limits)


async def fetch(url: str, client: HTTPClient, limits: Limits = LIMITS) -> Document:
    """Fetch a document through the guarded client.

    Raises:
        HTTPError: It could not be fetched.
        SpecError: It is not an OpenAPI document that this version reads.
    """
    from toolhaft.http.message import Request

    response = await client.send(
        Request(method="GET", url=url, headers=(("accept", _ACCEPT),), max_bytes=limits.max_bytes)
    )
    if response.status >= 400:
        raise StatusError(
            f"the document cannot be fetched: status {response.status}",
            where=url,
            hint="Check the URL, and whether it needs a login",
            details={"status": response.status},
        )
    return replace(read_bytes(response.body, url, limits), url=response.url or url)


def read_bytes(data: bytes, location: str, limits: Limits = LIMITS) -> Document:
    """Read a document from bytes.

    Raises:
        SpecError: It is not an OpenAPI document that this version reads.
    """
    if data[:2] == b"\x1f\x8b":
        data = _unpack(data, location, limits)
    if len(data) > limits.max_bytes:
        raise SpecError(f"larger than {limits.max_bytes} bytes", where=location, code="E-SPEC-LIMIT")
    text, problems = _decode(data, location)
    parsed = _parse(text, limits, location)
    return _document(parsed, location, problems)


def read_value(value: Mapping[str, Any], location: str = "<document>", limits: Limits = LIMITS) -> Document:
    """Take a document that is already parsed; it is copied, so later changes do no harm.

    Raises:
        SpecError: It holds what JSON cannot, refers to itself, or is beyond the limits.
    """
    from toolhaft.openapi.documents.copying import copy_value

    return _document(copy_value(value, limits, location), location, [])


def _document(parsed: Parsed, location: str, problems: list[Problem]) -> Document:
    version, dialect, noticed = check_kind(parsed.value, location)
    root = convert_root(parsed.value) if version == "2.0" else parsed.value
    return Document(
        root=root,
        location=location,
        version=version,
        dialect=dialect,
        references=parsed.references,
        problems=(*problems, *parsed.problems, *noticed),
    )


def _unpack(data: bytes, location: str, limits: Limits) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, limits.max_bytes + 1)
    except zlib.error as error:
        raise SpecError(f"not gzip: {error}", where=location) from None
    if not unpacker.eof and len(found) <= limits.max_bytes:
        raise SpecError("the gzipped text is cut off", where=location)
    return found


def _decode(data: bytes, location: str) -> tuple[str, list[Problem]]:
    problems: list[Problem] = []
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding != "utf-8":
                problems.append(Problem(code="encoding", message=f"the text is {encoding}, not UTF-8"))
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            text = data.decode("cp1252", "replace")
            message = f"byte {error.start} is not UTF-8; the text is read as Windows-1252"
            problems.append(Problem(code="encoding", message=message))
    if bad := _CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise SpecError(
            f"not text: it holds the control character U+{ord(bad.group()):04X}",
            where=f"{location} line {line}",
        )
    return text, problems


def _parse(text: str, limits: Limits, location: str) -> Parsed:
    from toolhaft.openapi.documents.json_text import nesting, read_json
    from toolhaft.openapi.documents.yaml12 import read_yaml

    start = text.lstrip()[:200]
    if not start:
        raise SpecError("the document is empty", where=location)
    if start.startswith("<"):
        kind = "HTML" if re.match(r"<(!doctype html|html|head|body)", start, re.IGNORECASE) else "XML"
        raise SpecError(
            f"this is {kind}, not an OpenAPI document",
            where=location,
            hint="A page to log in or to read was answered; give the URL of the JSON or YAML itself",
        )
    if start[0] not in "{[":
        return read_yaml(text, limits, location)
    try:
        return read_json(text, limits, location)
    except SpecError as error:
        if error.code == "E-SPEC-LIMIT" or nesting(text) > limits.depth:
            raise
        try:
            parsed = read_yaml(text, limits, location)
        except SpecError:
            raise error from None
        if not isinstance(parsed.value, dict):
            raise
        problem = Problem(code="json-as-yaml", message=f"{error.what}; the text is read as YAML")
        return replace(parsed, problems=(problem, *parsed.problems))
