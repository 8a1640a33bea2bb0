"""A batch whose every job makes three calls of `effect_service`; run as a program, to be killed.

``python effect_batch.py FOLDER PORT [--jobs N] [--join] [--lease SECONDS] [--budget NAME=N] ...``
"""

import argparse
import asyncio
import json
import resource
import sys

from effect_service import next_call

from toolhaft import CallContext, tool
from toolhaft.agent import Agent
from toolhaft.agent.batch import Batch, BatchOptions
from toolhaft.errors import ToolError, ToolhaftError
from toolhaft.models.base import Model
from toolhaft.types import Completion, Task, ToolCall, Usage


class Clerk(Model):
    """Makes the first of the three calls in order, whatever comes back, and answers; it has no memory."""

    origin = "scripted"

    def __init__(self, name="clerk", calls=3, padding=0):
        self.name = name
        self.calls = calls
        self.answer = "Done." + "." * padding

    async def complete(self, messages, tools=(), **_):
        await asyncio.sleep(0.001)
        usage = Usage(model_calls=1, input_tokens=10, output_tokens=1)
        done = sum(message.role == "tool" for message in messages)
        call = next_call(messages[1].text, done) if done < self.calls else None
        if call is None:
            return Completion(text=self.answer, usage=usage, model=self.name, origin=self.origin)
        calls = (ToolCall(id="c", name=call[0], arguments={"name": call[1]}),)
        return Completion(calls=calls, finish="tool_calls", usage=usage, model=self.name, origin=self.origin)


def make_tools(port):
    """Return the three tools, which call the service at a port."""

    async def reach(method, kind, name, key):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{method} /{kind}?name={name} HTTP/1.1\r\nidempotency-key: {key}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length:")[2].split()[0])
            answer = json.loads(await reader.readexactly(size))
            writer.close()
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ToolError(f"no answer: {error}") from None
        return answer

    @tool(effect="read")
    async def look(name: str, context: CallContext) -> dict:
        """Look a name up."""
        return await reach("GET", "look", name, context.key)

    @tool(effect="write", repeatable=True)
    async def put(name: str, context: CallContext) -> dict:
        """Put a name in its place."""
        return await reach("PUT", "put", name, context.key)

    @tool(effect="write")
    async def send(name: str, context: CallContext) -> dict:
        """Send a name off."""
        return await reach("POST", "send", name, context.key)

    return [look, put, send]


def make_tasks(number):
    """Return the tasks of a batch."""
    return [Task(id=f"t{i}", instruction=f"Deal with n{i}") for i in range(number)]


def parse(words):
    """Return the settings that a command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    parser.add_argument("--jobs", type=int, default=24)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--join", action="store_true")
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--budget", default="")
    parser.add_argument("--padding", type=int, default=0)
    parser.add_argument("--durability", default="full")
    parser.add_argument("--model", default="clerk")
    parser.add_argument("--calls", type=int, default=3)
    parser.add_argument("--resume-changed", action="store_true")
    parser.add_argument("--largest-file", type=int, default=0)
    return parser.parse_args(words)


def run(words):
    """Work the batch off as the command line says; return the exit code."""
    given = parse(words)
    if given.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    name, _, limit = given.budget.partition("=")
    options = BatchOptions(
        concurrency=given.concurrency,
        join=given.join,
        lease=given.lease,
        budget={name: float(limit)} if name else None,
        durability=given.durability,
        resume_changed=given.resume_changed,
    )
    model = Clerk(given.model, given.calls, given.padding)
    agent = Agent(make_tools(given.port), model=model, allow=("write",))
    batch = Batch(given.folder, make_tasks(given.jobs), agent=agent, options=options)
    try:
        result = asyncio.run(batch.run())
        if not result.counts.get("leased"):
            batch.export()
    except ToolhaftError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    return result.exit_code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
