"""What ``$id``, ``$self`` and anchors call the parts of a description by.

Source: JSON Schema 2020-12 Core, sections 8.2.1 and 8.2.2; OpenAPI 3.2, fields ``$self`` and ``$id``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from toolhaft.openapi.documents.pointers import as_fragment, fragment_key
from toolhaft.types.pointer import escape

_ANCHORS = ("$anchor", "$dynamicAnchor")
_DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


@dataclass(slots=True, eq=False)
class Resource:
    """A part with an identifier of its own.

    Attributes:
        uri: Its identifier, absolute where it can be.
        file: Name of the file it stands in.
        pointer: JSON pointer of the part in it.
        node: The part.
        anchors: Name -> pointer of what carries it.
        dynamic: Those of the anchors that a part which refers to this one may replace.
    """

    uri: str
    file: str
    pointer: str
    node: Any
    anchors: dict[str, str] = field(default_factory=dict)
    dynamic: set[str] = field(default_factory=set)


class Identifiers:
    """Knows the identified parts of every file that was read.

    Args:
        enabled: Whether identifiers count; in versions before 3.1 they do not.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._resources: dict[str, Resource] = {}
        self._begins: dict[tuple[str, str], Resource] = {}
        self._around: dict[int, Resource] = {}
        self._folders: list[tuple[str, str]] = []

    def read(self, file: str, root: Any, identified: bool) -> None:
        """Take note of the identifiers in a file."""
        if not self._enabled or not identified or not isinstance(root, dict):
            return
        own = root.get("$self") if isinstance(root.get("$self"), str) else root.get("$id")
        base = own.partition("#")[0] if isinstance(own, str) else ""
        if base:
            # A file as a whole is told from its parts by its name: its own references need no resource.
            whole = self._resources.setdefault(base, Resource(base, file, "", root))
            self._begins.setdefault((file, ""), whole)
            if "/" in base:
                self._folders.append((base.rpartition("/")[0] + "/", file))
        self._scan(file, root, base)

    def _scan(self, file: str, root: dict[str, Any], base: str) -> None:
        waiting: list[tuple[Any, str, Resource | None, bool]] = [(root, "", None, False)]
        seen: set[int] = set()
        whole = self._resources.get(base)
        while waiting:
            node, pointer, around, names = waiting.pop()
            if isinstance(node, list):
                for index, item in enumerate(node):
                    if isinstance(item, dict | list):
                        waiting.append((item, f"{pointer}/{index}", around, False))
            elif isinstance(node, dict) and id(node) not in seen:
                seen.add(id(node))
                if not names and node is not root:
                    around = self._identified(node, file, pointer, around, base)
                if around is not None:
                    self._around[id(node)] = around
                named = around if around is not None else whole
                if named is not None and not names:
                    _note_anchors(node, pointer, named)
                for key, item in node.items():
                    if isinstance(item, dict | list) and (names or key not in _DATA):
                        inside = not names and key in _NAMES
                        waiting.append((item, f"{pointer}/{escape(key)}", around, inside))

    def _identified(
        self, node: dict[str, Any], file: str, pointer: str, around: Resource | None, base: str
    ) -> Resource | None:
        said = node.get("$id")
        if not isinstance(said, str) or not said.partition("#")[0]:
            return around
        try:
            uri = urljoin(around.uri if around is not None else base, said.partition("#")[0])
        except ValueError:
            return around
        made = self._resources.setdefault(uri, Resource(uri, file, pointer, node))
        self._begins.setdefault((file, pointer), made)
        return made

    def around(self, node: dict[str, Any]) -> Resource | None:
        """Return the identified part that an object belongs to; None if that is its whole file."""
        return self._around.get(id(node))

    def at(self, file: str, pointer: str) -> Resource | None:
        """Return the identified part that begins at a place, or None."""
        return self._begins.get((file, pointer))

    def find(self, location: str, fragment: str, resource: Resource | None) -> tuple[str, str] | None:
        """Return file and fragment of what a reference means by an identifier, or None."""
        if location:
            try:
                absolute = urljoin(resource.uri, location) if resource is not None else location
            except ValueError:
                return None
            resource = self._resources.get(absolute)
        if resource is None:
            return None
        if fragment and not fragment.startswith("/"):
            anchored = resource.anchors.get(unquote(fragment))
            return None if anchored is None else (resource.file, as_fragment(anchored))
        if fragment and not _has(resource.node, fragment) and not location:
            return None  # written as if it were relative to the file: taken so
        return resource.file, f"{as_fragment(resource.pointer)}{fragment}"

    def beside(self, uri: str) -> tuple[str, str] | None:
        """Return a file and a relative path from it, for a URI near one that a read file calls itself by."""
        for folder, file in self._folders:
            if uri.startswith(folder) and urlsplit(uri).scheme:
                return file, uri[len(folder) :]
        return None


def _note_anchors(node: dict[str, Any], pointer: str, named: Resource) -> None:
    for keyword in _ANCHORS:
        if isinstance(node.get(keyword), str):
            named.anchors.setdefault(node[keyword], pointer)
            if keyword == "$dynamicAnchor":
                named.dynamic.add(node[keyword])


def _has(node: Any, fragment: str) -> bool:
    """Whether the first step of a pointer exists."""
    return isinstance(node, dict) and fragment_key(fragment.split("/")[1]) in node
