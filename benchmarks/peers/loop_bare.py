"""The loop as one would write it by hand on httpx."""

import json

import httpx
from client import INSTRUCTION, description, schema, weather


async def prepare(base_url: str, n: int):
    tools = [
        {
            "type": "function",
            "function": {"name": f"tool_{i}", "description": description(i), "parameters": schema()},
        }
        for i in range(n)
    ]
    limits = httpx.Limits(max_connections=300, max_keepalive_connections=300)
    client = httpx.AsyncClient(limits=limits, timeout=60)

    async def ask() -> str:
        messages = [{"role": "user", "content": INSTRUCTION}]
        while True:
            response = await client.post(
                f"{base_url}/chat/completions", json={"model": "stub", "messages": messages, "tools": tools}
            )
            message = response.json()["choices"][0]["message"]
            messages.append(message)
            if not message.get("tool_calls"):
                return message["content"]
            for call in message["tool_calls"]:
                result = weather(**json.loads(call["function"]["arguments"]))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)})

    return ask
