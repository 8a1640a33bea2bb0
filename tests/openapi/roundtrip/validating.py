"""Decoded values against the operation's own schemas, by jsonschema-rs."""

import jsonschema_rs

from .documents import OutsideError


class Validators:
    """Validators for the schemas of one document, made when needed.

    Args:
        document: The document.
        schemas: Answers about its schemas.
    """

    def __init__(self, document, schemas):
        self.document = document
        self.schemas = schemas
        self._made = {}
        self.unusable = 0

    def accepts(self, schema, value, given):
        """Whether a value is valid; a schema that is no JSON Schema accepts everything.

        A given value that breaks the schema itself, by a keyword that only the generator ignores, is not the
        request's fault.
        """
        if not isinstance(schema, dict):
            return True
        validator = self._validator(schema)
        if validator is None or _has_bytes(value):
            return True
        try:
            return validator.is_valid(value) or not validator.is_valid(given)
        except ValueError:
            return True

    def _validator(self, schema):
        key = id(schema)
        if key not in self._made:
            self._made[key] = (schema, self._make(schema))
        return self._made[key][1]

    def _make(self, schema):
        found = {}
        copy = self._copy(schema, found)
        waiting = list(found)
        definitions = {}
        while waiting:
            reference = waiting.pop()
            if found[reference] in definitions:
                continue
            try:
                target = self.document.find(reference)
            except OutsideError:
                target = {}
            before = set(found)
            definitions[found[reference]] = self._copy(target, found)
            waiting += [one for one in found if one not in before]
            if len(definitions) > 2000:
                self.unusable += 1
                return None
        whole = {"$defs": definitions, "allOf": [copy]}
        draft = (
            jsonschema_rs.Draft202012Validator
            if self.document.version >= (3, 1, 0)
            else jsonschema_rs.Draft4Validator
        )
        if self.document.version < (3, 1, 0):
            whole = {"definitions": definitions, "allOf": [copy]}
        try:
            return draft(whole, validate_formats=False)
        except (ValueError, jsonschema_rs.ValidationError):
            self.unusable += 1
            return None

    def _copy(self, node, found):
        """Copy a schema with its references turned to definitions, and ``nullable`` said in JSON Schema."""
        if isinstance(node, list):
            return [self._copy(item, found) for item in node]
        if not isinstance(node, dict):
            return node
        old = self.document.version < (3, 1, 0)
        if isinstance(node.get("$ref"), str):
            name = found.setdefault(node["$ref"], f"d{len(found)}")
            reference = {"$ref": f"#/{'definitions' if old else '$defs'}/{name}"}
            rest = {key: value for key, value in node.items() if key != "$ref"}
            if old or not rest:
                return reference
            return {"allOf": [reference, self._copy(rest, found)]}
        copy = {}
        for key, value in node.items():
            if key in (
                "example",
                "examples",
                "default",
                "xml",
                "externalDocs",
                "discriminator",
                "$id",
                "$schema",
            ):
                continue
            if key in ("properties", "patternProperties", "$defs", "definitions") and isinstance(value, dict):
                copy[key] = {name: self._copy(item, found) for name, item in value.items()}
            elif key in ("enum", "const"):
                copy[key] = value
            elif (key == "required" and not isinstance(value, list)) or (key == "type" and value == "file"):
                continue
            else:
                copy[key] = self._copy(value, found)
        if copy.get("nullable") is True or copy.get("x-nullable") is True:
            return {"anyOf": [{"type": "null"}, copy]} if old else copy
        return copy


def _has_bytes(value):
    if isinstance(value, dict):
        return any(map(_has_bytes, value.values()))
    return any(map(_has_bytes, value)) if isinstance(value, list) else isinstance(value, bytes)
