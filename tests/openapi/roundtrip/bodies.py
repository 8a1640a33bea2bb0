"""Bodies read back: JSON, forms, parts, text, bytes, lines and XML."""

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from .operations import Field, plain
from .schemas import SCALARS
from .styles import Either
from .values import Text
from .xml import read_xml

LINES = ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")
LINES += ("application/json-lines", "application/json-seq", "application/geo+json-seq")


DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
TEXTS = ("application/yaml", "application/x-yaml", "application/sql")


class UnreadableError(Exception):
    """The body is not what its media type says."""


@dataclass
class Part:
    """One part of a multipart body."""

    name: str
    filename: str | None
    media: str
    headers: dict
    content: bytes


def is_json(media):
    """Whether a media type is JSON."""
    return media.endswith(("/json", "+json")) or media in ("text/json", "application/x-json")


class BodyReader:
    """Reads bodies of one document.

    Args:
        reader: Reads styles.
    """

    def __init__(self, reader):
        self.reader = reader
        self.schemas = reader.schemas

    def read(self, body, content_type, data):
        """Return the readings of a body.

        Raises:
            UnreadableError: It cannot be read as its media type.
        """
        media = plain(content_type)
        if media in LINES or (body.item_schema is not None and not is_json(media)):
            lines = self._lines(data)
            # a schema that is no list is that of a line
            alone = len(lines) == 1 and body.schema and "array" not in self.schemas.kinds(body.schema)
            return [lines, lines[0]] if alone else [lines]
        if is_json(media):
            return [_json(data)]
        if media == "application/x-www-form-urlencoded":
            return [self._form(body, data)]
        if media.startswith("multipart/"):
            return self._parts(body, content_type, data)
        if media.endswith(("/xml", "+xml")):
            return self._xml(body, data)
        kinds = self.schemas.kinds(body.schema)
        if media.startswith("text/") or media in (
            "application/yaml",
            "application/x-yaml",
            "application/sql",
        ):
            charset = re.search(r"charset=\"?([\w-]+)", content_type)
            name = charset.group(1) if charset else "utf-8"
            if not self.schemas.is_bytes(body.schema):
                return [Text(data.decode(name), kinds)]
        found = [data]
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return found
        return [*found, Text(text, kinds)]

    def _xml(self, body, data):
        # a document that says no more than "a text" takes XML as it is
        is_text = self.schemas.kinds(body.schema) == {"string"}
        found = [Text(data.decode("utf-8"), {"string"})] if is_text else []
        try:
            return [*found, read_xml(self.schemas, body.schema, data)]
        except ValueError as error:
            if found:
                return found
            raise UnreadableError(str(error)) from None

    def _lines(self, data):
        if data.startswith(b"\x1e"):
            return [json.loads(line) for line in data.decode().split("\x1e")[1:]]
        if not data:
            return []
        if not data.endswith(b"\n"):
            raise UnreadableError("the last line does not end")
        return [json.loads(line) for line in data.decode().split("\n")[:-1]]

    def _form(self, body, data):
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            raise UnreadableError("a form has only ASCII in it") from None
        pairs = [pair.partition("=")[::2] for pair in text.split("&")] if text else []
        fields = [self._field(body, name) for name in self.schemas.names(body.schema)]
        fields += [one for name, one in body.fields.items() if name not in {f.name for f in fields}]
        found = {}
        for field, own in share_pairs(self.schemas, fields, pairs):
            if field is None:
                for name, value in own:
                    name = unquote_plus(name)
                    schema = self.schemas.property(body.schema, name)
                    free = Field(name=name, place="form", schema=schema)
                    found.setdefault(name, []).append((free, value))
                continue
            if own:
                readings = self._form_values(field, own)
                found[field.name] = readings[0] if len(readings) == 1 else Either(readings)
        for name, value in list(found.items()):
            if isinstance(value, list) and value and isinstance(value[0], tuple):
                free = value[0][0]
                readings = self._form_values(free, [(name, text) for _, text in value], quoted=False)
                found[name] = readings[0] if len(readings) == 1 else Either(readings)
        return found

    def _field(self, body, name):
        schema = self.schemas.property(body.schema, name)
        known = body.fields.get(name)
        return replace(known, schema=schema) if known else Field(name=name, place="form", schema=schema)

    def _form_values(self, field, pairs, quoted=True):
        """Return the readings of a property of a form: by its style, or by the default of its media type."""
        if field.style:
            return self.reader.read_pairs(field, pairs)
        kinds = self.schemas.kinds(field.schema)
        texts = [
            unquote_plus(value) for name, value in pairs if not quoted or unquote_plus(name) == field.name
        ]
        found = []
        if texts and len(texts) == len(pairs):
            if len(texts) == 1:
                found.append(Text(texts[0], kinds if is_json(plain(field.media)) else kinds - {"array"}))
            if "array" in kinds:
                found.append(
                    [
                        Text(text, self.schemas.kinds(self.schemas.items(field.schema, n)))
                        for n, text in enumerate(texts)
                    ]
                )
        elif "object" in kinds or "array" in kinds:
            # 3.0 names the style table as the default of objects, too
            style = "deepObject" if any("[" in unquote_plus(name) for name, _ in pairs) else "form"
            found += self.reader.read_pairs(replace(field, style=style, explode=True), pairs)
        return found

    def _parts(self, body, content_type, data):
        parts = split_parts(content_type, data)
        if "array" in self.schemas.kinds(body.schema) and "object" not in self.schemas.kinds(body.schema):
            return [[self._part(None, part) for part in parts]]
        named = {}
        for part in parts:
            named.setdefault(part.name, []).append(part)
        found = {}
        for name, own in named.items():
            field = self._field(body, name)
            kinds = self.schemas.kinds(field.schema)
            delimiter = DELIMITERS.get(field.style, "")
            holds_text = (
                not self.schemas.is_bytes(self.schemas.items(field.schema))
                if "array" in kinds
                else ("object" in kinds)
            )
            if delimiter and holds_text and field.explicit and not field.explode and len(own) == 1:
                # lists of 2.0 are joined in a part as they are in a query, without its percent-encoding
                readings = self.reader.read_flat(field, own[0].content.decode(), delimiter, decode=str)
            else:
                readings = []
                if len(own) == 1:
                    readings += self._part_values(field.schema, own[0], kinds)
                if "array" in kinds:
                    items = [self.schemas.items(field.schema, n) for n in range(len(own))]
                    readings.append(
                        [
                            Either(self._part_values(item, part, self.schemas.kinds(item)))
                            for item, part in zip(items, own, strict=True)
                        ]
                    )
            found[name] = readings[0] if len(readings) == 1 else Either(readings)
        return [found]

    def _part(self, schema, part):
        return Either(self._part_values(schema, part, self.schemas.kinds(schema)))

    def _part_values(self, schema, part, kinds):
        if is_json(plain(part.media)):
            return [_json(part.content)]
        found = [part.content]
        try:
            text = part.content.decode("utf-8")
        except UnicodeDecodeError:
            return found
        kinds = kinds if self.schemas.kinds(schema) - SCALARS else kinds & SCALARS
        return [*found, Text(text, kinds)]


