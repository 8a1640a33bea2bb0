"""``toolhaft tools``: import, list, show, search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Location, open_location
from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.errors import UsageError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
)


_NOTED = 40
"""Lines of a report that are printed."""
_LIMITS = {
    "const": "=",
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
    "minLength": "characters >=",
    "maxLength": "characters <=",
    "minItems": "items >=",
    "maxItems": "items <=",
    "pattern": "pattern",
    "format": "format",
    "default": "default",
}
"""Keyword of JSON Schema -> how it is shown."""


@app.callback()
def group() -> None:
    """Import, list, show and search tools."""


@app.command("import")
def import_(
    location: Location,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Catalog file to write.")] = None,
    prefix: Annotated[str, typer.Option(help="Put this before every name, as in shop_.")] = "",
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Import tools, print what became of each operation, and keep them in a catalog file.

    Exit codes: 0 everything became a tool, 3 something was skipped, 1 nothing can be read, 2 wrong usage.
    """
    if output is not None and output.suffix != ".catalog":
        raise UsageError(f"{str(output)!r} does not end in .catalog", hint="Name it, say, pets.catalog")
    catalog = open_location(location, auth, allow_host)
    if prefix:
        catalog = catalog.prefix(prefix)
    if output is not None:
        catalog.save(output)
    report = catalog.report
    if as_json:
        print_json(
            {
                "name": catalog.name,
                "tools": len(catalog),
                "report": report.to_dict() if hasattr(report, "to_dict") else report,
                "output": str(output) if output else None,
            }
        )
    else:
        print_line(f"{catalog.name}: {len(catalog)} tools")
        _print_report(report)
        if output is not None:
            print_line(f"Written to {output}")
            if auth:
                notice("Secrets are not kept in it: give --auth again with call and run.")
    if _count(report, "skipped"):
        raise typer.Exit(3)


@app.command("list")
def list_(
    location: Location, auth: Auth = None, allow_host: AllowHost = None, as_json: AsJSON = False
) -> None:
    """List the tools of a catalog."""
    specs = open_location(location, auth, allow_host).specs()
    if as_json:
        print_json([{"name": s.name, "effect": s.effect, "description": s.description} for s in specs])
        return
    print_table(
        ("NAME", "EFFECT", "DESCRIPTION"),
        ((spec.name, spec.effect, _first_line(spec.description)) for spec in specs),
    )


@app.command()
def show(
    location: Location,
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Show one tool whole: what a model is told about it."""
    from toolhaft.types import to_value

    spec = open_location(location, auth, allow_host).spec(name)
    if as_json:
        print_json(to_value(spec))
        return
    repeatable = ", repeatable" if spec.repeatable else ""
    print_line(f"{spec.name}  ({spec.effect}{repeatable})")
    print_line(f"from {spec.source}")
    if spec.description:
        print_line()
        print_line(spec.description)
    print_line()
    rows = [
        (key, _kind(schema), "yes" if key in spec.required else "", _first_line(_text(schema)))
        for key, schema in spec.properties.items()
    ]
    print_table(("ARGUMENT", "TYPE", "REQUIRED", "DESCRIPTION"), rows)


@app.command()
def search(
    location: Location,
    query: Annotated[str, typer.Argument(help="What you want to do.")],
    k: Annotated[int, typer.Option("-k", help="How many tools at most.", min=1)] = 5,
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Find the tools for an instruction."""
    import asyncio

    from toolhaft.hooks.registry import Registry

    catalog = open_location(location, auth, allow_host)
    finder = Registry.default().retriever(retriever)

    async def find() -> Any:
        await finder.index(catalog.specs())
        return await finder.retrieve(query, k)

    hits = asyncio.run(find())
    if as_json:
        print_json([{"name": hit.item.name, "score": hit.score} for hit in hits])
        return
    if not hits:
        print_line("No tool shares a word with that.")
        return
    print_table(
        ("SCORE", "NAME", "DESCRIPTION"),
        ((f"{hit.score:.2f}", hit.item.name, _first_line(hit.item.description)) for hit in hits),
    )


def _print_report(report: Any) -> None:
    if report is None:
        return
    print_line(str(report) if not isinstance(report, dict) else _summary(report))
    found = report.to_dict() if hasattr(report, "to_dict") else {}
    lines = [f"note: {warning}" for warning in found.get("warnings", [])]
    for operation in found.get("operations", []):
        if operation.get("outcome") != "imported":
            reasons = "; ".join(_reason(reason) for reason in operation.get("reasons", ()))
            which = " ".join(operation[key] for key in ("method", "path") if operation.get(key))
            lines.append(f"{operation['outcome']}: {which or operation.get('file', '')}: {reasons}")
    for line in lines[:_NOTED]:
        print_line(f"  {line}")
    if len(lines) > _NOTED:
        print_line(f"  ... and {len(lines) - _NOTED} more; --json shows them all")


def _reason(reason: Any) -> str:
    return " ".join(str(v) for v in reason.values()) if isinstance(reason, dict) else str(reason)


def _summary(report: dict[str, Any]) -> str:
    return ", ".join(f"{report.get(key, 0)} {key}" for key in ("imported", "degraded", "skipped"))


def _count(report: Any, key: str) -> int:
    value = report.get(key) if isinstance(report, dict) else getattr(report, key, 0)
    return value if isinstance(value, int) else 0


def _kind(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "any"
    if "enum" in schema:
        rest = " | ..." if len(schema["enum"]) > 6 else ""
        return " | ".join(str(value) for value in schema["enum"][:6]) + rest
    kind = schema.get("type", "any")
    shown = "/".join(str(each) for each in kind) if isinstance(kind, list) else str(kind)
    if "array" in shown and isinstance(schema.get("items"), dict):
        shown += f" of {_kind(schema['items'])}"
    limits = [f"{sign} {schema[key]}" for key, sign in _LIMITS.items() if key in schema]
    return ", ".join([shown, *limits])


def _text(schema: Any) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]
