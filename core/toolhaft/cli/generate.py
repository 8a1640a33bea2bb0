"""``toolhaft generate``: training data from the tools of a catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AllowHost, AsJSON, Auth, Location, open_location
from toolhaft.cli.output import notice, print_json, print_line, print_table
from toolhaft.cli.progress import ProgressBar
from toolhaft.errors import UsageError
from toolhaft.text import shorten

if TYPE_CHECKING:
    from toolhaft.generators.base import Environment
    from toolhaft.generators.pipeline import Pipeline, Plan, Result
    from toolhaft.generators.solutions import Solver
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.catalog import Catalog

_NONE = "none"
WORLD_TASKS = "world-tasks.json"

Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
Number = Annotated[int, typer.Option("-n", help="How many tasks.", min=1)]
Generators = Annotated[
    list[str] | None,
    typer.Option(help="one-tool, category, chain, or what plugins bring; several take turns."),
]
Solve = Annotated[str, typer.Option(help="reference (plays the gold calls back), none, or a planner.")]
TeacherName = Annotated[str, typer.Option(help="Who writes instructions: template, or a model's name.")]
Operations = Annotated[str, typer.Option(help="all, half, other-half, or names with * and commas between.")]
Phrasings = Annotated[int, typer.Option(help="Instructions for each set of calls.", min=1)]
Calls = Annotated[int, typer.Option(help="Most calls of read tools to learn what exists; 0: none.", min=0)]
RetrieverName = Annotated[str, typer.Option(help="Finds the tools beside the needed; random draws them.")]
Threshold = Annotated[float, typer.Option(help="Similarity from which a text is a near-copy.")]
SplitBy = Annotated[str, typer.Option(help="How the test part is split off: instruction, or tool.")]
HeldOut = Annotated[Path | None, typer.Option(help="Tasks (.jsonl) that nothing made may be near.")]
Include = Annotated[list[str] | None, typer.Option(help="A label whose rows are exported too.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where tasks are made: the tools, where they may be called, and what must not be written down."""

    catalog: Catalog
    environment: Environment | None
    secrets: SecretStore
    is_world: bool = False


