"""``toolhaft models``: what can be named as a model, and which servers run on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from toolhaft.cli.output import notice, print_json, print_line, print_table

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
)
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

FORMS = {
    "openai": "openai:NAME",
    "http": "http://HOST:PORT/v1#NAME",
    "https": "https://HOST/v1#NAME",
    "replay": "replay:FILE.jsonl",
    "heuristic": "heuristic",
}
"""How a model of the core is written; those of plugins take their scheme and a name."""


@app.callback()
def group() -> None:
    """List the models that can be named, and detect local servers."""


@app.command("list")
def list_models(as_json: AsJSON = False) -> None:
    """List the kinds of models that are installed, and what ``auto`` stands for now."""
    from toolhaft.hooks.registry import Registry
    from toolhaft.models.resolve import AUTO, describe
    from toolhaft.settings import load_settings

    auto = describe(AUTO, load_settings())
    rows = [
        {
            "scheme": registration.name,
            "reference": FORMS.get(registration.name, f"{registration.name}:NAME"),
            "plugin": registration.plugin,
        }
        for registration in Registry.default().registrations("model")
    ]
    if as_json:
        print_json({"auto": auto, "models": rows})
        return
    print_table(("scheme", "write", "plugin"), [tuple(row.values()) for row in rows])
    print_line(f"auto stands for {auto}")


@app.command()
def detect(
    as_json: AsJSON = False,
    port: Annotated[
        list[int] | None,
        typer.Option(help="A port of this machine to ask instead of the usual ones.", min=1, max=65_535),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each port.", min=0.1, max=60)] = 2.0,
) -> None:
    """Ask the usual ports of this machine (Ollama, LM Studio, vLLM, llama.cpp) for their models."""
    from toolhaft.models.listing import SERVERS
    from toolhaft.models.listing import detect as detect_servers
    from toolhaft.tools.loop import run_sync
    from toolhaft.types import to_value

    ports = tuple(port or SERVERS)
    found = run_sync(detect_servers(ports, timeout=timeout))
    if as_json:
        print_json({"ports": list(ports), "servers": [to_value(each) for each in found]})
        return
    rows = [(f"{each.base_url}#{name}", each.server) for each in found for name in each.models]
    if rows:
        print_table(("model", "usually"), rows)
    for each in found:
        if each.problem or not each.models:
            notice(f"{each.base_url}: {each.problem or 'serves no model'}")
    if not found:
        notice(
            f"No model server answers on port {', '.join(map(str, ports))} of this machine; "
            "start one (for example `ollama serve`), or set OPENAI_API_KEY"
        )
