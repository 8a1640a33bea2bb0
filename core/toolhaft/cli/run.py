"""``toolhaft run``: one instruction, carried out with tools."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.approval import TerminalApprover, terminal_approver
from toolhaft.cli.catalogs import AsJSON, Chosen, FindTools, LockedOpening
from toolhaft.cli.images import check_images, save_images
from toolhaft.cli.inputs import budget as read_budget
from toolhaft.cli.inputs import pairs
from toolhaft.cli.option_groups import with_groups
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.secrets import SecretStore

if TYPE_CHECKING:
    from toolhaft.agent import Agent
    from toolhaft.types import Trajectory

ModelName = Annotated[str, typer.Option(help="openai:NAME, http://HOST/v1#NAME, heuristic, auto ...")]
EXIT_CODES = {
    "answered": 0,
    "asked": 4,
    "gave_up": 1,
    "refused": 1,
    "error": 1,
    "budget": 3,
    "loop": 3,
    "cancelled": 130,
}
"""Status of a trajectory -> exit code: done, failed, partial, a person is needed, interrupted."""


@with_groups
def run(
    instruction: Annotated[str, typer.Argument(help="What to do.")],
    tools: Annotated[list[str], typer.Option(help="A catalog of tools; may be given several times.")],
    model: ModelName = "auto",
    planner: Annotated[str, typer.Option(help="Name of the planner.")] = "react",
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    k: Chosen = None,
    find_tools: FindTools = False,
    allow: Annotated[
        list[str] | None, typer.Option(help="Effect (write, irreversible) or tool that may run unasked.")
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="An image to work on; may be given several times.")
    ] = None,
    budget: Annotated[list[str] | None, typer.Option(help="A limit: --budget model_calls=40.")] = None,
    private: Annotated[bool, typer.Option(help="The instruction holds private data.")] = False,
    seed: Annotated[int, typer.Option(help="For everything that draws lots.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for record and report.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="The model's key, by reference: --api-key env:MY_KEY.")
    ] = None,
    *,
    opening: LockedOpening,
    as_json: AsJSON = False,
) -> None:
    """Carry out an instruction with tools, show it as it happens, and write record and report.

    The answer goes to standard output, everything else to standard error. Exit codes: 0 answered, 1 failed,
    2 wrong usage, 3 ended early (budget, loop), 4 a person is needed, 130 interrupted.
    """
    from toolhaft.agent import Agent, open_model
    from toolhaft.agent.work import learn_keys

    check_images(image or [])
    folder = prepare(output)
    settings: dict[str, Any] = {"api_key": api_key} if api_key else {}
    secrets = SecretStore()
    catalogs = opening.open_all(tools)
    learn_keys(secrets, pairs(opening.auth or [], "--auth"))
    agent = Agent(
        catalogs,
        model=open_model(model, secrets=secrets, warn=notice, **settings),
        planner=planner,
        retriever=retriever,
        k=k,
        find_tools=find_tools,
        budget=read_budget(budget or ()),
        allow=allow or (),
        approver=None if as_json else terminal_approver(),
        private=private,
        secrets=secrets,
        seed=seed,
        warn=notice,
    )
    trajectory, error = watch(agent, instruction, image or [], quiet=as_json)
    files, images = save(agent, trajectory, folder)
    _show(trajectory, error, files, images, as_json=as_json)
    if error is not None and not as_json:
        raise error
    raise typer.Exit(exit_code(trajectory))


def refused_calls(trajectory: Trajectory) -> list[str]:
    """Return the names of the tools whose calls wait for leave, each once."""
    return list(
        dict.fromkeys(
            observation.tool
            for observation in trajectory.observations()
            if observation.error is not None and observation.error.code == "E-TOOL-REFUSED"
        )
    )


def exit_code(trajectory: Trajectory) -> int:
    """Return the exit code of a rollout.

    4 where a call waits for a person's leave; 1 where calls were made and none succeeded.
    """
    code = EXIT_CODES[trajectory.status]
    if code in (0, 1) and refused_calls(trajectory):
        return 4
    observations = list(trajectory.observations())
    if code == 0 and observations and all(observation.failed for observation in observations):
        return 1
    return code


def watch(
    agent: Agent, instruction: Any, images: list[Path], *, quiet: bool, final_state: Any = None
) -> tuple[Trajectory, ToolhaftError | None]:
    """Run an agent while showing what it does; Ctrl-C ends it and keeps what was done.

    Returns:
        The trajectory, and the error that ended it, if one did.
    """
    from toolhaft.report.terminal import LiveTree
    from toolhaft.tools.loop import run_sync

    finished: list[Trajectory] = []

    async def show() -> None:
        with LiveTree(quiet=quiet, redact=agent.secrets.redact) as tree:
            if isinstance(agent.approver, TerminalApprover):
                agent.approver.screen = tree
            async for event in agent.stream(instruction, artifacts=images, final_state=final_state):
                tree.feed(event)
                if event.type == "rollout_finished":
                    finished.append(event.trajectory)

    try:
        run_sync(show(), on_interrupt=agent.cancel)
    except ToolhaftError as error:
        if not finished:
            raise
        return finished[0], error
    return finished[0], None


def _show(
    trajectory: Trajectory,
    error: ToolhaftError | None,
    files: Any,
    images: dict[str, Path],
    *,
    as_json: bool,
) -> None:
    """Print the answer, what waits for leave, and where the images and the report are."""
    refused = refused_calls(trajectory)
    if as_json:
        print_json(
            {
                "answer": trajectory.answer,
                "status": trajectory.status,
                "refused": refused,
                "error": error.to_dict() if error is not None else None,
                "report": str(files.html),
                "record": str(files.jsonl),
                "images": {handle: str(path) for handle, path in images.items()},
            }
        )
    else:
        if trajectory.answer and not sys.stdout.isatty():
            print_line(trajectory.answer)
        for name in refused:
            notice(f"Refused: {name}. To let it run, add --allow {name}")
        for handle, path in images.items():
            notice(f"{handle}: {path}")
        notice(f"Report: {files.html}")


def prepare(output: Path | None) -> Path | None:
    """Make the folder for record and report before any work is done.

    Raises:
        UsageError: It cannot be made, or nothing can be written there.
    """
    folder = output or Path("toolhaft-runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write there: {error.strerror or error}", where=str(folder), hint="Name a folder with -o"
        ) from None
    return output


def save(agent: Agent, trajectory: Trajectory, output: Path | None) -> Any:
    """Write record, report and the images that were made into a folder, by default ``toolhaft-runs/<id>``."""
    from toolhaft.report.store import save_run

    folder = output or Path("toolhaft-runs") / trajectory.id
    files = save_run(folder, [trajectory], redact=agent.secrets.redact, artifacts=agent.artifacts)
    images = save_images(folder / "images", trajectory.artifacts(), agent.artifacts)
    return files, images
