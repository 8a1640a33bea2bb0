"""Operations of a document as flat facts: what stands where, and how it is written."""

from dataclasses import dataclass, field

from .documents import OutsideError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
IGNORED_HEADERS = ("accept", "content-type", "authorization")
STYLES_OF_2 = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
NAMES_OF_2 = ("type", "format", "items", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
NAMES_OF_2 += ("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "multipleOf")
NAMES_OF_2 += ("default", "x-nullable")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named value of a request.

    Attributes:
        place: path, query, querystring, header, cookie, form or part.
        style: As in the style table; empty where a media type or the default of a body decides.
        media: Of ``content``, or of the encoding; empty otherwise.
        explicit: Whether the document itself says the style.
    """

    name: str
    place: str
    schema: object = None
    style: str = ""
    explode: bool = False
    reserved: bool = False
    media: str = ""
    required: bool = False
    explicit: bool = False
    empty_allowed: bool = False


@dataclass(frozen=True, kw_only=True)
class Body:
    """What may be sent as one media type."""

    media: str
    schema: object = None
    item_schema: object = None
    fields: dict = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: method in upper case, path template, named values and bodies by media type."""

    method: str
    path: str
    fields: tuple = ()
    bodies: dict = field(default_factory=dict)
    body_required: bool = False

    @property
    def label(self):
        """Method and path."""
        return f"{self.method} {self.path}"


def list_operations(document):
    """Yield every operation that can be read; what cannot be is left out."""
    paths = document.root.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        if not path.startswith("/"):
            continue
        try:
            item = _path_item(document, item)
        except OutsideError:
            continue
        methods = {name: item.get(name) for name in METHODS}
        if document.version >= (3, 2, 0):
            methods["query"] = item.get("query")
            extra = item.get("additionalOperations")
            methods.update(extra if isinstance(extra, dict) else {})
        for method, node in methods.items():
            if isinstance(node, dict):
                yield from _read(document, method, path, item, node)


def _path_item(document, item):
    if not isinstance(item, dict):
        return {}
    if isinstance(item.get("$ref"), str):
        target = document.resolve({"$ref": item["$ref"]})
        return {**target, **{key: value for key, value in item.items() if key != "$ref"}}
    return item


def _read(document, method, path, item, node):
    try:
        node = document.resolve(node)
        declared = _parameters(document, item, node)
        if document.version[0] == 2:
            fields = [_field_of_2(one) for one in declared if one.get("in") in ("path", "query", "header")]
            bodies = _bodies_of_2(document, node, declared)
            required = any(one.get("in") == "body" and one.get("required") is True for one in declared)
        else:
            fields = [_field_of_3(document, one) for one in declared]
            bodies = _bodies_of_3(document, node)
            body = document.resolve(node.get("requestBody") or {})
            required = body.get("required") is True
    except (OutsideError, AttributeError, TypeError):
        return
    named = method.upper() if method in (*METHODS, "query") else method
    yield Operation(method=named, path=path, fields=tuple(fields), bodies=bodies, body_required=required)


def _parameters(document, item, node):
    """Path parameters, overridden by those of the operation; the last of a name and place wins."""
    found = {}
    for source in (item.get("parameters"), node.get("parameters")):
        for one in source or ():
            one = document.resolve(one)
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                continue
            place = one.get("in")
            name = one["name"].lower() if place == "header" else one["name"]
            if place == "header" and name in IGNORED_HEADERS:
                continue
            found[(name, place)] = one
    return list(found.values())


def _field_of_3(document, one):
    place = one.get("in")
    content = one.get("content")
    if isinstance(content, dict) and content:
        media, node = next(iter(content.items()))
        schema = document.resolve(node).get("schema") if isinstance(node, dict) else None
        return Field(
            name=one["name"],
            place=place,
            schema=schema,
            media=media.partition(";")[0].strip().lower(),
            required=one.get("required") is True or place == "path",
        )
    style = one.get("style") or {"query": "form", "cookie": "form"}.get(place, "simple")
    explode = one.get("explode")
    return Field(
        name=one["name"],
        place=place,
        schema=one.get("schema"),
        style=style,
        explode=explode if isinstance(explode, bool) else style in ("form", "cookie", "deepObject"),
        reserved=one.get("allowReserved") is True,
        required=one.get("required") is True or place == "path",
        explicit="style" in one,
        empty_allowed=one.get("allowEmptyValue") is True,
    )


def _field_of_2(one, place=None):
    place = place or one["in"]
    style, explode = STYLES_OF_2.get(one.get("collectionFormat", "csv"), ("form", False))
    if place in ("path", "header") and style == "form":
        style, explode = "simple", False
    return Field(
        name=one["name"],
        place=place,
        schema={name: one[name] for name in NAMES_OF_2 if name in one},
        style=style,
        explode=explode,
        required=one.get("required") is True or place == "path",
        explicit=True,
        empty_allowed=one.get("allowEmptyValue") is True,
    )


def _bodies_of_2(document, node, declared):
    consumes = node.get("consumes") or document.root.get("consumes") or []
    consumes = [media for media in consumes if isinstance(media, str)]
    for one in declared:
        if one.get("in") == "body":
            types = consumes or ["application/json"]
            return {plain(media): Body(media=media, schema=one.get("schema")) for media in types}
    form = [one for one in declared if one.get("in") == "formData"]
    if not form:
        return {}
    fields = {one["name"]: _field_of_2(one, "form") for one in form}
    schema = {
        "type": "object",
        "properties": {name: one.schema for name, one in fields.items()},
        "required": [name for name, one in fields.items() if one.required],
        "additionalProperties": False,
    }
    has_file = any(one.get("type") == "file" for one in form)
    default = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
    types = [media for media in consumes if plain(media) in FORMS] or [default]
    if has_file and "multipart/form-data" not in map(plain, types):
        types = [default]
    return {plain(media): Body(media=media, schema=schema, fields=fields) for media in types}


FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def _bodies_of_3(document, node):
    body = document.resolve(node.get("requestBody") or {})
    content = body.get("content") if isinstance(body, dict) else None
    found = {}
    for media, value in (content if isinstance(content, dict) else {}).items():
        value = document.resolve(value) or {}
        fields = {}
        for name, encoding in (value.get("encoding") or {}).items():
            encoding = document.resolve(encoding)
            fields[name] = _encoded_field(name, encoding)
        found[plain(media)] = Body(
            media=media,
            schema=value.get("schema"),
            item_schema=value.get("itemSchema"),
            fields=fields,
            required=body.get("required") is True,
        )
    return found


def _encoded_field(name, encoding):
    """Style, explode or allowReserved make the style table decide; otherwise the media type does."""
    explicit = any(key in encoding for key in ("style", "explode", "allowReserved"))
    style = encoding.get("style") or "form"
    explode = encoding.get("explode")
    return Field(
        name=name,
        place="form",
        style=style if explicit else "",
        explode=explode if isinstance(explode, bool) else style in ("form", "deepObject"),
        reserved=encoding.get("allowReserved") is True,
        media=str(encoding.get("contentType") or ""),
        explicit=explicit,
    )


def plain(media):
    """Return a media type without parameters, in lower case."""
    return str(media).partition(";")[0].strip().lower()
