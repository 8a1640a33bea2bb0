"""Path templates as requests need them: only ``{name}`` in the path, and no query that a parameter fills.

Documents in the field write more than the specification allows: RFC 6570's operators, ``{name=pattern}`` of
gRPC transcoding, ``{name+}`` of gateways, and query parameters inside the path.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

VARIABLE = re.compile(r"\{([^{}]*)\}")
_QUERY_EXPRESSION = re.compile(r"\{[?&]([^{}]*)\}")
_DECORATED = re.compile(r"[+#./;]?([A-Za-z0-9_.$-]*[A-Za-z0-9_$])(?:[*+?]|:.*|=.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTemplate:
    """A path as requests need it.

    Attributes:
        text: Begins with a slash; may end in a fixed query; has no fragment.
        variables: Names in braces, each once.
        queries: Names that the path asks for as query parameters.
    """

    text: str
    variables: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


def read_template(path: str, declared: Collection[str], queries: Collection[str]) -> PathTemplate:
    """Return a path template of a document.

    Args:
        path: As the document writes it.
        declared: Names of the path parameters.
        queries: Names of the query parameters.
    """
    text = path.partition("#")[0] if path.partition("#")[0].count("{") == path.count("{") else path
    asked: dict[str, None] = {}
    for match in _QUERY_EXPRESSION.finditer(text):
        asked.update((name.strip().rstrip("*"), None) for name in match[1].split(",") if name.strip(" *"))
    text = _QUERY_EXPRESSION.sub("", text)
    text = VARIABLE.sub(lambda match: f"{{{_plain(match[1], declared)}}}", text)
    before, mark, query = text.partition("?")
    pairs = [pair for pair in query.split("&") if pair and not _filled(pair, declared, queries)]
    text = f"{before}?{'&'.join(pairs)}" if mark and pairs else before
    return PathTemplate(
        text=text if text.startswith("/") else f"/{text}",
        variables=tuple(dict.fromkeys(VARIABLE.findall(text))),
        queries=tuple(asked),
    )


def _plain(name: str, declared: Collection[str]) -> str:
    """Return the declared name that a variable with operators or patterns means, or what is left of it."""
    if name in declared:
        return name
    found = _DECORATED.fullmatch(name.strip())
    if found is None:
        return name
    return found[1] if found[1] in declared or found[1] != name else name


def _filled(pair: str, declared: Collection[str], queries: Collection[str]) -> bool:
    """Whether a pair of the fixed query is a query parameter written out."""
    name, _, value = pair.partition("=")
    found = VARIABLE.fullmatch(value)
    if found is None or found[1] in declared:
        return False
    return name in queries or found[1] in queries
