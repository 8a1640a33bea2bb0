"""The operations of a document, and what is known of each before its schemas are built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.documents.document import Document, as_dict, as_text
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.documents.swagger2_operations import OperationConverter, original
from toolhaft.openapi.effects import EFFECT, EffectReading, read_effect
from toolhaft.openapi.names import NameRequest
from toolhaft.tools.report import Problem
from toolhaft.types import Effect
from toolhaft.types.pointer import escape

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""Fields of a path item that are operations."""
MORE_METHODS = ("additionalOperations", "x-oai-additionalOperations")
"""Fields of a path item that hold operations by method; the second is for versions before 3.2."""
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}")
PRIVATE = "x-toolhaft-private"
"""Extension of an operation: true if its results are private data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: Upper case.
        path: As the document writes it.
        pointer: JSON pointer of the operation.
        node: The operation as the document writes it; anything but an object is a mistake.
        item: The path item.
        item_pointer: JSON pointer of the path item.
        moved: For documents of 2.0: pointer in the converted operation -> pointer in the user's file.
        problems: What the conversion noticed.
    """

    method: str
    path: str
    pointer: str
    node: Any
    item: dict[str, Any]
    item_pointer: str
    moved: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    _read: list[EffectReading] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def fields(self) -> dict[str, Any]:
        """The operation, or an empty object where it is not one."""
        return as_dict(self.node)

    @property
    def effect(self) -> Effect:
        """What a call does."""
        return self.read_effect().effect

    def read_effect(self) -> EffectReading:
        """Return what a call does, and why where it is not what the method says."""
        if not self._read:  # asked for several times, and dear where documents are large
            self._read.append(read_effect(self.method, self.path, self.fields))
        return self._read[0]

    def raise_effect(self, reason: str) -> None:
        """Have a read count as a write, for what only its parameters tell."""
        if self.effect == "read":
            self._read[:] = [EffectReading(effect="write", repeatable=False, rule="act", reason=reason)]

    @property
    def private(self) -> bool:
        """Whether the document says that the results are the user's private data."""
        return self.fields.get(PRIVATE) is True

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice with the effect of once."""
        return self.read_effect().repeatable

    def check_extensions(self) -> list[Problem]:
        """Return what is noticed about the extensions that an operation may carry."""
        found = []
        said, private = self.fields.get(EFFECT), self.fields.get(PRIVATE)
        reading = self.read_effect()
        if reading.rule not in ("", "mark"):
            message = f"the effect is {reading.effect}: {reading.reason}"
            found.append(Problem(code=f"effect-{reading.rule}", message=message, pointer=self.pointer))
        heeded = said == reading.effect and (said != "read" or reading.rule == "search")
        if said is not None and not heeded:
            message = f"{EFFECT} is {said!r:.40}, which raises no effect; the effect is {reading.effect}"
            pointer = f"{self.pointer}/{EFFECT}"
            found.append(Problem(code="effect-not-raised", message=message, pointer=pointer))
        if private is not None and not isinstance(private, bool):
            message = f"{PRIVATE} is {private!r:.40}, neither true nor false; the results are not private"
            pointer = f"{self.pointer}/{PRIVATE}"
            found.append(Problem(code="private-malformed", message=message, pointer=pointer))
        return found

    def place(self, problem: Problem) -> Problem:
        """Return a problem with its pointer as it is in the user's file."""
        pointer = original(problem.pointer, self.moved) if self.moved else problem.pointer
        return problem if pointer == problem.pointer else replace(problem, pointer=pointer)

    @property
    def name_request(self) -> NameRequest:
        """What the operation wants to be named."""
        return NameRequest(self.method, self.path, as_text(self.fields.get("operationId")))


