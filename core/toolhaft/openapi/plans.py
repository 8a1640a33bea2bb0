"""One operation read as far as its outcome can be told, with its schemas left for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from toolhaft.auth.schemes import Alternatives
from toolhaft.auth.session import Auth
from toolhaft.openapi.bodies import Body, read_body
from toolhaft.openapi.documents.document import Document, as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.effects import is_key_parameter
from toolhaft.openapi.encodings import EncodingReader
from toolhaft.openapi.layout import Layout, LayoutReader, renamed
from toolhaft.openapi.media_types import is_json, plain
from toolhaft.openapi.method_overrides import may_change_request
from toolhaft.openapi.operations import Operation
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.parameters import Parameter, ParameterReader
from toolhaft.openapi.schemas.schema import SchemaReader
from toolhaft.openapi.security import SecuritySchemes
from toolhaft.openapi.servers import Server, Servers
from toolhaft.openapi.sizing import Sizing
from toolhaft.openapi.xml_shapes import XMLShapes
from toolhaft.tools.report import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlan:
    """What is known of an operation before its schemas are built.

    Attributes:
        path: The path template as requests need it.
        secrets: Parameters that the caller's ``auth`` fills; they are no arguments.
        key_header: Header that carries the call's own key, by which the API knows a call that comes again; it
            is no argument.
        trusted: Whether the caller's secrets may go to the server.
        accept: For the ``Accept`` header.
        layout: Which argument stands for which value.
        problems: What was noticed.
    """

    operation: Operation
    path: str = "/"
    parameters: tuple[Parameter, ...] = ()
    secrets: tuple[Parameter, ...] = ()
    key_header: str = ""
    body: Body | None = None
    server: Server = Server()
    trusted: bool = True
    security: Alternatives = ()
    accept: str = "*/*"
    layout: Layout = field(default_factory=Layout)
    problems: tuple[Problem, ...] = ()


class Planner:
    """Reads operations of one document.

    Args:
        document: The document.
        options: The caller's choices.
    """

    def __init__(self, document: Document, options: ImportOptions) -> None:
        root = document.root
        self.document = document
        self.options = options
        self.resolver = Resolver(root, document.files, document.unread)
        self.schemas = SchemaReader(self.resolver, document.dialect)
        self.sizing = Sizing(self.schemas, options.sizes)
        self.servers = Servers(document.url, options.server, options.server_variables)
        self.security = SecuritySchemes(
            root, self.resolver, base=document.url or self._first_server(root), served=options.auth
        )
        self.auth = Auth(options.auth)
        self.xml = XMLShapes(document, self.resolver)
        self.encodings = EncodingReader(document, self.resolver, self.xml)
        newest = document.version.startswith("3.2")
        self._parameters = ParameterReader(self.resolver, self.encodings, self.xml, everywhere=newest)
        self._layouts = LayoutReader(document, self.resolver, self.schemas, self.encodings)
        self.servers.check_choice(root.get("servers"))
        listed = as_list(root.get("servers")) or [{"url": "/"}]  # of a fetched document: where it came from
        self.origins = self.servers.all_origins(listed, "/servers") or self._only_origin()
        self._broken = any(self.resolver.problem(ref) for ref in document.references)

    def _first_server(self, root: Mapping[str, Any]) -> str:
        """Return where addresses of a document that was not fetched are relative to."""
        return self.servers.choose([(root.get("servers"), "/servers")]).url

    def _only_origin(self) -> set[str]:
        """Return the one origin that the servers of paths and operations share; none if there are more."""
        found: set[str] = set()
        for item in as_dict(self.document.root.get("paths")).values():
            item = as_dict(self.resolver.target(item))
            for place in (item, *item.values()):
                if isinstance(place, dict) and "servers" in place:
                    found |= self.servers.all_origins(place["servers"], "")
        return found if len(found) == 1 else set()

    def plan(self, operation: Operation) -> OperationPlan:
        """Read one operation."""
        if not isinstance(operation.node, dict):
            problem = Problem(
                code="operation-malformed",
                message="the operation is not an object",
                pointer=operation.pointer,
                severity="skipped",
            )
            return OperationPlan(operation=operation, problems=(problem,))
        node, pointer = operation.fields, operation.pointer
        parameters, template, noticed = self._parameters.read(
            operation.path,
            [
                (operation.item.get("parameters"), f"{operation.item_pointer}/parameters"),
                (node.get("parameters"), f"{pointer}/parameters"),
            ],
        )
        for one in parameters:
            if may_change_request(one.place, one.name, self.resolver.target(one.schema)):
                operation.raise_effect(f"its parameter {one.name!r} may ask for another method or path")
        problems = [*operation.problems, *operation.check_extensions(), *noticed]
        body, noticed = read_body(
            node.get("requestBody"), f"{pointer}/requestBody", self.resolver, self.options.media_types
        )
        problems += noticed
        server = self._server(operation)
        security, noticed = self.security.wanted(node, pointer)
        problems += noticed
        secrets = [parameter for parameter in parameters if self._is_secret(parameter)]
        keys = [] if operation.effect == "read" else [one for one in parameters if is_key(one)]
        if self._broken:
            problems += self._broken_references(parameters, body)
        left = tuple(one for one in parameters if one not in secrets and one not in keys)
        layout = self._layouts.read(left, body)
        problems += renamed(layout, left, body.pointer if body is not None else pointer)
        return OperationPlan(
            operation=operation,
            path=template.text,
            parameters=left,
            secrets=tuple(secrets),
            key_header=keys[0].name if keys else "",
            body=body,
            server=server,
            trusted=self._is_trusted(server),
            security=security,
            accept=accepted_type(node.get("responses"), self.resolver),
            layout=layout,
            problems=tuple(map(operation.place, problems)),
        )

    def _server(self, operation: Operation) -> Server:
        server = self.servers.choose(
            [
                (operation.fields.get("servers"), f"{operation.pointer}/servers"),
                (operation.item.get("servers"), f"{operation.item_pointer}/servers"),
                (self.document.root.get("servers"), "/servers"),
            ]
        )
        if operation.moved:
            server = replace(server, problems=tuple(map(operation.place, server.problems)))
        return server

    def _is_secret(self, parameter: Parameter) -> bool:
        return (
            parameter.place not in ("path", "querystring")
            and parameter.name not in self.security.names
            and self.auth.secret(parameter.name) is not None
        )

    def _is_trusted(self, server: Server) -> bool:
        """Whether the server is the document's own, or one that the caller named."""
        if not server.url or server.origin in self.origins:
            return True
        host = server.origin.partition("://")[2]
        named = {host, host.rpartition(":")[0], server.origin}
        return any(entry in named for entry in self.options.allow_hosts)

    def _broken_references(self, parameters: list[Parameter], body: Body | None) -> list[Problem]:
        places = [(parameter.schema, parameter.pointer) for parameter in parameters]
        if body is not None:
            places.append((body.schema, body.pointer))
        found: list[Problem] = []
        for schema, pointer in places:
            whole = schema.get("$ref") if isinstance(schema, dict) else None
            own = self.resolver.problem(whole) if isinstance(whole, str) else None
            unknown = own.reference if own is not None and own.kind == "external" else None
            for error in self.resolver.broken_within(schema):
                lost = error.reference == unknown or error.is_odd
                found.append(_reference_problem(error, pointer, lost=lost))
        return found


def is_key(parameter: Parameter) -> bool:
    """Whether a parameter is the header of an idempotency key, which the call itself has."""
    return parameter.place == "header" and is_key_parameter(parameter.name, parameter.description)


def _reference_problem(error: BrokenReferenceError, pointer: str, *, lost: bool) -> Problem:
    """Return the problem: what is wholly described elsewhere is lost, a part of it becomes any value."""
    if lost:
        return Problem(code="reference-external", message=error.what, pointer=pointer, severity="skipped")
    message = f"{error.what}; any value is taken there"
    return Problem(code=f"reference-{error.kind}", message=message, pointer=pointer, severity="degraded")


def accepted_type(responses: Any, resolver: Resolver) -> str:
    """Return the value of ``Accept``: the first JSON type that a success may have, else any."""
    for status, node in as_dict(responses).items():
        if str(status)[:1] != "2" and status != "default":
            continue
        for media in as_dict(as_dict(resolver.target(node)).get("content")):
            name = plain(str(media))
            if is_json(name) and name.isascii() and name.isprintable():
                return f"{name}, */*;q=0.5"
    return "*/*"