def generate(
    location: Location,
    output: Output,
    n: Number = 200,
    seed: Annotated[int, typer.Option(help="For everything that draws lots.")] = 0,
    generator: Generators = None,
    solve: Solve = "reference",
    model: Annotated[str, typer.Option(help="Who decides for a planner.")] = "auto",
    teacher: TeacherName = "template",
    operations: Operations = "all",
    phrasings: Phrasings = 1,
    calls: Calls = 400,
    k: Annotated[int, typer.Option("-k", help="Tools that a model is shown.", min=1)] = 8,
    retriever: RetrieverName = "bm25",
    threshold: Threshold = 0.7,
    test: Annotated[float, typer.Option(help="Share of a test part; 0: none.", min=0.0, max=0.9)] = 0.0,
    split: Annotated[
        str, typer.Option(help="How the test part is split off: instruction, tool.")
    ] = "instruction",
    held_out: HeldOut = None,
    include: Include = None,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Make tasks for tools, solve them, check the solutions, and write training rows.

    Only tools that read are called, but in a demo world (world:), where every task has a run of its own.
    Begun again with the same settings and folder, it goes on where it stopped.
    """
    from toolhaft.tools.loop import run_sync

    choices: dict[str, Any] = {
        "location": location,
        "generators": list(generator or ["one-tool"]),
        "solve": solve,
        "model": model if solve not in ("reference", _NONE) else "",
        "teacher": teacher,
        "operations": operations,
        "phrasings": phrasings,
        "calls": calls,
        "k": k,
        "retriever": retriever,
        "held_out": str(held_out) if held_out else "",
    }
    plan = _plan(choices, n, seed, threshold, test, split, include or ())
    bar = ProgressBar()

    async def work() -> Result:
        async with _place(location, operations, auth, allow_host, calls=calls) as place:
            made = await _pipeline(place, output, plan, choices, bar, held_out)
            result = await made.run()
            if place.is_world:
                _write_world_tasks(output)
            return result

    with bar.showing("Tasks", n):
        result = run_sync(work())
    _show(output, plan, result, as_json=as_json)
    raise typer.Exit(0 if result.tasks else 1)


def _plan(
    choices: Mapping[str, Any],
    n: int,
    seed: int,
    threshold: float,
    test: float,
    split: str,
    include: Sequence[str],
) -> Plan:
    from toolhaft.generators.pipeline import Plan
    from toolhaft.generators.rows import check_include

    labels = set(check_include(include))
    if choices["solve"] in ("reference", _NONE):
        labels.add("scripted")  # to have them played back is to ask for them
    return Plan(
        n=n,
        seed=seed,
        threshold=threshold,
        share=test,
        by=split,  # type: ignore[arg-type]  # checked there
        include=tuple(sorted(labels)),
        settings=dict(choices),
    )


@asynccontextmanager
async def _place(
    location: str,
    operations: str,
    auth: Sequence[str] | None,
    allow_host: Sequence[str] | None,
    *,
    calls: int,
) -> AsyncIterator[Place]:
    """Open the tools, and a world of its own where that is what they are."""
    from toolhaft.agent.work import learn_keys
    from toolhaft.cli.inputs import pairs
    from toolhaft.generators.environment import ReadOnly
    from toolhaft.secrets import SecretStore

    scheme, colon, rest = location.partition(":")
    if scheme == "world" and colon and not rest.startswith("http"):
        from toolhaft.world.server import World

        async with World(folder=Path(rest) if rest else None) as world:
            catalog = await world.catalog("catalog")
            try:
                chosen = _chosen(catalog, operations)
                yield Place(
                    catalog=chosen, environment=world, secrets=SecretStore(world.secrets), is_world=True
                )
            finally:
                await catalog.close()
        return
    import asyncio

    secrets = SecretStore()
    learn_keys(secrets, pairs(auth or (), "--auth"))
    catalog = await asyncio.to_thread(open_location, location, auth, allow_host)
    try:
        chosen = _chosen(catalog, operations)
        yield Place(catalog=chosen, environment=ReadOnly(catalog) if calls else None, secrets=secrets)
    finally:
        await catalog.close()


def _chosen(catalog: Catalog, operations: str) -> Catalog:
    """Return the tools that are meant.

    Raises:
        UsageError: None is.
    """
    if operations == "all":
        return catalog
    names = list(catalog.names)
    if operations in ("half", "other-half"):
        start = 0 if operations == "half" else 1
        return catalog.select(*sorted(names)[start::2])
    patterns = [pattern.strip() for pattern in operations.split(",") if pattern.strip()]
    found = [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not found:
        raise UsageError(
            f"no tool is named like {operations!r:.200}",
            where="--operations",
            hint="Use all, half, other-half, or names as `toolhaft tools list` prints them",
        )
    return catalog.select(*found)


async def _pipeline(
    place: Place,
    output: Path,
    plan: Plan,
    choices: Mapping[str, Any],
    bar: ProgressBar,
    held_out: Path | None,
) -> Pipeline:
    from toolhaft.generators.folder import read_tasks
    from toolhaft.generators.pipeline import Pipeline
    from toolhaft.hooks.registry import Registry

    registry = Registry.default()
    settings: dict[str, Any] = {"calls": choices["calls"], "phrasings": choices["phrasings"]}
    if choices["teacher"] != "template":
        settings["teacher"] = _teacher(choices["teacher"], place.secrets)
    made = [registry.generator(name, **settings) for name in choices["generators"]]
    shown: dict[str, int] = {}

    def progress(stage: str, done: int, planned: int) -> None:
        if shown.setdefault(stage, 0) < done:
            shown[stage] = done
            bar.advance(f"{stage.capitalize()} {done} of {planned}")

    return Pipeline(
        place.catalog,
        output,
        made,
        plan,
        environment=place.environment,
        solver=_solver(place, plan, choices),
        held_out=[task.instruction for task in read_tasks(held_out)] if held_out else (),
        secrets=place.secrets,
        progress=progress,
    )


def _teacher(name: str, secrets: SecretStore) -> Any:
    from toolhaft.agent import open_model
    from toolhaft.generators.model_teacher import ModelTeacher

    return ModelTeacher(open_model(name, secrets=secrets, warn=notice))


def _solver(place: Place, plan: Plan, choices: Mapping[str, Any]) -> Solver | None:
    from toolhaft.agent import open_model
    from toolhaft.generators.offering import Offer
    from toolhaft.generators.solutions import Solver
    from toolhaft.hooks.registry import Registry

    if choices["solve"] == _NONE or place.environment is None:
        return None
    registry = Registry.default()
    reference = choices["solve"] == "reference"
    name = choices["retriever"]
    offer = Offer(
        place.catalog.specs(),
        k=choices["k"],
        retriever=None if name == "random" else registry.retriever(name),
    )
    return Solver(
        place.environment,
        registry.planner("react" if reference else choices["solve"]),
        offer,
        registry.evaluator("state"),
        fallback=registry.evaluator("match"),
        model=None if reference else open_model(choices["model"], secrets=place.secrets, warn=notice),
        secrets=place.secrets,
        seed=plan.seed,
    )


def _write_world_tasks(folder: Path) -> None:
    """Write the tasks once more, as ``toolhaft eval world --tasks`` reads them."""
    import json

    from toolhaft.generators.folder import TASKS, read_tasks
    from toolhaft.report.files import write_whole, writing
    from toolhaft.types import to_value

    rows = []
    for task in read_tasks(folder / TASKS):
        row = to_value(task)
        more = {
            name: row["metadata"].pop(name) for name in ("solution", "approve") if name in row["metadata"]
        }
        rows.append({**row, **more, "seed": 0})
    with writing(folder):
        write_whole(folder / WORLD_TASKS, [json.dumps(rows, indent=1, ensure_ascii=False).encode()])


def _show(folder: Path, plan: Plan, result: Result, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({**asdict(result), "include": list(plan.include), "folder": str(folder)})
        return
    print_line(f"{result.tasks} tasks of {result.tools} tools; {result.solved} of {result.tried} solved.")
    for name, count in result.rows.items():
        print_line(f"{count} rows in {folder / name}")
    if result.drops:
        print_line()
        rows = [
            (count, reason, shorten(result.examples.get(reason, ""), 100))
            for reason, count in result.drops.items()
        ]
        print_table(["LEFT OUT", "WHY", "FOR EXAMPLE"], rows)
        if any(reason.startswith("labelled ") for reason in result.drops):
            print_line("To have them too: --include LABEL, with another folder")
    if "scripted" in plan.include and any(result.rows.values()):
        notice("These rows play gold calls back: their label is 'scripted'.")
