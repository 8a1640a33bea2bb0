"""Hosts of a chat model and of a tool, for loads: each a port of this one process.

Usage: python hosts.py HOSTS SECONDS [SPREAD]. Writes its ports as one line of JSON; ends with its input, and
then writes what it was asked: ``{"questions": ..., "calls": ..., "odd": ..., "connections": ...}``.

A question whose last message is the user's is answered with a call of the tool of the same host, for the word
that the instruction names; one that holds what the tool said of that word, with an answer. Anything else is
odd, so that a lost or interchanged answer is not overlooked.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys

WORD = re.compile(rb"\bword (w\d+)")
PATH = re.compile(rb"GET /host\d+/words/(w\d+) ")
MEANING = "what it means, in a sentence that is as long as such sentences are. " * 8


class Counts:
    """What was asked so far."""

    def __init__(self) -> None:
        self.questions = 0
        self.calls = 0
        self.odd = 0
        self.connections = 0


class Host(asyncio.Protocol):
    """One connection to one host.

    Args:
        number: Of the host.
        counts: Shared by all.
        seconds: Until an answer, on average.
        spread: How far from that it may be, as a share.
        draw: Draws the seconds.
    """

    def __init__(
        self, number: int, counts: Counts, seconds: float, spread: float, draw: random.Random
    ) -> None:
        self.number = number
        self.counts = counts
        self.shortest, self.longest = seconds * (1 - spread), seconds * (1 + spread)
        self.draw = draw
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self.transport = transport
        self.counts.connections += 1

    def connection_lost(self, error: Exception | None) -> None:
        """Count it no more."""
        self.counts.connections -= 1

    def data_received(self, data: bytes) -> None:
        """Answer later, once the request is whole; a client sends the next one after the answer."""
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        length = 0
        if b"content-length:" in lowered:
            length = int(lowered.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.received = b""
        answer = self.answer_question(rest) if head.startswith(b"POST") else self.answer_call(head)
        wait = self.draw.uniform(self.shortest, self.longest)
        asyncio.get_running_loop().call_later(wait, self.reply, answer)

    def reply(self, answer: bytes) -> None:
        """Write an answer that is due, unless nobody waits for it any more."""
        if not self.transport.is_closing():
            self.transport.write(answer)

    def answer_question(self, body: bytes) -> bytes:
        """Return what the model says."""
        self.counts.questions += 1
        found = WORD.search(body)
        if found is None:
            return self.refuse()
        word = found[1].decode()
        if b'"tool_call_id"' not in body:
            function = {"name": f"look_up_{self.number}", "arguments": json.dumps({"word": word})}
            called = [{"id": f"call_{word}", "type": "function", "function": function}]
            return complete({"role": "assistant", "content": None, "tool_calls": called}, "tool_calls")
        if f"{word}: {MEANING[:20]}".encode() not in body:
            return self.refuse()
        return complete({"role": "assistant", "content": f"{word} is explained."}, "stop")

    def answer_call(self, head: bytes) -> bytes:
        """Return what the tool says."""
        self.counts.calls += 1
        found = PATH.match(head)
        return http({"meaning": f"{found[1].decode()}: {MEANING}"}) if found else self.refuse()

    def refuse(self) -> bytes:
        """Return an error, and count it."""
        self.counts.odd += 1
        return http({"error": {"message": "this was not to be asked"}}, status="400 Bad Request")


def complete(message: dict, reason: str) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 400, "completion_tokens": 20}
    return http({"id": "c", "model": "stub", "choices": [choice], "usage": usage})


def http(value: dict, status: str = "200 OK") -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def main() -> None:
    number, seconds = int(sys.argv[1]), float(sys.argv[2])
    spread = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    loop, counts, draw = asyncio.get_running_loop(), Counts(), random.Random(0)
    servers = [
        await loop.create_server(
            lambda host=host: Host(host, counts, seconds, spread, draw), "127.0.0.1", 0, backlog=512
        )
        for host in range(number)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(vars(counts)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
