"""``toolhaft call``: one call of one tool."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from toolhaft.cli.inputs import arguments
from toolhaft.cli.output import print_json, print_line
from toolhaft.cli.tools import AllowHost, AsJSON, Auth, Location, open_location
from toolhaft.errors import UsageError


def call(
    location: Location,
    tool: Annotated[str, typer.Argument(help="Name of the tool.")],
    words: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Arguments.")] = None,
    body: Annotated[str | None, typer.Option(help="Arguments as a JSON object, or @FILE.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the request instead of sending it.")] = False,
    curl: Annotated[bool, typer.Option(help="Print the request as a curl command.")] = False,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Call one tool. You ask for it yourself, so no policy stands between."""
    catalog = open_location(location, auth, allow_host)
    spec = catalog.spec(tool)
    given = arguments(spec, words or (), body)
    if dry_run or curl:
        catalog.check(spec, given)
        request = catalog[tool].request(given)
        if request is None:
            raise UsageError(
                f"the tool {tool!r} sends no HTTP request", hint="Leave out --dry-run and --curl"
            )
        _print_request(request, curl=curl, as_json=as_json)
        return
    value = catalog.call_sync(tool, **given)
    if isinstance(value, str) and not as_json:
        print_line(value)
    else:
        print_json(value)


def _print_request(request: Any, *, curl: bool, as_json: bool) -> None:
    secret_headers = [
        (credential.name, f"{credential.prefix}<{credential.secret}>")
        for credential in request.credentials
        if credential.place == "header"
    ]
    headers = [*request.headers, *secret_headers]
    text = request.body.decode("utf-8", "replace") if request.body is not None else None
    if as_json:
        print_json({"method": request.method, "url": request.url, "headers": headers, "body": text})
    elif curl:
        words = ["curl", "-X", request.method, request.url]
        for name, value in headers:
            words += ["-H", f"{name}: {value}"]
        if text is not None:
            words += ["--data-raw", text]
        print_line(shlex.join(words))
    else:
        print_line(f"{request.method} {request.url}")
        for name, value in headers:
            print_line(f"{name}: {value}")
        if text is not None:
            print_line()
            print_line(text)
