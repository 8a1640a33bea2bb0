"""``toolhaft call``: one call of one tool."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Location, open_location
from toolhaft.cli.images import file_name, take_files
from toolhaft.cli.inputs import arguments
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.errors import InvalidArgumentsError, ToolhaftError, UsageError
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.handles import Handles
from toolhaft.types import Artifact, Observation

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog

_LONGEST = 100_000_000
"""Characters of a result that are printed; the HTTP limits are far below."""


def call(
    location: Location,
    tool: Annotated[str, typer.Argument(help="Name of the tool.")],
    words: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Arguments.")] = None,
    body: Annotated[str | None, typer.Option(help="Arguments as a JSON object, or @FILE.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the request instead of sending it.")] = False,
    curl: Annotated[bool, typer.Option(help="Print the request as a curl command.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File, or folder, for images and files that come back."),
    ] = None,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Call one tool. You ask for it yourself, so no policy stands between.

    Exit codes: 0 done, 1 the call failed, 2 wrong usage, wrong arguments among it.
    """
    from toolhaft.tools.loop import run_sync

    catalog = open_location(location, auth, allow_host)
    spec = catalog.spec(tool)
    artifacts, handles = ArtifactStore(), Handles()
    given = take_files(spec, arguments(spec, words or (), body), artifacts, handles)
    try:
        catalog.check(spec, given)
    except InvalidArgumentsError as error:
        raise UsageError(error.what, where=error.where, hint=error.hint, code=error.code) from None
    if dry_run or curl:
        request = catalog[tool].request(given)
        if request is None:
            raise UsageError(
                f"the tool {tool!r} sends no HTTP request", hint="Leave out --dry-run and --curl"
            )
        _print_request(request, curl=curl, as_json=as_json)
        return
    observation = run_sync(_make(catalog, tool, given, artifacts, handles))
    failure = observation.error
    if failure is not None:
        raise ToolhaftError(failure.what, where=failure.where, hint=failure.hint, code=failure.code)
    files = [artifact for artifact in observation.artifacts() if artifact.made_by is not None]
    alone = len(files) == len(observation.parts) == 1
    if alone and output is None:
        raise UsageError(
            f"the result is a file of {files[0].size} bytes ({files[0].media_type})",
            hint="Say where to put it: -o FILE",
        )
    _keep(files, artifacts, output)
    if alone:
        return
    value = observation.value()
    if isinstance(value, str) and not as_json:
        print_line(value)
    else:
        print_json(value)


async def _make(
    catalog: Catalog, tool: str, given: dict[str, Any], artifacts: ArtifactStore, handles: Handles
) -> Observation:
    """Make the call as a rollout would, except that it is allowed."""
    from toolhaft.tools.context import RunContext
    from toolhaft.tools.execute import execute
    from toolhaft.tools.policy import Policy
    from toolhaft.tools.toolset import ToolSet
    from toolhaft.types import ToolCall

    context = RunContext(
        id=f"call-{secrets.token_hex(8)}",
        policy=Policy(allow=("*",)),
        artifacts=artifacts,
        handles=handles,
        result_cap=_LONGEST,
    )
    call = ToolCall(id="1", name=tool, arguments=given)
    try:
        return await execute(call, ToolSet(catalog, [tool]), context)
    finally:
        await catalog.close()


def _keep(files: Sequence[Artifact], artifacts: ArtifactStore, output: Path | None) -> None:
    """Write the images and files that came back: the first to the file named, others beside it.

    Raises:
        UsageError: They cannot be written.
    """
    if output is None:
        for artifact in files:
            notice(f"{artifact.line()} is not kept. To keep it, say where: -o FILE")
        return
    for position, artifact in enumerate(files):
        path = output
        if output.is_dir():
            path = output / file_name(artifact)
        elif position:
            path = output.with_name(f"{output.stem}-{file_name(artifact)}")
        try:
            path.write_bytes(artifacts.get(artifact))
        except OSError as error:
            raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from None
        notice(f"{artifact.size} bytes ({artifact.media_type}) written to {path}")


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
        for name, value in request.headers:
            words += ["-H", f"{name}: {value}"]
        if text is not None:
            words += ["--data-raw", text]
        shown = [f"-H {_quoted(f'{name}: {value}')}" for name, value in secret_headers]
        print_line(" ".join([shlex.join(words), *shown]))
    else:
        print_line(f"{request.method} {request.url}")
        for name, value in headers:
            print_line(f"{name}: {value}")
        if text is not None:
            print_line()
            print_line(text)


def _quoted(text: str) -> str:
    """Quote a word for the shell, with ``<env:NAME>`` as the variable that the shell puts in."""
    before, reference, name = text.partition("<env:")
    if not (reference and name.endswith(">") and name[:-1].isidentifier()):
        return shlex.quote(text)
    return f'{shlex.quote(before)}"${name[:-1]}"'
