"""What a document says of an operation's answers, read once into plain data: schemas, streams, pages."""

from __future__ import annotations

from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.media_types import is_json, plain
from toolhaft.openapi.responses.answers import WireAnswer
from toolhaft.openapi.responses.kinds import is_stream

_MOST_STATUSES = 12
_MOST_MEDIA = 8
_MOST_NODES = 24
"""Schemas that are kept of an answer that is too large to be kept whole."""
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})


def read_answers(responses: Any, resolver: Resolver, *, main_kept: bool) -> tuple[WireAnswer, ...]:
    """Return what is said of every success.

    Args:
        responses: The operation's ``responses``.
        resolver: Of the document.
        main_kept: ``ToolSpec.returns`` holds the schema of the first JSON success.
    """
    found: list[WireAnswer] = []
    main = main_kept
    for status in sorted((str(key) for key in as_dict(responses)), key=lambda key: (key == "default", key)):
        if not status.startswith(("2", "3")) and status.lower() != "default":
            continue
        node = resolver.target(_under(responses, status))
        content = as_dict(as_dict(node).get("content"))
        media_types = [plain(str(media)) for media in content][:_MOST_MEDIA]
        schema, each = _schema(content)
        is_main = main and schema is not None and not each and not status.startswith("3")
        main = main and not is_main
        found.append(
            WireAnswer(
                status=status[:8],
                media_types=tuple(media_types),
                schema=None if is_main or schema is None else outline(schema, resolver),
                main=is_main,
                each=each,
            )
        )
        if len(found) >= _MOST_STATUSES:
            break
    return tuple(found)


def success_schema(responses: Any, resolver: Resolver) -> tuple[Any, dict[str, Any]]:
    """Return the schema of the first success that is JSON, or may be, or None; and its headers."""
    headers: dict[str, Any] = {}
    for status in sorted((str(key) for key in as_dict(responses)), key=lambda key: (key == "default", key)):
        if not status.startswith("2") and status.lower() != "default":
            continue
        node = as_dict(resolver.target(_under(responses, status)))
        headers = headers or as_dict(node.get("headers"))
        content = as_dict(node.get("content"))
        listed = {plain(str(media)): entry for media, entry in content.items()}
        # Frameworks write "*/*" where they mean whatever they answer by default, which is JSON.
        named = next((media for media in listed if is_json(media)), None)
        open_to_any = next((media for media in ("application/*", "*/*") if media in listed), None)
        chosen = named or open_to_any
        if chosen is not None:
            return as_dict(listed[chosen]).get("schema"), as_dict(node.get("headers"))
    return None, headers


def outline(schema: Any, resolver: Resolver) -> dict[str, Any]:
    """Return the upper part of a schema: types, required fields and their schemas; the rest is any value.

    Whatever fits the whole schema fits the part.
    """
    made: dict[str, Any] = {}
    waiting: list[tuple[Any, dict[str, Any]]] = [(schema, made)]
    left = _MOST_NODES
    while waiting and left > 0:
        left -= 1
        node, target = waiting.pop(0)
        node = resolver.target(node)
        if not isinstance(node, dict):
            continue
        _type(node, target)
        properties = as_dict(node.get("properties"))
        required = [name for name in as_list(node.get("required")) if isinstance(name, str)][:40]
        hidden = {
            name
            for name in required
            if as_dict(resolver.target(properties.get(name))).get("writeOnly") is True
        }
        if kept := [name for name in dict.fromkeys(required) if name not in hidden]:
            target["required"] = kept
        if properties:
            inner: dict[str, dict[str, Any]] = {str(name): {} for name in list(properties)[:left]}
            target["properties"] = inner
            waiting.extend((properties[name], inner[name]) for name in inner if name in properties)
        if isinstance(node.get("items"), dict):
            target["items"] = {}
            waiting.append((node["items"], target["items"]))
    return made


def _type(node: dict[str, Any], target: dict[str, Any]) -> None:
    types = node.get("type")
    listed = types if isinstance(types, list) else [types]
    if node.get("nullable") is True or node.get("x-nullable") is True:
        listed = [*listed, "null"]
    if listed and all(isinstance(one, str) and one in _TYPES for one in listed):
        target["type"] = listed[0] if len(listed) == 1 else listed


def _schema(content: dict[str, Any]) -> tuple[Any, bool]:
    """Return the schema of JSON content, or else that of a stream's events, and whether it is the latter."""
    for media, entry in content.items():
        if is_json(str(media)):
            schema = as_dict(entry).get("schema")
            if schema is not None:
                return schema, False
    for media, entry in content.items():
        if is_stream(str(media)) and as_dict(entry).get("itemSchema") is not None:
            return entry["itemSchema"], True
    return None, False


def _under(responses: Any, status: str) -> Any:
    return next((node for key, node in as_dict(responses).items() if str(key) == status), None)
