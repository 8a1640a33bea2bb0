"""OpenAPI Overlay documents: changes that an API's owner keeps beside the description.

Source: OpenAPI Overlay Specification 1.0.0; of 1.1.0 ``copy`` and targets that are single values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, SpecError, UsageError
from toolhaft.openapi.documents.copying import copy_value
from toolhaft.openapi.documents.document import LIMITS, Document, Limits, as_list, as_text
from toolhaft.tools.json_path import Node
from toolhaft.tools.json_path import Path as JSONPath
from toolhaft.tools.report import Problem

_LIMITS = Limits(max_bytes=10_000_000, depth=200, nodes=1_000_000, seconds=20.0)
_MOST_ADDED = 1_000_000
"""Values that one overlay may add to a document."""
_MOST_SEEN = 3_000_000
"""Values that one target may look at."""


def apply_overlays(document: Document, overlays: Sequence[Path | str | Mapping[str, Any]]) -> Document:
    """Return a document with overlays applied, one after the other; the one given stays as it is.

    An action whose target is not there, or whose update does not fit it, changes nothing and is noted in the
    document's problems.

    Args:
        document: The description.
        overlays: Files, or what they would hold.

    Raises:
        UsageError: A file cannot be read.
        FormatError: It is no overlay, or a target is no JSONPath.
        SpecError: What is left is beyond the limits.
    """
    if not overlays:
        return document
    copied = copy_value(document.root, Limits(), document.location)
    root: Any = copied.value
    problems: list[Problem] = []
    for overlay in overlays:
        value, where = _read(overlay)
        problems.extend(_apply(root, value, where))
    references = copy_value(root, Limits(), document.location).references
    return replace(
        document,
        root=root,
        references=document.references | references,
        problems=(*document.problems, *problems),
    )


def _read(overlay: Path | str | Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    if isinstance(overlay, Mapping):
        return _checked(copy_value(overlay, _LIMITS, "<overlay>").value, "<overlay>")
    from toolhaft.openapi.documents.yaml12 import read_yaml

    where = str(overlay)
    try:
        with Path(overlay).open("rb") as file:
            data = file.read(_LIMITS.max_bytes + 1)
    except OSError as error:
        raise UsageError(f"cannot read the overlay: {error.strerror}", where=where) from None
    if len(data) > _LIMITS.max_bytes:
        raise FormatError(f"larger than {_LIMITS.max_bytes} bytes", where=where)
    try:
        return _checked(read_yaml(data.decode("utf-8-sig"), _LIMITS, where).value, where)
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", where=where) from None
    except SpecError as error:
        raise FormatError(error.what, where=error.where or where) from None


def _checked(value: Any, where: str) -> tuple[dict[str, Any], str]:
    version = str(value.get("overlay", "")) if isinstance(value, dict) else ""
    if not version.startswith("1."):
        found = f"its version is {version[:20]!r}" if version else "there is no `overlay: 1.0.0`"
        raise FormatError(f"this is no OpenAPI Overlay of version 1: {found}", where=where)
    if not isinstance(value.get("actions"), list):
        raise FormatError("there is no list of actions", where=f"{where}#/actions")
    return value, where


def _apply(root: Any, overlay: dict[str, Any], where: str) -> list[Problem]:
    problems: list[Problem] = []
    growth = _Growth(where)
    for index, action in enumerate(as_list(overlay.get("actions"))):
        pointer = f"/actions/{index}"
        if not isinstance(action, dict) or not as_text(action.get("target")):
            raise FormatError("the action has no target", where=f"{where}#{pointer}")
        nodes = JSONPath(action["target"], f"{where}#{pointer}/target").select(root, most=_MOST_SEEN)
        said = "the action's target is not in the document any more" if not nodes else ""
        if nodes:
            said = _act(root, action, nodes, f"{where}#{pointer}", growth)
        if said:
            problems.append(Problem(code="overlay-idle", message=said, pointer=pointer, file=where))
    return problems


class _Growth:
    """Makes the copies that updates put into a document, and sees to it that they stay few."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = _MOST_ADDED

    def own(self, value: Any) -> Any:
        """Return a value that no two places share: a later action may change one of them.

        Raises:
            SpecError: The overlay adds more than it may, or nests too deeply.
        """
        if not isinstance(value, dict | list):
            self._left -= 1
        else:
            before = max(self._left, 0)
            try:
                counted = copy_value(value, replace(_LIMITS, nodes=before, depth=LIMITS.depth), self._where)
            except SpecError:
                raise self._too_much() from None
            self._left -= counted.nodes
            return counted.value
        if self._left < 0:
            raise self._too_much()
        return value

    def _too_much(self) -> SpecError:
        what = f"the overlay adds more than {_MOST_ADDED} values, or nests deeper than {LIMITS.depth}"
        return SpecError(what, where=self._where)


def _act(root: Any, action: dict[str, Any], nodes: list[Node], where: str, growth: _Growth) -> str:
    """Carry an action out; return what could not be done of it, or empty."""
    if action.get("remove") is True:
        for node in sorted(nodes, key=_place, reverse=True):  # later items of a list first
            if not node.parts:
                return "the whole document cannot be removed"
            parent = _at(root, node.parts[:-1])
            if parent is not None:
                del parent[node.parts[-1]]
        return ""
    if "copy" in action:
        sources = JSONPath(as_text(action["copy"]) or "?", f"{where}/copy").select(root, most=_MOST_SEEN)
        if len(sources) != 1:
            return f"the source of the copy is there {len(sources)} times, not once"
        update = sources[0].value
    elif "update" in action:
        update = action["update"]
    else:
        return "the action says neither update nor remove"
    refused = sum(not _update(root, node, update, growth) for node in nodes)
    return f"the update does not fit {refused} of the {len(nodes)} places" if refused else ""


def _place(node: Node) -> tuple[tuple[bool, str | int], ...]:
    return tuple((isinstance(part, str), part) for part in node.parts)


def _at(root: Any, parts: Sequence[str | int]) -> Any:
    """Return what stands at a place, or None if it was removed with what is around it."""
    for part in parts:
        try:
            root = root[part]
        except (KeyError, IndexError, TypeError):
            return None
    return root


def _update(root: Any, node: Node, update: Any, growth: _Growth) -> bool:
    """Merge an update into one place; return whether it fits there."""
    if isinstance(node.value, dict):
        if isinstance(update, dict):
            _merge(node.value, update, growth)
        return isinstance(update, dict)
    if isinstance(node.value, list):
        # A list takes a list's items, and anything else as one item more.
        node.value.extend(growth.own(update if isinstance(update, list) else [update]))
        return True
    if isinstance(update, dict | list) or not node.parts:
        return False
    _at(root, node.parts[:-1])[node.parts[-1]] = update
    return True


def _merge(target: dict[str, Any], update: dict[str, Any], growth: _Growth) -> None:
    """Merge objects by key: objects into objects, lists behind lists, anything else in place of what was."""
    waiting = [(target, update)]
    while waiting:
        into, of = waiting.pop()
        for key, value in of.items():
            known = into.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                waiting.append((known, value))
            elif isinstance(known, list) and isinstance(value, list):
                known.extend(growth.own(value))
            else:
                into[key] = growth.own(value)
