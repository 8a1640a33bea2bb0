"""Whether an operation answers page by page, told from the names of its parameters and its answer's fields.

Neither is enough by itself but for a few names that mean nothing else; what is doubtful is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from toolhaft.openapi.documents.document import as_dict, as_list
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses import paging_words as words
from toolhaft.openapi.responses.paging import Paging
from toolhaft.openapi.responses.promises import success_schema
from toolhaft.types.pointer import escape

_MOST_FIELDS = 80
_PAGE_WORDS = ("cursor", "paginat", "next page", "page of")
"""What the description of a parameter says that takes a token."""
_TRUTHS = words.MORE | words.LAST


@dataclass(slots=True)
class _Shape:
    """What an answer's schema says of pages.

    Attributes:
        known: There is a schema at all.
        items: Pointers of lists, with their folded names; an empty pointer if the answer is a list.
        tokens: Folded name -> pointer of fields that may hold a token.
        urls: The same for URLs.
        counts: Folded names of totals and of fields that say whether there is more.
    """

    known: bool = False
    items: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    counts: set[str] = field(default_factory=set)


def find_paging(wire: Wire, properties: dict[str, Any], responses: Any, resolver: Resolver) -> Paging | None:
    """Return how an operation's next page is asked for, or None.

    Args:
        wire: The operation.
        properties: Schemas of its arguments.
        responses: Its ``responses``.
        resolver: Of the document.
    """
    if wire.method not in ("GET", "POST", "QUERY"):
        return None
    schema, headers = success_schema(responses, resolver)
    shape = _shape(schema, resolver)
    arguments = dict(_arguments(wire, properties))
    items = _items_pointer(shape, wire.path)
    sizes = [
        (key, node)
        for name, (key, node) in arguments.items()
        if name in words.SIZES and (_counts(node) or _is_loose(node))
    ]
    size, size_node = sizes[0] if sizes else ("", {})
    typed = bool(size) and _counts(size_node)
    # A token is asked for in lists alone, also where the document does not say what the answer holds.
    token = any(name in words.CURSORS - words.DOUBTFUL_CURSORS - words.LAST_ITEM for name in arguments)
    listed = items is not None or (wire.method == "GET" and (token or not shape.known))
    common: dict[str, Any] = {"size": size, "items": items, "default_size": _number(size_node.get("default"))}
    if wire.method == "POST" and (not shape.tokens or items is None):
        return None
    if not listed:
        return None
    found = _cursor(arguments, shape, common, sized=typed)
    if found is None and size and not typed:  # what calls a size a text says nothing by its types
        arguments = {name: (key, _untyped(node)) for name, (key, node) in arguments.items()}
    found = found or _numbered(arguments, shape, common)
    if found is not None or wire.method == "POST":
        return found
    # A record may hold links, too: only what is a list on its first level is paged.
    flat = items is not None and items.count("/") <= 1
    if shape.urls and flat:
        first = next(name for name in words.NEXT_URLS if name in shape.urls)
        return Paging(kind="next_url", next=shape.urls[first], **common)
    if any(str(name).lower() == "link" for name in headers) and (items == "" or (flat and size)):
        return Paging(kind="link", **common)
    return None


def _cursor(
    arguments: dict[str, tuple[str, dict[str, Any]]], shape: _Shape, common: dict[str, Any], *, sized: bool
) -> Paging | None:
    for name, (key, node) in arguments.items():
        textual = "integer" not in _types(node) or name in words.CURSORS - {"nextpage"}
        token = _token(name, shape)
        if name in words.CURSORS and textual:
            doubtful = name in words.DOUBTFUL_CURSORS and not any(word in _said(node) for word in _PAGE_WORDS)
            if doubtful and not token and not (sized and shape.urls):
                continue
            last = "id" if name in words.LAST_ITEM and not token else ""
            if last and not shape.counts & _TRUTHS:
                continue
            return Paging(kind="cursor", argument=key, next=token, last_item=last, **common)
    # An offset that is a text is a token, where the answer has one.
    for name, (key, node) in arguments.items():
        texts = words.OFFSETS - words.DOUBTFUL_OFFSETS | words.PAGES
        if name not in texts or _types(node) != {"string"}:
            continue
        token = _token(name, shape)
        if token or (sized and any(word in _said(node) for word in _PAGE_WORDS)):
            return Paging(kind="cursor", argument=key, next=token, **common)
    return None


def _token(name: str, shape: _Shape) -> str:
    """Return the pointer of the field whose value an argument takes: one of its own name, or the surest."""
    for wanted in (f"next{name}", *words.NEXT_TOKENS):
        if wanted in shape.tokens:
            return shape.tokens[wanted]
    return ""


def _numbered(
    arguments: dict[str, tuple[str, dict[str, Any]]], shape: _Shape, common: dict[str, Any]
) -> Paging | None:
    evidence = bool(common["size"]) or bool(shape.counts) or bool(shape.urls)
    for name, (key, node) in arguments.items():
        if name in words.PAGES and _counts(node) and (evidence or common["items"] is not None):
            if name in ("p", "pg") and not evidence:
                continue
            start = node.get("default", node.get("minimum"))
            first = 0 if start == 0 and (node.get("default") == 0 or "zero" in _said(node)) else 1
            return Paging(kind="page", argument=key, first=first, **common)
    for name, (key, node) in arguments.items():
        if name not in words.OFFSETS or not _counts(node):
            continue
        if name in words.DOUBTFUL_OFFSETS and (
            token := shape.tokens.get(f"next{name}", shape.tokens.get("next"))
        ):
            return Paging(kind="cursor", argument=key, next=token, **common)
        if common["size"] or (shape.counts and name not in words.DOUBTFUL_OFFSETS):
            first = (
                1 if node.get("default") == 1 or (node.get("minimum") == 1 and "default" not in node) else 0
            )
            return Paging(kind="offset", argument=key, first=first, **common)
    return None


def _arguments(wire: Wire, properties: dict[str, Any]) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Yield folded wire names with argument and schema; of a POST, those of its body."""
    for parameter in wire.parameters:
        if parameter.place == "query" or (parameter.place == "header" and wire.method == "GET"):
            name = parameter.name.removeprefix("$").lower()
            yield words.fold(name), (parameter.key, as_dict(properties.get(parameter.key)))
    if wire.body is not None and wire.method != "GET":
        for entry in wire.body.fields:
            yield words.fold(entry.name), (entry.key, as_dict(properties.get(entry.key)))


