"""How an API hands its lists out page by page, as far as its document tells: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PagingKind = Literal["cursor", "page", "offset", "link", "next_url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How one operation's next page is asked for.

    Attributes:
        kind: ``cursor``: a token from the answer; ``page``: a number that grows by one; ``offset``: how many
            items to leave out; ``link``: the ``Link`` header; ``next_url``: a URL in the body.
        argument: The argument to set; empty for ``link`` and ``next_url``.
        size: The argument that says how many items a page has; empty if there is none.
        next: JSON pointer to the token or URL in the body; empty if it is looked for.
        items: JSON pointer to the list; None if it is looked for, empty if the body is the list.
        first: Number of the first page.
        default_size: Items of a page where the caller does not say; 0 if unknown.
        last_item: The cursor is this field of the last item.
    """

    kind: PagingKind
    argument: str = ""
    size: str = ""
    next: str = ""
    items: str | None = None
    first: int = 1
    default_size: int = 0
    last_item: str = ""
