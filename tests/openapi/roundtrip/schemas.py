"""What a schema says about the shape of a value: enough to read text back into types."""

from .documents import OutsideError

ALL = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))
SCALARS = frozenset(("null", "boolean", "integer", "number", "string"))
DEPTH = 12


class Schemas:
    """Answers questions about the schemas of one document."""

    def __init__(self, document):
        self.document = document
        self._kinds = {}

    def resolve(self, schema):
        """Return the schema behind references, or an empty one."""
        try:
            found = self.document.resolve(schema)
        except OutsideError:
            return {}
        return found if isinstance(found, dict) else {}

    def kinds(self, schema, depth=0):
        """Return the JSON types that a value may have."""
        if schema is None or isinstance(schema, bool) or depth > DEPTH:
            return ALL
        key = id(schema)
        if key in self._kinds and self._kinds[key][0] is schema:
            return self._kinds[key][1]
        found = self._read_kinds(self.resolve(schema), depth)
        self._kinds[key] = (schema, found)
        return found

    def _read_kinds(self, schema, depth):
        found = set(ALL)
        declared = schema.get("type")
        if isinstance(declared, str):
            declared = [declared]
        if isinstance(declared, list) and declared:
            found = set()
            for kind in declared:
                found |= {"integer", "number"} if kind == "number" else {kind}
            found = {"string" if kind == "file" else kind for kind in found}
            if not found <= ALL:
                found = set(ALL)
        for part in _list(schema.get("allOf")):
            found = (found & self.kinds(part, depth + 1)) or found
        for keyword in ("anyOf", "oneOf"):
            branches = _list(schema.get(keyword))
            if branches:
                union = set().union(*(self.kinds(branch, depth + 1) for branch in branches))
                found = (found & union) or found
        values = schema.get("enum")
        if isinstance(values, list) and values:
            found = (found & {kind for value in values for kind in kinds_of(value)}) or found
        if "const" in schema:
            found = (found & set(kinds_of(schema["const"]))) or found
        if schema.get("nullable") is True or schema.get("x-nullable") is True:
            found.add("null")
        return frozenset(found)

    def parts(self, schema, depth=0):
        """Yield the schema and those that it is composed of."""
        if depth > DEPTH:
            return
        schema = self.resolve(schema)
        yield schema
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in _list(schema.get(keyword)):
                yield from self.parts(part, depth + 1)
        for keyword in ("then", "else"):
            if isinstance(schema.get(keyword), dict):
                yield from self.parts(schema[keyword], depth + 1)

    def items(self, schema, position=0):
        """Return the schema of an array's item."""
        found = []
        for part in self.parts(schema):
            prefix = _list(part.get("prefixItems"))
            if position < len(prefix):
                found.append(prefix[position])
            elif isinstance(part.get("items"), dict):
                found.append(part["items"])
        return _either(found)

    def names(self, schema):
        """Return the names of declared properties, in their order."""
        found = {}
        for part in self.parts(schema):
            for name in part.get("properties") or ():
                found[name] = None
        return list(found)

    def property(self, schema, name):
        """Return the schema of a property, declared or not."""
        declared, free = [], []
        for part in self.parts(schema):
            properties = part.get("properties")
            if isinstance(properties, dict) and name in properties:
                declared.append(properties[name])
            elif isinstance(part.get("additionalProperties"), dict):
                free.append(part["additionalProperties"])
        return _either(declared or free)

    def is_open(self, schema):
        """Whether properties may occur that are not declared."""
        return not any(part.get("additionalProperties") is False for part in self.parts(schema))

    def is_bytes(self, schema):
        """Whether a string stands for bytes."""
        return any(
            part.get("format") == "binary"
            or part.get("type") == "file"
            or part.get("contentMediaType") == "application/octet-stream"
            for part in self.parts(schema)
        )


def kinds_of(value):
    """Return the JSON types of a value."""
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int):
        return ("integer", "number")
    if isinstance(value, float):
        return ("number", "integer") if value.is_integer() else ("number",)
    if isinstance(value, str):
        return ("string",)
    return ("array",) if isinstance(value, list) else ("object",)


def _either(found):
    if len(found) == 1:
        return found[0]
    return {"anyOf": found} if found else {}


def _list(value):
    return value if isinstance(value, list) else []
