"""What a person should set when an API refuses: the scheme by its name, the setting, the scopes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolhaft.auth.entries import Entries
from toolhaft.auth.schemes import Alternatives, SchemeUse, describe
from toolhaft.auth.slots import TokenSlot
from toolhaft.auth.ways import given_way, missing_for
from toolhaft.text import terminal_safe

_SCOPE = re.compile(r'\bscope\s*=\s*"([^"]{1,500})"')
_LONGEST = 400


def advise(
    status: int,
    alternatives: Alternatives,
    uses: Sequence[SchemeUse],
    slots: Sequence[TokenSlot],
    entries: Entries,
    headers: Sequence[tuple[str, str]],
) -> str:
    """Return one sentence without a full stop; empty if there is nothing to say.

    Args:
        status: Of the answer: 401 or 403.
        alternatives: What the operation wants.
        uses: The schemes that were satisfied; empty if none was.
        slots: Of the tokens that were sent.
        entries: What the caller gave.
        headers: Of the answer, names in lower case.
    """
    if not uses:
        wants = describe(alternatives)
        if not wants:
            return ""
        if any(each and all(given_way(use, entries) for use in each) for each in alternatives):
            return _shown(
                "The credentials were not sent: the document names this server for single operations only; "
                "the owner of this run may allow it with allow_hosts= or --allow-host"
            )
        needed = _needed(alternatives, entries)
        shown = f"must give {needed or 'auth='}, or --auth in the shell"
        return _shown(f"The operation wants {wants}: the owner of this run {shown}")
    if status == 403 and (lacking := _lacking_scopes(uses, slots, headers)):
        names = " and ".join(repr(use.scheme) for use in uses if use.takes_tokens) or repr(uses[0].scheme)
        return _shown(f"The token for {names} lacks scopes: {' '.join(lacking)}; the owner must ask for them")
    given = "; ".join(_given(use, entries) for use in uses)
    verb = "do not suffice" if status == 403 else "were not accepted"
    names = " and ".join(repr(use.scheme) for use in uses)
    return _shown(
        f"The credentials for {names} {verb}; other arguments will not help. Their owner may change {given}"
    )


def _needed(alternatives: Alternatives, entries: Entries) -> str:
    """Return what would satisfy the alternative of which most is there."""
    wanted = [alternative for alternative in alternatives if alternative]
    if not wanted:
        return ""

    def missing(alternative: tuple[SchemeUse, ...]) -> list[SchemeUse]:
        return [use for use in alternative if given_way(use, entries) is None]

    best = min(wanted, key=lambda alternative: len(missing(alternative)))
    return " and ".join(missing_for(use, entries) for use in missing(best))


def _given(use: SchemeUse, entries: Entries) -> str:
    way = given_way(use, entries)
    names = way.names if way is not None else (use.scheme,)
    shown = []
    for name in names:
        value = entries.value(name)
        shown.append(f"{name!r}: {value!r}" if isinstance(value, str) else f"{name!r}")
    return f"auth={{{', '.join(shown)}}}"


def _lacking_scopes(
    uses: Sequence[SchemeUse], slots: Sequence[TokenSlot], headers: Sequence[tuple[str, str]]
) -> list[str]:
    wanted = [scope for use in uses for scope in use.scopes]
    for name, value in headers:
        if name == "www-authenticate" and (match := _SCOPE.search(value[:8192])):
            wanted = match[1].split()
    granted = {scope for slot in slots for scope in slot.granted or ()}
    return [scope for scope in dict.fromkeys(wanted) if scope not in granted]


def _shown(text: str) -> str:
    text = " ".join(terminal_safe(text).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
