"""Arguments as a model gave them under a profile, made what the tool itself takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from toolhaft.tools.profiles.base import Definitions, Given, type_of, types_of, unions_of

_DEEPEST = 100
_DEEPEST_UNION = 3
_LONGEST_TEXT = 1_000_000


def restore(
    arguments: Mapping[str, Any], parameters: dict[str, Any], renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return arguments with what a profile made of them undone.

    A null for what may be absent is dropped, text is read as JSON where the tool takes no text but an object
    or a list, and arguments that were renamed get their own names back. What makes no sense stays as it is:
    the check of the arguments will say so.

    Args:
        arguments: From the model; not changed.
        parameters: The tool's own schema.
        renamed: See `toolhaft.tools.profiles.Profiled`.
    """
    own = {(renamed or {}).get(name, name): value for name, value in arguments.items()}
    found = _Restorer(Definitions(parameters)).value(own, parameters, 0)
    return found if isinstance(found, dict) else own


class _Restorer:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def value(self, value: Any, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return value
        node = self._definitions.merged(schema, Given(), "")
        if isinstance(value, str):
            value = self._read(value, node)
        if branches := unions_of(node):
            branch = self._branch(value, branches)
            if branch is not None:
                both = {key: found for key, found in node.items() if key not in ("anyOf", "oneOf", "allOf")}
                inner = self._definitions.merged(branch, Given(), "")
                value = self.value(value, inner, depth + 1)
                node = both
        if isinstance(value, dict):
            return self._object(value, node, depth)
        if isinstance(value, list):
            return [self.value(item, node.get("items"), depth + 1) for item in value]
        return value

    def _object(self, value: dict[str, Any], node: dict[str, Any], depth: int) -> dict[str, Any]:
        listed = node.get("properties", {})
        required = node.get("required", ())
        made: dict[str, Any] = {}
        for name, item in value.items():
            if item is None and name in listed and name not in required:
                continue
            made[name] = self.value(item, listed.get(name), depth + 1)
        return made

    def _read(self, text: str, node: dict[str, Any]) -> Any:
        """Return text as JSON where only an object or a list can be meant, else the text."""
        kinds = self._kinds(node, 0)
        if not kinds or "string" in kinds or not {"object", "array"} & kinds or len(text) > _LONGEST_TEXT:
            return text
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return found if type_of(found) in kinds else text

    def _kinds(self, node: dict[str, Any], depth: int) -> set[str]:
        """Return the types that a value may have; none is any."""
        branches = [branch for branch in unions_of(node) if isinstance(branch, dict)]
        if not branches or depth > _DEEPEST_UNION or types_of(node):
            return set(types_of(node))
        found = [self._kinds(self._definitions.merged(branch, Given(), ""), depth + 1) for branch in branches]
        return set().union(*found) if all(found) else set()

    def _branch(self, value: Any, branches: list[Any]) -> dict[str, Any] | None:
        """Return the alternative that a value was made for: strict values name every property of theirs."""
        best: tuple[int, dict[str, Any]] | None = None
        for branch in branches:
            if not isinstance(branch, dict):
                continue
            node = self._definitions.merged(branch, Given(), "")
            kinds = types_of(node)
            if (
                kinds
                and type_of(value) not in kinds
                and not (type_of(value) == "integer" and "number" in kinds)
            ):
                continue
            score = self._likeness(value, node)
            if best is None or score > best[0]:
                best = (score, branch)
        return None if best is None else best[1]

    def _likeness(self, value: Any, node: dict[str, Any]) -> int:
        if not isinstance(value, dict):
            return 0
        listed = node.get("properties", {})
        score = -2 * len(value.keys() ^ listed.keys())
        for name, child in listed.items():
            if not isinstance(child, dict) or name not in value:
                continue
            child = self._definitions.resolve(child)
            choices = [child["const"]] if "const" in child else child.get("enum", ())
            if choices:
                score += 1 if value[name] in choices else -100
            if value[name] is None and name in node.get("required", ()) and "null" not in types_of(child):
                score -= 50
        return score
