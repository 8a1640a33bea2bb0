"""Arguments made by schemathesis, by place and wire name, before anything is written as text."""

import random
from dataclasses import dataclass
from urllib.parse import unquote

from .documents import OutsideError
from .operations import METHODS

NAME_MAPS = ("properties", "patternProperties", "$defs", "definitions", "schemas", "dependentSchemas")
DATA = ("example", "examples", "default", "enum", "const")


@dataclass
class Given:
    """Arguments of one call.

    Attributes:
        fields: (place, wire name) -> value.
        body: Plain data with bytes in it; `ABSENT` where there is none.
    """

    fields: dict
    body: object
    media: str = ""


ABSENT = object()


class Kept(str):
    """Text that passes the generator's filters, and the value that it stands for."""

    __slots__ = ("value",)


class Generator:
    """Draws arguments for the operations of one document.

    Args:
        document: The document, everything inside it.
    """

    def __init__(self, document):
        import schemathesis

        root = settled(document.root)
        root["paths"] = settled(plain_paths(document))
        if "openapi" in root:
            # YAML may have read a number
            root["openapi"] = ".".join((str(root["openapi"]) + ".0.0").split(".")[:3])
        self.schema = schemathesis.openapi.from_dict(root)
        # credentials are no arguments
        self.schema.config.generation.update(with_security_parameters=False)
        # values are wanted as they are, not as schemathesis itself would write them into a request
        self.schema.get_parameter_serializer = _keep_values

    def draw(self, method, path, *, media, count, seed):
        """Return that many cases, as far as there are any; bodies are of the given media type.

        Raises:
            Exception: Whatever schemathesis raises for a document that it cannot read.
        """
        import hypothesis
        from hypothesis import HealthCheck, Phase
        from schemathesis import GenerationMode

        operation = self.schema[path][method]
        items = operation.body.items
        if media and items:
            wanted = [one for one in items if one.media_type.partition(";")[0].strip().lower() == media]
            operation.body.items[:] = wanted or items
        _accept_media([one.media_type for one in operation.body.items])
        cases = []

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[one for one in HealthCheck if one is not HealthCheck.filter_too_much],
        )
        @hypothesis.given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        def collect(case):
            cases.append(case)

        collect()
        return [given_of(case) for case in cases[-count:]]


def plain_paths(document):
    """Return the paths with their items and operations in place of references to them."""
    found = {}
    paths = document.root.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        try:
            item = document.resolve(item)
            if isinstance(item, dict):
                item = {name: _operation(document, name, node) for name, node in item.items()}
        except OutsideError:
            continue
        found[path] = item
    return found


def _operation(document, name, node):
    return document.resolve(node) if name in METHODS and isinstance(node, dict) else node


def settled(node, *, is_map=False):
    """Copy a document; a schema with properties and no type is meant for objects alone."""
    if isinstance(node, list):
        return [settled(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for name, value in node.items():
        if name in DATA and not is_map:
            found[name] = value
        else:
            found[name] = settled(value, is_map=name in NAME_MAPS and not is_map)
    told = {"type", "$ref", "allOf", "anyOf", "oneOf"} & found.keys()
    if not is_map and not told and isinstance(found.get("properties"), dict):
        found["type"] = "object"
    return found


def _accept_media(types):
    """Let schemathesis draw bodies of media types that it cannot write itself."""
    import schemathesis
    from schemathesis.transport.requests import REQUESTS_TRANSPORT

    for media in types:
        if REQUESTS_TRANSPORT.get_first_matching_media_type(media) is None:
            schemathesis.serializer(media)(lambda context, value: {"data": b""})


def _keep_values(operation, location):
    """Return what stands in for writing values as text; they must look like text to be drawn."""
    if location == "path":
        return None
    return _kept if location in ("header", "cookie") else _kept_in_query


def _kept_in_query(values):
    return {name: _stand_in(value) if value is not None else None for name, value in values.items()}


def _kept(values):
    return {
        name: _stand_in(_printable(value) if isinstance(value, dict | list) else value)
        for name, value in values.items()
    }


def _stand_in(value):
    text = value if isinstance(value, str) else "x" + "".join(_texts(value))
    found = Kept(text)
    found.value = value
    return found


def _texts(value):
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _printable(value):
    """Turn what no header can hold inside of lists and objects into what it can."""
    if isinstance(value, dict):
        return {_printable(name): _printable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, str):
        return "".join(one if "!" <= one <= "~" else chr(97 + ord(one) % 26) for one in value)
    return value


def given_of(case):
    """Return a case's arguments."""
    from schemathesis.core import NOT_SET

    fields = {}
    for name, value in (case.path_parameters or {}).items():
        fields[("path", name)] = unquote(value) if isinstance(value, str) else plain_data(value)
    for place, values in (("query", case.query), ("header", case.headers), ("cookie", case.cookies)):
        for name, value in dict(values or {}).items():
            fields[(place, name)] = plain_data(value)
    body = ABSENT if case.body is NOT_SET else plain_data(case.body)
    return Given(fields, body, case.media_type or "")


def plain_data(value):
    """Return plain data; what schemathesis marks as binary becomes bytes."""
    if isinstance(value, Kept):
        value = value.value
    if isinstance(value, dict):
        return {str(name): plain_data(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    if isinstance(value, str) and hasattr(value, "data"):
        return bytes(value.data)
    if isinstance(value, str) and type(value) is not str:
        return str(value)
    return value


def shuffled(items, seed):
    """Return the items in an order that the seed decides."""
    items = list(items)
    random.Random(seed).shuffle(items)
    return items
