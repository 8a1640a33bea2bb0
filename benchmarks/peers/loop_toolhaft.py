"""Toolhaft's ReAct: guard, labels and redaction on, no journal."""

from client import INSTRUCTION, description, schema, weather

from toolhaft import Agent, ToolSpec
from toolhaft.models.chat import ChatModel
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import RawTool


async def prepare(base_url: str, n: int):
    async def call(**arguments):
        return weather(**arguments)

    tools = [
        RawTool(
            ToolSpec(name=f"tool_{i}", description=description(i), parameters=schema(), effect="read"), call
        )
        for i in range(n)
    ]
    secrets = SecretStore({"key": "sk-benchmark-0123456789"})
    model = ChatModel(f"{base_url}#stub", api_key="memory:key", secrets=secrets)
    agent = Agent(tools, model=model, k=n, secrets=secrets, budget={"steps": 100, "model_calls": 100})

    async def ask() -> str:
        run = await agent.run(INSTRUCTION)
        if run.answer != "Done.":
            raise SystemExit(f"wrong answer: {run.trajectory.status} {run.answer!r} {run.trajectory.error}")
        return run.answer

    return ask
