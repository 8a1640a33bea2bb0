"""Which server an operation speaks to: the operation's, the path's, the document's, or the caller's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from toolhaft.errors import EgressError, UsageError
from toolhaft.http.origin import origin_of
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.documents.document import as_dict, as_list, as_text
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import escape

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"//(?=[^/])|([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(/|$)")
"""A URL that leaves its scheme out, as documents in files do; it stands for the safe one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where requests go.

    Attributes:
        url: Absolute, without a slash at its end; empty if there is no usable one.
        problems: Why there is none, or what was changed.
    """

    url: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme, host and port; empty if there is no URL."""
        return origin_of(self.url) if self.url else ""


class Servers:
    """Chooses servers for one document.

    Args:
        document_url: Where the document was fetched; relative server URLs are joined to it.
        server: The caller's choice: a URL, used in place of every server of the document; or one of the
            document's, by its place in the list (counted from 0), its name, or a part of its description
            or host, such as ``sandbox``.
        variables: The caller's values for server variables.

    Raises:
        UsageError: The caller's server is no absolute ``http`` or ``https`` URL.
    """

    def __init__(self, document_url: str, server: str | int | None, variables: Mapping[str, str]) -> None:
        self._document_url = document_url
        self._variables = dict(variables)
        self._fixed: Server | None = None
        self._wanted: str | int | None = None
        if isinstance(server, int):
            self._wanted = server
        elif server is not None and re.fullmatch(r"[\w .-]{1,80}", server):
            self._wanted = int(server) if server.isdecimal() else server
        elif server is not None:
            self._fixed, reason = _usable(server, "")
            if self._fixed is None:
                raise UsageError(
                    f"the server {server[:200]!r} {reason}", hint="Give an absolute URL: https://host/base"
                )

    def choose(self, levels: list[tuple[Any, str]]) -> Server:
        """Return the server of an operation.

        Args:
            levels: ``servers`` of operation, path and document, each with its pointer, narrowest first.
        """
        if self._fixed is not None:
            return self._fixed
        for listed, pointer in levels:
            if as_list(listed):
                return self._first(as_list(listed), pointer)
        return self._first([{"url": "/"}], "/servers")

    def check_choice(self, listed: Any) -> None:
        """Check that the caller's server is one of the document's.

        Raises:
            UsageError: It is none; the hint lists those there are.
        """
        if self._wanted is None or _chosen(as_list(listed), self._wanted) is not None:
            return
        shown = "; ".join(f"{n}: {_shown(entry)}" for n, entry in enumerate(as_list(listed)[:10]))
        raise UsageError(
            f"the document has no server {self._wanted!r}",
            hint=f"It has {shown}" if shown else "Give an absolute URL: https://host/base",
        )

    def all_origins(self, listed: Any, pointer: str) -> set[str]:
        """Return the origins of every usable server in a list, or of the caller's."""
        if self._fixed is not None:
            return {self._fixed.origin}
        found = (self._read(entry, f"{pointer}/{index}") for index, entry in enumerate(as_list(listed)))
        return {server.origin for server in found if server.url}

    def _first(self, listed: list[Any], pointer: str) -> Server:
        problems: list[Problem] = []
        chosen = None if self._wanted is None else _chosen(listed, self._wanted)
        if chosen is not None:
            return self._read(listed[chosen], f"{pointer}/{chosen}")
        for index, entry in enumerate(listed):
            server = self._read(entry, f"{pointer}/{index}")
            if server.url:
                return server
            problems.extend(server.problems)
        return Server(problems=tuple(problems))

    def _read(self, entry: Any, pointer: str) -> Server:
        entry = as_dict(entry)
        url = entry.get("url")
        if not isinstance(url, str):
            return _unusable("has no URL", pointer)
        declared = as_dict(entry.get("variables"))
        missing: list[str] = []

        def substitute(match: re.Match[str]) -> str:
            value = self._value(match[1], as_dict(declared.get(match[1])))
            if value is None:
                missing.append(match[1])
                return ""
            return value

        filled = _VARIABLE.sub(substitute, url)
        if missing:
            needed = ", ".join(repr(name[:40]) for name in missing)
            return _unusable(f"{url[:200]!r} needs a value for {needed}: give server_variables=", pointer)
        if not _parts(filled) or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", filled) is None:
            if self._document_url:
                filled = urljoin(self._document_url, filled)
            elif _HOST.match(filled):
                filled = f"https://{filled.removeprefix('//')}"
            else:
                why = "is relative, and the document was not fetched: say which host it is"
                return _unusable(f"{url[:200]!r} {why}", pointer)
        server, reason = _usable(filled, pointer)
        if server is None:
            return _unusable(f"{url[:200]!r} {reason}", pointer)
        odd = tuple(_odd_default(name, node, pointer) for name, node in declared.items() if _is_odd(node))
        server = replace(server, problems=(*server.problems, *odd)) if odd else server
        return self._compare(server, url, pointer)

    def _compare(self, server: Server, url: str, pointer: str) -> Server:
        """Hold a server against where the document came from: never less safe, and told if elsewhere."""
        fetched = urlsplit(self._document_url)
        chosen = urlsplit(server.url)
        if fetched.scheme == "https" and chosen.scheme == "http":
            reason = f"{url[:200]!r} is not encrypted, and the document was fetched over https: give server="
            return _unusable(reason, pointer)
        if fetched.hostname and chosen.hostname != fetched.hostname:
            message = f"the server is {chosen.hostname}, the document came from {fetched.hostname}"
            problem = Problem(code="server-elsewhere", message=message, pointer=pointer)
            return replace(server, problems=(*server.problems, problem))
        return server

    def _value(self, name: str, declared: dict[str, Any]) -> str | None:
        given = self._variables.get(name)
        allowed = as_list(declared.get("enum"))
        if given is not None:
            if allowed and given not in [str(value) for value in allowed]:
                raise UsageError(
                    f"the server variable {name!r} cannot be {given[:80]!r}",
                    hint=f"Use one of {', '.join(str(value)[:40] for value in allowed[:20])}",
                )
            return given
        default = declared.get("default")
        if default is None:
            default = next((value for value in allowed if isinstance(value, str | int)), None)
        if default is None:
            return None
        return ("true" if default else "false") if isinstance(default, bool) else str(default)


