"""Names that every provider accepts, unique, and stable when the document grows."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolhaft.tools.base import KEY, NAME

LONGEST = 64
_DIGITS = 8
_ILLEGAL_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_ILLEGAL_IN_KEY = re.compile(r"[^a-zA-Z0-9_.-]+")
_LETTERS = str.maketrans(
    {
        **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"},
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"},
    }
)
"""Letters that no accent can be taken from."""
_TEMPLATE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class NameRequest:
    """An operation that wants a name.

    Attributes:
        method: Upper case.
        path: As the document writes it.
        operation_id: As the document writes it, or empty.
    """

    method: str
    path: str
    operation_id: str = ""

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that depend on method and path alone."""
        return short_hash(f"{self.method} {self.path}")


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that depend on the text alone."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def tool_names(
    requests: Sequence[NameRequest], prefix: str = "", kept: Mapping[str, str] | None = None
) -> list[str]:
    """Return one name per operation, in the given order.

    The first in the document keeps a name that several want; the others get a hash of method and path. So a
    name depends on the operation and on those before it alone, and what is added behind renames nothing.

    Args:
        requests: What to name, in document order.
        prefix: Put before every name.
        kept: ``METHOD /path`` -> the name that this operation had before and keeps, whatever was added
            where; names that no tool may have are not kept.
    """
    had = {key: name for key, name in (kept or {}).items() if NAME.fullmatch(name)}
    names = [had.get(f"{request.method} {request.path}", "") for request in requests]
    taken: set[str] = set()
    for index, name in enumerate(names):
        names[index] = "" if name.casefold() in taken else name
        taken.add(name.casefold())
    for index, request in enumerate(requests):
        if not names[index]:
            names[index] = _free(_wish(request, prefix), request.digest, taken)
            taken.add(names[index].casefold())
    return names


def _wish(request: NameRequest, prefix: str) -> str:
    """Return the name that an operation would have if it were alone."""
    written = request.operation_id
    plain = _ILLEGAL_IN_NAME.sub("_", _transliterate(written))
    if not any(character.isalnum() for character in plain):
        return _cut(prefix + derived_name(request), request.digest)
    if not _readable(written):
        plain = _suffixed(plain, request.digest)
    return _cut(prefix + plain, request.digest)


def derived_name(request: NameRequest) -> str:
    """Return a name made of method and path: ``GET /users/{id}`` gives ``get_users_by_id``."""
    path = request.path.partition("?")[0]
    text = _TEMPLATE.sub(lambda match: f"_by_{match[1]}_", path)
    words = re.findall(r"[a-zA-Z0-9-]+", _transliterate(text))
    name = "_".join([request.method.lower(), *words])
    return name if _readable(path) else _suffixed(name, request.digest)


def _free(wanted: str, digest: str, taken: set[str]) -> str:
    if wanted.casefold() not in taken:
        return wanted
    found = _suffixed(wanted, digest)
    attempt = 0
    while found.casefold() in taken:
        attempt += 1
        found = _suffixed(wanted, short_hash(f"{digest} {attempt}"))
    return found


def _cut(name: str, digest: str) -> str:
    return name if len(name) <= LONGEST else _suffixed(name, digest)


def _suffixed(name: str, digest: str) -> str:
    return f"{name[: LONGEST - _DIGITS - 1]}_{digest}"


def _transliterate(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()


def _readable(text: str) -> bool:
    """Whether nothing but accents is lost when the text becomes ASCII."""
    if text.isascii():
        return True
    kept = (
        c for c in unicodedata.normalize("NFKD", text.translate(_LETTERS)) if not unicodedata.combining(c)
    )
    return all(character.isascii() for character in kept)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A value that wants an argument key.

    Attributes:
        place: ``path``, ``query``, ``header``, ``cookie`` or ``body``.
        name: Its name on the wire.
    """

    place: str
    name: str


_PLACES = {"path": 0, "query": 1, "header": 2, "cookie": 3, "body": 4}


def argument_keys(requests: Iterable[KeyRequest]) -> list[str]:
    """Return one argument key per value, in the given order.

    A name that is legal and stands in one place is its own key. Where a name stands in several places,
    the first of path, query, header, cookie and body keeps it, the others get ``_query``, ``_header``,
    ``_cookie`` or ``_body``. A name that is not legal gives way to one that is.
    """
    wanted = list(requests)
    order = sorted(
        range(len(wanted)),
        key=lambda index: (
            not KEY.fullmatch(wanted[index].name),
            _PLACES[wanted[index].place],
            wanted[index].name,
        ),
    )
    keys = [""] * len(wanted)
    taken: set[str] = set()
    for index in order:
        keys[index] = _free_key(wanted[index], taken)
        taken.add(keys[index])
    return keys


def _free_key(request: KeyRequest, taken: set[str]) -> str:
    plain = request.name
    if not KEY.fullmatch(plain):
        plain = _ILLEGAL_IN_KEY.sub("_", _transliterate(plain)).strip("_")
        if not plain or not _readable(request.name) or len(plain) > LONGEST:
            plain = _suffixed(plain or "argument", short_hash(request.name))
    if plain not in taken:
        return plain
    placed = f"{plain}_{request.place}"
    if len(placed) <= LONGEST and placed not in taken:
        return placed
    attempt = 0
    while True:
        found = _suffixed(placed, short_hash(f"{request.place} {request.name} {attempt}"))
        if found not in taken:
            return found
        attempt += 1
