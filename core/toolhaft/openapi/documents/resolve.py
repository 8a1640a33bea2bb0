"""``$ref`` inside one document: resolved when needed, by loop, never inlined.

References to other files and URLs are never followed here: what depends on one is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import unquote

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import escape

_LONGEST_CHAIN = 64
_NAMES_WITHIN = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_NO_REFERENCES = frozenset({"example", "examples", "default", "enum", "const"})


class BrokenReferenceError(SpecError):
    """A reference that leads nowhere.

    Args:
        kind: ``dangling``: nothing is there; ``loop``: it leads back to itself and to nothing else;
            ``external``: it leaves the document.
        reference: As the document writes it.
    """

    code = "E-SPEC-REFERENCE"

    def __init__(self, kind: Literal["dangling", "loop", "external"], reference: str) -> None:
        shown = reference[:200]
        what = {
            "dangling": f"the reference {shown!r} leads nowhere",
            "loop": f"the reference {shown!r} leads back to itself",
            "external": f"the reference {shown!r} leaves the document; other files and URLs are not read",
        }[kind]
        super().__init__(what, details={"kind": kind, "reference": shown})
        self.kind = kind
        self.reference = reference


class Resolver:
    """Finds what references mean.

    Args:
        root: The whole document.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._found: dict[str, tuple[Any, str] | BrokenReferenceError] = {}
        self._direct: dict[str, frozenset[str]] = {}
        self._anchors: dict[str, tuple[Any, str]] | None = None

    def find(self, reference: Any) -> tuple[Any, str]:
        """Return the value that a reference names, and its pointer; one step, siblings untouched.

        Raises:
            BrokenReferenceError: There is nothing, or it leaves the document.
        """
        if not isinstance(reference, str):
            raise BrokenReferenceError("dangling", repr(reference)[:80])
        found = self._found.get(reference)
        if found is None:
            try:
                found = self._look_up(reference)
            except BrokenReferenceError as error:
                found = error
            self._found[reference] = found
        if isinstance(found, BrokenReferenceError):
            raise BrokenReferenceError(found.kind, found.reference)
        return found

    def follow(self, node: Any, pointer: str) -> tuple[Any, str]:
        """Follow ``$ref`` until what is found is none.

        Returns:
            The value and its pointer.

        Raises:
            BrokenReferenceError: The chain leads nowhere, out of the document, or back into itself.
        """
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            node, pointer = self.find(reference)
            if pointer in seen or len(seen) > _LONGEST_CHAIN:
                raise BrokenReferenceError("loop", reference)
            seen.add(pointer)
        return node, pointer

    def problem(self, reference: str) -> BrokenReferenceError | None:
        """Return what is wrong with a reference and the chain behind it, or None."""
        try:
            self.follow({"$ref": reference}, "")
        except BrokenReferenceError as error:
            return error
        return None

    def broken_within(self, node: Any) -> list[BrokenReferenceError]:
        """Return the broken references that a subtree reaches, over any number of steps, each once."""
        waiting = list(references_in(node))
        seen = set(waiting)
        broken: list[BrokenReferenceError] = []
        while waiting:
            reference = waiting.pop()
            if error := self.problem(reference):
                broken.append(error)
                continue
            for inner in self._direct_references(reference):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
        return sorted(broken, key=lambda error: error.reference)

    def _direct_references(self, reference: str) -> frozenset[str]:
        value, pointer = self.find(reference)
        known = self._direct.get(pointer)
        if known is None:
            known = self._direct[pointer] = frozenset(references_in(value))
        return known

    def _look_up(self, reference: str) -> tuple[Any, str]:
        resource, _, fragment = reference.partition("#")
        if resource:
            raise BrokenReferenceError("external", reference)
        if fragment and not fragment.startswith("/"):
            anchored = self._anchor(unquote(fragment))
            if anchored is None:
                raise BrokenReferenceError("dangling", reference)
            return anchored
        return self._walk(fragment, reference)

    def _walk(self, fragment: str, reference: str) -> tuple[Any, str]:
        node: Any = self._root
        pointer = ""
        hops = 0
        for raw in fragment.split("/")[1:]:
            token = _unescape(raw)
            while isinstance(node, dict) and token not in node and isinstance(node.get("$ref"), str):
                hops += 1
                if hops > _LONGEST_CHAIN or node["$ref"].startswith(reference):
                    raise BrokenReferenceError("loop", reference)
                if node["$ref"].partition("#")[0]:
                    raise BrokenReferenceError("external", node["$ref"])
                node, pointer = self._plain(node["$ref"], reference)
            if isinstance(node, dict) and token in node:
                node = node[token]
            elif isinstance(node, list) and token.isdecimal() and len(token) < 8 and int(token) < len(node):
                node = node[int(token)]
            else:
                raise BrokenReferenceError("dangling", reference)
            pointer = f"{pointer}/{escape(token)}"
        return node, pointer

    def _plain(self, reference: str, asked: str) -> tuple[Any, str]:
        """Walk a pointer met on the way to another, without following references again."""
        node: Any = self._root
        pointer = ""
        for raw in reference.partition("#")[2].split("/")[1:]:
            token = _unescape(raw)
            if not isinstance(node, dict) or token not in node:
                raise BrokenReferenceError("dangling", asked)
            node = node[token]
            pointer = f"{pointer}/{escape(token)}"
        return node, pointer

    def _anchor(self, name: str) -> tuple[Any, str] | None:
        if self._anchors is None:
            self._anchors = {}
            for node, pointer in _objects(self._root):
                for keyword in ("$anchor", "$dynamicAnchor"):
                    if isinstance(node.get(keyword), str):
                        self._anchors.setdefault(node[keyword], (node, pointer))
        return self._anchors.get(name)


def references_in(node: Any) -> Iterator[str]:
    """Yield the texts of ``$ref`` in a subtree, without those in examples and under property names."""
    waiting: list[tuple[Any, bool]] = [(node, False)]
    while waiting:
        value, names = waiting.pop()
        if isinstance(value, list):
            waiting.extend((item, False) for item in value if isinstance(item, dict | list))
        elif isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and not names:
                yield reference
            for key, item in value.items():
                if isinstance(item, dict | list) and (names or key not in _NO_REFERENCES):
                    waiting.append((item, not names and key in _NAMES_WITHIN))


def _objects(root: Any) -> Iterator[tuple[dict[str, Any], str]]:
    waiting: list[tuple[Any, str]] = [(root, "")]
    while waiting:
        value, pointer = waiting.pop()
        if isinstance(value, dict):
            yield value, pointer
            waiting.extend((item, f"{pointer}/{escape(key)}") for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((item, f"{pointer}/{index}") for index, item in enumerate(value))


def _unescape(token: str) -> str:
    text = unquote(token) if "%" in token else token
    return text.replace("~1", "/").replace("~0", "~")
