"""A record becomes a spec, and the plan of its requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.effects import READS
from toolhaft.openapi.names import KeyRequest, argument_keys
from toolhaft.openapi.requests.wire import Where, Wire, WireBody, WireField, WireParameter
from toolhaft.tools.report import Problem
from toolhaft.types import Effect, ToolSpec
from toolhaft_rapidapi.address import Address, read_address, variable_of
from toolhaft_rapidapi.kinds import parameter_schema
from toolhaft_rapidapi.naming import Naming
from toolhaft_rapidapi.record import APIRecord, Parameter
from toolhaft_rapidapi.redaction import is_credential, is_transport, looks_secret, redact
from toolhaft_rapidapi.skeleton import response_schema
from toolhaft_rapidapi.standard import standard_parameter

METHODS = READS | {"POST", "PUT", "PATCH", "DELETE"}
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_HEADER = re.compile(r"(?i)(?:accept|accept-language|authorization|user-agent|x-[a-z0-9-]{1,60})")
_TOOL_DESCRIPTION = 256
_MOST_RESPONSE_PARTS = 150
_FEW_WORDS = 5
_LOSSES = frozenset(("parameters-malformed", "parameters-many", "parameter-malformed", "url-credential"))
"""Notes of reading that cost an API something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An API as a tool.

    Attributes:
        spec: Its hosts are those of the live API.
        wire: How requests are made.
        problems: What was noticed.
    """

    spec: ToolSpec
    wire: Wire
    problems: tuple[Problem, ...]


def build(record: APIRecord, name: str, naming: Naming = "readable") -> Built:
    """Build the tool of a record.

    Args:
        record: The API.
        name: The tool's name.
        naming: With ``toolbench``, arguments are spelled as ToolBench spells them.
    """
    problems = [_note(code, message, record) for code, message in record.problems]
    address = read_address(record.url)
    parameters = _parameters(record, address, problems)
    keys = _keys(parameters, address, naming)
    properties: dict[str, Any] = {}
    for parameter, key in zip(parameters, keys, strict=True):
        schema, noticed = parameter_schema(parameter, record.pointer)
        problems += [_placed(problem, record) for problem in noticed]
        if key != parameter.name:
            note = f"(parameter {parameter.name[:80]})"
            schema["description"] = clean_text(f"{schema.get('description', '')} {note}".strip())
        properties[key] = schema
    required = [key for parameter, key in zip(parameters, keys, strict=True) if parameter.required]
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    renamed = {key: each.name for each, key in zip(parameters, keys, strict=True) if key != each.name}
    wire = _wire(record, address, parameters, keys)
    spec = ToolSpec(
        name=name,
        description=describe(record),
        parameters=schema,
        effect=wire.effect,
        repeatable=wire.repeatable,
        tags=(clean_text(record.category, 80),) if record.category else (),
        source=f"rapidapi:{_place(record)}#{record.pointer}",
        parent=clean_text(redact(record.tool), 200),
        returns=response_schema(record.response, _MOST_RESPONSE_PARTS),
        untrusted=True,
        hosts=(address.origin,) if address.origin else (),
        examples=_examples(properties, required),
        metadata={
            "category": record.category,
            "tool_name": record.tool,
            "api_name": record.api,
            "method": record.method,
            **({"parameters": renamed} if renamed else {}),
        },
    )
    return Built(spec=spec, wire=wire, problems=tuple(problems))


def describe(record: APIRecord) -> str:
    """Return the API's description, with the tool's where it says next to nothing; bounded."""
    own = clean_text(redact(record.description))
    if len(own.split()) >= _FEW_WORDS:
        return own
    said = own or clean_text(redact(record.api), 200)
    about = clean_text(redact(record.tool_description), _TOOL_DESCRIPTION)
    tool = clean_text(redact(record.tool), 200)
    glue = "" if said.endswith((".", "!", "?")) else "."
    return clean_text(f"{said}{glue} Of {tool}{f': {about}' if about and about != tool else ''}")


def _parameters(record: APIRecord, address: Address, problems: list[Problem]) -> list[Parameter]:
    """Return the parameters that are arguments; those in the path are required, declared or not."""
    in_path = set(address.variables)
    found: list[Parameter] = []
    for parameter in record.parameters:
        if is_transport(parameter.name):
            continue
        if parameter.name in in_path and not parameter.required:
            parameter = _required(parameter)
        found.append(parameter)
    declared = {parameter.name for parameter in found}
    for name, value in address.query:
        if _is_key(name, value) and name not in declared and not is_transport(name):
            message = f"the URL holds a credential as {name[:80]!r}; it is left out, and may be given"
            problems.append(_note("url-credential", message, record))
            found.append(Parameter(name=name, kind="STRING", description="A credential of your own."))
            declared.add(name)
    for name in address.variables:
        if name not in declared:
            message = f"the path names {name[:80]!r}, which is no parameter; it becomes a required text"
            problems.append(_note("path-parameter-undeclared", message, record))
            found.append(Parameter(name=name, kind="STRING", required=True))
    return found


def _is_key(name: str, value: str) -> bool:
    """Whether a pair of a URL's own query is somebody's key, which is neither shown nor sent."""
    return bool(value) and not variable_of(value) and (is_credential(name) or looks_secret(value))


def _required(parameter: Parameter) -> Parameter:
    from dataclasses import replace

    return replace(parameter, required=True)


def _place_of(address: Address, parameter: Parameter) -> Where:
    if parameter.name in address.variables:
        return "path"
    if _HEADER.fullmatch(parameter.name):
        return "header"
    return "query"


def _keys(parameters: list[Parameter], address: Address, naming: Naming) -> list[str]:
    places = [_place_of(address, parameter) for parameter in parameters]
    names = [parameter.name for parameter in parameters]
    if naming == "toolbench":
        names = [standard_parameter(name) for name in names]
    return argument_keys(KeyRequest(place, name) for place, name in zip(places, names, strict=True))


def _wire(record: APIRecord, address: Address, parameters: list[Parameter], keys: list[str]) -> Wire:
    method = record.method
    effect: Effect = "read" if method in READS else "write"
    # A pair of the URL's own query may name a parameter in braces, under another name.
    renamed = {variable_of(value): name for name, value in address.query if variable_of(value)}
    on_wire: list[WireParameter] = []
    fields: list[WireField] = []
    for parameter, key in zip(parameters, keys, strict=True):
        place = _place_of(address, parameter)
        if place == "query" and method in _WITH_BODY:
            fields.append(WireField(key=key, name=parameter.name))
            continue
        nested = str(parameter.kind or "").upper().startswith(("OBJECT", "MAP"))
        on_wire.append(
            WireParameter(
                key=key,
                name=renamed.get(parameter.name, parameter.name),
                place=place,
                style="form" if place == "query" else "simple",
                explode=parameter.name.endswith("[]"),
                content="application/json" if nested and place != "path" else "",
            )
        )
    taken = {parameter.name for parameter in on_wire if parameter.place == "query"}
    fixed = [
        (name, value)
        for name, value in address.query
        if name not in taken and not variable_of(value) and not _is_key(name, value)
    ]
    return Wire(
        method=method,
        server=address.server,
        server_problem=address.problem,
        path=f"{address.path}?{urlencode(fixed)}" if fixed else address.path,
        parameters=tuple(on_wire),
        body=WireBody(media_type="application/json", form="json", fields=tuple(fields)) if fields else None,
        accept="application/json, */*;q=0.5",
        effect=effect,
        repeatable=method in READS or method in ("PUT", "DELETE"),
    )


def _examples(properties: dict[str, Any], required: list[str]) -> tuple[dict[str, Any], ...]:
    """Return arguments made of the examples, if every required argument has one."""
    if not required or not all(properties[key].get("examples") for key in required):
        return ()
    return ({key: properties[key]["examples"][0] for key in required},)


def _place(record: APIRecord) -> str:
    return f"{record.file} line {record.line}" if record.line else record.file


def _note(code: str, message: str, record: APIRecord) -> Problem:
    return Problem(
        code=code,
        message=message,
        pointer=record.pointer,
        line=record.line,
        file=record.file,
        severity="degraded" if code in _LOSSES else "warning",
    )


def _placed(problem: Problem, record: APIRecord) -> Problem:
    from dataclasses import replace

    return replace(problem, file=record.file, line=record.line)
