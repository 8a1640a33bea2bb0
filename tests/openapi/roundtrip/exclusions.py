"""What HTTP or the style table itself cannot carry: named reasons, each from a specification.

A reason excuses an example only after it failed to come back; what comes back is counted as right.
"""

import re

from .schemas import kinds_of

REASONS = {
    "null": "OAS 3.1.1 Appendix B: null has no text outside of JSON; RFC 6570 2.3 calls it undefined",
    "nested": "OAS 3.1.1 style values: a list or object inside a styled value is not defined",
    "empty-container": "RFC 6570 2.3: an empty list or object is undefined, so a required one cannot be told",
    "empty-item": "OAS style table: a list of one empty text looks like the empty text",
    "delimiter": "OAS 3.1.1 Appendix E: a value with its own style's delimiter cannot be split again",
    "empty-segment": "OAS 3.1.1 path templating: an empty path segment cannot be sent",
    "dot-segment": "RFC 3986 5.2.4: . and .. are steps of the path, and servers take %2E%2E for them, too",
    "slash": "OAS 3.1.1 path templating: a path value must not hold / ? or # unencoded; servers split at %2F",
    "control": "RFC 3986 and RFC 9110: servers refuse control characters in paths",
    "header-text": "RFC 9110 5.5: a header is visible ASCII, without space around it",
    "cookie-text": "RFC 6265 4.1.1: a cookie has no space, quote, comma, semicolon or backslash",
    "forbidden-header": "RFC 9110: the connection's own headers and Cookie are not the caller's",
    "not-in-table": "OAS style table: the cell is n/a, for this type or for explode",
    "no-name": "OAS 3.1.1 parameter object: what has no name cannot be sent",
    "brackets": "OAS 3.1.1 deepObject: a name with brackets in it cannot be told from nesting",
    "free-name": "OAS style table: exploded objects lose their own name: theirs are those of others, or free",
    "adjacent": "OAS 3.1.1 path templating: two variables in one segment, the text between them in a value",
    "reserved": "RFC 6570 3.2.3: reserved expansion leaves delimiters and %XX as they are",
    "xml-text": "XML 1.0 2.2, 2.11: characters that no XML document can hold, or that every parser changes",
    "xml-name": "XML 1.0 2.3: a property whose name is no XML name",
    "xml-empty": "XML has one empty element for empty text, empty list, empty object and null",
    "xml-untyped": "XML has no types: a value without a declared one comes back as text",
    "part-name": "RFC 7578 4.2: control characters have no agreed form in the name of a part",
    "no-parts": "RFC 2046 5.1.1: a multipart body has one part at least",
    "null-body": "OAS 3.1.1 Appendix B: null for a whole body; tools take its properties one by one",
    "no-structure": "OAS 3.1.1 media types: bytes of this type have no structure for a list or object",
    "surrogate": "RFC 3629: half of a surrogate pair has no UTF-8",
    "encoding-type": "OAS encoding object: the property has an own media type that is not text or JSON",
}
FORBIDDEN = {
    "host",
    "content-length",
    "cookie",
    "connection",
    "transfer-encoding",
    "te",
    "upgrade",
    "trailer",
}
FORBIDDEN |= {"keep-alive", "proxy-authorization", "proxy-connection", "proxy-authenticate", "expect"}
TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
XML_TEXT = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
XML_NAME = re.compile(r"^[A-Za-z_][\w.-]*$")


def texts(value):
    """Yield every text of a value, names too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, float):
        yield repr(value)


def has_null(value):
    """Whether a value is null, or has it inside."""
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    return any(map(has_null, value)) if isinstance(value, list) else value is None


def is_nested(value):
    """Whether there is a list or object inside a list or object."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(item, dict | list) for item in items)


def reasons_for_field(operation, field, value):
    """Return the names of what may keep a value from coming back."""
    found = set()
    is_container = isinstance(value, dict | list)
    if any("\ud800" <= character <= "\udfff" for text in texts(value) for character in text):
        found.add("surrogate")
    if field.media == "application/x-www-form-urlencoded":
        inside = list(value.values()) if isinstance(value, dict) else []
        found |= {"null"} if has_null(value) else set()
        found |= (
            {"nested"} if any(map(is_nested, inside)) or any(one in ([], {}) for one in inside) else set()
        )
    if field.media:
        return found | (_header_reasons(value) if field.place in ("header", "cookie") else set())
    if has_null(value) or value == "null":  # the generator's own spelling
        found.add("null")
    if not field.name:
        found.add("no-name")
    if is_nested(value):
        found.add("nested")
    if is_container and not value and field.required:
        found.add("empty-container")
    if is_container and not field.explode and value in ([""], {"": ""}):
        found.add("empty-item")
    if _has_delimiter(field, value):
        found.add("delimiter")
    if field.style == "deepObject" and any(mark in text for text in _names(value) for mark in "[]"):
        found.add("brackets")
    if _is_outside_table(field, value):
        found.add("not-in-table")
    if field.reserved and any(mark in text for text in texts(value) for mark in "%,|;&=+ :/?#[]@!$'()*"):
        found.add("reserved")
    if field.place == "path":
        found |= _path_reasons(operation, field, value)
    if field.place == "header":
        found |= _header_reasons(value)
        if field.name.lower() in FORBIDDEN or not TOKEN.match(field.name):
            found.add("forbidden-header")
    if field.place == "cookie":
        found |= {"cookie-text"} & _cookie_reasons(field, value)
    if isinstance(value, dict) and field.explode and field.style == "form":
        others = {one.name for one in operation.fields if one.place == field.place and one is not field}
        if others & set(value):
            found.add("free-name")
    if isinstance(value, dict) and field.explode and field.style == "form" and not field.schema:
        found.add("free-name")
    return found


