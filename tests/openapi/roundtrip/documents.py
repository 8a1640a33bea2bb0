"""Documents as plain values with every file inside one root, and references that are looked up in it."""

import json
import re
import tarfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import yaml

FILES = "x-roundtrip-files"
"""Where the contents of other files stand in the root, by their path."""


class _Loader(yaml.CSafeLoader):
    """YAML 1.2: only true and false are booleans, dates stay text, keys become text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _construct_int(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _construct_map(loader, node):
    loader.flatten_mapping(node)
    found = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else str(loader.construct_object(key, deep=True))
        found[name] = loader.construct_object(value, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)


def read_text(data):
    """Decode bytes by their byte order mark, as UTF-8, or as cp1252."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def parse(data):
    """Parse the bytes of a document: JSON by its first byte, YAML otherwise."""
    text = read_text(data)
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text, strict=False)
        except ValueError:
            pass
    return yaml.load(text, Loader=_Loader)  # a subclass of the safe loader


def read_file(path):
    """Parse a file, unpacked if its name ends in ``.gz``."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        import gzip

        data = gzip.decompress(data)
    return parse(data)


def unpack(archive, folder):
    """Unpack a tar archive into a folder."""
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")


class OutsideError(Exception):
    """A reference leaves the document's folder, or leads nowhere."""


@dataclass
class Document:
    """One root that holds everything, and its dialect.

    Attributes:
        root: The parsed document; other files stand under `FILES`.
        outside: References that could not be brought in.
    """

    root: dict
    outside: list = field(default_factory=list)

    @cached_property
    def version(self):
        """The version as numbers, ``(3, 0, 3)``; ``(2, 0, 0)`` for Swagger."""
        if "swagger" in self.root:
            return (2, 0, 0)
        numbers = [int(part) for part in re.findall(r"\d+", str(self.root.get("openapi", "3.0.0")))]
        return tuple([*numbers, 0, 0, 0][:3])

    @cached_property
    def anchors(self):
        """``$anchor`` -> schema."""
        found = {}
        stack = [self.root]
        while stack:
            node = stack.pop()
            if isinstance(node, dict):
                if isinstance(node.get("$anchor"), str):
                    found[node["$anchor"]] = node
                stack.extend(node.values())
            elif isinstance(node, list):
                stack.extend(node)
        return found

    def find(self, reference):
        """Return what a local reference points at.

        Raises:
            OutsideError: It leads nowhere.
        """
        if not reference.startswith("#"):
            raise OutsideError(reference)
        pointer = unquote(reference[1:])
        if pointer and not pointer.startswith("/"):
            if pointer in self.anchors:
                return self.anchors[pointer]
            raise OutsideError(reference)
        node = self.root
        for token in pointer.split("/")[1:]:
            token = token.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(token)] if isinstance(node, list) else node[token]
            except (KeyError, IndexError, ValueError, TypeError):
                raise OutsideError(reference) from None
        return node

    def resolve(self, node):
        """Follow references until there is none; siblings of one on a path item or schema of 3.1 are kept."""
        seen = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise OutsideError(reference)
            seen.add(reference)
            target = self.find(reference)
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            if siblings and self.version >= (3, 1, 0) and isinstance(target, dict):
                node = {**target, **siblings}
            else:
                node = target
        return node


def read_document(path):
    """Read a root file and every file under its folder that it refers to."""
    path = Path(path).resolve()
    bundle = _Bundle(path)
    root = bundle.rewritten(path)
    while bundle.waiting:
        name = bundle.waiting.pop()
        try:
            bundle.files[name] = bundle.rewritten(bundle.folder / name)
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            bundle.outside.append(name)
            bundle.files[name] = None
    if bundle.files:
        root = {**root, FILES: bundle.files}
    return Document(root, bundle.outside)


class _Bundle:
    """Collects the files of a document and turns references between them into local ones."""

    def __init__(self, path):
        self.folder = path.parent
        self.main = path
        self.files = {}
        self.waiting = set()
        self.outside = []

    def rewritten(self, path):
        return self._copy(read_file(path), path)

    def _copy(self, node, path):
        if isinstance(node, list):
            return [self._copy(item, path) for item in node]
        if not isinstance(node, dict):
            return node
        found = {key: self._copy(value, path) for key, value in node.items()}
        if isinstance(node.get("$ref"), str):
            found["$ref"] = self._local(node["$ref"], path)
        return found

    def _local(self, reference, path):
        address, _, pointer = reference.partition("#")
        if not address and path == self.main:
            return reference
        if re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*:|^//", address):
            self.outside.append(reference)
            return reference
        target = (path.parent / unquote(address)).resolve() if address else path
        if target == self.main:
            return f"#{pointer}"
        if not target.is_relative_to(self.folder):
            self.outside.append(reference)
            return reference
        name = target.relative_to(self.folder).as_posix()
        if name not in self.files and target.is_file():
            self.files.setdefault(name, None)
            self.waiting.add(name)
        escaped = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
        return f"#/{FILES}/{escaped}{pointer}"