def _json(data):
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from None


def share_pairs(schemas, fields, pairs):
    """Yield every field with the raw pairs that are its own; last None with those that are nobody's."""
    left = list(pairs)
    plain_fields = {field.name for field in fields}
    for field in fields:
        mine, rest = [], []
        own_names = _own_names(schemas, field)
        for pair in left:
            name = unquote_plus(pair[0])
            bracketed = field.style in ("deepObject", "") and name.startswith(f"{field.name}[")
            bracketed = bracketed and name not in plain_fields
            dissolved = name in own_names and name not in plain_fields - {field.name}
            (mine if name == field.name or bracketed or dissolved else rest).append(pair)
        left = rest
        dissolves = field.style == "form" and field.explode and "object" in schemas.kinds(field.schema)
        is_whole = any(unquote_plus(name) == field.name for name, _ in mine)
        if dissolves and left and not is_whole and schemas.is_open(field.schema):
            free = [pair for pair in left if _is_free(schemas, fields, field, pair)]
            mine, left = mine + free, [pair for pair in left if pair not in free]
        yield field, mine
    yield None, left


def _is_free(schemas, fields, field, pair):
    name = unquote_plus(pair[0])
    return all(
        name != one.name and name not in _own_names(schemas, one) and not name.startswith(f"{one.name}[")
        for one in fields
        if one is not field
    )


def _own_names(schemas, field):
    """The names that an exploded object dissolves into."""
    dissolves = (field.style == "form" and field.explode) or (field.style == "" and field.place == "form")
    if not dissolves or "object" not in schemas.kinds(field.schema):
        return set()
    return set(schemas.names(field.schema))


def split_parts(content_type, data):
    """Split a multipart body (RFC 2046 section 5.1, RFC 7578).

    Raises:
        UnreadableError: The boundary is missing, or the body does not end with it.
    """
    found = re.search(r"boundary=(?:\"([^\"]+)\"|([^;\s]+))", content_type)
    if found is None:
        raise UnreadableError("no boundary")
    boundary = b"--" + (found.group(1) or found.group(2)).encode()
    pieces = (b"\r\n" + data).split(b"\r\n" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--") or pieces[0].strip():
        raise UnreadableError("the body does not begin or end with its boundary")
    return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece):
    if not piece.startswith(b"\r\n"):
        raise UnreadableError("something follows a boundary")
    head, blank, content = piece[2:].partition(b"\r\n\r\n")
    if not blank:
        raise UnreadableError("a part has no content")
    headers = {}
    for line in head.decode("utf-8").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = headers.get("content-disposition", "")
    return Part(
        name=_quoted(disposition, "name") or "",
        filename=_quoted(disposition, "filename"),
        media=headers.get("content-type", "text/plain"),
        headers=headers,
        content=content,
    )


def _quoted(disposition, name):
    """Return a parameter of Content-Disposition; quotes, CR and LF in it are percent-encoded."""
    found = re.search(rf';\s*{name}="((?:\\.|[^"\\])*)"', disposition) or re.search(
        rf';\s*{name}="([^"]*)"', disposition
    )
    if found is None:
        return None
    text = found.group(1)
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
