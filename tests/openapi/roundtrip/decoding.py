"""A request back to the arguments that it was made of."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, unquote_plus, urlsplit

from .bodies import BodyReader, UnreadableError, is_json, share_pairs
from .operations import plain
from .schemas import SCALARS, Schemas
from .styles import Reader
from .values import Text


@dataclass
class Decoded:
    """Readings of every field by place and wire name, and of the body.

    Attributes:
        fields: (place, name) -> readings.
        body: Readings; None where nothing was sent.
        media: Of the body.
        extra: What was sent that the document does not know.
        problems: What could not be read.
    """

    fields: dict = field(default_factory=dict)
    body: list | None = None
    media: str = ""
    extra: list = field(default_factory=list)
    problems: list = field(default_factory=list)


class Decoder:
    """Reads requests of one document.

    Args:
        document: The document.
    """

    def __init__(self, document):
        self.document = document
        self.schemas = Schemas(document)
        self.reader = Reader(self.schemas, document.version)
        self.bodies = BodyReader(self.reader)

    def decode(self, operation, method, url, headers, body):
        """Return what a request says.

        Args:
            operation: What it should be a request of.
            headers: Pairs.
            body: Bytes, or None.
        """
        found = Decoded()
        if method != operation.method:
            found.problems.append(f"method {method}")
        parts = urlsplit(url)
        template, _, fixed = operation.path.partition("#")[0].partition("?")
        self._read_path(operation, template, parts.path, found)
        self._read_query(operation, fixed, parts.query, found)
        self._read_headers(operation, headers, found)
        self._read_body(operation, dict((n.lower(), v) for n, v in headers), body, found)
        return found

    def _read_path(self, operation, template, path, found):
        fields = {one.name: one for one in operation.fields if one.place == "path"}
        names, pattern = [], ""
        for literal, name in re.findall(r"([^{]*)(?:\{([^}]*)\})?", template):
            # literal text may have been encoded on its way
            pattern += "".join(_literal(character) for character in literal)
            if name:
                names.append(name)
                pattern += "([^/?#]*)"
        match = re.search(f"^(?:.*?){pattern}$", path)
        if match is None:
            found.problems.append(f"the path {path} is not {template}")
            return
        for name, raw in zip(names, match.groups(), strict=True):
            if name in fields:
                found.fields[("path", name)] = self._one(fields[name], raw, self.reader.read_path)
            else:
                found.fields[("path", name)] = [Text(unquote(raw))]

    def _one(self, field, raw, read, decode=unquote):
        if field.media:
            return self._content(field, decode(raw))
        return read(field, raw)

    def _content(self, field, text):
        if is_json(field.media):
            from .values import read_number

            try:
                return [json.loads(text)]
            except ValueError:
                return [] if read_number(text) is None else [read_number(text)]
        kinds = self.schemas.kinds(field.schema)
        found = [Text(text, kinds & SCALARS or SCALARS)]
        if kinds - SCALARS:  # what no media type describes is JSON
            with suppress(ValueError):
                found.append(json.loads(text))
        return found

    def _read_query(self, operation, fixed, query, found):
        fields = [one for one in operation.fields if one.place == "query"]
        for whole in operation.fields:
            if whole.place == "querystring":
                if not query:
                    return
                found.fields[("querystring", whole.name)] = self._whole_query(whole, query)
                return
        pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
        for pair in fixed.split("&") if fixed else ():
            wanted = [unquote_plus(part) for part in pair.partition("=")[::2]]
            if variable := re.fullmatch(r"\{([^{}]*)\}", wanted[1]):
                self._read_variable(operation, variable[1], wanted[0], pairs, found)
                continue
            same = [one for one in pairs if [unquote_plus(part) for part in one] == wanted]
            if same:
                pairs.remove(same[0])
            else:
                found.problems.append(f"the path's own query {pair} is missing")
        for one, own in share_pairs(self.schemas, fields, pairs):
            if one is None:
                found.extra += [("query", unquote_plus(name)) for name, _ in own]
            elif own and one.media:
                found.fields[("query", one.name)] = self._content(one, unquote_plus(own[0][1]))
            elif own:
                found.fields[("query", one.name)] = self.reader.read_pairs(one, own)

    def _read_variable(self, operation, variable, name, pairs, found):
        """Read a variable of the path that stands in the query of the template."""
        own = [one for one in pairs if unquote_plus(one[0]) == name]
        fields = [one for one in operation.fields if (one.place, one.name) == ("path", variable)]
        if fields and own:
            pairs.remove(own[0])
            found.fields["path", variable] = self._one(fields[0], own[0][1], self.reader.read_path)
        elif fields:
            found.problems.append(f"the query's own {name} is missing")

    def _whole_query(self, whole, query):
        if is_json(whole.media):
            return self._content(whole, unquote(query))
        from .operations import Body

        body = Body(media=whole.media, schema=whole.schema)
        return self.bodies.read(body, whole.media, query.encode())

    def _read_headers(self, operation, headers, found):
        fields = {one.name.lower(): one for one in operation.fields if one.place == "header"}
        for name, value in headers:
            lower = name.lower()
            if lower == "cookie" and "cookie" not in fields:
                self._read_cookies(operation, value, found)
            elif lower in fields:
                one = fields[lower]
                if one.media:
                    readings = self._content(one, value)
                else:
                    pairs = "=" if one.explode else ""
                    readings = self.reader.read_flat(one, value, ",", pairs=pairs, decode=str)
                found.fields[("header", one.name)] = readings
            elif lower not in ("accept", "content-type", "content-length", "user-agent"):
                found.extra.append(("header", name))

    def _read_cookies(self, operation, value, found):
        fields = [one for one in operation.fields if one.place == "cookie"]
        pairs = [pair.partition("=")[::2] for pair in value.split("; ")]
        if self.document.version < (3, 2, 0):
            pairs = [one.partition("=")[::2] for pair in value.split("; ") for one in pair.split("&")]
        # 3.2's own style for cookies delimits like form, and encodes nothing
        raw = {one.name for one in fields if one.style == "cookie"}
        fields = [replace(one, style="form") if one.name in raw else one for one in fields]
        for one, own in share_pairs(self.schemas, fields, pairs):
            if one is None:
                found.extra += [("cookie", name) for name, _ in own]
            elif own and one.media:
                text = own[0][1]
                found.fields[("cookie", one.name)] = self._content(one, text) + self._content(
                    one, unquote(text)
                )
            elif own:
                decode = str if one.name in raw else unquote
                found.fields[("cookie", one.name)] = self.reader.read_pairs(one, own, decode=decode)

    def _read_body(self, operation, headers, body, found):
        content_type = headers.get("content-type", "")
        if body is None:
            if content_type:
                found.problems.append("a content type without a body")
            return
        found.media = plain(content_type)
        one = operation.bodies.get(found.media) or _matching(operation.bodies, found.media)
        if one is None:
            found.problems.append(f"a body of type {content_type!r}, which is not declared")
            return
        try:
            found.body = self.bodies.read(one, content_type, body)
        except UnreadableError as error:
            found.problems.append(f"body: {error}")
        except (ValueError, RecursionError) as error:
            found.problems.append(f"body: {type(error).__name__} {error}")


def _literal(character):
    """A pattern for one character of a path template, plain or percent-encoded."""
    encoded = "".join(f"%{byte:02X}" for byte in character.encode())
    return f"(?:{re.escape(character)}|(?i:{encoded}))"


def _matching(bodies, media):
    """Return the body whose range holds the media type: ``*/*``, ``image/*``."""
    for pattern, body in bodies.items():
        if media == "multipart/form-data" and pattern.endswith("form-data"):
            return body  # misspelt in the document
        if pattern in ("*/*", "*") or (pattern.endswith("/*") and media.startswith(pattern[:-1])):
            return body
    return None
