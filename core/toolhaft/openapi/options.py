"""What a caller chooses about an import, and about calls beside what is in their arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toolhaft.errors import UsageError
from toolhaft.openapi.requests.wire import DeepLists
from toolhaft.openapi.schemas.fitting import SIZES, SizeLimits
from toolhaft.openapi.selection import Filter

_MOST_PAGES = 1000
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the caller chooses about an import.

    Attributes:
        auth: See `toolhaft.auth.entries.Entries`.
        allow_hosts: Private hosts that may be spoken to; they may be given credentials, too.
        server: Used in place of every server of the document, or which of them; see
            `toolhaft.openapi.servers.Servers`.
        server_variables: Values for the variables of server URLs.
        prefix: Put before every name.
        choice: Which operations are imported.
        names: ``METHOD /path`` -> the name that this operation keeps, from an earlier import.
        media_types: Types, or ranges such as ``image/*``, that bodies are rather sent as, the best first.
        deep_lists: How lists inside a ``deepObject`` are written, which no version says: ``a[0]=x``,
            ``a[]=x`` or ``a=x&a=y``.
        sizes: How large a tool may be.
    """

    auth: Mapping[str, str] = field(default_factory=dict)
    allow_hosts: Sequence[str] = ()
    server: str | int | None = None
    server_variables: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    choice: Filter = field(default_factory=Filter)
    names: Mapping[str, str] = field(default_factory=dict)
    media_types: Sequence[str] = ()
    deep_lists: DeepLists = "indices"
    sizes: SizeLimits = SIZES


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How the calls of a catalog's tools are made and their answers followed.

    Attributes:
        media_types: Types of request bodies in the order of preference, where an operation takes several;
            one that an operation does not take is passed over.
        pages: How many pages of a result are followed, where the API gives it page by page; 1 to 1,000.
        wait: Seconds that a call waits for an operation that the API finishes later; 0 to 3,600, 0 returns
            its first answer.

    Raises:
        UsageError: A number is out of its range.
    """

    media_types: tuple[str, ...] = ()
    pages: int = 1
    wait: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.media_types, str):
            raise UsageError("media_types is one text", hint="Give a list: media_types=['application/json']")
        for name, number in (("pages", self.pages), ("wait", self.wait)):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise UsageError(f"{name} is {number!r:.80}, and no number")
        if not 1 <= self.pages <= _MOST_PAGES:
            raise UsageError(f"pages is {self.pages}", hint=f"Follow 1 to {_MOST_PAGES} pages")
        if not 0 <= self.wait <= _LONGEST_WAIT:
            raise UsageError(f"wait is {self.wait}", hint=f"Wait 0 to {_LONGEST_WAIT:g} seconds")


CALL_OPTIONS = CallOptions()
"""What holds unless a caller says otherwise."""
