"""Schemas of OpenAPI documents as JSON Schema 2020-12.

References stay references: what a schema reaches is kept once under ``$defs``, recursion included, and
nothing is inlined but small leaves and what an ``allOf`` extends.

Source: JSON Schema 2020-12; OpenAPI 3.0.3, 3.1.1 and 3.2.0, section "Schema Object".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.cleaning import clean_string
from toolhaft.openapi.documents.document import Dialect, as_dict, as_list
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.schemas.composing import PREFIX, Composer
from toolhaft.openapi.schemas.definitions import definition_name, reference_to
from toolhaft.openapi.schemas.inheritance import Branch, Inheritance, property_name
from toolhaft.openapi.schemas.keywords import annotate, bound, choose, dependent_names, take_null
from toolhaft.openapi.schemas.patterns import Patterns
from toolhaft.openapi.schemas.pinning import allowed_values
from toolhaft.openapi.schemas.scalars import declared_types
from toolhaft.openapi.schemas.visibility import Visibility
from toolhaft.tools.merging import ANNOTATIONS
from toolhaft.tools.subschemas import LISTS, NAMED, ONE, references

DEEPEST = 64
"""Levels of a schema that are kept; what lies deeper becomes any value."""
MOST_PARTS = 1_000_000
"""Schemas that one argument may be made of."""

_REFERENCES = ("$ref", "$dynamicRef")
_OTHER_ONE = tuple(keyword for keyword in ONE if keyword != "items")
_NESTED = frozenset({*_REFERENCES, *NAMED, *ONE, *LISTS, "dependencies", "discriminator"})
_OBJECT = frozenset(
    {
        *("properties", "required", "patternProperties", "allOf"),
        *("dependencies", "dependentSchemas", "dependentRequired"),
    }
)
_INNER = frozenset({*_OTHER_ONE, *LISTS})
_NONE: frozenset[str] = frozenset()


class TooLargeError(SpecError):
    """A schema with more parts than it may have; response schemas are then left out."""


@dataclass(slots=True)
class Conversion:
    """What is known while one schema is converted.

    Attributes:
        wanted: Names of the definitions that are referred to.
        response: Keep what is read-only and drop what is write-only, instead of the reverse.
        parts: Schemas that may still be converted.
        composed: Whether there was an ``allOf``.
    """

    wanted: dict[str, None]
    response: bool = False
    parts: int = MOST_PARTS
    composed: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A schema under ``$defs``.

    Attributes:
        wanted: Names of the definitions that it refers to.
        parts: Schemas that it is made of.
        composed: Whether there is an ``allOf`` in it.
    """

    schema: dict[str, Any]
    wanted: tuple[str, ...]
    parts: int
    composed: bool = False


