"""Text made fit for one place of a request: percent-encoded, or held to what the place can carry.

Source: RFC 3986, sections 2.1 to 2.4 and 3.3; RFC 6265, section 4.1.1; RFC 6570, section 3.2.3; the URL
standard of the WHATWG, section 5.2; OpenAPI 3.2.0, appendices C to E.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

Encode = Callable[[str], str]

_TRIPLE = re.compile(r"(%[0-9A-Fa-f]{2})")
_HIDDEN_IN_PATH = frozenset({"%2f", "%5c", "%2e"})
"""Encoded slash, backslash and dot: some servers decode them before they take the path apart."""
_QUERY_RESERVED = ":/?@!$'()*,;"
"""Reserved characters that mean nothing in a query; ``&``, ``=``, ``+`` and ``#`` would, and no query may
hold ``[`` and ``]``."""
_PATH_RESERVED = ":@!$&'()*+,;="
_COOKIE_OCTETS = "!#$%&'()*+-./:<=>?@[]^_`{|}~"
_COOKIE_RESERVED = ":/?#[]@!$&'()*+="


def percent(text: str) -> str:
    """Percent-encode everything but letters, digits and ``-._~``."""
    return quote(text, safe="")


def percent_query(text: str) -> str:
    """Percent-encode for ``allowReserved`` in a query: triples and what means nothing there stay."""
    return _reserved(text, _QUERY_RESERVED)


def percent_path(text: str) -> str:
    """Percent-encode for ``allowReserved`` in a path: nothing can leave its segment."""
    return _reserved(text, _PATH_RESERVED, _HIDDEN_IN_PATH)


def percent_cookie(text: str) -> str:
    """Percent-encode for ``allowReserved`` in a cookie."""
    return _reserved(text, _COOKIE_RESERVED)


def percent_octets(text: str) -> str:
    """Percent-encode only what no cookie can hold: blanks, quotes, commas, semicolons, backslashes."""
    return quote(text, safe=_COOKIE_OCTETS)


def percent_form(text: str) -> str:
    """Encode as forms do, with ``+`` for a blank and nothing left but letters, digits and ``*-._``."""
    made = quote_plus(text, safe="*")
    return made.replace("~", "%7E") if "~" in made else made


def as_is(text: str) -> str:
    """Return the text: headers are not percent-encoded."""
    return text


def _reserved(text: str, safe: str, hidden: frozenset[str] = frozenset()) -> str:
    if "%" not in text:
        return quote(text, safe=safe)
    return "".join(
        piece if _TRIPLE.fullmatch(piece) and piece.lower() not in hidden else quote(piece, safe=safe)
        for piece in _TRIPLE.split(text)
    )
