"""Client CPU of one request through `toolhaft.http`, beside a bare `httpx.AsyncClient`.

    python benchmarks/http_client.py [--requests 1000] [--rounds 5] [--library httpx]

A stub in a process of its own answers a POST of 9 kB with 600 bytes of JSON on kept connections. Rows rotate,
and the best round counts. The guarded rows do all that the client does for a tool call: guard, deadline,
caps, retries, redacted record; the last with a credential.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from toolhaft.http import Credential, Egress, HTTPClient, Request
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

STUB = """
import asyncio
ANSWER = b'{"text": "' + b"x" * 580 + b'"}'
HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(ANSWER)

class Stub(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\\r\\n\\r\\n")
        if found and len(rest) >= int(head.lower().partition(b"content-length:")[2].split()[0]):
            self.buffer = b""
            self.transport.write(HEAD + ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
BODY = b"x" * 9_000
Send = Callable[[], Awaitable[Any]]


async def bare(stack: AsyncExitStack, library: str, url: str) -> Send:
    """Return a function that sends with the library alone."""
    module = importlib.import_module(library)
    client = await stack.enter_async_context(module.AsyncClient(trust_env=False))
    headers = {"Content-Type": "application/json", "Authorization": "Bearer 0123456789abcdef"}

    async def send() -> Any:
        return (await client.request("POST", url, content=BODY, headers=headers)).content

    return send


async def guarded(stack: AsyncExitStack, library: str, url: str) -> Send:
    """Return a function that sends through the guarded client."""
    client = await stack.enter_async_context(
        HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",)), library=library)
    )
    headers = (("Content-Type", "application/json"), ("Authorization", "Bearer 0123456789abcdef"))
    request = Request(method="POST", url=url, headers=headers, body=BODY)

    async def send() -> Any:
        return (await client.send(request)).body

    return send


async def credentialed(stack: AsyncExitStack, library: str, url: str) -> Send:
    """Return a function that sends through the guarded client with a credential."""
    store = SecretStore({"key": "sk-0123456789abcdefghijklmnop"})
    client = await stack.enter_async_context(
        HTTPClient(egress=Egress(allow_hosts=("127.0.0.1",)), library=library, secrets=store)
    )
    credential = Credential(
        secret=SecretRef("memory:key"), origins=(url.rpartition("/")[0],), prefix="Bearer "
    )
    headers = (("Content-Type", "application/json"),)
    request = Request(method="POST", url=url, headers=headers, body=BODY, credentials=(credential,))

    async def send() -> Any:
        return (await client.send(request)).body

    return send


ROWS = {"bare AsyncClient": bare, "toolhaft.http": guarded, "toolhaft.http, credential": credentialed}


async def measure(row: str, library: str, url: str, requests: int, at_once: int) -> float:
    """Return milliseconds of CPU per request."""
    async with AsyncExitStack() as stack:
        send = await ROWS[row](stack, library, url)

        async def repeat(times: int) -> None:
            for _ in range(times):
                await send()

        await asyncio.gather(*[repeat(2) for _ in range(at_once)])
        started = time.process_time()
        await asyncio.gather(*[repeat(requests // at_once) for _ in range(at_once)])
        return (time.process_time() - started) / (requests // at_once * at_once) * 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--library", choices=("httpx", "httpx2"), action="append")
    options = parser.parse_args()
    libraries = options.library or [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
    stub = subprocess.Popen([sys.executable, "-c", STUB], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(stub.stdout.readline()) if stub.stdout else 0}/completions"
        print(f"{'library':8} {'at once':>7}  {'client':27} {'ms CPU':>7} {'x bare':>7}")
        for library in libraries:
            for at_once in (1, 20, 200):
                best = dict.fromkeys(ROWS, float("inf"))
                for _ in range(options.rounds):
                    for row in ROWS:
                        spent = asyncio.run(measure(row, library, url, options.requests, at_once))
                        best[row] = min(best[row], spent)
                for row, spent in best.items():
                    ratio = spent / best["bare AsyncClient"]
                    print(f"{library:8} {at_once:7}  {row:27} {spent:7.3f} {ratio:7.2f}")
    finally:
        stub.kill()
        stub.communicate()


if __name__ == "__main__":
    main()
