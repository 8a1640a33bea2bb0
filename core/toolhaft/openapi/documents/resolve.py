"""``$ref``: resolved when needed, by loop, never inlined.

Nothing is ever read here: other files were read beside the document, or they are reported.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.pointers import as_fragment, fragment_key, split_reference
from toolhaft.types.pointer import escape

_LONGEST_CHAIN = 64
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_NAMES_WITHIN = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_NO_REFERENCES = frozenset({"example", "examples", "default", "enum", "const"})


class BrokenReferenceError(SpecError):
    """A reference that leads nowhere.

    Args:
        kind: ``dangling``: nothing is there; ``loop``: it leads back to itself and to nothing else;
            ``external``: it leaves the folder or origin of the document.
        reference: As the document writes it.
        reason: Why nothing is there, if more is known.
    """

    code = "E-SPEC-REFERENCE"

    def __init__(
        self, kind: Literal["dangling", "loop", "external"], reference: str, reason: str = ""
    ) -> None:
        shown = reference[:200]
        what = {
            "dangling": f"the reference {shown!r} leads nowhere",
            "loop": f"the reference {shown!r} leads back to itself",
            "external": f"the reference {shown!r} leaves the document; what lies there is not read",
        }[kind]
        super().__init__(f"{what}: {reason}" if reason else what, details={"kind": kind, "reference": shown})
        self.kind = kind
        self.reference = reference
        self.reason = reason

    @property
    def is_odd(self) -> bool:
        """Whether it leads to where no honest description does: a file of the machine, or a share."""
        scheme = _SCHEME.match(self.reference)
        odd = scheme is not None and scheme[1].lower() not in ("http", "https", "urn")
        return self.kind == "external" and (odd or self.reference.startswith(("/", "\\")))


class Resolver:
    """Finds what references mean.

    Args:
        root: The whole document.
        files: Name -> value of the files beside it, with references as `Document.files` says.
        unread: Name -> why there is no such file.
    """

    def __init__(
        self,
        root: dict[str, Any],
        files: Mapping[str, Any] | None = None,
        unread: Mapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._files = files or {}
        self._unread = unread or {}
        self._found: dict[str, tuple[Any, str] | BrokenReferenceError] = {}
        self._direct: dict[str, frozenset[str]] = {}
        self._anchors: dict[str, dict[str, tuple[Any, str]]] = {}

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
            raise BrokenReferenceError(found.kind, found.reference, found.reason)
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

    def target(self, node: Any) -> Any:
        """Return what a node refers to in the end, or the node itself; None where a reference is broken."""
        try:
            return self.follow(node, "")[0]
        except BrokenReferenceError:
            return None

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

    def at(self, pointer: str) -> Any:
        """Return the value at a pointer that `find` or `follow` returned.

        Raises:
            BrokenReferenceError: There is nothing.
        """
        name, separator, plain = pointer.partition("#")
        if not separator or pointer.startswith("/"):  # a key of the root may hold the character, too
            name, plain = "", pointer
        return self.find(f"{name}#{as_fragment(plain)}")[0]

    def _look_up(self, reference: str) -> tuple[Any, str]:
        location, fragment = split_reference(reference)
        node, pointer, first = self._start(location, fragment, reference)
        tokens = deque(first)
        hops = 0
        while tokens:
            token = fragment_key(tokens[0])
            if isinstance(node, dict) and token not in node and isinstance(node.get("$ref"), str):
                hops += 1
                if hops > _LONGEST_CHAIN or node["$ref"].startswith(reference):
                    raise BrokenReferenceError("loop", reference)
                location, fragment = split_reference(node["$ref"])
                node, pointer, before = self._start(location, fragment, node["$ref"])
                tokens.extendleft(reversed(before))
                continue
            if isinstance(node, dict) and token in node:
                node = node[token]
            elif isinstance(node, list) and token.isdecimal() and len(token) < 8 and int(token) < len(node):
                node = node[int(token)]
            else:
                raise BrokenReferenceError("dangling", reference)
            pointer = f"{pointer}/{escape(token)}"
            tokens.popleft()
        return node, pointer

    def _start(self, location: str, fragment: str, reference: str) -> tuple[Any, str, list[str]]:
        """Return where a reference begins, its pointer, and the tokens that are still to be walked."""
        if location and location not in self._files:
            if location in self._unread:
                raise BrokenReferenceError("dangling", reference, self._unread[location])
            raise BrokenReferenceError("external", reference)
        if fragment and not fragment.startswith("/"):
            anchored = self._anchor(location, unquote(fragment))
            if anchored is None:
                raise BrokenReferenceError("dangling", reference)
            return (*anchored, [])
        root = self._files[location] if location else self._root
        return root, f"{location}#" if location else "", fragment.split("/")[1:]

    def _anchor(self, location: str, name: str) -> tuple[Any, str] | None:
        known = self._anchors.get(location)
        if known is None:
            known = self._anchors[location] = {}
            root, start = (self._files[location], f"{location}#") if location else (self._root, "")
            for node, pointer in _objects(root):
                for keyword in ("$anchor", "$dynamicAnchor"):
                    if isinstance(node.get(keyword), str):
                        known.setdefault(node[keyword], (node, f"{start}{pointer}"))
        return known.get(name)


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
