"""What each security scheme of a catalog needs, what was given, and which operations that unlocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolhaft.auth.issuing import check_issuer
from toolhaft.auth.schemes import Alternatives, SchemeUse
from toolhaft.auth.session import Auth
from toolhaft.auth.ways import Way, given_way, missing_for, ways_of
from toolhaft.errors import AuthError, ToolhaftError

_PROBED = ("client", "password", "refresh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """One operation, as far as security goes.

    Attributes:
        name: Of the tool.
        origins: Who would get the secrets.
        trusted: Whether they may get any.
    """

    name: str
    security: Alternatives
    origins: tuple[str, ...]
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeCheck:
    """One scheme.

    Attributes:
        use: The scheme, with the scopes of all operations together.
        ways: Entries of ``auth`` that would do, each way by itself.
        given: Entries that are there -> whether what they name is.
        way: The way that is taken; None if nothing was given that suffices.
        problem: Why it would not work; empty if nothing is known against it.
        operations: Names of the operations that ask for it, alone or with others.
        unlocked: Of these, how many can be called with what was given.
    """

    use: SchemeUse
    ways: tuple[Way, ...]
    given: tuple[tuple[str, bool], ...]
    way: Way | None
    problem: str
    operations: tuple[str, ...]
    unlocked: int

    @property
    def is_satisfied(self) -> bool:
        """Whether what was given suffices, as far as is known without asking."""
        return self.way is not None and not self.problem

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON values; no secret is in it."""
        return {
            "scheme": self.use.scheme,
            "kind": self.use.kind,
            "scopes": list(self.use.scopes),
            "ways": [{"auth": list(way.names), "login": way.login} for way in self.ways],
            "given": [{"name": name, "found": found} for name, found in self.given],
            "satisfied": self.is_satisfied,
            "problem": self.problem,
            "operations": len(self.operations),
            "unlocked": self.unlocked,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityCheck:
    """A whole catalog.

    Attributes:
        schemes: In the order in which operations name them.
        open: Operations that ask for nothing, or for nothing necessarily.
        unlocked: Operations whose wants are satisfied.
        locked: Names of the operations that cannot be called as they should be.
    """

    schemes: tuple[SchemeCheck, ...]
    open: int
    unlocked: int
    locked: tuple[str, ...]


def check_security(operations: Sequence[Guarded], auth: Auth) -> SecurityCheck:
    """Hold what was given against what operations want; nothing is sent.

    Raises:
        UnknownNameError: ``auth`` names what no operation wants.
    """
    uses: dict[str, SchemeUse] = {}
    asking: dict[str, list[Guarded]] = {}
    for operation in operations:
        named = {use.scheme: use for alternative in operation.security for use in alternative}
        for scheme, use in named.items():
            uses[scheme] = _joined(uses.get(scheme), use)
            asking.setdefault(scheme, []).append(operation)
    problems = {scheme: _problem(use, asking[scheme], auth) for scheme, use in uses.items()}
    usable = {
        operation.name: _is_unlocked(operation, auth, problems)
        for operation in operations
        if operation.security
    }
    schemes = [
        SchemeCheck(
            use=use,
            ways=ways_of(use, auth.entries),
            given=tuple((name, _is_there(auth, name)) for name in auth.entries.given_for(scheme)),
            way=given_way(use, auth.entries),
            problem=problems[scheme],
            operations=tuple(operation.name for operation in asking[scheme]),
            unlocked=sum(usable[operation.name] for operation in asking[scheme]),
        )
        for scheme, use in uses.items()
    ]
    locked = tuple(name for name, unlocked in usable.items() if not unlocked)
    return SecurityCheck(
        schemes=tuple(schemes),
        open=len(operations) - len(usable),
        unlocked=len(usable) - len(locked),
        locked=locked,
    )


def _joined(known: SchemeUse | None, use: SchemeUse) -> SchemeUse:
    """Return the scheme with the scopes of both."""
    if known is None:
        return use
    return replace(known, scopes=tuple(dict.fromkeys((*known.scopes, *use.scopes))))


def _is_unlocked(operation: Guarded, auth: Auth, problems: dict[str, str]) -> bool:
    if any(not alternative for alternative in operation.security):
        return True
    return operation.trusted and any(
        all(given_way(use, auth.entries) and not problems[use.scheme] for use in alternative)
        for alternative in operation.security
    )


def _problem(use: SchemeUse, operations: Sequence[Guarded], auth: Auth) -> str:
    """Return why a scheme would not work with what was given; empty if nothing is known against it."""
    way = given_way(use, auth.entries)
    if way is None:
        return missing_for(use, auth.entries, for_shell=True)
    for name in auth.entries.given_for(use.scheme):
        if not _is_there(auth, name):
            return f"{auth.entries.value(name)} ({name}) is not set"
    origins = next((operation.origins for operation in operations if operation.trusted), ())
    if not origins:
        return "no server of these operations may be given secrets: allow it with allow_hosts"
    try:
        if way.means in _PROBED:
            check_issuer(use, way, auth.entries, origins, auth.around)
        if way.means == "login":
            stored = auth.around.stored
            if stored is None or stored.find(use.scheme, origins) is None:
                return f"nobody has logged in: toolhaft auth login CATALOG {use.scheme}"
    except AuthError as error:
        return f"{error.what}. {error.hint}"
    except ToolhaftError as error:
        return str(error)
    return ""


def _is_there(auth: Auth, name: str) -> bool:
    """Whether what an entry names is there: a variable that is set, a file that exists."""
    value = auth.entries.value(name)
    if not isinstance(value, str):
        return True
    found = next((each for each in auth.entries.all_secrets() if each.name == value), None)
    if found is not None:
        if not auth.secrets.is_set(found):
            return False
        value = auth.secrets.resolve(found)
    if name.endswith((".certificate", ".key")):
        return Path(value).expanduser().is_file()
    return True


async def ask_live(check: SchemeCheck, operations: Sequence[Guarded], auth: Auth) -> str:
    """Ask for a token of a scheme, where it takes any; return what came of it, for a person.

    Nothing is asked for a scheme without tokens: an empty text.
    """
    if check.way is None or not check.use.takes_tokens:
        return ""
    asking = next((each for each in operations if each.name in check.operations and each.trusted), None)
    if asking is None:
        return ""
    choice = auth.choose(((check.use,),), asking.origins)
    if not choice.slots:
        return ""
    try:
        for slot in choice.slots:
            await slot.fill()
    except ToolhaftError as error:
        return f"failed: {error.what}"
    granted = choice.slots[0].granted
    return f"got a token{f' for {chr(32).join(granted)}' if granted else ''}"
