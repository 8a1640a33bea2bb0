"""``toolhaft call``: one call of one tool."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.call_arguments import read_arguments
from toolhaft.cli.call_request import print_request
from toolhaft.cli.catalogs import AsJSON, Location, LockedOpening
from toolhaft.cli.images import file_name, take_files
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.errors import InvalidArgumentsError, ToolhaftError, UsageError
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.handles import Handles
from toolhaft.types import Artifact, Observation

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

_LONGEST = 100_000_000
"""Characters of a result that are printed; the HTTP limits are far below."""


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE...", help="Arguments: limit=5 filter.name=x tags[]=a photo=@FILE."),
]
Body = Annotated[
    str | None, typer.Option(help="The body, or more arguments, as JSON text or @FILE; - is standard input.")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="File, or folder, for images and files that come back.")
]
MediaType = Annotated[str | None, typer.Option(help="Type of the body, where the operation takes several.")]
Pages = Annotated[int | None, typer.Option(help="How many pages of a result to follow.", min=1)]
Wait = Annotated[float | None, typer.Option(help="Seconds to wait for what the API finishes later.", min=0)]


@with_groups
def call(
    location: Location,
    tool: Annotated[str, typer.Argument(help="Name of the tool.")],
    words: Words = None,
    body: Body = None,
    dry_run: Annotated[bool, typer.Option(help="Print the request instead of sending it.")] = False,
    curl: Annotated[bool, typer.Option(help="Print the request as a curl command.")] = False,
    output: Output = None,
    media_type: MediaType = None,
    pages: Pages = None,
    wait: Wait = None,
    server: Annotated[str | None, typer.Option(help="Base URL in place of the catalog's.")] = None,
    *,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Call one tool. You ask for it yourself, so no policy but the lock stands between.

    Exit codes: 0 done, 1 the call failed, 2 wrong usage, wrong arguments among it.
    """
    from toolhaft.tools.loop import run_sync

    settings = {
        "server": server,
        "media_types": (media_type,) if media_type else (),
        "pages": pages,
        "wait": wait,
    }
    catalog = opening.open(location, **settings)
    spec = catalog.spec(tool)
    _check_media_type(catalog[tool], media_type)
    artifacts, handles = ArtifactStore(), Handles()
    body_key, body_names = _body_names(catalog[tool])
    read = read_arguments(spec, words or (), body, body_key=body_key, body_names=body_names)
    given = take_files(spec, read, artifacts, handles)
    _warn_of_files(given)
    try:
        catalog.check(spec, given)
    except InvalidArgumentsError as error:
        raise UsageError(error.what, where=error.where, hint=error.hint, code=error.code) from None
    if dry_run or curl:
        request = _request(catalog[tool], handles.resolve(spec, given), artifacts)
        if request is None:
            raise UsageError(
                f"the tool {tool!r} sends no HTTP request", hint="Leave out --dry-run and --curl"
            )
        print_request(request, curl=curl, as_json=as_json)
        return
    observation = run_sync(_make(catalog, tool, given, artifacts, handles))
    failure = observation.error
    if failure is not None:
        raise ToolhaftError(failure.what, where=failure.where, hint=failure.hint, code=failure.code)
    _print_result(observation, artifacts, output, as_json=as_json)


def _warn_of_files(given: Mapping[str, Any]) -> None:
    """Say of texts that look like files that they are sent as texts."""
    for name, value in given.items():
        if isinstance(value, str) and value.startswith("@") and Path(value[1:]).is_file():
            notice(f"note: {name!r} takes text by the document, so {value!r} is sent, and not the file")


def _print_result(
    observation: Observation, artifacts: ArtifactStore, output: Path | None, *, as_json: bool
) -> None:
    """Print what came back, and write its files where they should go.

    Raises:
        UsageError: The result is a file, and nothing says where to put it.
    """
    files = [artifact for artifact in observation.artifacts() if artifact.made_by is not None]
    alone = len(files) == len(observation.parts) == 1
    if alone and output is None and not as_json and not sys.stdout.isatty():
        sys.stdout.buffer.write(artifacts.get(files[0]))
        notice(f"{files[0].size} bytes ({files[0].media_type}) written to standard output")
        return
    if alone and output is None:
        raise UsageError(
            f"the result is a file of {files[0].size} bytes ({files[0].media_type})",
            hint="Say where to put it: -o FILE",
        )
    _keep(files, artifacts, output)
    for note in observation.notes:
        notice(f"note: {note}")
    if alone:
        return
    value = observation.value()
    if isinstance(value, str) and not as_json:
        print_line(value)
    else:
        print_json(value)


def _body_names(tool: Tool) -> tuple[str, dict[str, str]]:
    """Return the argument that is the whole body, if there is one, and property of the body -> argument."""
    names: Mapping[Any, str] = getattr(tool, "argument_names", {})
    inside = {name: key for (place, name), key in names.items() if place == "body"}
    return inside.pop("", ""), inside


def _check_media_type(tool: Tool, media_type: str | None) -> None:
    known: Sequence[str] = getattr(tool, "media_types", ())
    if media_type is not None and media_type not in known:
        shown = ", ".join(known) or "none: there is no body"
        raise UsageError(
            f"the body cannot be {media_type!r}", where=tool.spec.name, hint=f"Types of the body: {shown}"
        )


def _request(tool: Tool, given: Mapping[str, Any], artifacts: ArtifactStore) -> Any:
    """Return the request of a call; files stand in it."""
    import inspect

    if "artifacts" in inspect.signature(tool.request).parameters:
        return tool.request(given, artifacts=artifacts)  # type: ignore[call-arg]
    return tool.request(given)


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
