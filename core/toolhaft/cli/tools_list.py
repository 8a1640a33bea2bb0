"""``toolhaft tools list`` and ``search``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, get_args

import typer

from toolhaft.cli.catalogs import AsJSON, Location, LockedOpening, Selection
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.cli.progress import ProgressBar
from toolhaft.errors import UnknownNameError
from toolhaft.tools.policy import UNAPPROVED
from toolhaft.types import Effect, ToolSpec

_EFFECTS: tuple[str, ...] = get_args(Effect)


@with_groups
def list_(
    location: Location,
    *,
    selection: Selection,
    effect: Annotated[list[str] | None, typer.Option(help="Only read, write or irreversible.")] = None,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """List the tools of a catalog; how many of each effect there are is told on stderr."""
    for word in effect or ():
        if word not in _EFFECTS:
            raise UnknownNameError("effect", word, _EFFECTS, where="--effect")
    specs = opening.open(location).specs()
    kept = [spec for spec in specs if selection.includes(spec) and (not effect or spec.effect in effect)]
    if as_json:
        print_json([_summary(spec) for spec in kept])
        return
    print_table(
        ("NAME", "EFFECT", "DESCRIPTION"),
        ((spec.name, _effect(spec), spec.description.strip().split("\n", 1)[0]) for spec in kept),
    )
    counted = Counter(_effect(spec) for spec in kept)
    of = f" of {len(specs)}" if len(kept) < len(specs) else ""
    noun = "tool" if len(specs) == 1 else "tools"
    notice(f"{len(kept)}{of} {noun}: {', '.join(f'{n} {name}' for name, n in counted.items()) or 'none'}")


@with_groups
def search(
    location: Location,
    query: Annotated[str, typer.Argument(help="What you want to do.")],
    k: Annotated[int, typer.Option("-k", help="How many tools at most.", min=1)] = 5,
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    *,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Find the tools for an instruction; what did the search is told on stderr.

    The index of a catalog file is kept beside it, so that only the first search takes its time.
    """
    import asyncio

    from toolhaft.hooks.registry import Registry

    catalog = opening.open(location)
    finder = Registry.default().retriever(retriever)
    bar = ProgressBar()

    async def find() -> Any:
        specs = catalog.specs()
        finder.progress = bar.reach
        try:
            with bar.showing("Indexing tools", len(specs)):
                await finder.index(specs)
            return await finder.retrieve(query, k), finder.engine
        finally:
            await finder.close()

    hits, engine = asyncio.run(find())
    if engine:
        notice(f"{finder.name}: {engine}")
    if as_json:
        print_json([{"name": hit.item.name, "score": hit.score} for hit in hits])
        return
    if not hits:
        print_line("No tool shares a word with that.")
        return
    print_table(
        ("SCORE", "NAME", "DESCRIPTION"),
        ((f"{hit.score:.2f}", hit.item.name, hit.item.description.strip().split("\n", 1)[0]) for hit in hits),
    )


def _effect(spec: ToolSpec) -> str:
    return "refused" if spec.metadata.get(UNAPPROVED) else spec.effect


def _summary(spec: ToolSpec) -> dict[str, Any]:
    facts = {key: spec.metadata[key] for key in ("method", "path", UNAPPROVED) if key in spec.metadata}
    return {
        "name": spec.name,
        "effect": spec.effect,
        "description": spec.description,
        **({"tags": list(spec.tags)} if spec.tags else {}),
        **facts,
    }
