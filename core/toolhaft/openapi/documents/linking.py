"""One description in several files: every reference is written anew, so that it means the same anywhere.

``#/a/b`` names a place in the root document, ``schemas/pet.yaml#/a`` one in another file by its place
relative to the root document. What a relative path, a ``$id`` or ``$self`` meant where it stood is settled
once, here. Only files that a reference leads to are asked for, and only what is reached in them is looked at.

Source: RFC 3986, section 5; OpenAPI 3.2, section "Parsing Documents"; JSON Schema 2020-12 Core, section 8.2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from toolhaft.openapi.documents.document import Dialect, Parsed, as_dict
from toolhaft.openapi.documents.dynamic import Opening, Use
from toolhaft.openapi.documents.identifiers import Identifiers, Resource
from toolhaft.openapi.documents.places import Place
from toolhaft.openapi.documents.pointers import fragment_key, split_reference

Mode = Literal["object", "names", "examples"]

NAMES: frozenset[str] = frozenset(
    [
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
        "schemas",
        "parameters",
        "responses",
        "requestBodies",
        "headers",
        "links",
        "callbacks",
        "pathItems",
        "securitySchemes",
        "content",
        "encoding",
        "paths",
        "webhooks",
        "mediaTypes",
        "additionalOperations",
    ]
)
"""Fields whose keys are names that the author chose."""
DATA: frozenset[str] = frozenset({"example", "default", "enum", "const", "value", "dataValue"})
"""Fields that hold data: what looks like a reference in them is none."""
FIELDS: dict[str, type] = {
    **dict.fromkeys(("description", "summary", "title"), str),
    **dict.fromkeys(("tags", "servers", "security", "required", "enum", "parameters"), list),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), list),
    **dict.fromkeys(("info", "components", "externalDocs", "discriminator", "xml", "flows"), dict),
}
"""Fields that may hold no reference by the specification, and what they hold; some authors put one there."""
_FILE_ENDS = (".json", ".yaml", ".yml")
_MOST_HOPS = 64


@dataclass(slots=True)
class _Waiting:
    """A reference whose meaning depends on what else is read."""

    holder: dict[str, Any]
    key: str
    text: str
    file: str
    resource: Resource | None
    mode: Mode


@dataclass(slots=True)
class Misplaced:
    """A reference where the specification has none: its target belongs in its place."""

    holder: dict[str, Any]
    key: str | None
    expected: type


@dataclass(slots=True)
class Links:
    """What linking found.

    Attributes:
        files: Name -> parsed value.
        unread: Name -> why there is none.
        references: Every reference that counts, as it is written now.
        refused: References that lead out of the place, as the author wrote them.
        misplaced: See `Misplaced`.
        uses: See `toolhaft.openapi.documents.dynamic`; and so are ``openings``.
    """

    files: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    refused: dict[str, None] = field(default_factory=dict)
    misplaced: list[Misplaced] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)


class Linker:
    """Links a root document with the files that it refers to.

    Call `wanted`, give it each file with `add` or `refuse`, and repeat until nothing is wanted.

    Args:
        root: The root document; changed in place.
        place: What may be read beside it.
        dialect: Whether ``$id`` and anchors count.
    """

    def __init__(self, root: Parsed, place: Place, dialect: Dialect) -> None:
        self.links = Links()
        self._root = root.value
        self._place = place
        self._identifiers = Identifiers(enabled=dialect != "3.0")
        self._visited: set[int] = set()
        self._stack: list[tuple[Any, Mode, str]] = [(self._root, "object", "")]
        self._targets: list[tuple[str, Mode]] = []
        self._aimed: set[tuple[str, Mode]] = set()
        self._waiting: list[_Waiting] = []
        self._wanted: dict[str, None] = {}
        self._named: set[str] = set()
        self._identifiers.read("", self._root, root.identified)

    def wanted(self) -> list[str]:
        """Return the names of the files that are needed to go on; empty when all is linked."""
        while True:
            self._walk()
            self._aim()
            if self._stack:
                continue
            if self._wanted:
                return list(self._wanted)
            if not self._waiting:
                return []
            self._settle()

    def add(self, name: str, parsed: Parsed) -> None:
        """Take a file that was wanted; its value is changed in place."""
        self._wanted.pop(name, None)
        self.links.files[name] = parsed.value
        self._identifiers.read(name, parsed.value, parsed.identified)

    def refuse(self, name: str, reason: str) -> None:
        """Go on without a file that was wanted."""
        self._wanted.pop(name, None)
        self.links.unread[name] = reason

    def _walk(self) -> None:
        stack, visited = self._stack, self._visited
        while stack:
            node, mode, file = stack.pop()
            if isinstance(node, list):
                if id(node) not in visited:
                    visited.add(id(node))
                    stack.extend((item, "object", file) for item in node if isinstance(item, dict | list))
            elif isinstance(node, dict) and id(node) not in visited:
                visited.add(id(node))
                self._object(node, mode, file)

    def _object(self, node: dict[str, Any], mode: Mode, file: str) -> None:
        if isinstance(node.get("$ref"), str):
            self._reference(node, "$ref", file, mode)
            if mode == "names":
                self.links.misplaced.append(Misplaced(node, None, dict))
        if mode == "names":
            self._stack.extend((item, "object", file) for item in node.values())
            return
        if mode == "examples":
            return
        for keyword in ("$dynamicRef", "operationRef"):
            if isinstance(node.get(keyword), str):
                self._reference(node, keyword, file, "examples" if keyword == "operationRef" else "object")
        if isinstance(node.get("discriminator"), dict):
            self._mapping(as_dict(node["discriminator"].get("mapping")), file)
        for key, child in node.items():
            if isinstance(child, dict | list):
                self._field(node, key, child, file)

    def _field(self, node: dict[str, Any], key: str, child: Any, file: str) -> None:
        expected = FIELDS.get(key)
        if expected and isinstance(child, dict) and isinstance(child.get("$ref"), str):
            self.links.misplaced.append(Misplaced(node, key, expected))
            self._stack.append((child, "object", file))
        elif key in DATA or key.startswith("x-"):
            return
        elif key == "examples":
            if isinstance(child, dict):
                self._stack.extend((item, "examples", file) for item in child.values())
        else:
            self._stack.append((child, "names" if key in NAMES else "object", file))

    def _mapping(self, mapping: dict[str, Any], file: str) -> None:
        """Write the references of ``discriminator.mapping`` anew; names of schemas stay names."""
        for value, target in mapping.items():
            if not isinstance(target, str) or target in self._named_schemas(""):
                continue
            if "/" in target or "#" in target or target.lower().endswith(_FILE_ENDS):
                self._reference(mapping, value, file, "object")
            elif target in self._named_schemas(file):
                mapping[value] = f"{file}#/components/schemas/{target}"

    def _named_schemas(self, file: str) -> dict[str, Any]:
        root = self.links.files.get(file) if file else self._root
        return as_dict(as_dict(as_dict(root).get("components")).get("schemas"))

    def _reference(self, holder: dict[str, Any], key: str, file: str, mode: Mode) -> None:
        text = holder[key]
        resource = self._identifiers.around(holder)
        location, _ = split_reference(text)
        if resource is not None or urlsplit_scheme(location):
            self._waiting.append(_Waiting(holder, key, text, file, resource, mode))
        else:
            self._place_reference(holder, key, text, file, mode)

    def _place_reference(self, holder: dict[str, Any], key: str, text: str, file: str, mode: Mode) -> None:
        location, fragment = split_reference(text)
        name = self._place.name(location, file) if location else file
        if name is None:
            if mode != "examples":
                self.links.refused[text] = None
            relative = not location.startswith((".", "/", "\\")) and not urlsplit_scheme(location)
            # A name never begins so: what was refused cannot be taken for a file of that name.
            holder[key] = f"./{text}" if relative else text
            if mode != "examples":
                self.links.references.add(holder[key])
            return
        self._named.add(name)
        self._write(holder, key, f"{name}#{fragment}", mode)

    def _write(self, holder: dict[str, Any], key: str, text: str, mode: Mode) -> None:
        holder[key] = text
        if mode == "examples":
            return
        self.links.references.add(text)
        if (text, mode) not in self._aimed:
            self._aimed.add((text, mode))
            self._targets.append((text, mode))

    def _aim(self) -> None:
        """Look at what references lead to, as far as it has been read."""
        targets, self._targets = self._targets, []
        for text, mode in targets:
            found = self._reach(text)
            if found is None:
                self._targets.append((text, mode))
            elif found:
                file, node = found
                self._stack.append((node, mode, file))

    def _reach(self, text: str) -> tuple[str, Any] | tuple[()] | None:
        """Return the file and value behind a reference; nothing if there is none, None if not yet known."""
        file, fragment = split_reference(text)
        node, tokens = self._file(file), deque(_tokens(fragment))
        hops = 0
        if fragment and not fragment.startswith("/"):
            return self._whole(file, node)
        while tokens and node is not None:
            token = tokens[0]
            if isinstance(node, dict) and token not in node and isinstance(node.get("$ref"), str):
                hops += 1
                if id(node) not in self._visited:
                    self._stack.append((node, "object", file))
                    return None
                if hops > _MOST_HOPS or any(spot.holder is node for spot in self._waiting):
                    return None if hops <= _MOST_HOPS else ()
                file, fragment = split_reference(node["$ref"])
                node = self._file(file)
                tokens.extendleft(reversed(_tokens(fragment)))
                continue
            node = _child(node, tokens.popleft())
            if node is None:
                return ()
        return self._whole(file, node)

    def _whole(self, file: str, node: Any) -> tuple[str, Any] | tuple[()] | None:
        if node is not None:
            return file, node
        return None if file in self._wanted else ()

    def _file(self, name: str) -> Any:
        if not name:
            return self._root
        if name in self._named and name not in self.links.files and name not in self.links.unread:
            self._wanted[name] = None
        return self.links.files.get(name)

    def _settle(self) -> None:
        """Write the references anew that no further file will tell more about."""
        waiting, self._waiting = self._waiting, []
        for spot in waiting:
            location, fragment = split_reference(spot.text)
            found = self._identifiers.find(location, fragment, spot.resource)
            if found is not None:
                self._note_dynamic(spot, fragment, found)
                self._named.add(found[0])
                self._write(spot.holder, spot.key, f"{found[0]}#{found[1]}", spot.mode)
                continue
            base = spot.resource.uri if spot.resource is not None else ""
            beside = self._identifiers.beside(urljoin(base, location)) if location else None
            if beside is not None:
                file, relative = beside
                text, place = f"{relative}#{fragment}", file
            else:
                text, place = spot.text, spot.file
            self._place_reference(spot.holder, spot.key, text, place, spot.mode)

    def _note_dynamic(self, spot: _Waiting, fragment: str, found: tuple[str, str]) -> None:
        """Keep what may have to be told apart by the way it was reached."""
        if spot.resource is None:
            return
        if spot.key == "$dynamicRef":
            self.links.openings.append(Opening(spot.holder, spot.resource, unquote(fragment)))
            return
        used = self._identifiers.at(found[0], unquote(found[1]))
        if used is not None:
            self.links.uses.append(Use(spot.holder, spot.resource, used))


def needs_linking(parsed: Parsed, dialect: Dialect) -> bool:
    """Whether a document refers to other files, identifies its parts, or has references in odd places."""
    root = parsed.value
    if any(not reference.startswith("#") for reference in parsed.references):
        return True
    if parsed.identified and dialect != "3.0":
        return True
    return any("$ref" in field for field in _outline(root))


def _outline(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields near the root in which some authors put references."""
    for key, value in root.items():
        if isinstance(value, dict) and not key.startswith("x-"):
            yield value
    for value in as_dict(root.get("components")).values():
        if isinstance(value, dict):
            yield value


def urlsplit_scheme(text: str) -> str:
    """Return the scheme of a reference, or an empty string."""
    try:
        return urlsplit(text).scheme
    except ValueError:
        return ""


def _tokens(fragment: str) -> list[str]:
    return [fragment_key(raw) for raw in fragment.split("/")[1:]]


def _child(node: Any, token: str) -> Any:
    if isinstance(node, dict):
        return node.get(token)
    if isinstance(node, list) and token.isdecimal() and len(token) < 8 and int(token) < len(node):
        return node[int(token)]
    return None
