"""``toolhaft serve``: servers on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from toolhaft.world.server import World

app = typer.Typer(
    help="Serve on this machine's loopback.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def serve() -> None:
    """Serve a world on this machine's loopback."""


@app.command()
def world(
    port: Annotated[
        int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one.", min=0, max=65535)
    ] = 8700,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 0,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of a world of your own; the bundled one by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Serve the demo world, or one of your own, until Ctrl-C.

    Prints where each service and its OpenAPI document are, and the credentials made for this start.
    """
    from toolhaft.cli.output import notice, print_json
    from toolhaft.world.server import World

    demo = World(seed=seed, port=port, folder=folder)
    demo.start()
    try:
        if as_json:
            print_json(_facts(demo))
        else:
            _print_text(demo)
        _wait(demo)
    except KeyboardInterrupt:
        notice(f"{demo.title} is closed.")
    finally:
        demo.stop()


def _wait(demo: World) -> None:
    import sys

    sys.stdout.flush()
    demo.wait()


def _facts(demo: World) -> dict[str, Any]:
    return {
        "title": demo.title,
        "url": demo.base_url,
        "seed": demo.seed,
        "services": {
            name: {"url": demo.service_url(name), "document": f"{demo.base_url}/{name}/openapi.json"}
            for name in demo.services
        },
        "tasks": str(demo.folder / "tasks"),
        "reset": f"{demo.base_url}/runs/RUN/reset",
        "state": f"{demo.base_url}/runs/RUN/state",
        # Made for this start, for this machine's loopback: whoever reads this output is meant to use them.
        "environment": demo.secrets,
    }


def _print_text(demo: World) -> None:
    from toolhaft.cli.output import print_line, print_table

    print_line(f"{demo.title} is at {demo.base_url} (seed {demo.seed}); Ctrl-C ends it.\n")
    rows = [
        (name, demo.service_url(name), f"{demo.base_url}/{name}/openapi.yaml", demo.authentication(name))
        for name in demo.services
    ]
    print_table(("SERVICE", "URL", "DOCUMENT", "CREDENTIAL"), rows)
    print_line("\nThe credentials of this start, for another terminal:\n")
    for name, value in demo.secrets.items():
        print_line(f"  export {name}={value}")
    print_line(f"\nThen: toolhaft tools list world:{demo.base_url}")
    print_line("Each run has a state of its own: write another name in place of 'default' in the URL.")
    print_line(f"\nThe tasks are in {demo.folder / 'tasks'}. For an agent of your own:\n")
    print_line(f'  POST {demo.base_url}/runs/RUN/reset with {{"task": ID}} begins a task')
    print_line(f"  GET  {demo.base_url}/runs/RUN/state shows what was left, for the task's checks")