def _shape(schema: Any, resolver: Resolver) -> _Shape:
    shape = _Shape()
    node = _merged(schema, resolver)
    if not node:
        return shape
    shape.known = True
    if "array" in _types(node) or "items" in node:
        shape.items[""] = ""
        return shape
    for name, value in _fields(node):
        folded, pointer, inner = words.fold(name), f"/{escape(name)}", _merged(value, resolver)
        _note(shape, folded, pointer, inner)
        # One level down: what is around tokens, and what wraps the items.
        if folded in words.AROUND or folded in words.LISTS or folded in ("embedded", "result", "response"):
            for deep, deeper in _fields(inner):
                folded_deep, place = words.fold(deep), f"{pointer}/{escape(deep)}"
                last = _merged(deeper, resolver)
                _note(shape, folded_deep, place, last)
                if folded_deep in words.AROUND:
                    for final, leaf in _fields(last):
                        name_there = "next" if words.fold(final) == "href" else words.fold(final)
                        if folded_deep == "next" or words.fold(final) != "href":
                            _note(shape, name_there, f"{place}/{escape(final)}", _merged(leaf, resolver))
    return shape


def _note(shape: _Shape, folded: str, pointer: str, node: dict[str, Any]) -> None:
    types = _types(node)
    if "array" in types or ("items" in node and not types):
        shape.items.setdefault(pointer, folded)
        return
    if "object" in types or "properties" in node:
        return
    text = not types or "string" in types
    if folded in words.NEXT_URLS and text:
        url = "uri" in str(node.get("format")) or folded not in ("next", "nextpage") or "url" in _said(node)
        if url or pointer.lower().startswith(("/links", "/_links", "/link")) or "link" in _said(node):
            shape.urls.setdefault(folded, pointer)
            if folded not in ("next", "nextpage"):
                return
    if (
        folded in words.NEXT_TOKENS
        and "uri" not in str(node.get("format"))
        and (text or folded.startswith("next"))
    ):
        shape.tokens.setdefault(folded, pointer)
        if folded in ("next", "nextpage") and text:
            shape.urls.setdefault(folded, pointer)
    if folded in words.MORE | words.LAST | words.TOTALS | words.TOTAL_PAGES:
        shape.counts.add(folded)


