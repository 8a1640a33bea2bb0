"""Measure the OpenAPI importer beside others, each in a virtual environment of its own.

python benchmarks/openapi_peers.py [PEER ...] [--data DIR] [--part documents|requests|hostile ...] [--limit N]

Makes ``.venv-peers/PEER`` where it is not there yet (PyPI only), then gives every importer the same documents
(one forked process each, 120 s and 6 GB), the same requests (a loopback server tells what arrived), and the
same broken and hostile documents. Prints a table for each. ``toolhaft`` is always among them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from openapi_corpus import rows_of, unpack
from openapi_judging import Judged, judge
from openapi_wire import compare, echo_server
from shared_data import ROOT, default_folder, require

DRIVER = ROOT / "benchmarks/peers/openapi/driver.py"
ENVIRONMENTS = ROOT / ".venv-peers"
PEERS: dict[str, tuple[str, ...]] = {
    "fastmcp": ("fastmcp==4.1.2",),
    "adk": ("google-adk==2.13.0",),
    "utcp": ("utcp-http==1.1.15",),
    "openapi-llm": ("openapi-llm==0.4.3",),
    "langchain": ("langchain-community==0.4.2", "langchain-classic==1.0.8", "openapi-pydantic"),
    "camel": ("camel-ai==0.2.90", "mcp<2", "prance", "openapi-spec-validator"),
    "semantic-kernel": ("semantic-kernel==1.45.0",),
    "llama-index": ("llama-index-tools-openapi==0.7.0", "jsonschema", "openapi-core"),
}
"""Name of an importer -> what to install."""
_RAW = frozenset(
    {
        *("KeyError", "AttributeError", "TypeError", "IndexError", "RecursionError", "NameError"),
        *("UnboundLocalError", "AssertionError", "MemoryError"),
    }
)
"""Errors that say nothing to the person whose document it is."""


Found = dict[str, tuple[dict[str, Any], Judged]]
"""Name of a document -> what the driver told, and the tools judged."""


def python_of(name: str) -> str:
    """Return the interpreter of an importer, after making its environment if need be."""
    if name == "toolhaft":
        return sys.executable
    folder = ENVIRONMENTS / name
    if not (folder / "bin/python").exists():
        print(f"installing {name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *PEERS[name]], check=True)
    return str(folder / "bin/python")


@contextmanager
def driven(name: str, *arguments: str, seconds: int = 120) -> Iterator[subprocess.Popen[str]]:
    """Run the driver with one importer; end it by its own process id."""
    process = subprocess.Popen(
        [python_of(name), str(DRIVER), name.replace("-", "_"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir(), "PEER_SECONDS": str(seconds)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(process: subprocess.Popen[str], job: dict[str, Any]) -> dict[str, Any]:
    """Give the driver one job and return its answer."""
    write: IO[str] = process.stdin  # type: ignore[assignment]
    read: IO[str] = process.stdout  # type: ignore[assignment]
    write.write(f"{json.dumps(job)}\n")
    write.flush()
    line = read.readline()
    if not line:
        raise SystemExit(f"the driver ended at {job.get('name') or job.get('id')}")
    return json.loads(line)


def measure_documents(
    name: str, rows: list[dict[str, Any]], paths: dict[str, Path], seconds: int = 120
) -> Found:
    """Have one importer read documents; return name -> what the driver told, and the tools judged."""
    found: Found = {}
    with tempfile.TemporaryDirectory() as out, driven(name, "documents", out, seconds=seconds) as process:
        for row in rows:
            told = ask(process, {"name": row["name"], "path": str(paths[row["name"]])})
            written = Path(out) / f"{row['name']}.json"
            tools = json.loads(written.read_text(errors="replace")) if written.exists() else []
            found[row["name"]] = told, judge(tools)
            written.unlink(missing_ok=True)
    return found


def print_documents(
    name: str, rows: list[dict[str, Any]], found: dict[str, tuple[dict[str, Any], Judged]]
) -> None:
    """Print one importer's row: M1, M2, M3, M7 and seconds."""
    operations = sum(row["operations"] for row in rows)
    whole = sum(
        "error" not in found[row["name"]][0] and found[row["name"]][1].tools >= row["operations"]
        for row in rows
    )
    tools = sum(min(found[row["name"]][1].tools, row["operations"]) for row in rows)
    judged = [each for _, each in found.values()]
    sizes = [size for each in judged for size in each.sizes]
    accepted = sum(each.accepted for each in judged)
    reasons = sum((each.reasons for each in judged), Counter[str]())
    print(
        f"| {name} | {whole} ({whole / len(rows):.1%}) | {tools} ({tools / operations:.1%}) | "
        f"{accepted} ({accepted / operations:.1%}) | "
        f"{_mean(sizes):.1f} / {max(sizes, default=0) / 1000:.0f} | "
        f"{sum(told.get('seconds', 0) for told, _ in found.values()):.0f} | "
        f"{sum('error' in told for told, _ in found.values())} |"
    )
    for reason, count in reasons.most_common(3):
        print(f"  refused: {count} {reason}", file=sys.stderr)


def _mean(sizes: list[int]) -> float:
    return sum(sizes) / len(sizes) / 1000 if sizes else 0.0


