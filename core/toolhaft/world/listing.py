"""List answers of rules: filtered, searched, sorted and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.evaluators.pointer import MISSING, find
from toolhaft.world.problem import invalid
from toolhaft.world.scope import Scope
from toolhaft.world.templates import fill, is_number, matches, rows_of

KEYS = frozenset({"list", "as", "where", "search", "sort", "page", "limit", "fields", "each"})
PAGE_SIZE = 10
_CURSOR = re.compile(r"after-([0-9]{1,6})")


def list_answer(template: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Return the answer of a listing.

    Args:
        template: With ``list``; see ``docs/how-to/write-a-world.md``.
        scope: Of its references.

    Raises:
        RequestProblem: The cursor is none that was given out.
    """
    rows = [row for row in rows_of(template["list"], scope) if matches(row, template.get("where", {}), scope)]
    if "search" in template:
        rows = _search(rows, template["search"], scope)
    rows = sort_rows(rows, sort_order(template.get("sort"), scope))
    name = template.get("as") or template["list"]
    if not template.get("page"):
        limit = fill(template.get("limit"), scope)
        return {name: shown_rows(rows[:limit] if is_number(limit) else rows, template, scope)}
    size, start = _page(scope)
    end = start + size
    return {
        name: shown_rows(rows[start:end], template, scope),
        "total": len(rows),
        "next_cursor": f"after-{end}" if end < len(rows) else None,
    }


def _search(rows: list[Any], search: Mapping[str, Any], scope: Scope) -> list[Any]:
    words = str(fill(search["text"], scope) or "").casefold().split()
    if not words:
        return rows
    return [row for row in rows if _has_words(row, search["fields"], words)]


def _has_words(row: Any, fields: Sequence[str], words: Sequence[str]) -> bool:
    texts = [_text(find(row, field)) for field in fields]
    return all(any(word in text for text in texts) for word in words)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    return "" if value is MISSING or value is None else str(value).casefold()


def sort_order(sort: Any, scope: Scope) -> list[str]:
    """Return the fields to sort by, those to sort downwards with ``-`` before them."""
    if isinstance(sort, Mapping):
        chosen = fill(sort["by"], scope)
        sort = sort["orders"].get(chosen) if isinstance(chosen, str) else None
    if sort is None:
        return []
    return [sort] if isinstance(sort, str) else list(sort)


def sort_rows(rows: list[Any], order: Sequence[str]) -> list[Any]:
    """Return rows in order; those without a field come last, upwards and downwards."""
    for field in reversed(order):
        name = field.removeprefix("-")
        absent = [row for row in rows if find(row, name) in (MISSING, None)]
        present = [row for row in rows if find(row, name) not in (MISSING, None)]
        present.sort(key=lambda row: _rank(find(row, name)), reverse=field.startswith("-"))
        rows = present + absent
    return rows


def _rank(value: Any) -> tuple[int, float, str]:
    if is_number(value):
        return (0, value, "")
    return (1, 0, str(value).casefold())


def _page(scope: Scope) -> tuple[int, int]:
    given: Any = scope.arguments.get("page_size")
    size = max(1, int(given)) if is_number(given) else PAGE_SIZE
    cursor = scope.arguments.get("cursor")
    if cursor in (None, ""):
        return size, 0
    found = _CURSOR.fullmatch(str(cursor))
    if found is None:
        raise invalid(f"{cursor!r:.40} is no cursor that was given out", parameter="cursor")
    return size, int(found[1])


def shown_rows(rows: Sequence[Any], template: Mapping[str, Any], scope: Scope) -> list[Any]:
    """Return records as a listing shows them: whole, by their ``fields``, or by ``each``."""
    if "each" in template:
        return [fill(template["each"], scope.within(row)) for row in rows]
    if "fields" in template:
        return [{name: row.get(name) for name in template["fields"]} for row in rows if isinstance(row, dict)]
    return list(rows)
