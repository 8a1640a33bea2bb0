"""The schema of an operation's arguments."""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.bodies import Body
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.encodings import artifact_type
from toolhaft.openapi.layout import Layout, schema_of
from toolhaft.openapi.parameters import Parameter
from toolhaft.openapi.plans import OperationPlan, Planner
from toolhaft.openapi.requests.files import file_schema
from toolhaft.openapi.requests.wire import WireBody, WireField
from toolhaft.openapi.schema_kinds import kind_of
from toolhaft.openapi.schemas.schema import Conversion

_ANYTHING = {"type": ["string", "number", "boolean", "object", "array"], "items": {}}


class Arguments:
    """Puts the schema of one operation's arguments together.

    Args:
        plan: The operation.
        planner: What it was planned with.
        body: Its body on the wire, if it has one.
    """

    def __init__(self, plan: OperationPlan, planner: Planner, body: WireBody | None) -> None:
        self._plan = plan
        self._planner = planner
        self._wire = body
        self._conversion = Conversion(wanted={})
        self._properties: dict[str, Any] = {}
        self._required: list[str] = []
        self._open: Any = None

    def schema(self) -> dict[str, Any]:
        """Return a self-contained JSON Schema of an object."""
        plan, layout = self._plan, self._plan.layout
        for parameter, key in zip(plan.parameters, layout.parameters, strict=True):
            self._add(key, self._parameter(parameter, key), required=parameter.required)
        body, wire = plan.body, self._wire
        if body is not None and wire is not None and layout.view is None:
            self._add(layout.body, self._whole_body(body, wire), required=body.required)
        elif body is not None and wire is not None:
            self._fields(body, wire, layout)
        made: dict[str, Any] = {"type": "object", "properties": self._properties}
        if self._required:
            made["required"] = self._required
        made["additionalProperties"] = False if self._open is None else self._open
        if definitions := self._planner.schemas.definitions(self._conversion):
            made["$defs"] = definitions
        if wire is not None and wire.form == "multipart" and layout.view is None:
            made = with_files(made)
        return made

    def _add(self, key: str, schema: dict[str, Any], *, required: bool) -> None:
        self._properties[key] = schema
        if required:
            self._required.append(key)

    def _convert(self, schema: Any) -> dict[str, Any]:
        return dict(self._planner.schemas.convert(schema, self._conversion))

    def _parameter(self, parameter: Parameter, key: str) -> dict[str, Any]:
        schema = self._convert(parameter.schema)
        description = parameter.description or schema.get("description", "")
        if key != parameter.name:
            description = f"{description} ({parameter.place} parameter {parameter.name[:80]})".strip()
        if description:
            schema["description"] = clean_text(description)
        if parameter.deprecated:
            schema["deprecated"] = True
        return schema

    def _whole_body(self, body: Body, wire: WireBody) -> dict[str, Any]:
        resolver = self._planner.resolver
        note = f"The request body, {body.media_type}."
        if body.form == "bytes":
            schema = file_schema(artifact_type((body.media_type,)), named="*" in body.media_type)
            said = clean_text(body.description) or self._convert(body.schema).get("description", "")
            schema["description"] = clean_text(f"{said} {note}")
            return schema
        if body.form == "text" and kind_of(body.schema, resolver) == "":
            schema = {"type": "string"}
        elif self._planner.encodings.is_positional(body):
            schema = self._positional(body, wire)
        elif body.form == "multipart" and kind_of(body.schema, resolver) == "":
            schema = {**self._convert(body.schema), "type": "object", "additionalProperties": _any_part()}
        else:
            schema = self._convert(body.schema)
        said = clean_text(body.description) or schema.get("description", "")
        schema["description"] = clean_text(said or note)
        return schema

    def _positional(self, body: Body, wire: WireBody) -> dict[str, Any]:
        """Return the schema of a list whose entries are parts, files among them."""
        made = self._convert(body.schema)
        listed = made.get("prefixItems")
        first = [dict(item) for item in listed] if isinstance(listed, list) else []
        items = dict(made["items"]) if isinstance(made.get("items"), dict) else {}
        for index, known in enumerate(wire.parts):
            entry = first[index] if index < len(first) else items
            changed = _part(entry, known)
            if index < len(first):
                first[index] = changed
        made["type"] = "array"
        if first:
            made["prefixItems"] = first
        made["items"] = _part(items, wire.rest) if wire.rest is not None else items
        return made

    def _fields(self, body: Body, wire: WireBody, layout: Layout) -> None:
        known = {one.name: one for one in wire.fields}
        view = layout.view
        for name, key in layout.fields.items():
            schema = self._field(body, name, known[name], layout)
            if key != name:
                note = f"(body property {name[:80]})"
                schema["description"] = clean_text(f"{schema.get('description', '')} {note}")
            required = view is not None and name in view.required and body.required
            self._add(key, schema, required=required)
            if name in layout.headers:
                self._add(layout.headers[name], self._headers(body, name), required=False)
        if view is not None and view.open is not None:
            self._open = True if view.open is True else self._convert(view.open)
            if view.open is not True and self._planner.encodings.is_file(body, "", view.open):
                self._open = file_schema()

    def _field(self, body: Body, name: str, known: WireField, layout: Layout) -> dict[str, Any]:
        written = schema_of(layout, name)
        schema = self._convert(written)
        encodings = self._planner.encodings
        if encodings.is_file(body, name, written):
            made = file_schema(artifact_type(known.media_types))
            if kind_of(written, self._planner.resolver) == "array":
                made = {"type": "array", "items": made}
            return {**made, **_described(schema)}
        if encodings.is_untyped(body, written) and not schema.keys() - {"description"}:
            return {**_any_part(), **_described(schema)}
        return schema

    def _headers(self, body: Body, name: str) -> dict[str, Any]:
        nodes = self._planner.encodings.open_headers(body, name)
        properties: dict[str, Any] = {}
        for header, node in nodes.items():
            schema = self._convert(node.get("schema"))
            if said := clean_text(node.get("description")):
                schema["description"] = said
            properties[header] = schema
        made: dict[str, Any] = {
            "type": "object",
            "description": f"Headers of the part {name[:80]}.",
            "properties": properties,
            "additionalProperties": False,
        }
        if required := [header for header, node in nodes.items() if node.get("required") is True]:
            made["required"] = required
        return made


def _part(schema: dict[str, Any], known: WireField) -> dict[str, Any]:
    if known.file:
        return {**file_schema(artifact_type(known.media_types)), **_described(schema)}
    if not schema.keys() - {"description"}:
        return {**_any_part(), **_described(schema)}
    return schema


def _any_part() -> dict[str, Any]:
    return {"anyOf": [*file_schema()["anyOf"], _ANYTHING]}


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": schema["description"]} if "description" in schema else {}


def with_files(node: Any) -> Any:
    """Return a copy of a schema with a file in place of every binary text."""
    if isinstance(node, list):
        return [with_files(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "string" and node.get("format") == "binary":
        return {**file_schema(), **_described(node)}
    return {key: with_files(value) for key, value in node.items()}
