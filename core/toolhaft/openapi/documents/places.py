"""Where the files of one description may lie, and one name for each of them.

A file's name is its place relative to the root document: ``schemas/pet.yaml``. A reference that leads out of
the folder or origin of the root document gets no name, and so is never read.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Protocol
from urllib.parse import quote, unquote, urljoin, urlsplit

from toolhaft.errors import EgressError, SpecError, UsageError

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


class Place(Protocol):
    """Names the files that a description may be spread over."""

    def name(self, resource: str, base: str) -> str | None:
        """Return the name of what a reference leads to, empty for the root document.

        Args:
            resource: The reference without its fragment, as it is written.
            base: Name of the file in which it stands.

        Returns:
            None if it leads out of the place.
        """


class Nowhere:
    """The place of a document that came without one: it has no files beside it."""

    def name(self, resource: str, base: str) -> str | None:
        """Return no name."""
        return None


class Folder:
    """The folder of a root document on disk.

    Args:
        path: The root document.
        root: A wider folder that files may lie in; None for the document's own.

    Raises:
        UsageError: ``root`` is no folder above the document.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self._document = Path(os.path.realpath(path))
        self._base = self._document.parent
        self._allowed = self._base if root is None else Path(os.path.realpath(root))
        if not self._base.is_relative_to(self._allowed):
            raise UsageError(
                f"the document does not lie in the folder {str(root)!r}",
                where=str(path),
                hint="Give a folder that holds the document, as root=",
            )

    def name(self, resource: str, base: str) -> str | None:
        """See `Place.name`; symbolic links are followed before the place is judged."""
        if _SCHEME.match(resource) or resource.startswith(("/", "\\")):
            return None
        plain = unquote(resource.partition("?")[0])
        if plain.startswith("/") or _HIDDEN.search(plain) or len(plain) > 1000:
            return None
        lexical = normpath(join(self._base.as_posix(), dirname(_unquoted(base)), plain))
        if not Path(lexical).is_relative_to(self._allowed):
            return None  # judged before the disk is asked: nothing outside is even looked up
        try:
            real = Path(os.path.realpath(lexical))
        except (OSError, ValueError):
            return None
        if not real.is_relative_to(self._allowed):
            return None
        if real == self._document:
            return ""
        return _quoted(relpath(real.as_posix(), self._base.as_posix()))

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file, one more than ``most`` if it is longer.

        Raises:
            SpecError: There is no such file, or it is none that can be read to its end.
        """
        path = self._base / _unquoted(name)
        # Opening a pipe would wait for a writer; not following a link means what was judged is what is read.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(path, flags)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise SpecError(f"the file cannot be read: {reason}", where=name) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SpecError("the file cannot be read: it is no plain file", where=name)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(most + 1)


class Origin:
    """The origin from which a root document was fetched.

    Args:
        url: Of the root document, after redirects.
    """

    def __init__(self, url: str) -> None:
        from toolhaft.http.origin import origin_of

        self.origin = origin_of(url)
        self._url = urlsplit(url)._replace(fragment="").geturl()
        self._folder = dirname(urlsplit(url).path) or "/"
        self._urls: dict[str, str] = {"": self._url}

    def name(self, resource: str, base: str) -> str | None:
        """See `Place.name`; a URL of the same origin has a name, whatever its path."""
        from toolhaft.http.origin import origin_of

        if _HIDDEN.search(resource) or resource.startswith("//") or len(resource) > 2000:
            return None
        try:
            written = urlsplit(resource)
            if written.scheme and not written.netloc:  # read in two ways: relative, and not at all
                return None
            url = urljoin(self._urls[base], quote(resource, safe="/:?&=+,;@!$'()*~%[]-._"))
            parts = urlsplit(url)
            if parts.username is not None or origin_of(url) != self.origin:
                return None
        except (EgressError, ValueError):
            return None
        if url == self._url:
            return ""
        name = relpath(parts.path or "/", self._folder) + (f"?{parts.query}" if parts.query else "")
        self._urls.setdefault(name, url)
        return name

    def url(self, name: str) -> str:
        """Return the URL of a file that has been named."""
        return self._urls[name]


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("#", "%23").replace("?", "%3F")


def _unquoted(name: str) -> str:
    return name.replace("%3F", "?").replace("%23", "#").replace("%25", "%")
