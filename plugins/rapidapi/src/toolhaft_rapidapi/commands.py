"""``toolhaft rapidapi``: serve APIs without them, and read StableToolBench's cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from toolhaft_rapidapi.server import VirtualServer

_AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def serve(
    path: Annotated[Path, typer.Argument(help="Tool file, folder of them, JSON lines, or queries.")],
    port: Annotated[
        int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one.", min=0, max=65535)
    ] = 8710,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answers.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="File with kept answers; made if missing.")] = None,
    responses: Annotated[
        Path | None, typer.Option(help="Folder of ToolBench's response_examples: shapes of answers.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the APIs for what is not kept, with the key in RAPIDAPI_KEY.")
    ] = False,
    compatible: Annotated[
        bool, typer.Option("--compatible", help="Responses as texts, as old clients expect.")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A private host that live calls may speak to.")
    ] = None,
    as_json: _AsJSON = False,
) -> None:
    """Serve APIs by ToolBench's contract at /virtual and /rapidapi, until Ctrl-C.

    Kept answers come first, the rest is simulated; every reply says which. Only this machine can ask. Exit
    codes: 0 ended with Ctrl-C, 1 there are no tools or the cache is damaged, 2 wrong usage, a port that is
    taken or a key that is not set.
    """
    from toolhaft.cli.output import notice, print_json
    from toolhaft_rapidapi.server import VirtualServer

    server = VirtualServer(
        path,
        port=port,
        seed=seed,
        cache=cache,
        responses=responses,
        live=live,
        compatible=compatible,
        allow_hosts=tuple(allow_host or ()),
    )
    try:
        server.start()
        if as_json:
            print_json(_facts(server))
        else:
            _print(server, path)
        _wait(server)
    except KeyboardInterrupt:
        notice("The server is closed.")
    finally:
        server.stop()


def import_cache(
    folder: Annotated[
        Path, typer.Argument(help="CATEGORY/TOOL_for_CATEGORY/API.json, as StableToolBench's.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Cache file to write or add to.")],
    as_json: _AsJSON = False,
) -> None:
    """Read StableToolBench's cache into a file for ``rapidapi serve --cache``.

    Exit codes: 0 everything was kept, 3 something was left out, 1 there is no answer, 2 wrong usage.
    """
    from toolhaft.cli.output import print_json, print_line
    from toolhaft_rapidapi.cache import AnswerCache
    from toolhaft_rapidapi.stable_cache import import_cache as read

    with AnswerCache(output) as cache:
        report = read(folder, cache)
    left_out = [str(problem) for problem in report.problems]
    if as_json:
        facts = {
            "files": report.files,
            "answers": report.answers,
            "left_out": left_out,
            "output": str(output),
        }
        print_json(facts)
    else:
        print_line(f"{report.answers} answers from {report.files} files, {len(left_out)} left out")
        for line in left_out[:20]:
            print_line(f"  {line}")
        print_line(f"Written to {output}")
    if left_out:
        raise typer.Exit(3)


def _facts(server: VirtualServer) -> dict[str, Any]:
    return {
        "title": server.title,
        "url": server.base_url,
        "seed": server.seed,
        "apis": server.apis,
        "kept_answers": server.answers,
        "live": server.live,
        "routes": [f"{server.base_url}/virtual", f"{server.base_url}/rapidapi"],
    }


def _print(server: VirtualServer, path: Path) -> None:
    from toolhaft.cli.output import print_line

    print_line(f"{server.apis} APIs of {server.title} are at {server.base_url}/virtual (seed {server.seed}).")
    rest = "asked of the APIs, and simulated where a read fails" if server.live else "simulated"
    print_line(f"{server.answers} answers are kept; the rest is {rest}. Ctrl-C ends it.")
    print_line(f"\nFor another terminal: toolhaft tools list 'rapidapi:{path}?server={server.base_url}'")


def _wait(server: VirtualServer) -> None:
    import sys

    sys.stdout.flush()
    server.wait()
