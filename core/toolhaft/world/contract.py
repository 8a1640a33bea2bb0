"""What a document says of an operation, as something that requests and answers are checked against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from toolhaft.errors import SpecError, nearest_names
from toolhaft.openapi.documents.json_text import nesting
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.types.pointer import escape, json_pointer
from toolhaft.world.problem import RequestProblem

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_DEEPEST = 100
_SERVED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
Place = Literal["path", "query", "header"]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as it came, before it is read by a contract.

    Attributes:
        path: Path parameters, decoded.
        query: Query parameters, decoded, in order.
        headers: With names in lower case.
        body: As sent.
    """

    path: Mapping[str, str]
    query: Pairs
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    place: Place
    schema: Mapping[str, Any]
    kind: str
    item_kind: str = ""
    required: bool = False
    explode: bool = True


class Contract:
    """One operation of a document.

    Args:
        document: The whole document.
        path: The path template.
        method: In lower case.

    Raises:
        SpecError: Parameters do not fit the path, two have one name, a body's property has the name of a
            parameter, or the document uses a feature that the world does not serve.
    """

    def __init__(self, document: dict[str, Any], path: str, method: str) -> None:
        import jsonschema_rs

        resolver = Resolver(document)
        operation = document["paths"][path][method]
        self.id: str = operation["operationId"]
        self.path = path
        self.method = method.upper()
        self.security: list[dict[str, list[str]]] = operation.get("security", document.get("security", []))
        self.parameters = tuple(_parameters(operation, resolver))
        _check_names(path, self.parameters, self.id)
        body = operation.get("requestBody", {}).get("content", {})
        self.media_type = next(iter(body), "")
        self.body_schema: dict[str, Any] = (
            resolver.follow(body[self.media_type]["schema"], "")[0] if body else {}
        )
        self.responses: dict[str, Any] = operation["responses"]
        self.status = int(next(text for text in self.responses if text.startswith("2") and text.isdecimal()))
        if not isinstance(self.body_schema, dict):
            raise SpecError("the schema of the body is no object", where=self.id)
        components = document.get("components", {})
        parameter_schema = {"properties": {p.name: p.schema for p in self.parameters}}
        try:
            self._parameter_check, self._body_check = (
                jsonschema_rs.Draft202012Validator(
                    {**schema, "components": components}, validate_formats=True
                )
                for schema in (parameter_schema, self.body_schema)
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise SpecError(f"a schema makes no sense: {error!s:.200}", where=self.id) from None
        names = [parameter.name for parameter in self.parameters]
        if twice := set(names) & set(self.body_schema.get("properties", ())):
            raise SpecError(f"{', '.join(twice)} is a parameter and in the body", where=self.id)
        self._defaults = dict(_defaults(self.parameters, self.body_schema, resolver))
        self._kinds = {
            name: _kinds(schema, resolver)[0]
            for name, schema in self.body_schema.get("properties", {}).items()
        }
        self._query_keys = _query_keys(document, self.security)

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Names of all parameters and properties of the body."""
        return (*(p.name for p in self.parameters), *self.body_schema.get("properties", ()))

    def read(self, raw: RawRequest) -> dict[str, Any]:
        """Return the arguments of a request, defaults filled in.

        Raises:
            RequestProblem: The request breaks the contract.
        """
        given = self._read_parameters(raw)
        body = self._read_body(raw)
        return {**self._defaults, **given, **body}

    def _read_parameters(self, raw: RawRequest) -> dict[str, Any]:
        errors = [
            {"detail": "no such parameter", "parameter": name}
            for name in dict.fromkeys(name for name, _ in raw.query)
            if name not in self._query_keys
            and not any(p.name == name for p in self.parameters if p.place == "query")
        ]
        given: dict[str, Any] = {}
        for parameter in self.parameters:
            texts = _texts(parameter, raw)
            if texts:
                given[parameter.name] = _value(parameter, texts)
            elif parameter.required:
                errors.append({"detail": "is required", "parameter": parameter.name})
        errors += [
            {"detail": error.message, "parameter": str(error.instance_path[0])}
            for error in self._parameter_check.iter_errors(given)
        ]
        if errors:
            first = errors[0]
            raise RequestProblem(422, f"{first['parameter']}: {first['detail']}", errors=tuple(errors))
        return given

    def _read_body(self, raw: RawRequest) -> dict[str, Any]:
        if not self.media_type:
            return {}
        sent = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not raw.body:
            raise RequestProblem(
                422, "A body is required", errors=({"detail": "is required", "pointer": "#"},)
            )
        if sent != self.media_type:
            raise RequestProblem(415, f"The body must be sent as {self.media_type}")
        value = _parse_json(raw.body) if sent == JSON else self._parse_form(raw.body)
        errors = tuple(_body_error(error) for error in self._body_check.iter_errors(value))
        if errors:
            raise RequestProblem(422, f"{errors[0]['pointer']}: {errors[0]['detail']}", errors=errors)
        return dict(value)

    def _parse_form(self, body: bytes) -> dict[str, Any]:
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise RequestProblem(400, "The body is not a form") from None
        return {name: _scalar(text, self._kinds.get(name, "string")) for name, text in pairs}


def contracts(document: dict[str, Any], file: str = "") -> Iterator[Contract]:
    """Iterate over the operations of a document, fixed paths before templated ones.

    Args:
        document: The whole document.
        file: For error messages.

    Raises:
        SpecError: See `Contract`.
    """
    for path in sorted(document["paths"], key=lambda path: (path.count("{"), path)):
        for method in document["paths"][path]:
            try:
                yield Contract(document, path, method)
            except SpecError as error:
                place = f"{file}#/paths/{escape(path)}/{method}"
                raise SpecError(error.what, where=place, hint=error.hint, code=error.code) from None


def _parameters(operation: dict[str, Any], resolver: Resolver) -> Iterator[Parameter]:
    for node in operation.get("parameters", ()):
        entry = resolver.follow(node, "")[0]
        if not (isinstance(entry, dict) and {"name", "in", "schema"} <= set(entry)):
            raise SpecError("a parameter has no name, place or schema", where=operation["operationId"])
        kind, item_kind = _kinds(entry["schema"], resolver)
        yield Parameter(
            name=entry["name"],
            place=entry["in"],
            schema=entry["schema"],
            kind=kind,
            item_kind=item_kind,
            required=entry.get("required", False),
            explode=entry.get("explode", True),
        )


def _check_names(path: str, parameters: Sequence[Parameter], operation: str) -> None:
    """Raise unless the path names its parameters, and every parameter has a name of its own."""
    wanted = _VARIABLE.findall(path)
    given = [parameter.name for parameter in parameters if parameter.place == "path"]
    for name in wanted:
        if not _SERVED.fullmatch(name):
            raise SpecError(
                f"the path names {{{name[:80]}}}, which the world does not serve",
                where=operation,
                hint="Write letters, digits and underscores between the braces",
            )
        if name not in given:
            nearest = nearest_names(name, given) or [other for other in given if other not in wanted]
            raise SpecError(
                f"the path names {{{name[:80]}}}, and no path parameter is called so",
                where=operation,
                hint=f"Did you mean {{{nearest[0]}}}?" if nearest else "Add it to the parameters",
            )
    for name in given:
        if name not in wanted:
            raise SpecError(f"the path parameter {name[:80]} does not stand in the path", where=operation)
    names = [parameter.name for parameter in parameters]
    if len(set(names)) < len(names) or len(set(wanted)) < len(wanted):
        raise SpecError("two parameters have one name", where=operation)


def _kinds(schema: Any, resolver: Resolver) -> tuple[str, str]:
    """Return the type of a schema, and of its items if it is an array."""
    found = resolver.follow(schema, "")[0]
    kind = _kind(found)
    return kind, _kind(resolver.follow(found.get("items", {}), "")[0]) if kind == "array" else ""


def _kind(schema: Any) -> str:
    """Return the type of a schema; of several, the first that is not null."""
    named = schema.get("type", "string") if isinstance(schema, dict) else "string"
    kinds = [kind for kind in named if kind != "null"] if isinstance(named, list) else [named]
    return str(kinds[0]) if kinds else "string"


def _defaults(
    parameters: Sequence[Parameter], body: Mapping[str, Any], resolver: Resolver
) -> Iterator[tuple[str, Any]]:
    schemas = {**{p.name: p.schema for p in parameters}, **body.get("properties", {})}
    for name, schema in schemas.items():
        for node in (schema, resolver.follow(schema, "")[0]):
            if isinstance(node, dict) and "default" in node:
                yield name, node["default"]
                break


def _query_keys(document: dict[str, Any], security: list[dict[str, list[str]]]) -> set[str]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    named = [schemes[name] for requirement in security for name in requirement]
    return {scheme["name"] for scheme in named if scheme.get("in") == "query"}


def _texts(parameter: Parameter, raw: RawRequest) -> list[str]:
    if parameter.place == "path":
        return [raw.path[parameter.name]]
    if parameter.place == "header":
        text = raw.headers.get(parameter.name.lower())
        return [] if text is None else [text]
    return [text for name, text in raw.query if name == parameter.name]


def _value(parameter: Parameter, texts: list[str]) -> Any:
    if parameter.kind != "array":
        # A scalar sent twice is left a list, which its schema refuses.
        return _scalar(texts[0], parameter.kind) if len(texts) == 1 else texts
    parts = texts if parameter.explode else [part for text in texts for part in text.split(",")]
    return [_scalar(part, parameter.item_kind) for part in parts]


def _scalar(text: str, kind: str) -> Any:
    """Return what a text means for a type; what means nothing stays a text, for the schema to refuse."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        if kind == "integer":
            return int(text) if len(text) <= 20 else text
        if kind == "number":
            number = float(text)
            return number if number - number == 0 else text
    except ValueError:
        return text
    return text


def _parse_json(body: bytes) -> Any:
    import orjson

    try:
        if nesting(body.decode()) > _DEEPEST:
            raise RequestProblem(400, f"The body is nested deeper than {_DEEPEST} levels")
        return orjson.loads(body)
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        raise RequestProblem(400, "The body is not JSON") from None


def _body_error(error: ValidationError) -> dict[str, str]:
    return {"detail": error.message, "pointer": f"#{json_pointer(error.instance_path)}"}
