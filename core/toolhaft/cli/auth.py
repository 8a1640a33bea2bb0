"""``toolhaft auth``: what a catalog's security wants, logging in, and forgetting logins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Location, open_location
from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.errors import AuthError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from toolhaft.auth.checking import Guarded, SchemeCheck, SecurityCheck
    from toolhaft.auth.schemes import SchemeUse
    from toolhaft.openapi.tool import OpenAPITool
    from toolhaft.tools.catalog import Catalog

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
)
AuthHost = Annotated[
    list[str] | None,
    typer.Option(help="An authorisation server on another host than the API, which may get client secrets."),
]
_SHOWN = 12
"""Names of locked operations that are printed."""


@app.callback()
def group() -> None:
    """Check what a catalog's security wants, log in, and forget logins."""


@app.command()
def check(
    location: Location,
    auth: Auth = None,
    auth_host: AuthHost = None,
    allow_host: AllowHost = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask for tokens, and call one operation that only reads.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Show what each security scheme needs, what is given, and which operations that unlocks.

    Values of secrets are never shown. Exit codes: 0 every operation can be called, 3 some cannot, 1 --live
    found that what was given is not accepted, 2 wrong usage.
    """
    from toolhaft.auth.checking import check_security
    from toolhaft.tools.loop import run_sync

    catalog = _open(location, auth, auth_host, allow_host)
    tools = _tools_of(catalog)
    operations = [_guarded(tool) for tool in tools]
    if not tools:
        raise UsageError("the catalog has no operations of an API", where=location)
    session = tools[0].auth
    found = check_security(operations, session)
    asked: list[dict[str, str]] = run_sync(_ask(found, operations, tools)) if live else []
    if as_json:
        print_json(
            {
                "schemes": [scheme.to_dict() for scheme in found.schemes],
                "operations": {
                    "open": found.open,
                    "unlocked": found.unlocked,
                    "locked": list(found.locked),
                    "elsewhere": _elsewhere(operations),
                },
                **({"live": asked} if live else {}),
            }
        )
    else:
        _print_check(found)
        _print_elsewhere(_elsewhere(operations))
        for entry in asked:
            print_line(f"{entry['what']}: {entry['outcome']}")
    if any(entry["accepted"] == "no" for entry in asked):
        raise typer.Exit(1)
    if found.locked:
        raise typer.Exit(3)


@app.command()
def login(
    location: Location,
    scheme: Annotated[str, typer.Argument(help="Security scheme, OAuth 2 or OpenID Connect.")],
    auth: Auth = None,
    auth_host: AuthHost = None,
    allow_host: AllowHost = None,
    device: Annotated[bool, typer.Option("--device", help="Type a code on any device.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="Ask for this scope alone.")] = None,
    port: Annotated[int, typer.Option(help="Port of the redirect, if the server wants it exact.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long to wait for you.", min=1)] = 300.0,
    as_json: AsJSON = False,
) -> None:
    """Log in in the browser, or with a code, and keep the token in a file that only you can read.

    The client is named with --auth SCHEME.client_id=... (and SCHEME.client_secret=env:NAME). Afterwards
    --auth SCHEME=login uses the token.
    """
    from toolhaft.auth.login import log_in
    from toolhaft.auth.storage import TokenFile
    from toolhaft.tools.loop import run_sync

    hosts = list(auth_host or ())
    for _ in range(4):  # address of the login, of tokens, of metadata, and the login itself
        catalog = _open(location, auth, hosts, allow_host)
        use, tool, origins = _find(catalog, scheme)
        made = tool.auth
        try:
            kept = run_sync(
                log_in(
                    use,
                    made.entries,
                    origins,
                    made.around,
                    _show,
                    how="device" if device else None,
                    scopes=tuple(scope or ()),
                    port=port,
                    seconds=seconds,
                )
            )
            break
        except AuthError as error:
            origin = error.details.get("origin")
            if not isinstance(origin, str) or not _confirm(origin, scheme, error):
                raise
            hosts.append(origin)
    else:
        raise UsageError("too many authorisation servers to confirm", hint="Name them with --auth-host")
    file = TokenFile.default()
    file.put(kept)
    if as_json:
        print_json({"scheme": use.scheme, "origins": list(origins), "file": str(file.path)})
    else:
        print_line(f"Logged in for {use.scheme} at {', '.join(origins)}; kept in {file.path}")
        print_line(f"Use it: --auth {use.scheme}=login")


@app.command()
def forget(
    location: Location,
    scheme: Annotated[
        str | None, typer.Argument(help="Security scheme; all of the catalog's if left out.")
    ] = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Remove the tokens that logins left behind; the server is not told.

    Exit codes: 0 removed, or there was none.
    """
    from toolhaft.auth.storage import TokenFile

    catalog = _open(location, None, None, allow_host)
    names = [scheme] if scheme else list(_schemes(catalog))
    file = TokenFile.default()
    origins = sorted({host for tool in _tools_of(catalog) for host in tool.spec.hosts})
    removed = sum(file.forget(name, origins) for name in names)
    if as_json:
        print_json({"removed": removed, "file": str(file.path)})
    else:
        print_line(f"{removed} removed from {file.path}")


def _show(line: str) -> None:
    """Show a person what to do; an address stands in a line of its own, to be copied."""
    if line.startswith(("http://", "https://")):
        notice("Open this address in a browser on this machine, and agree:")
    notice(line)


def _open(
    location: str,
    auth: Sequence[str] | None,
    auth_host: Sequence[str] | None,
    allow_host: Sequence[str] | None,
) -> Catalog:
    return open_location(location, auth, allow_host, auth_hosts=tuple(auth_host or ()))


def _tools_of(catalog: Catalog) -> list[OpenAPITool]:
    """Return the operations in a catalog, taken out of whatever wraps them."""
    from toolhaft.openapi.tool import OpenAPITool

    found = []
    for name in catalog:
        tool: Any = catalog[name]
        while not isinstance(tool, OpenAPITool) and hasattr(tool, "inner"):
            tool = tool.inner
        if isinstance(tool, OpenAPITool):
            found.append(tool)
    return found


def _guarded(tool: OpenAPITool) -> Guarded:
    from toolhaft.auth.checking import Guarded

    return Guarded(
        name=tool.spec.name,
        security=tool.wire.security,
        origins=tool.spec.hosts,
        trusted=tool.wire.trusted and bool(tool.spec.hosts),
    )


def _schemes(catalog: Catalog) -> dict[str, tuple[SchemeUse, OpenAPITool]]:
    return {
        use.scheme: (use, tool)
        for tool in _tools_of(catalog)
        if tool.wire.trusted
        for alternative in tool.wire.security
        for use in alternative
    }


def _find(catalog: Catalog, scheme: str) -> tuple[SchemeUse, OpenAPITool, tuple[str, ...]]:
    """Return a scheme with the scopes of all operations, a tool that wants it, and the API's origins."""
    from dataclasses import replace

    known = _schemes(catalog)
    if scheme not in known:
        raise UnknownNameError("security scheme", scheme, list(known), where=catalog.name)
    use, tool = known[scheme]
    scopes: dict[str, None] = {}
    origins: dict[str, None] = {}
    for each in _tools_of(catalog):
        for wanted in (use for alternative in each.wire.security for use in alternative):
            if wanted.scheme == scheme and each.wire.trusted:
                scopes.update(dict.fromkeys(wanted.scopes))
                origins.update(dict.fromkeys(each.spec.hosts))
    return replace(use, scopes=tuple(scopes)), tool, tuple(origins)


def _confirm(origin: str, scheme: str, error: AuthError) -> bool:
    """Ask the person at the terminal whether an authorisation server may be spoken to."""
    import sys

    if not sys.stdin.isatty():
        return False
    notice(f"{error.what}.")
    return typer.confirm(f"Log in for {scheme} there ({origin})?", default=False, err=True)


async def _ask(
    found: SecurityCheck, operations: Sequence[Guarded], tools: Sequence[OpenAPITool]
) -> list[dict[str, str]]:
    from toolhaft.auth.checking import ask_live

    entries = []
    for scheme in found.schemes:
        outcome = await ask_live(scheme, operations, tools[0].auth)
        if outcome:
            accepted = "no" if outcome.startswith("failed") else "yes"
            entries.append(
                {"what": f"token for {scheme.use.scheme}", "outcome": outcome, "accepted": accepted}
            )
    locked = set(found.locked)
    probed: set[str] = set()
    for tool in tools:
        wanted = {use.scheme for alternative in tool.wire.security for use in alternative}
        if tool.spec.name in locked or not wanted or wanted <= probed or not _is_harmless(tool):
            continue
        probed |= wanted
        entries.append(await _probe(tool))
    return entries


def _is_harmless(tool: OpenAPITool) -> bool:
    return tool.spec.effect == "read" and tool.wire.method == "GET" and not tool.spec.required


async def _probe(tool: OpenAPITool) -> dict[str, str]:
    """Call an operation that only reads, with the caller's secrets and without."""
    from dataclasses import replace

    from toolhaft.errors import ToolhaftError

    request = replace(tool.request({}), timeout=20.0)
    choice = tool.auth.choose(tool.wire.security, tool.spec.hosts)
    name = f"GET {tool.wire.path}"
    try:
        given = (await tool.auth.sender(tool.sender(), choice).send(request)).status
        bare = (await tool.sender().send(replace(request, credentials=()))).status
    except ToolhaftError as error:
        return {"what": name, "outcome": f"failed: {error.what}", "accepted": "no"}
    accepted = "no" if given in (401, 403) else "yes" if given < 400 else "unclear"
    return {
        "what": name,
        "outcome": f"{given} with what was given, {bare} without",
        "accepted": accepted,
    }


def _print_check(found: SecurityCheck) -> None:
    if found.schemes:
        _print_schemes(found.schemes)
        print_line()
    total = found.open + found.unlocked + len(found.locked)
    print_line(
        f"{total} operation{'' if total == 1 else 's'}: {found.open} ask for nothing, "
        f"{found.unlocked} can be called with what is given, {len(found.locked)} cannot"
    )
    if found.locked:
        shown = ", ".join(found.locked[:_SHOWN])
        more = len(found.locked) - _SHOWN
        print_line(f"Locked: {shown}{f' and {more} more' if more > 0 else ''}")


def _elsewhere(operations: Sequence[Guarded]) -> dict[str, list[str]]:
    """Return host -> operations that want secrets there, and get none: it is no server of the document."""
    from urllib.parse import urlsplit

    found: dict[str, list[str]] = {}
    for operation in operations:
        if operation.security and not operation.trusted:
            for host in {urlsplit(origin).hostname or "" for origin in operation.origins} - {""}:
                found.setdefault(host, []).append(operation.name)
    return found


def _print_elsewhere(elsewhere: dict[str, list[str]]) -> None:
    for host, names in list(elsewhere.items())[:_SHOWN]:
        count = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print_line(
            f"No secrets are sent to {host}, which is no server of the whole document ({names[0]}{count}): "
            f"if it is to have them, import the document with --allow-host {host}"
        )


def _print_schemes(schemes: Sequence[SchemeCheck]) -> None:
    print_table(
        ("SCHEME", "KIND", "STATE", "CALLABLE", "GIVEN OR NEEDED"),
        [
            (
                scheme.use.scheme,
                scheme.use.kind,
                "given" if scheme.is_satisfied else "missing" if scheme.way is None else "not usable",
                f"{scheme.unlocked} of {len(scheme.operations)}",
                _needs(scheme),
            )
            for scheme in schemes
        ],
    )


def _needs(scheme: SchemeCheck) -> str:
    if scheme.problem:
        return scheme.problem
    scopes = f"; scopes {' '.join(scheme.use.scopes)}" if scheme.use.scopes else ""
    return f"{', '.join(name for name, _ in scheme.given)}{scopes}"