def _items_pointer(shape: _Shape, path: str) -> str | None:
    """Return the pointer of the items: the only list, or the one with a name for it; None if unsure."""
    if "" in shape.items:
        return ""
    literal = [part for part in path.partition("?")[0].split("/") if part and "{" not in part]
    named = [words.fold(literal[-1])] if literal else []
    found = {pointer: folded for pointer, folded in shape.items.items() if folded not in words.ASIDE}
    found = found or {
        p: folded for p, folded in shape.items.items() if folded not in words.NEVER or folded in named
    }
    for wanted in named + list(words.LISTS):
        for pointer, folded in found.items():
            if folded == wanted:
                return pointer
    upper = [pointer for pointer in found if pointer.count("/") == 1]
    if len(upper) == 1:
        return upper[0]
    if not upper and len(found) == 1:
        return next(iter(found))
    paged = shape.tokens.keys() - {"next", "offset", "after", "marker"} or shape.urls or shape.counts
    return upper[0] if upper and paged else None


def _merged(schema: Any, resolver: Resolver) -> dict[str, Any]:
    """Return a schema with the properties of its ``allOf`` among its own, two levels deep."""
    node = as_dict(resolver.target(schema))
    parts = [as_dict(resolver.target(part)) for part in as_list(node.get("allOf"))[:8]]
    for part in list(parts):
        parts += [as_dict(resolver.target(inner)) for inner in as_list(part.get("allOf"))[:8]]
    options = as_list(node.get("anyOf")) or as_list(node.get("oneOf"))
    real = [option for option in options[:8] if as_dict(option).get("type") != "null"]
    if len(real) == 1:
        parts.append(as_dict(resolver.target(real[0])))
    if not parts:
        return node
    properties = dict(as_dict(node.get("properties")))
    made = dict(node)
    for part in parts:
        properties = {**as_dict(part.get("properties")), **properties}
        for keyword in ("type", "items", "format", "default", "description"):
            if keyword in part:
                made.setdefault(keyword, part[keyword])
    return {**made, "properties": properties} if properties else made


def _fields(node: dict[str, Any]) -> list[tuple[str, Any]]:
    found = as_dict(node.get("properties"))
    return [(str(name), found[name]) for name in list(found)[:_MOST_FIELDS]]


def _types(node: dict[str, Any]) -> set[str]:
    listed = node.get("type")
    given = listed if isinstance(listed, list) else [listed]
    for option in [*as_list(node.get("anyOf")), *as_list(node.get("oneOf"))]:
        given = [*given, as_dict(option).get("type")]
    return {one for one in given if isinstance(one, str) and one != "null"}


def _counts(node: dict[str, Any]) -> bool:
    """Whether a parameter takes a number, as far as is said."""
    types = _types(node)
    if types == {"string"}:
        return node.get("format") in ("int32", "int64") or str(node.get("default", "")).isdecimal()
    return not types or bool(types & {"integer", "number"})


def _is_loose(node: dict[str, Any]) -> bool:
    """Whether a parameter is a text of no kind."""
    return _types(node) == {"string"} and not {"format", "enum", "const", "pattern"} & node.keys()


def _untyped(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "type"} if _is_loose(node) else node


def _said(node: dict[str, Any]) -> str:
    return str(node.get("description", ""))[:300].lower()


def _number(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        return 0
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 7 else 0
