"""Checking arguments against a tool's JSON Schema 2020-12, with hints that help to repair them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError, SpecError, nearest_names
from toolhaft.tools.schema_cost import MOST_BRANCHES, branches
from toolhaft.tools.subschemas import referred
from toolhaft.types import ToolSpec
from toolhaft.types.pointer import json_pointer

if TYPE_CHECKING:
    import jsonschema_rs

_DEEPEST = 200
_KEPT = 4096
_SCHEMA_SHOWN = 600


class ArgumentChecker:
    """Checks arguments; compiled schemas are kept, as compiling costs more than a check.

    The compiled form is found by the identity of ``spec.parameters``, which is never changed in place.
    """

    def __init__(self) -> None:
        self._compiled: dict[int, tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]] = {}

    def check(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
        """Raise unless the arguments are valid.

        Raises:
            InvalidArgumentsError: They are not; ``details`` has the JSON pointer and the schema fragment.
            SpecError: The tool's own schema is broken.
        """
        if nesting(arguments, _DEEPEST) > _DEEPEST:
            raise InvalidArgumentsError(
                f"the arguments are nested deeper than {_DEEPEST}", where=spec.name, hint="Flatten them"
            )
        import jsonschema_rs

        try:
            self._validator(spec).validate(arguments)
        except jsonschema_rs.ValidationError as error:
            raise _explain(spec, error) from None
        except ValueError as error:  # a value that JSON has not
            raise InvalidArgumentsError(f"cannot be checked: {error}", where=spec.name) from None

    def _validator(self, spec: ToolSpec) -> jsonschema_rs.Draft202012Validator:
        kept = self._compiled.get(id(spec.parameters))
        if kept is not None:
            return kept[1]
        validator = compile_schema(_checkable(spec.parameters), where=spec.name)
        if len(self._compiled) >= _KEPT:
            self._compiled.pop(next(iter(self._compiled)))
        self._compiled[id(spec.parameters)] = (spec.parameters, validator)
        return validator


def check_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
    """Check once, without keeping the compiled schema; raises as `ArgumentChecker.check` does."""
    ArgumentChecker().check(spec, arguments)


def compile_schema(
    schema: dict[str, Any] | bool, *, where: str = "", bounded: bool = False
) -> jsonschema_rs.Draft202012Validator:
    """Compile a JSON Schema 2020-12; nothing outside it is ever fetched or read.

    Args:
        schema: The schema.
        where: For the error.
        bounded: Whether one that may take for ever to check is refused.

    Raises:
        SpecError: It is not a valid schema, or refers to something outside itself.
    """
    import jsonschema_rs

    if bounded and branches(schema) > MOST_BRANCHES:
        what = f"a value would be held against more than {MOST_BRANCHES} alternatives of the schema"
        raise SpecError(what, where=where, code="E-SCHEMA")
    try:
        return jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise SpecError(f"not a JSON Schema: {lines[0]}", where=where, code="E-SCHEMA") from None


def _checkable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, or its arguments alone where it would take for ever to check; the API checks, too."""
    if branches(schema) <= MOST_BRANCHES:
        return schema
    kept: dict[str, Any] = {key: schema[key] for key in ("type", "required") if key in schema}
    named = schema.get("properties")
    if isinstance(named, dict):
        kept["properties"] = dict.fromkeys(named, True)
        if schema.get("additionalProperties") is False:
            kept["additionalProperties"] = False
    return kept


def _refuse(uri: str) -> Any:
    raise ValueError(f"references outside the schema are not followed: {uri[:200]}")


def _explain(spec: ToolSpec, error: Any) -> InvalidArgumentsError:
    pointer = json_pointer(error.instance_path)
    keyword = str(error.schema_path[-1]) if error.schema_path else ""
    fragment = _fragment(spec.parameters, [*error.schema_path][:-1])
    message = _first_line(error.message)
    hint = _type_hint(keyword, fragment) or _object_hint(keyword, fragment, message)
    return InvalidArgumentsError(
        message,
        where=f"{spec.name}{pointer and '#'}{pointer}",
        hint=hint,
        details={"pointer": pointer, "schema": _shown(fragment)},
    )


def _object_hint(keyword: str, fragment: Any, message: str) -> str:
    if keyword == "required":
        return f"Required: {', '.join(_names(fragment, 'required'))}"
    if keyword == "additionalProperties":
        known = _names(fragment, "properties")
        unexpected = message.split("'")[1::2]
        near = nearest_names(unexpected[0], known) if unexpected else []
        return f"Did you mean {near[0]!r}?" if near else f"Known arguments: {', '.join(known[:20]) or 'none'}"
    return f"The schema there is {_shown(fragment)}" if fragment else ""


def _type_hint(keyword: str, fragment: Any) -> str:
    if not isinstance(fragment, dict):
        return ""
    if "enum" in fragment:
        return f"Use one of {_shown(fragment['enum'])}"
    if keyword == "type":
        return f"Give a JSON {fragment.get('type')}"
    return f"Format: {fragment['format']}" if keyword == "format" else ""


def _names(fragment: Any, key: str) -> list[str]:
    found = fragment.get(key) if isinstance(fragment, dict) else None
    return [str(name) for name in found or ()]


def _fragment(schema: Any, path: list[Any]) -> Any:
    """Follow a schema path; ``$ref`` steps lead to where the reference points in the same document."""
    found = schema
    for part in path:
        try:
            found = referred(schema, found[part]) if part == "$ref" else found[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found


def _shown(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SCHEMA_SHOWN else text[:_SCHEMA_SHOWN] + "..."


def _first_line(message: str) -> str:
    line = message.splitlines()[0] if message else "invalid"
    return line if len(line) <= 300 else line[:300] + "..."


def nesting(value: Any, enough: int) -> int:
    """Return how deep a JSON value is nested, without recursion, giving up just beyond ``enough``."""
    depth = 0
    level = [value]
    while level and depth <= enough:
        depth += 1
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(child for child in item.values() if isinstance(child, dict | list | tuple))
            elif isinstance(item, list | tuple):
                inner.extend(child for child in item if isinstance(child, dict | list | tuple))
        level = inner
    return depth
