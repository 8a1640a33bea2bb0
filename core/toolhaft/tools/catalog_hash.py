"""Hashes of tools and catalogs by what they hold: the same document gives the same ones on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from toolhaft.types import ToolSpec, to_value

PARTS = ("description", "schema", "effect", "hosts", "wire", "rest")
"""What is hashed of a tool by itself, so that it can be told what changed."""
_EFFECT = ("effect", "repeatable", "private", "untrusted", "inverse")
_LENGTH = 32
CURATED = {"arguments": "fills in arguments", "result": "shows results"}
"""Parts of a curation that do not stand in the spec whole, and what they do."""
_MOST_CURATIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHash:
    """A tool by its content.

    Attributes:
        description: Hash of the description for the model.
        schema: Of the arguments' schema, texts in it included.
        effect: Of the effect, and whether calls may be repeated, are private, can be undone.
        hosts: Of the origins that calls speak to, and of the server's whole URL.
        wire: Of how its requests are made otherwise: what the catalog file keeps to make the tool again.
        rest: Of everything else: tags, examples, the schema of the result, the place in the document.
    """

    description: str
    schema: str
    effect: str
    hosts: str
    wire: str
    rest: str

    @property
    def whole(self) -> str:
        """One hash of all parts."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, str]:
        """Return part -> hash."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def hash_tool(spec: ToolSpec, binding: Mapping[str, Any] | None) -> ToolHash:
    """Hash a tool's spec and binding; where the document lay does not count, the place in it does.

    What is empty in a binding counts as absent, so that a field that a later version adds changes no hash of
    a tool that does not use it; what is false does not, as its absence may stand for true. Of a curated tool,
    that of the tool that is called in the end counts, and how the curation fills in arguments and shows
    results; the rest of it stands in the spec.
    """
    facts = {key: value for key, value in to_value(spec).items() if key not in ("name", "format")}
    description = facts.pop("description")
    schema = facts.pop("parameters")
    hosts = facts.pop("hosts")
    effect = {key: facts.pop(key) for key in _EFFECT}
    inner, changes = uncurated(binding or {})
    made = {**inner, **changes}
    if isinstance(wire := made.get("wire"), Mapping):
        made["wire"] = {key: value for key, value in wire.items() if key not in ("server", "answers")}
        hosts = [*hosts, wire.get("server", "")]
        facts["answers"] = wire.get("answers")
    facts["source"] = facts["source"].partition("#")[2]
    return ToolHash(
        description=digest(description),
        schema=digest(schema),
        effect=digest(effect),
        hosts=digest(hosts),
        wire=digest(slim(made)),
        rest=digest({key: value for key, value in facts.items() if value not in (None, "", (), [], {})}),
    )


def uncurated(binding: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Return the binding of the tool that is called in the end, and what curations do that no spec shows.

    Args:
        binding: Of any tool; that of one that is not curated is returned as it is, with no changes.
    """
    changes: dict[str, Any] = {}
    for _ in range(_MOST_CURATIONS):
        inner, said = binding.get("inner"), binding.get("changes")
        if binding.get("kind") != "curated" or not isinstance(inner, Mapping):
            break
        for part in CURATED:
            if value := said.get(part) if isinstance(said, Mapping) else None:
                changes.setdefault(f"curated {part}", []).append(value)
        binding = inner
    return binding, changes


def hash_catalog(hashes: Iterable[tuple[str, str]]) -> str:
    """Return one hash of all tools, from name and whole hash of each, in the order of the names.

    It is that of `digest` of the list; no more than one entry is held.
    """
    text = hashlib.sha256(b"[")
    for number, entry in enumerate(hashes):
        text.update(f"{',' if number else ''}{json.dumps(entry, separators=(',', ':'))}".encode())
    text.update(b"]")
    return text.hexdigest()[:_LENGTH]


class Chain:
    """The version of a catalog's content, which can be kept up when single tools change.

    It is the sum, modulo 2 to the 128, of one number for each tool, made from its name, its hash and the name
    before it: a function of the tools and their order, whatever way led there. It tells whether an index is
    that of these tools, and is no proof of anything against somebody who forges files: a `hash_catalog` is.

    Source: M. Bellare and D. Micciancio, "A New Paradigm for Collision-Free Hashing: Incrementality at
    Reduced Cost", EUROCRYPT 1997 (AdHash). Here the blocks are links of a list, and the sum is shorter.

    Args:
        version: Of the content so far; empty for none.

    Raises:
        ValueError: That is no version.
    """

    def __init__(self, version: str = "") -> None:
        self._sum = int(version, 16) if version else 0

    @property
    def version(self) -> str:
        """The version, 32 hexadecimal digits."""
        return f"{self._sum:032x}"

    def add(self, before: str, name: str, whole: str) -> None:
        """Take in a tool; ``before`` is the name of the one before it, empty for the first."""
        self._sum = (self._sum + _link(before, name, whole)) % 2**128

    def drop(self, before: str, name: str, whole: str) -> None:
        """Leave out a tool that was taken in with these words."""
        self._sum = (self._sum - _link(before, name, whole)) % 2**128


def _link(before: str, name: str, whole: str) -> int:
    return int(digest([before, name, whole]), 16)


def digest(value: Any) -> str:
    """Return the first 128 bits of the SHA-256 of a JSON value, members in the order of their names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def slim(value: Any) -> Any:
    """Return a JSON value without members that are empty or null."""
    if isinstance(value, Mapping):
        slimmed = {key: slim(item) for key, item in value.items()}
        return {key: item for key, item in slimmed.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [slim(item) for item in value]
    return value
