"""Run one OpenAPI importer over documents and requests, in that importer's own virtual environment.

python driver.py ADAPTER documents OUT < jobs.jsonl     one job a line: {"name", "path"}
python driver.py ADAPTER requests < jobs.jsonl          one job a line: {"id", "doc", "args"}

A job answers with one line of JSON on standard output. Each document is read in a forked process of its own,
within limits of time and memory; its tools go to OUT/NAME.json. Uses the standard library alone.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import resource
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

SECONDS = float(os.environ.get("PEER_SECONDS", "120"))
MEMORY = 6 * 1024**3
_CALL_SECONDS = 20
_HARMLESS = (
    str(Path(__file__).parent),
    str(Path(__file__).parents[3] / "core"),
    "/proc/",
    "/sys/",
    "/usr/",
    "/dev/",
    "/etc/mime.types",
)


def read_documents(adapter: Any, out: Path) -> None:
    """Answer jobs of documents until there are none."""
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(_forked(adapter, job, out)), flush=True)


def _forked(adapter: Any, job: dict[str, Any], out: Path) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _read(adapter, job, out, writer)
        os._exit(0)
    os.close(writer)
    deadline = time.monotonic() + SECONDS + 5
    with os.fdopen(reader, "rb") as pipe:
        os.set_blocking(pipe.fileno(), False)
        said = b""
        while time.monotonic() < deadline:
            piece = pipe.read()
            said += piece or b""
            if piece == b"":
                break
            time.sleep(0.005)
        else:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if said.endswith(b"\n"):
        return json.loads(said)
    return {"name": job["name"], "error": f"ended with status {status}", "hung": status != 0}


def _read(adapter: Any, job: dict[str, Any], out: Path, writer: int) -> None:
    """In the child: read the document, write its tools, tell how it went."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    opened: list[str] = []
    path = Path(job["path"])
    sys.addaudithook(_watch(opened, str(path.parent)))
    before = _peak()
    told: dict[str, Any] = {"name": job["name"]}
    signal.alarm(int(SECONDS) + 1)
    started = time.perf_counter()
    try:
        tools = adapter.read(path)
        told["seconds"] = time.perf_counter() - started
        told["peak_mb"] = _peak() - before
        told["tools"] = len(tools)
        told["opened"] = opened[:5]
        text = json.dumps(tools, default=str)
        (out / f"{job['name']}.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    except BaseException as error:  # noqa: BLE001  an importer may raise anything; the figure is that it did
        told["error"] = type(error).__name__
        told["said"] = str(error)[:200].encode("utf-8", "replace").decode()
        told["opened"] = opened[:5]
    os.write(writer, json.dumps(told).encode() + b"\n")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _watch(opened: list[str], own: str) -> Any:
    """Return an audit hook that notes connections, and files that are neither the document's nor Python's."""
    harmless = (own, sys.prefix, sys.base_prefix, os.devnull, *_HARMLESS)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            opened.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")
        elif event == "open" and str(arguments[0]).startswith("/"):
            path = str(arguments[0])
            if not path.startswith(harmless) and "site-packages" not in path:
                opened.append(f"open {path}")

    return hook


def make_requests(adapter: Any) -> None:
    """Answer jobs of requests until there are none."""
    for line in sys.stdin:
        job = json.loads(line)
        told = {"id": job["id"], "error": ""}
        try:
            asyncio.run(_bounded(adapter, job))
        except BaseException as error:  # noqa: BLE001  as above
            told["error"] = f"{type(error).__name__}: {str(error)[:200]}"
        print(json.dumps(told), flush=True, file=sys.__stdout__)


async def _bounded(adapter: Any, job: dict[str, Any]) -> None:
    async with asyncio.timeout(_CALL_SECONDS):
        await adapter.call(job["doc"], job["args"])


def load(path: Path) -> Any:
    """Return a document as a caller would parse it for an importer that takes a dictionary."""
    text = path.read_bytes()
    if text.lstrip()[:1] in (b"{", b"["):
        return json.loads(text)
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def main() -> None:
    """Run."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.modules["driver"] = sys.modules["__main__"]
    answers, sys.stdout = sys.stdout, sys.stderr  # importers that print must not answer
    adapter = importlib.import_module(f"adapter_{sys.argv[1]}")
    sys.stdout = answers
    if sys.argv[2] == "documents":
        read_documents(adapter, Path(sys.argv[3]))
    else:
        make_requests(adapter)


if __name__ == "__main__":
    main()
