"""Operations of a Swagger 2.0 document in the shape of 3.0, one at a time, with the places they come from.

References to parameters and responses are followed here, whatever file they lead to, because whether a
parameter is a body is known only behind them. Schemas are shared with the document, never copied.

Source: OpenAPI 2.0, sections "Operation Object", "Parameter Object", "Response Object"; OpenAPI 3.0.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.documents.swagger2 import moved_root, servers
from toolhaft.openapi.documents.swagger2_parameters import (
    COLLECTION,
    convert_parameter,
    is_form,
    value_schema,
)
from toolhaft.openapi.media_types import FORM, plain
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import escape

_MULTIPART = "multipart/form-data"


@dataclass(slots=True)
class Converted:
    """An operation in the shape of 3.0.

    Attributes:
        node: The operation.
        item: The path item, its parameters converted.
        moved: Pointer in the converted operation -> pointer in the user's file, where they differ.
        problems: What was noticed.
    """

    node: dict[str, Any]
    item: dict[str, Any]
    moved: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Bodies:
    """The parameters of an operation that together are its body, each with its pointer."""

    whole: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    fields: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)


class OperationConverter:
    """Converts the operations of one document.

    Args:
        root: The converted root.
        resolver: Of the same document.
    """

    def __init__(self, root: dict[str, Any], resolver: Resolver) -> None:
        self._root = root
        self._resolver = resolver
        self._moved = moved_root(root)

    def convert(
        self, node: dict[str, Any], pointer: str, item: dict[str, Any], item_pointer: str
    ) -> Converted:
        """Return an operation and its path item in the shape of 3.0."""
        made = Converted({**node}, {**item}, {**self._moved})
        bodies = _Bodies()
        if item.get("parameters") is not None:
            made.item["parameters"] = self._parameters(
                item["parameters"], f"{item_pointer}/parameters", made, bodies
            )
        if node.get("parameters") is not None:
            made.node["parameters"] = self._parameters(
                node["parameters"], f"{pointer}/parameters", made, bodies
            )
        made.node.pop("requestBody", None)
        self._add_body(made, bodies, pointer)
        if node.get("schemes"):
            made.node["servers"] = servers(self._root, node["schemes"])
            place = f"{pointer}/schemes"
            made.moved[f"{pointer}/servers"] = place
            made.moved.update({f"{pointer}/servers/{n}": place for n in range(len(made.node["servers"]))})
        produces = _media_types(node.get("produces"), self._root.get("produces"))
        responses = as_dict(node.get("responses"))
        made.node["responses"] = {
            status: self._response(response, f"{pointer}/responses/{escape(str(status))}", produces, made)
            for status, response in responses.items()
        }
        return made

    def _parameters(self, listed: Any, pointer: str, made: Converted, bodies: _Bodies) -> Any:
        """Return the list with what is part of a body left empty, so that every index stays true."""
        if not isinstance(listed, list):
            return listed
        found: list[Any] = []
        for index, written in enumerate(listed):
            place = f"{pointer}/{index}"
            try:
                node, source = self._resolver.follow(written, place)
            except BrokenReferenceError:
                found.append(written)  # reported where it is read
                continue
            if not isinstance(node, dict):
                found.append(node)
            elif node.get("in") == "body":
                name = str(node.get("name"))
                bodies.whole.pop(name, None)  # the operation's own goes before that of its path
                bodies.whole[name] = (node, source)
                found.append(None)
            elif is_form(node):
                bodies.fields[node["name"]] = (node, source)
                found.append(None)
            else:
                found.append(convert_parameter(node))
                made.moved[f"{place}/schema"] = source
        return found

    def _add_body(self, made: Converted, bodies: _Bodies, pointer: str) -> None:
        place = f"{pointer}/requestBody"
        consumes = _media_types(made.node.get("consumes"), self._root.get("consumes"))
        if bodies.whole:
            *others, (node, source) = bodies.whole.values()
            self._whole_body(made, node, source, place, consumes)
            self._complain(made, others, bodies)
        elif bodies.fields:
            self._form_body(made, bodies, place, consumes)

    def _whole_body(
        self, made: Converted, node: dict[str, Any], source: str, place: str, consumes: list[str]
    ) -> None:
        given = node.get("schema")
        schema = value_schema(node) if given is None and "type" in node else given
        example = next((node[key] for key in ("x-example", "example") if node.get(key) is not None), None)
        examples = as_dict(node.get("x-examples"))
        content: dict[str, Any] = {}
        for media in consumes or ["application/json"]:
            shown = examples.get(media, example)
            content[media] = {"schema": schema} if shown is None else {"schema": schema, "example": shown}
            made.moved[f"{place}/content/{escape(media)}"] = source
        made.node["requestBody"] = {**node, "required": node.get("required") is True, "content": content}
        made.moved[place] = source

    def _form_body(self, made: Converted, bodies: _Bodies, place: str, consumes: list[str]) -> None:
        media = form_type([node for node, _ in bodies.fields.values()], consumes)
        properties: dict[str, Any] = {}
        encoding: dict[str, Any] = {}
        required: list[str] = []
        schema_place = f"{place}/content/{escape(media)}"
        for name, (node, source) in bodies.fields.items():
            converted = convert_parameter(node)
            properties[name] = {**converted["schema"]}
            if isinstance(node.get("description"), str):
                properties[name]["description"] = node["description"]
            if COLLECTION in converted:
                encoding[name] = {COLLECTION: converted[COLLECTION]}
            if node.get("required") is True:
                required.append(name)
            made.moved[f"{schema_place}/schema/properties/{escape(name)}"] = source
            made.moved.setdefault(place, source)
            made.moved.setdefault(schema_place, source)
            made.moved.setdefault(f"{schema_place}/schema", source)
        schema = {"type": "object", "properties": properties, "required": required}
        made.node["requestBody"] = {
            "required": bool(required),
            "content": {media: {"schema": schema, "encoding": encoding}},
        }

    def _complain(self, made: Converted, others: list[tuple[dict[str, Any], str]], bodies: _Bodies) -> None:
        for _, source in others:
            message = "there is more than one body; the last counts"
            made.problems.append(Problem(code="body-duplicate", message=message, pointer=source))
        for name, (_, source) in bodies.fields.items():
            message = f"the form field {name[:80]!r} stands beside a body and cannot be sent"
            problem = Problem(code="body-and-form", message=message, pointer=source, severity="degraded")
            made.problems.append(problem)

    def _response(self, written: Any, place: str, produces: list[str], made: Converted) -> Any:
        try:
            node, source = self._resolver.follow(written, place)
        except BrokenReferenceError:
            return written
        if not isinstance(node, dict):
            return node
        if source != place:
            made.moved[place] = source
        content: dict[str, Any] = {}
        examples = {str(media): value for media, value in as_dict(node.get("examples")).items()}
        schema = node.get("schema")
        if schema is not None or examples:
            fallback = "application/json"
            if isinstance(schema, dict) and schema.get("type") == "file":
                schema = {**schema, "type": "string", "format": "binary"}
                fallback = "application/octet-stream"
            for media in dict.fromkeys([*(produces or [fallback]), *(m for m in examples if "/" in m)]):
                content[media] = {} if schema is None else {"schema": schema}
                if media in examples:
                    content[media]["example"] = examples[media]
                made.moved[f"{place}/content/{escape(media)}"] = source
        headers = {
            str(name): {**header, "schema": value_schema(header)} if isinstance(header, dict) else header
            for name, header in as_dict(node.get("headers")).items()
        }
        return {**node, "content": content, "headers": headers}


def form_type(fields: list[dict[str, Any]], consumes: list[str]) -> str:
    """Return the media type by which form fields are sent: a file needs multipart."""
    known = {plain(media): media for media in reversed(consumes)}
    if any(node.get("type") == "file" for node in fields) or (_MULTIPART in known and FORM not in known):
        return _MULTIPART
    return known.get(FORM, FORM)


def _media_types(own: Any, default: Any) -> list[str]:
    listed = own if own is not None else default
    found = [listed] if isinstance(listed, str) else as_list(listed)
    return list(dict.fromkeys(media for media in found if isinstance(media, str) and media.strip()))


def original(pointer: str, moved: Mapping[str, str]) -> str:
    """Return the pointer in the user's file that a pointer of a converted operation stands for."""
    head, tail = pointer, ""
    while head:
        if head in moved:
            return moved[head] + tail
        head, _, last = head.rpartition("/")
        tail = f"/{last}{tail}"
    return pointer
