"""Kept answers of the virtual API server per second on one core, beside a bare Starlette route.

    python benchmarks/rapidapi.py [--clients 32] [--seconds 5] [--rounds 3]

Both servers run in processes of their own on the first core, one at a time; the clients, in another process,
keep to the others and hold their connections. Rounds alternate, and the best of each counts. The bare route
reads the JSON body and answers the same bytes. A third row asks for what is simulated.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BARE = """
import socket, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
ANSWER = {"error": "", "response": {"city": "Riga", "days": [{"rain": 1}] * 20}, "provenance": "cached"}

async def answer(request):
    await request.json()
    return JSONResponse(ANSWER)

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # no Nagle
listener.bind(("127.0.0.1", 0))
listener.listen(1024)
print(listener.getsockname()[1], flush=True)
app = Starlette(routes=[Route("/virtual", answer, methods=["POST"])])
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")).run(sockets=[listener])
"""
VIRTUAL = """
import sys
from toolhaft_rapidapi.server import VirtualServer
server = VirtualServer(sys.argv[1], cache=sys.argv[2])
server.start()
print(server.base_url.rpartition(":")[2], flush=True)
server.wait()
"""
ANSWER = {"city": "Riga", "days": [{"rain": 1}] * 20}
TOOL = {
    "tool_name": "Sky Watch",
    "api_list": [
        {
            "name": "Forecast",
            "url": "https://sky.p.rapidapi.com/forecast",
            "method": "GET",
            "required_parameters": [{"name": "city", "type": "STRING"}],
            "schema": {"city": "str", "days": [{"date": "str", "rain": "int", "_list_length": 10}]},
        }
    ],
}


def payload(number: int) -> bytes:
    """Return the body of a call for one of many cities."""
    fields = {
        "category": "Weather",
        "tool_name": "sky_watch",
        "api_name": "forecast",
        "tool_input": json.dumps({"city": f"city {number}"}),
        "strip": "truncate",
        "toolbench_key": "",
    }
    return json.dumps(fields).encode()


def requests(kept: bool, clients: int) -> list[list[bytes]]:
    """Return for each client the requests that it sends in turn."""
    first = 0 if kept else 1_000_000
    found = []
    for client in range(clients):
        bodies = [payload(first + (client * 31 + step) % 512) for step in range(64)]
        head = (
            "POST /virtual HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
        )
        found.append([f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies])
    return found


async def load(port: int, sent: list[list[bytes]], seconds: float) -> tuple[float, str]:
    """Return answers per second, and where the last came from."""
    count, provenance = 0, ""
    end = time.perf_counter() + seconds

    async def client(bodies: list[bytes]) -> None:
        nonlocal count, provenance
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        step = 0
        while time.perf_counter() < end:
            writer.write(bodies[step % len(bodies)])
            step += 1
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            body = await reader.readexactly(length)
            assert head.startswith(b"HTTP/1.1 200"), head
            count += 1
        provenance = json.loads(body)["provenance"]
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client(bodies) for bodies in sent))
    return count / (time.perf_counter() - started), provenance


@contextlib.contextmanager
def served(script: str, *words: str) -> Iterator[int]:
    """Run a server on the first core, and give its port."""
    process = subprocess.Popen([sys.executable, "-c", script, *words], stdout=subprocess.PIPE, text=True)
    try:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def keep_answers(path: Path) -> None:
    """Write the cache that is asked."""
    from toolhaft_rapidapi.cache import Answer, AnswerCache, Question

    with AnswerCache(path) as cache:
        cache.put_all(
            (
                Question.of("Weather", "Sky Watch", "Forecast", {"city": f"city {number}"}),
                Answer(response=ANSWER),
            )
            for number in range(512)
        )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tool, cache = Path(folder) / "Weather" / "sky.json", Path(folder) / "cache.sqlite"
        tool.parent.mkdir()
        tool.write_text(json.dumps(TOOL))
        keep_answers(cache)
        rows = {
            "bare Starlette route": (BARE, (), True),
            "virtual, kept answers": (VIRTUAL, (str(tool), str(cache)), True),
            "virtual, simulated": (VIRTUAL, (str(tool), str(cache)), False),
        }
        best = dict.fromkeys(rows, 0.0)
        said = dict.fromkeys(rows, "")
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else [0]
        for _ in range(options.rounds):
            for name, (script, words, kept) in rows.items():
                with served(script, *words) as port:
                    if len(cores) > 1:
                        os.sched_setaffinity(0, set(cores[1:]))
                    rate, said[name] = asyncio.run(
                        load(port, requests(kept, options.clients), options.seconds)
                    )
                    best[name] = max(best[name], rate)
                    if len(cores) > 1:
                        os.sched_setaffinity(0, set(cores))
    print(f"{options.clients} clients, {options.seconds:g} s, best of {options.rounds}; {len(cores)} cores\n")
    print(f"{'SERVER':<24}{'ANSWERS/S':>10}  {'OF BARE':>8}  PROVENANCE")
    for name, rate in best.items():
        print(f"{name:<24}{rate:>10.0f}  {rate / best['bare Starlette route']:>8.2f}  {said[name]}")


if __name__ == "__main__":
    main()
