"""From bytes to JSON values: unpacked, decoded, told apart and parsed, within limits."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import Limits, Parsed
from toolhaft.tools.report import Problem

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WIDE = {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}
_PROSE = (".md", ".markdown", ".txt", ".html", ".htm")


def parse_bytes(data: bytes, location: str, limits: Limits) -> Parsed:
    """Parse the bytes of a document; gzipped ones are unpacked within the limit.

    Raises:
        SpecError: They are no JSON and no YAML, or beyond the limits; the message says where.
    """
    if data[:2] == b"\x1f\x8b":
        data = _unpack(data, location, limits)
    if len(data) > limits.max_bytes:
        raise SpecError(f"larger than {limits.max_bytes} bytes", where=location, code="E-SPEC-LIMIT")
    text, problems = _decode(data, location)
    del data  # a large document is held in three forms at once while it is parsed; this one is not needed
    parsed = _parse(text, limits, location)
    return replace(parsed, problems=(*problems, *parsed.problems)) if problems else parsed


def parse_beside(data: bytes, name: str, limits: Limits) -> Parsed:
    """Parse a file that a document refers to; one that holds prose by its name is its text.

    Raises:
        SpecError: See `parse_bytes`.
    """
    if not name.lower().endswith(_PROSE):
        return parse_bytes(data, name, limits)
    if len(data) > limits.max_bytes:
        raise SpecError(f"larger than {limits.max_bytes} bytes", where=name, code="E-SPEC-LIMIT")
    text, problems = _decode(data, name)
    return Parsed(value=text, problems=tuple(problems))


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
        text, problems = _decode_unmarked(data)
    if bad := _CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise SpecError(
            f"not text: it holds the control character U+{ord(bad.group()):04X}",
            where=f"{location} line {line}",
        )
    return text, problems


def _decode_unmarked(data: bytes) -> tuple[str, list[Problem]]:
    # Both formats begin with an ASCII character, so zero bytes tell wider encodings apart (RFC 4627, 3).
    wide = _WIDE.get("".join("0" if byte == 0 else "x" for byte in data[:4]), "")
    if wide:
        message = f"the text is {wide} without a byte order mark"
        return data.decode(wide, "replace"), [Problem(code="encoding", message=message)]
    try:
        return data.decode(), []
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8; the text is read as Windows-1252"
        return data.decode("cp1252", "replace"), [Problem(code="encoding", message=message)]


def _parse(text: str, limits: Limits, location: str) -> Parsed:
    from toolhaft.openapi.documents.json_text import nesting, read_json
    from toolhaft.openapi.documents.yaml12 import read_yaml

    start = text[:10_000].lstrip()[:200] or text.lstrip()[:200]
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