def shared_names(schemas, operation, sent):
    """Return the keys of values whose exploded names cannot be told from those of others.

    Args:
        sent: (place, name) -> value.
    """
    found = set()
    for place in ("query", "cookie"):
        fields = {one.name: one for one in operation.fields if one.place == place}
        dissolving = [
            one
            for one in fields.values()
            if one.style in ("form", "cookie") and one.explode and "object" in schemas.kinds(one.schema)
        ]
        for one in dissolving:
            value = sent.get((place, one.name))
            if not isinstance(value, dict):
                continue
            others = [other for other in dissolving if other is not one and schemas.is_open(other.schema)]
            if others and not set(value) <= set(schemas.names(one.schema)):
                found |= {(place, other.name) for other in [one, *others]}
            for other in fields.values():
                theirs = {other.name, *(schemas.names(other.schema) if other in dissolving else ())}
                if other is not one and theirs & set(value):
                    found |= {(place, one.name), (place, other.name)}
    return found


def _names(value):
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _has_delimiter(field, value):
    """Only delimiters that percent-encoding cannot keep apart from the value's own."""
    if not isinstance(value, dict | list):
        return False
    marks = {"spaceDelimited": " +", "pipeDelimited": "|", "tabDelimited": "\t", "label": "."}.get(
        field.style, ""
    )
    if field.place == "header":
        marks = ",="
    if field.style == "label" and not field.explode:
        marks = ".,"
    return any(mark in text for text in texts(value) for mark in marks)


def _is_outside_table(field, value):
    is_container = isinstance(value, dict | list)
    if field.style in ("spaceDelimited", "pipeDelimited", "tabDelimited"):
        return not is_container or field.explode
    if field.style == "deepObject":
        return not isinstance(value, dict)
    known = {"path": ("matrix", "label", "simple"), "header": ("simple",), "cookie": ("form", "cookie")}
    known["query"] = known["form"] = ("form", "spaceDelimited", "pipeDelimited", "deepObject")
    return bool(field.style) and field.style not in known.get(field.place, (field.style,))


def _path_reasons(operation, field, value):
    found = set()
    segments = operation.path.split("/")
    inside = next((one for one in segments if f"{{{field.name}}}" in one), "")
    alone = inside == f"{{{field.name}}}"
    if inside.count("{") > 1:
        found.add("adjacent")
    for text in texts(value):
        if text in (".", ".."):
            found.add("dot-segment")
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            found.add("control")
        if "/" in text or "\\" in text:
            found.add("slash")
    if value in ("", [""], [], {}) and (alone or field.style == "simple"):
        found.add("empty-segment")
    return found


def _header_reasons(value):
    for text in texts(value):
        if text != text.strip(" \t") or any(not " " <= character <= "~" for character in text):
            return {"header-text"}
    return set() if value != "" else {"header-text"}


def _cookie_reasons(field, value):
    bad = set(' "\\;,=')
    if field.style != "cookie":
        bad = set(";")
    plain = all(bad.isdisjoint(text) and text.isascii() and text.isprintable() for text in texts(value))
    return set() if plain and TOKEN.match(field.name) else {"cookie-text"}


def reasons_for_form(schemas, body, value):
    """Return what may keep a form's or parts' values from coming back."""
    found = set()
    if not isinstance(value, dict):
        return {"not-in-table"}
    if not any(item not in (None, [], {}) for item in value.values()):
        found.add("no-parts")
    for name, item in value.items():
        field = body.fields.get(name)
        if any(ord(character) < 32 for character in name):
            found.add("part-name")
        if has_null(item):
            found.add("null")
        if isinstance(item, list):
            if not item and name in _required(schemas, body):
                found.add("empty-container")
            if any(isinstance(one, list) for one in item):
                found.add("nested")
        if isinstance(item, dict) and not item:
            found.add("empty-container")
        if field is not None and field.style:
            if is_nested(item):
                found.add("nested")
            if _has_delimiter(field, item):
                found.add("delimiter")
            if _is_outside_table(field, item):
                found.add("not-in-table")
        if field is not None and field.media and not field.style:
            found.add("encoding-type")
        if isinstance(item, dict) and set(item) & set(value):
            found.add("free-name")
        if any("\ud800" <= character <= "\udfff" for text in texts(item) for character in text):
            found.add("surrogate")
    return found


def _required(schemas, body):
    return {
        name
        for part in schemas.parts(body.schema)
        for name in part.get("required") or ()
        if isinstance(name, str)
    }


def reasons_for_xml(schemas, schema, value, depth=0):
    """Return what may keep a value from coming back out of XML."""
    found = set()
    if depth > 20:
        return found
    if value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        found.add("xml-empty")
    if isinstance(value, str) and XML_TEXT.search(value):
        found.add("xml-text")
    kinds = schemas.kinds(schema)
    if not isinstance(value, str) and len(kinds - {"null", "number"}) > 1:
        found.add("xml-untyped")
    if isinstance(value, dict):
        for name, item in value.items():
            if not XML_NAME.match(name):
                found.add("xml-name")
            if name not in schemas.names(schema):
                found.add("xml-untyped")
            found |= reasons_for_xml(schemas, schemas.property(schema, name), item, depth + 1)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if set(kinds_of(item)) & {"array"}:
                found.add("xml-untyped")
            found |= reasons_for_xml(schemas, schemas.items(schema, position), item, depth + 1)
    return found