def _is_odd(variable: Any) -> bool:
    """Whether the default of a server variable is none of its own values."""
    variable = as_dict(variable)
    allowed, default = as_list(variable.get("enum")), variable.get("default")
    return bool(allowed) and default is not None and str(default) not in [str(value) for value in allowed]


def _odd_default(name: str, variable: Any, pointer: str) -> Problem:
    default = str(as_dict(variable).get("default"))[:40]
    message = f"the default {default!r} of the server variable {name[:40]!r} is none of its values"
    return Problem(code="server-variable", message=message, pointer=f"{pointer}/variables/{escape(name)}")


def _chosen(listed: list[Any], wanted: str | int) -> int | None:
    """Return the place of the server that a caller means, or None."""
    if isinstance(wanted, int):
        return wanted if 0 <= wanted < len(listed) else None
    name = wanted.casefold()
    described = [(as_text(as_dict(entry).get("name")), _shown(entry)) for entry in listed]
    exact = (n for n, texts in enumerate(described) if name in (text.casefold() for text in texts))
    part = (n for n, texts in enumerate(described) if any(name in text.casefold() for text in texts))
    return next(exact, next(part, None))


def _shown(entry: Any) -> str:
    """Return the description and URL of a server, for people."""
    entry = as_dict(entry)
    texts = (as_text(entry.get(key)) for key in ("name", "description", "url"))
    return clean_text(" ".join(text for text in texts if text), 120)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL, or None where it cannot be taken apart."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _usable(url: str, pointer: str) -> tuple[Server | None, str]:
    """Return the server behind an absolute URL, or None and why it cannot be used."""
    parts = _parts(url)
    if parts is None or parts.scheme.lower() not in ("http", "https"):
        return None, "is no http or https URL"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None, "holds characters that no URL may hold"
    netloc = parts.netloc.rpartition("@")[2]
    plain = f"{parts.scheme.lower()}://{netloc}{parts.path.rstrip('/')}"
    try:
        origin_of(plain)
    except EgressError as error:
        return None, f"cannot be used: {error.what}"
    problems: list[Problem] = []
    if "@" in parts.netloc:
        message = "user and password in the server URL are dropped; give auth="
        problems.append(Problem(code="server-userinfo", message=message, pointer=pointer))
    if parts.query or parts.fragment:
        message = "query and fragment of the server URL are dropped"
        problems.append(Problem(code="server-query", message=message, pointer=pointer))
    return Server(url=plain, problems=tuple(problems)), ""


def _unusable(reason: str, pointer: str) -> Server:
    problem = Problem(code="server-unusable", message=f"the server {reason}", pointer=pointer)
    return Server(problems=(problem,))
