"""A model endpoint that costs next to nothing: 20 tool calls, then an answer. Raw asyncio, one process.

Usage: python stub.py STEPS  (prints its port; GET /count tells how many completions it gave)
"""

import asyncio
import json
import sys

STEPS = int(sys.argv[1])


def completion(message: dict, finish: str) -> bytes:
    body = json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "stub",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
    ).encode()
    return http(body)


def http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def call(step: int) -> bytes:
    function = {"name": "tool_3", "arguments": json.dumps({"city": f"Oslo {step}", "days": 3})}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{step}", "type": "function", "function": function}],
    }
    return completion(message, "tool_calls")


CALLS = [call(step) for step in range(STEPS)]
ANSWER = completion({"role": "assistant", "content": "Done."}, "stop")
FINAL_CALL = {"name": "final_answer", "arguments": json.dumps({"answer": "Done."})}
FINAL = completion(
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_end", "type": "function", "function": FINAL_CALL}],
    },
    "tool_calls",
)
"""For frameworks that end with a call of their own tool ``final_answer``."""
given = 0


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    global given
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET"):
                writer.write(http(json.dumps({"count": given}).encode()))
                continue
            start = head.lower().index(b"content-length:") + 15
            body = await reader.readexactly(int(head[start : head.index(b"\r", start)]))
            done = body.count(b'"role":"assistant"') + body.count(b'"role": "assistant"')
            given += 1
            end = FINAL if b'"final_answer"' in body else ANSWER
            writer.write(CALLS[done] if done < STEPS else end)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)


asyncio.run(main())
