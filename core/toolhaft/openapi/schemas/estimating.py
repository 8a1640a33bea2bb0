"""How large a schema can become at most, told from the document without converting it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolhaft.openapi.documents.document import as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.schemas.definitions import reference_to
from toolhaft.openapi.schemas.inheritance import Inheritance, property_name

_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
_UNUSED = frozenset({"example", "examples", "externalDocs", "xml", "$defs", "definitions", "discriminator"})
_LONGEST_TEXT = 165
_LONGEST_VALUE = 520
_SCHEMA = 40
"""Bytes that a schema may gain: null among its types, items of any value, brackets."""
_REFERENCE = 120
_BRANCH = 200
_MERGED = 1_600
_DEEPEST = 70


class Estimator:
    """Estimates from above; what a reference leads to is weighed once.

    Args:
        resolver: Of the document.
        inheritance: Of the document.
    """

    def __init__(self, resolver: Resolver, inheritance: Inheritance) -> None:
        self._resolver = resolver
        self._inheritance = inheritance
        self._known: dict[str, tuple[int, frozenset[str]]] = {}

    def exceeds(self, schemas: Iterable[Any], limit: int) -> bool:
        """Whether schemas, and the definitions that they reach, may have more bytes than that.

        Args:
            schemas: As the document writes them.
            limit: Bytes of JSON, with short texts. Where the answer is no, it is certain.
        """
        total = 0
        waiting: list[str] = []
        seen: set[str] = set()
        for schema in schemas:
            weight, wanted = self._weigh(schema)
            total += weight
            waiting += wanted - seen
            seen |= wanted
        while waiting and total <= limit:
            weight, wanted = self._definition(waiting.pop())
            total += weight
            waiting += wanted - seen
            seen |= wanted
        return total > limit

    def _definition(self, reference: str) -> tuple[int, frozenset[str]]:
        known = self._known.get(reference)
        if known is None:
            try:
                node, pointer = self._resolver.follow({"$ref": reference}, "")
            except BrokenReferenceError:
                node, pointer = None, ""
            weight, wanted = self._weigh(node)
            if isinstance(node, dict) and property_name(node) is not None:
                branches = self._inheritance.branches(node, pointer)
                wanted |= {reference_to(branch.pointer) for branch in branches}
                weight += len(branches) * (_BRANCH + _MERGED)
            known = self._known[reference] = (weight + _REFERENCE, wanted)
        return known

    def _weigh(self, schema: Any) -> tuple[int, frozenset[str]]:
        wanted: set[str] = set()
        return self._bytes(schema, wanted, 0), frozenset(wanted)

    def _bytes(self, node: Any, wanted: set[str], depth: int) -> int:
        if not isinstance(node, dict) or depth > _DEEPEST:
            return _SCHEMA
        total = _SCHEMA
        for key, value in node.items():
            if key in _NAMED and isinstance(value, dict):
                total += 4 + len(key)
                for name, child in value.items():
                    total += 4 + _width(name) + self._bytes(child, wanted, depth + 1)
            elif key == "$ref" or key == "$dynamicRef":
                total += self._referred(value, wanted)
            elif isinstance(value, dict):
                if key not in _UNUSED and not key.startswith("x-"):
                    total += 6 + len(key) + self._bytes(value, wanted, depth + 1)
            elif isinstance(value, list):
                total += self._listed(key, value, wanted, depth)
            elif isinstance(value, str):
                total += (
                    8 + len(key) + min(_width(value), _LONGEST_VALUE if key == "default" else _LONGEST_TEXT)
                )
            else:
                total += 12 + len(key)
        if property_name(node) is not None:
            total += (_BRANCH + _MERGED) * max(
                len(as_list(node.get("oneOf"))), len(as_list(node.get("anyOf")))
            )
        return total

    def _listed(self, key: str, values: list[Any], wanted: set[str], depth: int) -> int:
        if key in _UNUSED or key.startswith("x-"):
            return 0
        total = 6 + len(key)
        for value in values:
            if isinstance(value, dict):
                total += self._bytes(value, wanted, depth + 1)
                total += _MERGED if key == "allOf" and "$ref" in value else 0
            else:
                total += 4 + (_width(value) if isinstance(value, str) else len(repr(value)))
        return total

    def _referred(self, reference: Any, wanted: set[str]) -> int:
        if not isinstance(reference, str):
            return 12
        wanted.add(reference)
        try:
            target, _ = self._resolver.follow({"$ref": reference}, "")
        except BrokenReferenceError:
            return _REFERENCE + len(reference)
        if isinstance(target, dict) and not any(isinstance(value, dict) for value in target.values()):
            return _REFERENCE + self._bytes(target, set(), _DEEPEST)  # a leaf is repeated where it is used
        return _REFERENCE


def _width(text: Any) -> int:
    """Return the bytes of a text, or more."""
    text = str(text)
    return len(text) + 8 if text.isascii() else 3 * len(text) + 8
