"""smolagents' ToolCallingAgent, in threads because it is not async."""

import asyncio

from client import INSTRUCTION, description, weather
from smolagents import OpenAIServerModel, Tool, ToolCallingAgent


async def prepare(base_url: str, n: int):
    def make(i: int) -> Tool:
        class Weather(Tool):
            name = f"tool_{i}"
            inputs = {
                "city": {"type": "string", "description": "Name of the city that is asked about."},
                "days": {"type": "integer", "description": "How many days to look ahead.", "nullable": True},
                "unit": {"type": "string", "description": "System of units.", "nullable": True},
                "language": {"type": "string", "description": "Language of the answer.", "nullable": True},
            }
            output_type = "object"
            skip_forward_signature_validation = True

            def forward(self, **arguments):
                return weather(**arguments)

        Weather.description = description(i)
        return Weather()

    tools = [make(i) for i in range(n)]

    async def ask() -> str:
        model = OpenAIServerModel("stub", api_base=base_url, api_key="sk-benchmark")
        agent = ToolCallingAgent(tools=tools, model=model, max_steps=100, verbosity_level=0)
        return str(await asyncio.to_thread(agent.run, INSTRUCTION))

    return ask
