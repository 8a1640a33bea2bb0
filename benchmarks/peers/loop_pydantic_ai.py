"""pydantic-ai's Agent."""

from client import INSTRUCTION, description, schema, weather
from pydantic_ai import Agent, Tool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.usage import UsageLimits


async def prepare(base_url: str, n: int):
    async def call(**arguments):
        return weather(**arguments)

    tools = [
        Tool.from_schema(call, name=f"tool_{i}", description=description(i), json_schema=schema())
        for i in range(n)
    ]
    provider = OpenAIProvider(base_url=base_url, api_key="sk-benchmark")
    agent = Agent(OpenAIChatModel("stub", provider=provider), tools=tools)

    async def ask() -> str:
        return (await agent.run(INSTRUCTION, usage_limits=UsageLimits(request_limit=100))).output

    return ask
