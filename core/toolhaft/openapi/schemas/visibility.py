"""Which properties of an object are not for the side that a schema is made for."""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver

_DEEPEST = 24
_MOST = 500


class Visibility:
    """Finds read-only and write-only properties, behind ``$ref`` and ``allOf`` too.

    Args:
        resolver: Of the document.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._marked: dict[tuple[str, str], bool] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}

    def is_hidden(self, node: Any, response: bool) -> bool:
        """Whether a property is read-only (in a request) or write-only (in a response)."""
        return self._is_marked(node, "writeOnly" if response else "readOnly", 0)

    def hidden_names(self, node: dict[str, Any], response: bool) -> frozenset[str]:
        """Return the hidden properties of an object, those of what it extends included."""
        if "allOf" not in node:
            keyword = "writeOnly" if response else "readOnly"
            return frozenset(self._own_names(node, keyword))
        return self._all_names(node, "writeOnly" if response else "readOnly", 0, [_MOST])

    def requires(self, node: Any, names: frozenset[str]) -> bool:
        """Whether what a member of ``allOf`` refers to names or requires one of these properties."""
        left = [_MOST]
        waiting, seen = [node], set[str]()
        while waiting and left[0]:
            left[0] -= 1
            found, pointer = self._target(waiting.pop())
            if pointer in seen:
                continue
            if pointer:
                seen.add(pointer)
            listed = {name for name in as_list(found.get("required")) if isinstance(name, str)}
            if names & (listed | as_dict(found.get("properties")).keys()):
                return True
            waiting.extend(as_list(found.get("allOf")))
        return False

    def _is_marked(self, node: Any, keyword: str, depth: int) -> bool:
        if not isinstance(node, dict) or depth > _DEEPEST:
            return False
        if node.get(keyword) is True:
            return True
        if "$ref" not in node:
            return "allOf" in node and any(
                self._is_marked(member, keyword, depth + 1) for member in as_list(node["allOf"])[:_MOST]
            )
        found, pointer = self._target(node)
        key = (pointer, keyword)
        if key not in self._marked:
            self._marked[key] = False  # what is asked again while it is found out leads back to itself
            self._marked[key] = self._is_marked(found, keyword, depth + 1)
        return self._marked[key]

    def _own_names(self, node: dict[str, Any], keyword: str) -> set[str]:
        properties = as_dict(node.get("properties"))
        return {name for name, child in properties.items() if self._is_marked(child, keyword, 0)}

    def _all_names(self, node: dict[str, Any], keyword: str, depth: int, left: list[int]) -> frozenset[str]:
        found = self._own_names(node, keyword)
        for member in as_list(node.get("allOf")):
            left[0] -= 1
            if left[0] < 0 or depth > _DEEPEST:
                break
            target, pointer = self._target(member)
            key = (pointer, keyword)
            if pointer and key in self._names:
                found |= self._names[key]
                continue
            if pointer:
                self._names[key] = frozenset()
            names = self._all_names(target, keyword, depth + 1, left)
            if pointer:
                self._names[key] = names
            found |= names
        return frozenset(found)

    def _target(self, node: Any) -> tuple[dict[str, Any], str]:
        if not isinstance(node, dict):
            return {}, ""
        if "$ref" not in node:
            return node, ""
        try:
            target, pointer = self._resolver.follow(node, "")
        except BrokenReferenceError:
            return {}, ""
        return as_dict(target), pointer
