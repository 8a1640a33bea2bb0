"""Parameters of Swagger 2.0, whose types stand in the parameter itself, in the shape of 3.0.

Source: OpenAPI 2.0, sections "Parameter Object" and "Items Object".
"""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.document import as_dict

COLLECTION = "x-toolhaft-collection"
"""Extension of a parameter or a field's encoding: one delimiter for each level of lists."""
MULTI = "multi"
"""In place of a delimiter: the parameter is given once for each entry."""

_DELIMITERS = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}
_DEEPEST = 8
_VALUE = frozenset(
    [
        *("type", "format", "items", "default", "enum", "maximum", "exclusiveMaximum", "minimum"),
        *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems"),
        *("multipleOf", "x-nullable", "readOnly", "x-enum-varnames", "x-ms-enum", "title"),
    ]
)


def is_form(node: dict[str, Any]) -> bool:
    """Whether a parameter is a field of a form."""
    return node.get("in") == "formData" and isinstance(node.get("name"), str) and bool(node["name"])


def convert_parameter(node: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter with its ``schema``, and `COLLECTION` where it is a list."""
    made = {key: value for key, value in node.items() if key not in _VALUE and key != COLLECTION}
    schema = value_schema(node)
    made["schema"] = schema
    if delimiters := _delimiters(node, schema):
        made[COLLECTION] = delimiters
    for example in ("x-example", "example"):
        if node.get(example) is not None:
            made["example"] = node[example]
            break
    return made


def value_schema(node: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, an item or a header."""
    given = node.get("schema")
    made = {key: value for key, value in node.items() if key in _VALUE}
    if isinstance(given, dict):  # 3.0's form in a 2.0 document, seen in the field
        made = {**made, **given} if "$ref" not in given else dict(given)
    if made.get("type") == "file":
        made.update(type="string", format="binary")
    if made.pop("x-nullable", None) is True:
        made["nullable"] = True
    if made.get("type") is None and made.get("items") is not None:
        made["type"] = "array"
    return made


def delimiters_of(node: dict[str, Any]) -> tuple[str, ...]:
    """Return what separates the lists of a parameter, level by level; the first may be `MULTI`."""
    said = node.get(COLLECTION)
    if not isinstance(said, list) or len(said) > _DEEPEST:
        return ()
    known = {*_DELIMITERS.values(), MULTI}
    return tuple(said) if all(isinstance(text, str) and text in known for text in said) else ()


def _delimiters(node: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    found: list[str] = []
    level: dict[str, Any] = {**schema, "collectionFormat": node.get("collectionFormat")}
    while level.get("type") == "array" and len(found) < _DEEPEST:
        written = level.get("collectionFormat")
        if written == MULTI and not found and node.get("in") in ("query", "formData"):
            found.append(MULTI)
        else:
            found.append(_DELIMITERS.get(written, ",") if isinstance(written, str) else ",")
        level = as_dict(level.get("items"))
    return found
