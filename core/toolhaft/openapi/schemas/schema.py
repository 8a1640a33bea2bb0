"""Schemas of OpenAPI documents as JSON Schema 2020-12.

References stay references: what a schema reaches is kept once under ``$defs``, recursion included, and
nothing is inlined but small leaves.

Source: JSON Schema 2020-12; OpenAPI 3.0.3 and 3.1.1, section "Schema Object".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.cleaning import clean_string, clean_text, clean_value
from toolhaft.openapi.documents.document import Dialect, as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.names import short_hash
from toolhaft.openapi.schemas.scalars import choice, declared_types, distinct, fits, is_number, plain_number
from toolhaft.tools.artifact_places import FORMAT as ARTIFACT

DEEPEST = 64
"""Levels of a schema that are kept; what lies deeper becomes any value."""
MOST_CHOICES = 1000
"""Values of an enum that are kept; a longer one becomes a note in the description."""

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
_TEXTS = ("format", "contentEncoding", "contentMediaType")
_ONE_SCHEMA = (
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NESTED = frozenset(
    {
        *("$ref", "$dynamicRef", "properties", "patternProperties", "dependentSchemas", "items"),
        *_ONE_SCHEMA,
        *_SCHEMA_LISTS,
    }
)


class TooLargeError(SpecError):
    """A schema with more parts than it may have; response schemas are then left out."""


@dataclass(slots=True)
class Conversion:
    """What is known while one schema is converted.

    Attributes:
        wanted: Pointers of the definitions that are referred to.
        response: Keep what is read-only and drop what is write-only, instead of the reverse.
        parts: Schemas that may still be converted.
    """

    wanted: dict[str, None]
    response: bool = False
    parts: int = 1_000_000


class SchemaReader:
    """Converts schemas of one document; definitions are converted once and shared.

    Args:
        resolver: Of the document.
        dialect: Its rules for schemas.
    """

    def __init__(self, resolver: Resolver, dialect: Dialect) -> None:
        self._resolver = resolver
        self._dialect = dialect
        self._definitions: dict[tuple[str, bool], tuple[dict[str, Any], tuple[str, ...], int]] = {}
        self._patterns: dict[str, bool] = {}

    def convert(self, node: Any, conversion: Conversion) -> dict[str, Any]:
        """Return a schema; what it refers to is noted in ``conversion.wanted``."""
        return self._schema(node, conversion, 0)

    def definitions(self, conversion: Conversion) -> dict[str, Any]:
        """Return ``$defs`` for everything that was noted, and what that refers to in turn."""
        found: dict[str, Any] = {}
        waiting = list(conversion.wanted)
        seen = set(waiting)
        while waiting:
            pointer = waiting.pop()
            schema, wanted = self._definition(pointer, conversion)
            found[definition_name(pointer)] = schema
            for inner in wanted:
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
        return dict(sorted(found.items()))

    def response_schema(self, node: Any, most_parts: int) -> dict[str, Any] | None:
        """Return the schema of a result, or None if it has more than ``most_parts`` parts."""
        conversion = Conversion(wanted={}, response=True, parts=most_parts)
        try:
            schema = self.convert(node, conversion)
            definitions = self.definitions(conversion)
        except TooLargeError:
            return None
        return {**schema, "$defs": definitions} if definitions else schema

    def _definition(self, pointer: str, conversion: Conversion) -> tuple[dict[str, Any], tuple[str, ...]]:
        key = (pointer, conversion.response)
        known = self._definitions.get(key)
        if known is None:
            node, _ = self._resolver.find(f"#{_as_fragment(pointer)}")
            inner = Conversion(wanted={}, response=conversion.response, parts=conversion.parts)
            schema = self._schema(node, inner, 0)
            known = self._definitions[key] = (schema, tuple(inner.wanted), conversion.parts - inner.parts)
        schema, wanted, parts = known
        conversion.parts -= (
            parts  # counted where it is cached too, so that the order of use is of no consequence
        )
        if conversion.parts < 0:
            raise TooLargeError("the schema is larger than asked for")
        return schema, wanted

    def _schema(self, node: Any, conversion: Conversion, depth: int) -> dict[str, Any]:
        conversion.parts -= 1
        if conversion.parts < 0:
            raise TooLargeError("the schema is larger than asked for")
        if node is False:
            return {"not": {}}
        if not isinstance(node, dict):
            return {}
        if depth > DEEPEST:
            return {"description": "Any JSON value; what the API says of it is nested too deeply to show."}
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(node.get(keyword), str):
                return self._reference(node, node[keyword], conversion, depth)
        return self._plain(node, conversion, depth)

    def _reference(
        self, node: dict[str, Any], reference: str, conversion: Conversion, depth: int
    ) -> dict[str, Any]:
        try:
            target, pointer = self._resolver.follow({"$ref": reference}, "")
        except BrokenReferenceError as error:
            made: dict[str, Any] = {"description": f"Any JSON value: {clean_string(error.what)}."}
        else:
            made = self._refer(target, pointer, conversion)
        siblings = {key: value for key, value in node.items() if key not in ("$ref", "$dynamicRef")}
        if self._dialect == "3.0":  # siblings mean nothing there, but a description does no harm
            siblings = {"description": siblings["description"]} if "description" in siblings else {}
        if not siblings:
            return made
        extra = self._plain(siblings, conversion, depth)
        if set(extra) & set(made) <= {"description"}:
            return {**made, **extra}
        return {"allOf": [made, extra]}

    def _refer(self, target: Any, pointer: str, conversion: Conversion) -> dict[str, Any]:
        if (
            isinstance(target, dict)
            and not _NESTED & target.keys()
            and len(as_list(target.get("enum"))) <= 20
        ):
            conversion.parts += 1
            leaf = self._schema(target, conversion, 0)
            if leaf.get("type") not in ("object", "array"):
                return leaf
        conversion.wanted[pointer] = None
        return {"$ref": f"#/$defs/{definition_name(pointer)}"}

    def _plain(self, node: dict[str, Any], conversion: Conversion, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        types = declared_types(node)
        if types:
            made["type"] = types[0] if len(types) == 1 else types
        self._annotate(node, made)
        self._bound(node, made)
        if node.get("type") == "file":
            made.setdefault("format", "binary")
        self._choices(node, made, types)
        self._object(node, made, conversion, depth)
        self._array(node, made, types, conversion, depth)
        for keyword in _ONE_SCHEMA:
            value = node.get(keyword)
            if isinstance(value, bool) and keyword not in ("not", "if", "then", "else"):
                made[keyword] = value
            elif isinstance(value, dict):
                made[keyword] = self._schema(value, conversion, depth + 1)
        for keyword in _SCHEMA_LISTS:
            members = [self._schema(item, conversion, depth + 1) for item in as_list(node.get(keyword))]
            if members:
                made[keyword] = members
        return _nullable(node, made)

    def _annotate(self, node: dict[str, Any], made: dict[str, Any]) -> None:
        description = clean_text(node.get("description"))
        title = clean_text(node.get("title"), 200)
        if description:
            made["description"] = description
        elif title:
            made["title"] = title
        if node.get("deprecated") is True:
            made["deprecated"] = True
        examples = node.get("examples")
        if node.get("example") is not None:
            examples = [node["example"]]
        if isinstance(examples, list) and examples:
            kept = clean_value(examples[:3])
            if len(repr(kept)) <= 500:
                made["examples"] = kept

    def _bound(self, node: dict[str, Any], made: dict[str, Any]) -> None:
        for keyword in _NUMBERS:
            value = node.get(keyword)
            if is_number(value) and (keyword != "multipleOf" or value > 0):
                made[keyword] = plain_number(value)
        for exclusive, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if node.get(exclusive) is True and plain in made:
                made[exclusive] = made.pop(plain)
        for keyword in _COUNTS:
            value = node.get(keyword)
            if is_number(value) and value >= 0 and float(value).is_integer():
                made[keyword] = int(value)
        for keyword in _TEXTS:
            # Of tools, this format means an image or file of the rollout: no document may ask for one.
            if isinstance(node.get(keyword), str) and node[keyword] != ARTIFACT:
                made[keyword] = clean_text(node[keyword], 100)
        if node.get("uniqueItems") is True:
            made["uniqueItems"] = True
        pattern = node.get("pattern")
        if isinstance(pattern, str) and pattern:
            if self._compiles(pattern):
                made["pattern"] = pattern
            else:
                note = f"Pattern: {clean_text(pattern, 200)}"
                made["description"] = clean_text(f"{made.get('description', '')} {note}")

    def _choices(self, node: dict[str, Any], made: dict[str, Any], types: list[str]) -> None:
        as_string = [name for name in types if name != "null"] == ["string"]
        if isinstance(node.get("enum"), list) and node["enum"]:
            values = distinct([choice(value, as_string) for value in node["enum"]])
            if node.get("nullable") is True and None not in values:
                values.append(None)
            if len(values) <= MOST_CHOICES:
                made["enum"] = values
            else:
                shown = ", ".join(str(value)[:40] for value in values[:10])
                note = f"One of {len(values)} values, for example {shown}."
                made["description"] = clean_text(f"{made.get('description', '')} {note}")
        if "const" in node and (node["const"] is not None or "null" in types or not types):
            made["const"] = choice(node["const"], as_string)
        if node.get("default") is not None:
            default = choice(node["default"], as_string)
            if fits(default, types, made.get("enum")) and len(repr(default)) <= 500:
                made["default"] = default

    def _object(self, node: dict[str, Any], made: dict[str, Any], conversion: Conversion, depth: int) -> None:
        required = [clean_string(n) for n in as_list(node.get("required")) if isinstance(n, str)]
        properties: dict[str, Any] = {}
        for name, child in as_dict(node.get("properties")).items():
            name = clean_string(name)
            if child is None or self.hidden(child, conversion.response):
                required = [other for other in required if other != name]
                continue
            if isinstance(child, dict) and child.get("required") is True:
                required.append(name)
            properties[name] = self._schema(child, conversion, depth + 1)
        if properties:
            made["properties"] = properties
        if required:
            made["required"] = list(dict.fromkeys(required))
        for keyword in ("patternProperties", "dependentSchemas"):
            children = {
                key: self._schema(child, conversion, depth + 1)
                for key, child in as_dict(node.get(keyword)).items()
                if keyword == "dependentSchemas" or self._compiles(key)
            }
            if children:
                made[keyword] = children
        dependent = {
            key: [n for n in names if isinstance(n, str)]
            for key, names in as_dict(node.get("dependentRequired")).items()
            if isinstance(names, list)
        }
        if dependent:
            made["dependentRequired"] = dependent

    def _array(
        self, node: dict[str, Any], made: dict[str, Any], types: list[str], conversion: Conversion, depth: int
    ) -> None:
        items = node.get("items")
        if isinstance(items, list):
            members = [self._schema(item, conversion, depth + 1) for item in items]
            if members and "prefixItems" not in node:
                made["prefixItems"] = members
        elif isinstance(items, dict | bool):
            made["items"] = self._schema(items, conversion, depth + 1) if items is not False else False
        if "array" in types and "items" not in made:
            made["items"] = {}

    def hidden(self, node: Any, response: bool = False) -> bool:
        """Whether a property is read-only (in a request) or write-only (in a response)."""
        keyword = "writeOnly" if response else "readOnly"
        if not isinstance(node, dict):
            return False
        if node.get(keyword) is True:
            return True
        if "$ref" not in node:
            return False
        try:
            target, _ = self._resolver.follow(node, "")
        except BrokenReferenceError:
            return False
        return isinstance(target, dict) and target.get(keyword) is True

    def _compiles(self, pattern: str) -> bool:
        """Whether the pattern compiles in the engine that will check it; it is never run here."""
        known = self._patterns.get(pattern)
        if known is None:
            import jsonschema_rs

            known = False
            if len(pattern) <= 2000 and pattern.isprintable():
                try:
                    jsonschema_rs.Draft202012Validator({"pattern": pattern})
                    known = True
                except (ValueError, jsonschema_rs.ValidationError):
                    known = False
            self._patterns[pattern] = known
        return known


def definition_name(pointer: str) -> str:
    """Return the key under ``$defs`` for what stands at a pointer; it depends on the pointer alone."""
    last = pointer.rpartition("/")[2]
    plain = re.sub(r"[^a-zA-Z0-9_.-]", "_", last)
    direct = pointer == f"/components/schemas/{plain}"
    return plain if direct and plain and len(plain) <= 64 else f"{plain[:48]}_{short_hash(pointer)}"


def _as_fragment(pointer: str) -> str:
    return pointer.replace("%", "%25")


def _nullable(node: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Let null through where ``nullable`` stands beside a composition that has no type to extend."""
    if node.get("nullable") is not True or "type" in made:
        return made
    composed = {key: made.pop(key) for key in ("allOf", "anyOf", "oneOf") if key in made}
    if not composed:
        return made
    return {**made, "anyOf": [composed, {"type": "null"}]}
