"""What the body of a media type is written as, and the charset that it names.

Source: RFC 9110, section 8.3.2.
"""

from __future__ import annotations

import re

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.media_types import media_kind
from toolhaft.openapi.requests.wire import BodyForm

MISNAMED = frozenset({"application/form-data", "application/multipart-form-data", "form-data"})
"""What documents call ``multipart/form-data``."""
_CHARSET = re.compile(r"""charset=["']?([\w.:-]+)""", re.IGNORECASE)
_CHARSETS = re.compile(
    r"us-ascii|ascii|latin-?1|iso-8859-\d+|windows-125\d|cp125\d|utf-?16([bl]e)?|utf-?32([bl]e)?"
)


def form_of(media_type: str) -> BodyForm | None:
    """Return what a media type stands for; None for one that is not known, or a range of all."""
    kind = media_kind(media_type)
    return "text" if kind == "html" else kind


def encode_text(text: str, media_type: str) -> bytes:
    """Return a text in the charset that its media type names, else in UTF-8.

    Raises:
        InvalidArgumentsError: The charset has no such characters.
    """
    found = _CHARSET.search(media_type) if ";" in media_type else None
    if found is None or not _CHARSETS.fullmatch(found[1].lower()):
        return text.encode()
    try:
        return text.encode(found[1])
    except (UnicodeEncodeError, LookupError):
        raise InvalidArgumentsError(f"an argument holds characters that {found[1]} has not") from None
