"""What a caller chooses about calls, beside what is in their arguments."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import UsageError

_MOST_PAGES = 1000
_LONGEST_WAIT = 3600.0


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
        if not 1 <= self.pages <= _MOST_PAGES:
            raise UsageError(f"pages is {self.pages}", hint=f"Follow 1 to {_MOST_PAGES} pages")
        if not 0 <= self.wait <= _LONGEST_WAIT:
            raise UsageError(f"wait is {self.wait}", hint=f"Wait 0 to {_LONGEST_WAIT:g} seconds")


CALL_OPTIONS = CallOptions()
"""What holds unless a caller says otherwise."""
