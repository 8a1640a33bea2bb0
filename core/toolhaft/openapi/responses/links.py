"""The ``Link`` header.

Source: RFC 8288, section 3; only ``rel`` is read, and parameters in other character sets are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 16_384
_LINK = re.compile(r"<([^<>]{0,8000})>((?:\s*;\s*[^;,\"<]*(?:\"[^\"]*\")?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def next_link(headers: Sequence[tuple[str, str]]) -> str:
    """Return the target of the first link with the relation ``next``; empty if there is none."""
    for name, value in headers:
        if name != "link":
            continue
        for target, parameters in _LINK.findall(value[:_LONGEST]):
            found = _REL.search(parameters)
            if found and "next" in (found[1] or found[2]).lower().split():
                return str(target)
    return ""
