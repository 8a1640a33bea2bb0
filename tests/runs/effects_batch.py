"""A batch whose every task reads, writes repeatably, writes plainly, and answers; run as a program.

``python effects_batch.py FOLDER TASKS PORT [--executor NAME] [--concurrency N] [--join] [--lease S]``
"""

import argparse
import asyncio
import sys
from pathlib import Path

from toolhaft import CallContext, tool
from toolhaft.agent import Agent
from toolhaft.agent.batch import Batch, BatchOptions
from toolhaft.agent.work import AgentWork
from toolhaft.errors import ToolError
from toolhaft.models.base import Model
from toolhaft.runs.batch import BatchRunner
from toolhaft.runs.executor import Job
from toolhaft.runs.journal import Journal
from toolhaft.runs.process import ProcessExecutor
from toolhaft.types import Completion, Task, ToolCall, to_json

KINDS = ("look", "put", "send")


def tools(port):
    async def reach(kind, key):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{kind} {key}\n".encode())
            await writer.drain()
            answer = await reader.readline()
            writer.close()
        except OSError as error:
            raise ToolError(f"no answer: {error}") from None
        return int(answer or 0)

    @tool(effect="read")
    async def look(name: str) -> int:
        """Look a name up."""
        return await reach("look", name)

    @tool(effect="write", repeatable=True)
    async def put(name: str, context: CallContext) -> str:
        """Put a name in its place."""
        await reach("put", context.key)
        return "put"

    @tool(effect="write")
    async def send(name: str) -> str:
        """Send a name off."""
        await reach("send", name)
        return "sent"

    return [look, put, send]


class Clerk(Model):
    """Makes the three calls in order, whatever comes back, and answers; it keeps nothing in mind."""

    name = "clerk"
    origin = "scripted"

    def __init__(self, delay=0.001):
        self.delay = delay

    async def complete(self, messages, tools=(), **_):
        await asyncio.sleep(self.delay)
        name = messages[1].text.split()[-1]
        done = sum(message.role == "tool" for message in messages)
        if done == len(KINDS):
            return Completion(text=f"Done with {name}.", model=self.name, origin=self.origin)
        call = ToolCall(id=f"call-{done}", name=KINDS[done], arguments={"name": name})
        return Completion(calls=(call,), finish="tool_calls", model=self.name, origin=self.origin)


def make_agent(port):
    return Agent(tools(port), model=Clerk(), allow=("write",))


def open_effects(port):
    """Open the job in a worker process."""
    return AgentWork(make_agent(port), close_catalogs=True)


def make_tasks(number):
    return [Task(id=f"t{i}", instruction=f"Deal with n{i}") for i in range(number)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("tasks", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--executor", default="local")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--join", action="store_true")
    parser.add_argument("--lease", type=float, default=30.0)
    given = parser.parse_args()
    run = run_in_processes if given.executor == "process" else run_here
    sys.exit(asyncio.run(run(given)).exit_code)


async def run_here(given):
    options = BatchOptions(concurrency=given.concurrency, join=given.join, lease=given.lease)
    batch = Batch(given.folder, make_tasks(given.tasks), agent=make_agent(given.port), options=options)
    result = await batch.run()
    batch.export()
    return result


async def run_in_processes(given):
    async with await Journal.open(given.folder, join=given.join, lease=given.lease) as journal:
        if "begun" not in await journal.meta():
            rows = [(task.id, to_json(task).decode()) for task in make_tasks(given.tasks)]
            await journal.add_jobs(rows, meta={"begun": "yes"})
        job = Job(target="effects_batch:open_effects", settings={"port": given.port})
        executor = ProcessExecutor(workers=2)
        runner = BatchRunner(
            journal, job, executor, concurrency=given.concurrency, rollout_id=given.folder.name
        )
        return await runner.run()


if __name__ == "__main__":
    main()
