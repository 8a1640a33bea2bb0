"""``toolhaft run``: one instruction, carried out with tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.inputs import budget as read_budget
from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.cli.tools import AllowHost, AsJSON, Auth, open_location
from toolhaft.errors import ToolhaftError

if TYPE_CHECKING:
    from toolhaft.agent import Agent
    from toolhaft.tools.policy import CallRequest, Decision
    from toolhaft.types import Trajectory

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


def run(
    instruction: Annotated[str, typer.Argument(help="What to do.")],
    tools: Annotated[list[str], typer.Option(help="A catalog of tools; may be given several times.")],
    model: Annotated[
        str, typer.Option(help="openai:NAME, http://HOST/v1#NAME, heuristic, auto ...")
    ] = "auto",
    planner: Annotated[str, typer.Option(help="Name of the planner.")] = "react",
    retriever: Annotated[str, typer.Option(help="Name of the retriever.")] = "bm25",
    k: Annotated[int, typer.Option("-k", help="How many tools the model is offered.", min=1)] = 8,
    allow: Annotated[
        list[str] | None, typer.Option(help="Effect (write, irreversible) or tool that may run unasked.")
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(help="An image or file to work on.")] = None,
    budget: Annotated[list[str] | None, typer.Option(help="A limit: --budget model_calls=40.")] = None,
    private: Annotated[bool, typer.Option(help="The instruction holds private data.")] = False,
    seed: Annotated[int, typer.Option(help="For everything that draws lots.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for record and report.")
    ] = None,
    auth: Auth = None,
    allow_host: AllowHost = None,
    as_json: AsJSON = False,
) -> None:
    """Carry out an instruction with tools, show it as it happens, and write record and report."""
    from toolhaft.agent import Agent

    agent = Agent(
        [open_location(location, auth, allow_host) for location in tools],
        model=model,
        planner=planner,
        retriever=retriever,
        k=k,
        budget=read_budget(budget or ()),
        allow=allow or (),
        approver=None if as_json else terminal_approver(),
        private=private,
        seed=seed,
        warn=notice,
    )
    trajectory, error = watch(agent, instruction, image or [], quiet=as_json)
    files = save(agent, trajectory, output)
    if as_json:
        print_json(
            {
                "answer": trajectory.answer,
                "status": trajectory.status,
                "error": error.to_dict() if error is not None else None,
                "report": str(files.html),
                "record": str(files.jsonl),
            }
        )
    else:
        print_line(f"Report: {files.html}")
    if error is not None and not as_json:
        raise error
    raise typer.Exit(exit_code(trajectory))


def exit_code(trajectory: Trajectory) -> int:
    """Return the exit code of a rollout: 4 where a call waits for a person's leave."""
    code = EXIT_CODES[trajectory.status]
    refused = any(
        observation.error is not None and observation.error.code == "E-TOOL-REFUSED"
        for observation in trajectory.observations()
    )
    return 4 if refused and code in (0, 1) else code


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


def save(agent: Agent, trajectory: Trajectory, output: Path | None) -> Any:
    """Write record and report into a folder, by default ``toolhaft-runs/<id>``."""
    from toolhaft.report.store import save_run

    folder = output or Path("toolhaft-runs") / trajectory.id
    return save_run(folder, [trajectory], redact=agent.secrets.redact, artifacts=agent.artifacts)


def terminal_approver() -> Any:
    """Return an approver that asks on the terminal, or None where nobody sits at one."""
    import asyncio
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    async def ask(request: CallRequest, decision: Decision) -> bool:
        notice(f"\nMay this call be made? ({decision.reason})\n{request.describe()}")
        answer = await asyncio.to_thread(input, "[y/N] ")
        return answer.strip().lower() in ("y", "yes")

    return ask