def measure_requests(name: str, folder: Path) -> tuple[int, int, Counter[str]]:
    """Return the vectors whose request is right, how many there are, and the wrong ones by kind."""
    vectors = [json.loads(line) for line in (folder / "wire-vectors.jsonl").read_text().splitlines()]
    wrong: Counter[str] = Counter()
    with echo_server() as echo, driven(name, "requests") as process:
        for vector in vectors:
            text = json.dumps(vector["doc"]).replace("{BASE}", echo.base)
            text = text.replace("{HOST}", echo.base.partition("://")[2]).replace("{SCHEME}", "http")
            echo.received.clear()
            ask(process, {"id": vector["id"], "doc": json.loads(text), "args": vector["args"]})
            if not echo.received:
                good = bool(vector["expect"].get("refuse"))
            else:
                good = _equal(echo.received[-1], vector["expect"])
            if not good:
                wrong[vector["id"]] += 1
    return len(vectors) - len(wrong), len(vectors), wrong


def _equal(received: Any, expected: dict[str, Any]) -> bool:
    try:
        return not list(compare(received, expected))
    except (ValueError, KeyError, TypeError):  # what arrived cannot even be read as what it should be
        return False


def as_wanted(row: dict[str, Any], told: dict[str, Any], judged: Judged) -> bool:
    """Whether a broken or hostile document had the outcome that its row states."""
    expect = row["expect"]
    if told.get("hung") or told.get("opened"):
        return False
    if told.get("seconds", 0) > expect["max_s"] or told.get("peak_mb", 0) > expect["max_mb"]:
        return False
    said_why = "error" in told and told["error"] not in _RAW
    if expect["outcome"] == "reject":
        return judged.tools == 0 and ("error" not in told or said_why)
    if expect["tools"] is None:  # nothing may be left that can be a tool: then an error that says so is right
        return said_why or ("error" not in told and judged.tools > 0)
    return "error" not in told and judged.tools == expect["tools"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*", metavar="PEER", help="all, unless named")
    parser.add_argument("--data", type=Path, default=default_folder("openapi"))
    parser.add_argument("--part", action="append", choices=["documents", "requests", "hostile", "largest"])
    parser.add_argument("--limit", type=int, default=0, help="documents at most")
    chosen = parser.parse_args()
    require(chosen.data)
    parts = chosen.part or ["documents", "requests", "largest", "hostile"]
    names = ["toolhaft", *(chosen.peers or PEERS)]
    with tempfile.TemporaryDirectory() as place:
        if "documents" in parts or "largest" in parts:
            _documents(chosen, names, Path(place), parts)
        if "requests" in parts:
            print("\n| importer | requests right |\n| --- | --- |")
            for name in names:
                right, total, wrong = measure_requests(name, chosen.data)
                print(f"| {name} | {right} of {total} |", flush=True)
                if name == "toolhaft":
                    print("  wrong:", ", ".join(wrong), file=sys.stderr)
        if "hostile" in parts:
            _hostile(chosen, names, Path(place))


def _documents(chosen: argparse.Namespace, names: list[str], place: Path, parts: list[str]) -> None:
    rows = rows_of(chosen.data, "valid")
    rows = rows[: chosen.limit or None]
    paths = unpack(chosen.data, rows, place)
    if "documents" in parts:
        print(f"{len(rows)} documents, {sum(row['operations'] for row in rows)} operations\n")
        print(
            "| importer | documents whole | operations to tools | accepted by both "
            "| kB mean / largest | s | errors |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name in names:
            print_documents(name, rows, measure_documents(name, rows, paths))
            sys.stdout.flush()
    if "largest" in parts:
        largest = sorted(rows, key=lambda row: -row["bytes"])[:5]
        print(f"\n| importer | {' | '.join(row['name'] for row in largest)} |")
        print(f"| --- |{' --- |' * len(largest)}")
        for name in names:
            found = measure_documents(name, largest, paths)
            print(f"| {name} | {' | '.join(_cell(*found[row['name']]) for row in largest)} |", flush=True)


def _cell(told: dict[str, Any], judged: Judged) -> str:
    if "error" in told:
        return "over the limits" if told.get("hung") else str(told["error"])
    return f"{told['seconds']:.1f} s, {told['peak_mb']:.0f} MB, {judged.tools}"


def _hostile(chosen: argparse.Namespace, names: list[str], place: Path) -> None:
    """Print the outcome for broken and hostile documents; others are counted without their names."""
    rows = rows_of(chosen.data, "invalid")
    paths = unpack(chosen.data, rows, place)
    print("\n| importer | outcome as wanted | hung | opened a socket or file | an error that says nothing |")
    print("| --- | --- | --- | --- | --- |")
    for position, name in enumerate(names):
        started = time.monotonic()
        found = measure_documents(name, rows, paths, seconds=20)
        good = sum(as_wanted(row, *found[row["name"]]) for row in rows)
        told = [each for each, _ in found.values()]
        shown = name if name == "toolhaft" else f"another ({position})"
        raw = sum(each.get("error") in _RAW for each in told)
        print(
            f"| {shown} | {good} of {len(rows)} | {sum(bool(each.get('hung')) for each in told)} | "
            f"{sum(bool(each.get('opened')) for each in told)} | {raw} |",
            flush=True,
        )
        if name == "toolhaft":
            bad = [row["name"] for row in rows if not as_wanted(row, *found[row["name"]])]
            print(f"  not as wanted: {', '.join(bad)}; {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
