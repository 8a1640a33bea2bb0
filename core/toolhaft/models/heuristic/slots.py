"""The arguments of a tool as slots to fill: what each wants, said by its schema, name and description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.models.heuristic.lexicon import FREE_TEXT_WORDS, PERSON_WORDS, PLACE_WORDS, QUERY_WORDS, STOP
from toolhaft.models.heuristic.words import content_stems, name_stems, name_words, stem
from toolhaft.types import ToolSpec

SLOT_CAP = 80
DEPTH_CAP = 4
Kind = Literal[
    "integer",
    "number",
    "boolean",
    "enum",
    "date",
    "time",
    "date-time",
    "email",
    "url",
    "phone",
    "path",
    "id",
    "person",
    "place",
    "free",
    "query",
    "text",
    "object",
    "artifact",
]
Path = tuple[str | int, ...]
"""Keys from the arguments down; an integer stands for a place in a list."""
_EXAMPLE = re.compile(r"'([^'\n]{1,40})'|\"([^\"\n]{1,40})\"|`([^`\n]{1,40})`")
_NUMBERED = re.compile(r"\^?\(?[A-Za-z]{2,12}[-_]?\)?(?:\[0-9\]|\\d)")
_IDENTIFIES = re.compile(r"(?:the )?(?:id|identifier)\b", re.IGNORECASE)
_NAMES_WHOM = re.compile(
    r"^(?:the )?(?:full )?name of (?:the |a |an )?"
    r"(?:person|man|woman|people|somebody|someone|\w{1,30}(?:er|or|ant|ent|ist|ian)|who)\b"
    r"|^who\b",
    re.IGNORECASE,
)
_GENERIC = frozenset(stem(word) for word in ["name", "title", "email", "id", "type", "value", "number"])
_ID_WORDS = frozenset(["id", "ids", "uuid", "guid", "identifier", "identifiers"])

PAGE_SIZES = frozenset({"limit", "page_size", "pagesize", "per_page", "perpage", "max_results", "maxresults"})
"""Names of arguments that say how much is shown at once."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One value that a tool takes.

    Attributes:
        path: Keys from the arguments down; an integer stands for a place in a list.
        schema: Its JSON Schema; of the items, if ``many``.
        many: A list of such values is wanted.
        required: It and everything above it must be given.
        name: Stems of its name's words.
        about: Stems of its description.
        examples: Values that its description quotes.
        noun: What an identifier identifies, as stems: ``orderId`` gives ``order``.
        named: Somebody's name is wanted.
    """

    path: tuple[str | int, ...]
    schema: dict[str, Any]
    kind: Kind
    many: bool
    required: bool
    name: frozenset[str]
    about: frozenset[str]
    examples: tuple[str, ...] = ()
    noun: tuple[str, ...] = ()
    named: bool = False

    @property
    def label(self) -> str:
        """The last name of its path."""
        return next((str(part) for part in reversed(self.path) if isinstance(part, str)), "")


def slots_of(spec: ToolSpec) -> tuple[Slot, ...]:
    """Return the slots of a tool in the order of its schema, at most 80, four objects deep."""
    found: list[Slot] = []
    _collect(spec, spec.parameters, (), True, found, 0)
    return tuple(found)


def _collect(
    spec: ToolSpec, schema: Any, path: tuple[str | int, ...], required: bool, found: list[Slot], depth: int
) -> None:
    if not isinstance(schema, dict) or depth > DEPTH_CAP:
        return
    properties = schema.get("properties")
    wanted = schema.get("required")
    wanted = wanted if isinstance(wanted, list) else []
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if len(found) >= SLOT_CAP or not isinstance(inner, dict):
            continue
        inner = _resolved(spec, inner)
        if inner.get("readOnly") is True:
            continue
        needed = required and name in wanted
        here = (*path, name)
        if _is_object(inner) and inner.get("properties"):
            _collect(spec, inner, here, needed, found, depth + 1)
        elif (
            inner.get("type") == "array"
            and _is_object(items := _resolved(spec, inner.get("items")))
            and items.get("properties")
        ):
            _collect(spec, items, (*here, 0), needed, found, depth + 1)
        else:
            found.append(_slot(spec, here, inner, needed))


def _resolved(spec: ToolSpec, schema: Any) -> dict[str, Any]:
    """Return a schema with local references, ``allOf`` of one and nullable unions looked through."""
    for _ in range(8):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            target: Any = spec.parameters
            for part in reference[2:].split("/"):
                target = target.get(part) if isinstance(target, dict) else None
            schema = target
            continue
        for key in ("allOf", "anyOf", "oneOf"):
            options = schema.get(key)
            if isinstance(options, list) and "type" not in schema and "properties" not in schema:
                real = [one for one in options if isinstance(one, dict) and one.get("type") != "null"]
                if real:
                    rest = {name: value for name, value in schema.items() if name != key}
                    schema = {**real[0], **rest}
                    break
        else:
            break
    if isinstance(schema, dict) and isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema = {**schema, "type": kinds[0] if kinds else "string"}
    return schema if isinstance(schema, dict) else {}


def _is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object" or "properties" in schema


def _slot(spec: ToolSpec, path: tuple[str | int, ...], schema: dict[str, Any], required: bool) -> Slot:
    many = schema.get("type") == "array"
    inner = _resolved(spec, schema.get("items")) if many else schema
    name = str(path[-1])
    description = str(schema.get("description") or inner.get("description") or "")[:600]
    words = name_words(name)
    noun = tuple(stem(word) for word in words if word not in _ID_WORDS)
    kind = _kind(inner, words, description)
    if kind in ("text", "place", "person") and _is_reference(inner, description):
        kind = "id"
    if kind == "id" and not noun:
        outer = next((part for part in reversed(path[:-1]) if isinstance(part, str)), "")
        noun = name_stems(outer) if outer else _noun_of(spec, description)
    examples = tuple(
        next(group for group in found if group) for found in _EXAMPLE.findall(description) if any(found)
    )
    examples += tuple(
        re.findall(r"(?:[Ff]or example|e\.g\.|such as|like)[ ,:]+([A-Za-z0-9][\w-]{2,40})", description)
    )
    if isinstance(inner.get("example"), str):
        examples += (inner["example"][:80],)
    if isinstance(listed := inner.get("examples"), list):
        examples += tuple(str(one)[:80] for one in listed[:8] if isinstance(one, str))
    about = frozenset(content_stems(description))
    own = frozenset(name_stems(name))
    above = frozenset(one for part in path[:-1] if isinstance(part, str) for one in name_stems(part))
    if own <= _GENERIC:
        own |= above
    else:
        about |= above
    named = kind == "person" or (kind == "text" and _NAMES_WHOM.search(description) is not None)
    return Slot(path, inner, kind, many, required, own, about, examples[:20], noun, named)


def _is_reference(schema: dict[str, Any], description: str) -> bool:
    """Return whether a string is an identifier by its pattern, letters with a number, or its description."""
    pattern = schema.get("pattern")
    shaped = isinstance(pattern, str) and _NUMBERED.match(pattern) is not None
    return shaped or _IDENTIFIES.match(description) is not None


def _noun_of(spec: ToolSpec, description: str) -> tuple[str, ...]:
    """Return what a bare ``id`` identifies: the description's ``id of the order``, else the tool's noun."""
    match = re.search(r"\b(?:id|identifier) of (?:the |an? )?([a-z]{2,30})", description, re.IGNORECASE)
    match = match or re.search(r"\b([a-z]{2,30})(?:'s)? (?:id|identifier)\b", description, re.IGNORECASE)
    if match and match[1].lower() not in STOP:
        return (stem(match[1].lower()),)
    words = name_stems(spec.name)
    return words[-1:] if len(words) > 1 else words


def _kind(schema: dict[str, Any], words: tuple[str, ...], description: str) -> Kind:
    if isinstance(schema.get("enum"), list) or "const" in schema:
        return "enum"
    kind = schema.get("type")
    if kind == "boolean":
        return "boolean"
    last = words[-1] if words else ""
    if kind in ("integer", "number"):
        return "id" if last in _ID_WORDS else kind
    if kind == "object":
        return "object"
    shape = str(schema.get("format") or "")
    formats: dict[str, Kind] = {
        "date": "date",
        "date-time": "date-time",
        "time": "time",
        "email": "email",
        "uri": "url",
        "url": "url",
        "uuid": "id",
        "artifact": "artifact",
    }
    if shape in formats:
        return formats[shape]
    return _named_kind(words, last, description.lower())


_BY_LAST: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("time", ("time", "clock")),
    ("email", ("email", "emails", "mail")),
    ("url", ("url", "uri", "link", "website")),
    ("phone", ("phone", "mobile", "telephone")),
    ("path", ("path", "file", "filename", "filepath", "directory", "folder")),
)
_LAST_WORDS: dict[str, Kind] = {word: kind for kind, words in _BY_LAST for word in words}
_ANY_WORDS: tuple[tuple[frozenset[str], Kind], ...] = (
    (FREE_TEXT_WORDS, "free"),
    (QUERY_WORDS, "query"),
    (PLACE_WORDS, "place"),
    (PERSON_WORDS, "person"),
)


def _named_kind(words: tuple[str, ...], last: str, description: str) -> Kind:
    named = set(words)
    if named & _ID_WORDS:
        return "id"
    timed = _timed_kind(named, last, description)
    if timed is not None:
        return timed
    if last in _LAST_WORDS:
        return _LAST_WORDS[last]
    if "email address" in description or "e-mail address" in description:
        return "email"
    if "phone number" in description:
        return "phone"
    return next((kind for known, kind in _ANY_WORDS if named & known), "text")


def _timed_kind(named: set[str], last: str, description: str) -> Kind | None:
    if "yyyy-mm-ddthh" in description or named & {"datetime", "timestamp"}:
        return "date-time"
    if last in ("at", "start", "end", "starts", "ends") and "time" in description:
        return "date-time"
    dated = named & {"date", "day", "birthday", "deadline", "checkin", "checkout"}
    if dated and "day of the week" not in description:
        return "date"
    return "date" if "yyyy-mm-dd" in description else None