def list_operations(document: Document, resolver: Resolver) -> tuple[list[Operation], list[Problem]]:
    """Return every operation under ``paths`` in document order, and the paths that cannot be read.

    Webhooks and callbacks are calls that the API makes, not tools.
    """
    found: list[Operation] = []
    problems: list[Problem] = []
    converter = OperationConverter(document.root, resolver) if document.swagger else None
    for path, item in as_dict(document.root.get("paths")).items():
        if path.startswith("x-"):
            continue
        pointer = f"/paths/{escape(path)}"
        if item is None:
            problems.append(Problem(code="path-null", message="the path is null", pointer=pointer))
            continue
        merged, broken = _path_item(item, pointer, resolver)
        if broken is not None:
            problems.append(
                Problem(
                    code=f"reference-{broken.kind}", message=broken.what, pointer=pointer, severity="skipped"
                )
            )
        if merged is None:
            problems.append(
                Problem(code="path-malformed", message="the path is not an object", pointer=pointer)
            )
            continue
        if "$ref" in item and broken is None and not any(key.lower() in METHODS for key in merged):
            message = "the reference leads to no path item with operations"
            problems.append(Problem(code="path-without-operations", message=message, pointer=pointer))
        if not path.startswith("/"):
            message = "the path does not begin with a slash; one is put before it"
            problems.append(Problem(code="path-slash", message=message, pointer=pointer))
        listed = _operations(path, merged, pointer, resolver)
        found.extend(listed if converter is None else (_converted(one, converter) for one in listed))
    return found, problems


def _converted(operation: Operation, converter: OperationConverter) -> Operation:
    """Return an operation of 2.0 in the shape of 3.0; what is no object stays as it is."""
    if not isinstance(operation.node, dict):
        return operation
    made = converter.convert(operation.node, operation.pointer, operation.item, operation.item_pointer)
    problems = (*operation.problems, *made.problems)
    return replace(operation, node=made.node, item=made.item, moved=made.moved, problems=problems)


def _operations(path: str, item: dict[str, Any], pointer: str, resolver: Resolver) -> Iterator[Operation]:
    listed = [
        (key.upper(), f"{pointer}/{escape(key)}", node)
        for key, node in item.items()
        if key.lower() in METHODS
    ]
    listed += [
        (key, f"{pointer}/{field_name}/{escape(key)}", node)
        for field_name in MORE_METHODS
        for key, node in as_dict(item.get(field_name)).items()
    ]
    for method, place, node in listed:
        if node is None:
            continue
        followed, problem = _followed(node, place, resolver)
        if not _METHOD.fullmatch(method):
            what = f"{clean_text(method, 40)!r} is no method of HTTP"
            problem = Problem(code="method-malformed", message=what, pointer=place, severity="skipped")
        yield Operation(
            method=method,
            path=path,
            pointer=place,
            node=followed,
            item=item,
            item_pointer=pointer,
            problems=(problem,) if problem is not None else (),
        )


def _followed(node: Any, pointer: str, resolver: Resolver) -> tuple[Any, Problem | None]:
    """Return an operation with what its reference brings: not in the specification, yet common."""
    if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
        return node, None
    own = {key: value for key, value in node.items() if key != "$ref"}
    try:
        target, _ = resolver.follow(node, pointer)
    except BrokenReferenceError as error:
        problem = Problem(
            code=f"reference-{error.kind}", message=error.what, pointer=pointer, severity="skipped"
        )
        return own, problem
    return ({**target, **own} if isinstance(target, dict) else target), None


def _path_item(
    item: Any, pointer: str, resolver: Resolver
) -> tuple[dict[str, Any] | None, BrokenReferenceError | None]:
    """Return a path item with what its reference brings; its own fields win."""
    if not isinstance(item, dict):
        return None, None
    if "$ref" not in item:
        return item, None
    own = {key: value for key, value in item.items() if key != "$ref"}
    try:
        target, _ = resolver.follow(item, pointer)
    except BrokenReferenceError as error:
        return own, error
    return ({**target, **own} if isinstance(target, dict) else None), None
