"""langchain's create_agent."""

from client import INSTRUCTION, description, schema, weather
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI


async def prepare(base_url: str, n: int):
    async def call(**arguments):
        return weather(**arguments)

    tools = [
        StructuredTool.from_function(
            coroutine=call, name=f"tool_{i}", description=description(i), args_schema=schema()
        )
        for i in range(n)
    ]
    model = ChatOpenAI(model="stub", base_url=base_url, api_key="sk-benchmark")
    agent = create_agent(model, tools)

    async def ask() -> str:
        result = await agent.ainvoke(
            {"messages": [{"role": "user", "content": INSTRUCTION}]}, {"recursion_limit": 200}
        )
        return result["messages"][-1].content

    return ask