class SchemaReader:
    """Converts schemas of one document; definitions are converted once and shared.

    Args:
        resolver: Of the document.
        dialect: Its rules for schemas.

    Attributes:
        resolver: Of the document.
        inheritance: Of the document.
    """

    def __init__(self, resolver: Resolver, dialect: Dialect) -> None:
        self.resolver = resolver
        self._dialect = dialect
        self._patterns = Patterns()
        self._visibility = Visibility(resolver)
        self.inheritance = Inheritance(as_dict(resolver.find("#")[0]), resolver)
        self._places: dict[str, tuple[str, bool]] = {}
        self._read: dict[tuple[str, bool], Definition] = {}
        self._definitions: dict[tuple[str, bool], Definition] = {}
        self._composers = {
            response: Composer(lambda name, response=response: self._converted(name, response).schema)  # type: ignore[misc]
            for response in (False, True)
        }

    def convert(self, node: Any, conversion: Conversion) -> dict[str, Any]:
        """Return a schema; what it refers to is noted in ``conversion.wanted``."""
        inner = Conversion(wanted={}, response=conversion.response, parts=conversion.parts)
        schema = self._schema(node, inner, 0)
        conversion.parts = inner.parts
        if inner.composed:
            schema = self._composers[conversion.response].compose(schema)
            inner.wanted = dict.fromkeys(_names(schema))
        conversion.wanted.update(inner.wanted)
        return schema

    def definitions(self, conversion: Conversion) -> dict[str, Any]:
        """Return ``$defs`` for everything that was noted, and what that refers to in turn."""
        found: dict[str, Any] = {}
        waiting = list(conversion.wanted)
        seen = set(waiting)
        while waiting:
            name = waiting.pop()
            made = self.definition(name, conversion)
            found[name] = made.schema
            for inner in made.wanted:
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

    def hidden(self, node: Any, response: bool = False) -> bool:
        """Whether a property is read-only (in a request) or write-only (in a response)."""
        return self._visibility.is_hidden(node, response)

    def place_of(self, name: str) -> str:
        """Return the pointer of the definition that was given a name."""
        return self._places[name][0]

    def definition(self, name: str, conversion: Conversion) -> Definition:
        """Return a definition that was noted; its parts count each time it is asked for."""
        key = (name, conversion.response)
        known = self._definitions.get(key)
        if known is None:
            known = self._converted(name, conversion.response, conversion.parts)
            if known.composed:
                schema = self._composers[conversion.response].compose(known.schema)
                known = Definition(schema, tuple(dict.fromkeys(_names(schema))), known.parts)
            self._definitions[key] = known
        # Counted where it is kept too, so that the order of use is of no consequence.
        conversion.parts -= known.parts
        if conversion.parts < 0:
            raise TooLargeError("the schema is larger than asked for")
        return known

    def _converted(self, name: str, response: bool, parts: int = MOST_PARTS) -> Definition:
        """Return a definition with its ``allOf`` as the document writes it."""
        key = (name, response)
        known = self._read.get(key)
        if known is None:
            pointer, base = self._places[name]
            node = self.resolver.at(pointer)
            inner = Conversion(wanted={}, response=response, parts=parts)
            if base:
                left_out = ("discriminator", "oneOf", "anyOf")
                schema = self._plain({k: v for k, v in node.items() if k not in left_out}, inner, 0)
            else:
                schema = self._family(node, pointer, inner) or self._schema(node, inner, 0)
            known = Definition(schema, tuple(inner.wanted), parts - inner.parts, inner.composed)
            self._read[key] = known
        return known

    def _schema(
        self, node: Any, conversion: Conversion, depth: int, hidden: frozenset[str] = _NONE
    ) -> dict[str, Any]:
        conversion.parts -= 1
        if conversion.parts < 0:
            raise TooLargeError("the schema is larger than asked for")
        if node is False:
            return {"not": {}}
        if not isinstance(node, dict):
            return {}
        if depth > DEEPEST:
            return {"description": "Any JSON value; what the API says of it is nested too deeply to show."}
        for keyword in _REFERENCES:
            if isinstance(node.get(keyword), str):
                return self._reference(node, node[keyword], conversion, depth)
        return self._plain(node, conversion, depth, hidden)

    def _reference(
        self, node: dict[str, Any], reference: str, conversion: Conversion, depth: int, *, base: bool = False
    ) -> dict[str, Any]:
        try:
            target, pointer = self.resolver.follow({"$ref": reference}, "")
        except BrokenReferenceError as error:
            made: dict[str, Any] = {"description": f"Any JSON value: {clean_string(error.what)}."}
        else:
            made = self._refer(target, pointer, conversion, base)
        siblings = {key: value for key, value in node.items() if key not in _REFERENCES}
        if self._dialect != "3.1":  # siblings mean nothing there, but a description does no harm
            siblings = {"description": siblings["description"]} if "description" in siblings else {}
        if not siblings:
            return made
        extra = self._plain(siblings, conversion, depth)
        if not extra.keys() - ANNOTATIONS or (
            "$ref" not in made and not set(extra) & set(made) - {"description"}
        ):
            return {**made, **extra}
        conversion.composed = True
        return {"allOf": [made, extra]}

    def _refer(self, target: Any, pointer: str, conversion: Conversion, base: bool) -> dict[str, Any]:
        if isinstance(target, bool) or (
            isinstance(target, dict)
            and not _NESTED & target.keys()
            and len(as_list(target.get("enum"))) <= 20
        ):
            conversion.parts += 1
            leaf = self._schema(target, conversion, 0)
            if leaf.get("type") not in ("object", "array"):
                return leaf
        base = base and self._has_family(target, pointer)
        name = definition_name(pointer, base=base)
        self._places[name] = (pointer, base)
        conversion.wanted[name] = None
        return {"$ref": f"{PREFIX}{name}"}

    def _has_family(self, node: Any, pointer: str) -> bool:
        """Whether something else may stand where a schema is referred to."""
        if not isinstance(node, dict) or property_name(node) is None:
            return False
        unions = [member for keyword in ("oneOf", "anyOf") for member in as_list(node.get(keyword))]
        if unions:
            return any(self.inheritance.extends(pointer, member) for member in unions)
        return bool(self.inheritance.branches(node, pointer))

    def _family(self, node: Any, pointer: str, conversion: Conversion) -> dict[str, Any] | None:
        """Return the schemas that extend one with a discriminator as a union, or None if none does."""
        if not isinstance(node, dict) or "oneOf" in node or "anyOf" in node:
            return None
        name = property_name(node)
        branches = self.inheritance.branches(node, pointer)
        if name is None or not branches:
            return None
        conversion.composed = True
        made: dict[str, Any] = {}
        annotate(node, made)
        made["anyOf"] = [
            self._branch(
                branch, name, self._reference({}, reference_to(branch.pointer), conversion, 0, base=True)
            )
            for branch in branches
        ]
        return take_null(node, made)

    def _branch(self, branch: Branch, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        values = list(allowed_values(self.resolver, branch.pointer, name, branch.values))
        if not values:
            return schema
        pinned = {"const": values[0]} if len(values) == 1 else {"enum": values}
        return {"allOf": [schema, {"properties": {name: pinned}}]}

    def _plain(
        self, node: dict[str, Any], conversion: Conversion, depth: int, hidden: frozenset[str] = _NONE
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        types = declared_types(node)
        if types:
            made["type"] = types[0] if len(types) == 1 else types
        annotate(node, made)
        bound(node, made, self._patterns)
        choose(node, made, types)
        if not _OBJECT.isdisjoint(node):
            hidden = hidden | self._visibility.hidden_names(node, conversion.response)
            self._object(node, made, conversion, depth, hidden)
        if "items" in node or "array" in types:
            self._array(node, made, types, conversion, depth)
        if _INNER.isdisjoint(node):
            return take_null(node, made)
        for keyword in _OTHER_ONE:
            value = node.get(keyword)
            if isinstance(value, bool) and keyword not in ("not", "if", "then", "else"):
                made[keyword] = value
            elif isinstance(value, dict):
                made[keyword] = self._schema(value, conversion, depth + 1)
        for keyword in LISTS:
            if members := self._members(node, keyword, conversion, depth, hidden):
                made[keyword] = members
        return take_null(node, made)

    def _members(
        self, node: dict[str, Any], keyword: str, conversion: Conversion, depth: int, hidden: frozenset[str]
    ) -> list[dict[str, Any]]:
        listed = as_list(node.get(keyword))
        if keyword == "allOf":
            conversion.composed = conversion.composed or bool(listed)
            return [self._extended(member, conversion, depth + 1, hidden) for member in listed]
        members = [self._schema(member, conversion, depth + 1) for member in listed]
        name = property_name(node)
        if name is None or keyword == "prefixItems":
            return members
        chosen = self.inheritance.values(node)
        for index, member in enumerate(listed):
            branch = self.inheritance.branch_of(member, chosen)
            if branch is not None:
                conversion.composed = True
                members[index] = self._branch(branch, name, members[index])
        return members

    def _extended(
        self, member: Any, conversion: Conversion, depth: int, hidden: frozenset[str]
    ) -> dict[str, Any]:
        """Return a member of ``allOf``; one that needs what another hides is written out."""
        if not isinstance(member, dict) or not isinstance(member.get("$ref"), str):
            return self._schema(member, conversion, depth, hidden)
        if hidden:
            try:
                target, _ = self.resolver.follow(member, "")
            except BrokenReferenceError:
                target = None
            if isinstance(target, dict):
                extra = hidden - self._visibility.hidden_names(target, conversion.response)
                if extra and self._visibility.requires(target, extra):
                    return self._schema(target, conversion, depth, extra)
        conversion.parts -= 1
        return self._reference(member, member["$ref"], conversion, depth, base=True)

    def _object(
        self,
        node: dict[str, Any],
        made: dict[str, Any],
        conversion: Conversion,
        depth: int,
        hidden: frozenset[str],
    ) -> None:
        required = [n for n in as_list(node.get("required")) if isinstance(n, str)]
        properties: dict[str, Any] = {}
        for name, child in as_dict(node.get("properties")).items():
            if child is None or name in hidden:
                required = [other for other in required if other != name]
                continue
            if isinstance(child, dict) and child.get("required") is True:
                required.append(name)
            properties[clean_string(name)] = self._schema(child, conversion, depth + 1)
        if properties:
            made["properties"] = properties
        if required := [clean_string(name) for name in required if name not in hidden]:
            made["required"] = list(dict.fromkeys(required))
        dependent = as_dict(node.get("dependencies"))
        for keyword in ("patternProperties", "dependentSchemas"):
            listed = {**dependent, **as_dict(node.get(keyword))} if keyword[0] == "d" else node.get(keyword)
            children = {
                clean_string(key): self._schema(child, conversion, depth + 1)
                for key, child in as_dict(listed).items()
                if (not isinstance(child, list) if keyword[0] == "d" else self._patterns.compiles(key))
            }
            if children:
                made[keyword] = children
        if names := dependent_names(node):
            made["dependentRequired"] = names

    def _array(
        self, node: dict[str, Any], made: dict[str, Any], types: list[str], conversion: Conversion, depth: int
    ) -> None:
        items = node.get("items")
        if isinstance(items, list):
            members = [self._schema(item, conversion, depth + 1) for item in items]
            if members and "prefixItems" not in node:
                made["prefixItems"] = members
            items = node.get("additionalItems")
        if isinstance(items, dict | bool):
            made["items"] = self._schema(items, conversion, depth + 1) if items is not False else False
        if "array" in types and "items" not in made:
            made["items"] = {}


def _names(schema: dict[str, Any]) -> list[str]:
    return [reference.removeprefix(PREFIX) for reference in references(schema)]
