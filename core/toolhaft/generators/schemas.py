"""What a JSON Schema says of arguments and results, read with bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.text import identifier_words
from toolhaft.tools.subschemas import referred

_DEEPEST = 6
_MOST = 400
_MOST_REFERENCES = 12
_IDENTIFYING = frozenset(
    [
        "id",
        "ids",
        "uuid",
        "guid",
        "code",
        "key",
        "number",
        "sku",
        "slug",
        "reference",
        "handle",
        "isbn",
        "iban",
    ]
)
_PREFIX = re.compile(r"\^\(?[A-Za-z]{2,}[-_:/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value within a result.

    Attributes:
        path: Names of members from the top; ``*`` stands for the items of a list.
        schema: What it may be; empty if only seen.
    """

    path: tuple[str, ...]
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The member's own name; that of the list for the items of one."""
        return next((part for part in reversed(self.path) if part != "*"), "")

    @property
    def holder(self) -> str:
        """Name of the member that holds the object that this is a member of; empty at the top."""
        return next((part for part in reversed(self.path[:-1]) if part != "*"), "")


def resolve(schema: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with references followed and one branch taken where there are several.

    Args:
        schema: Part of ``root``.
        root: Where references lead; nothing outside it is read.
    """
    found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
    for _ in range(_MOST_REFERENCES):
        if isinstance(reference := found.get("$ref"), str):
            more = {key: value for key, value in found.items() if key != "$ref"}
            found = {**_referred(root, reference), **more}
            continue
        branch = next((key for key in ("allOf", "anyOf", "oneOf") if found.get(key)), None)
        if branch is None:
            break
        options = found.pop(branch)
        found = {**_taken(branch, options, root), **found}
    kinds = found.get("type")
    if isinstance(kinds, list):
        found["type"] = next((kind for kind in kinds if kind != "null"), "null")
    return found


def properties_of(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the members of an object schema, each resolved."""
    members = schema.get("properties")
    if not isinstance(members, Mapping):
        return {}
    return {str(name): resolve(member, root) for name, member in members.items()}


def fields_of(schema: Mapping[str, Any] | None) -> Iterator[Field]:
    """Iterate over the plain values that a result schema promises, outermost first; at most 400."""
    if not schema:
        return
    waiting: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), resolve(schema, schema))]
    count = 0
    while waiting and count < _MOST:
        path, part = waiting.pop(0)
        if len(path) > _DEEPEST:
            continue
        members = properties_of(part, schema)
        if members:
            waiting += [((*path, name), member) for name, member in members.items()]
        elif isinstance(part.get("items"), Mapping):
            waiting.append(((*path, "*"), resolve(part["items"], schema)))
        elif path:
            count += 1
            yield Field(path=path, schema=part)


def plain_name(name: str) -> str:
    """Return a name without case and separators, for comparing."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def words_of(name: str) -> list[str]:
    """Return the words of an identifier in lower case."""
    return [word.lower() for word in identifier_words(name)]


def is_identifier(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether a value stands for one thing that others know by it."""
    words = words_of(name)
    if schema.get("format") == "uuid":
        return True
    if schema.get("type") not in (None, "string", "integer"):
        return False
    return has_prefix(schema) or (bool(words) and words[-1] in _IDENTIFYING)


def has_prefix(schema: Mapping[str, Any]) -> bool:
    """Whether a pattern begins with letters and a separator, as identifiers do: ``^ORD-[0-9]+$``."""
    pattern = schema.get("pattern")
    return isinstance(pattern, str) and _PREFIX.match(pattern) is not None


def singular(word: str) -> str:
    """Return the singular of a plain English plural."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    kept = word.endswith(("ss", "us", "is")) or len(word) < 4
    return word[:-1] if word.endswith("s") and not kept else word


def _taken(branch: str, options: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    parts = [option for option in options if isinstance(option, Mapping)] if isinstance(options, list) else []
    if branch != "allOf":
        parts = [part for part in parts if part.get("type") != "null"][:1]
    merged: dict[str, Any] = {}
    for part in parts:
        one = _referred(root, part["$ref"]) if isinstance(part.get("$ref"), str) else part
        both = {**(merged.get("properties") or {}), **(one.get("properties") or {})}
        required = [*merged.get("required", []), *one.get("required", [])]
        merged = {**merged, **one}
        if both:
            merged["properties"] = both
        if required:
            merged["required"] = required
    return merged


def _referred(root: Mapping[str, Any], reference: str) -> dict[str, Any]:
    found = referred(root, reference)
    return dict(found) if isinstance(found, Mapping) else {}
