"""Compare engines of lexical search at 22,897, 100,000 and 1 million tools: speed, memory, disk, changing.

.venv-search/bin/pip install bm25s==0.3.16 tantivy==0.27.0 rank-bm25==0.2.2 numpy==2.4.6
OMP_NUM_THREADS=1 .venv-search/bin/python benchmarks/lexical.py [--sizes 22897,100000] [--queries 150]

All engines get the same terms, split once, stop words included (see `lexical_corpus`), and the different
terms of ToolBench's instructions: in full, and without stop words. Queries are interleaved in one process on
one thread, the engines taking turns in going first. Everything else is measured in a process of its own.
``toolhaft + parents`` adds the score of each tool's service, which no other engine does. Slow engines get
fewer queries; n says how many. The work is kept in ``--work``: a second run only measures queries anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core")]

from lexical_corpus import read_queries, write_corpus  # noqa: E402 - the path comes first
from lexical_engines import ENGINES  # noqa: E402 - likewise
from shared_data import default_folder, require  # noqa: E402 - likewise

K = 10
MOST_QUERIES = {
    "rank-bm25": {22_897: 30, 100_000: 3},
    "pure Python": {22_897: 30, 100_000: 3},
    "FTS5": {22_897: 30, 100_000: 10, 1_000_000: 3},
    "bm25s": {1_000_000: 40},
}
"""Engine -> size -> queries at most, where that is fewer than are asked for; no such size: left out."""
SIZES = (22_897, 100_000, 1_000_000)
ADDED = [
    "get",
    "the",
    "current",
    "weather",
    "of",
    "a",
    "city",
    "by",
    "its",
    "name",
    "and",
    "the",
    "forecast",
    "for",
    "days",
]


def most_queries(engine: str, size: int, asked: int) -> int:
    limits = MOST_QUERIES.get(engine)
    if limits is None or (engine == "bm25s" and size not in limits):
        return asked
    return min(asked, limits.get(size, 0))


def status(key: str) -> float:
    """Return a figure of this process in MiB: ``VmHWM`` is the peak, ``VmRSS`` what is resident now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def milliseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1e3


def make_corpus(work: Path, size: int, **_: Any) -> None:
    write_corpus(work / f"corpus-{size}.tsv", default_folder("toolbench"), size)


def build(work: Path, size: int, engine: str, **_: Any) -> dict[str, float]:
    made = ENGINES[engine](work / f"index-{size}")
    start = time.perf_counter()
    made.build(work / f"corpus-{size}.tsv")
    files = [place for place in made.folder.rglob("*") if place.is_file()]
    return {
        "build s": (time.perf_counter() - start),
        "build peak MiB": status("VmHWM"),
        "disk MiB": sum(place.stat().st_size for place in files) / 2**20,
    }


def open_and_ask(work: Path, size: int, engine: str, **_: Any) -> dict[str, float]:
    """Open in a fresh process; the first query, further ones, and what is resident after them."""
    made = ENGINES[engine](work / f"index-{size}")
    queries = read_queries(default_folder("toolbench"), 41, stripped=True, seed=1)
    # What is imported once in a process is no part of opening one index more.
    ENGINES[engine](work / "index-few").open()
    start = time.perf_counter()
    made.open()
    opened = milliseconds(start)
    times: list[float] = []
    for query in queries:
        start = time.perf_counter()
        made.top(query, K)
        times.append(milliseconds(start))
    return {
        "open ms": opened,
        "first query ms": times[0],
        "next queries ms": statistics.median(times[1:]),
        "resident MiB": status("VmRSS"),
    }


def change(work: Path, size: int, engine: str, **_: Any) -> dict[str, float]:
    """Add and replace single tools in a copy of the index."""
    import shutil

    copy = work / f"copy-{size}"
    shutil.rmtree(copy, ignore_errors=True)
    made = ENGINES[engine](work / f"index-{size}")
    shutil.copytree(made.folder, copy / made.folder.name)
    made = ENGINES[engine](copy)
    made.open()
    made.top(ADDED, K)
    added: list[float] = []
    replaced: list[float] = []
    for number in range(7):
        for times, name in ((added, f"new{number}"), (replaced, f"tool{number * 997}")):
            start = time.perf_counter()
            made.add(name, [*ADDED, f"x{number}"])
            times.append(milliseconds(start))
    shutil.rmtree(copy)
    told = {"add one ms": statistics.median(added)}
    if engine != "FTS5":  # its index has no names
        told["replace one ms"] = statistics.median(replaced)
    return told


def ask(work: Path, size: int, queries: int, engines: str, **_: Any) -> dict[str, dict[str, Any]]:
    """Ask all engines in turn; the median time of each, and how far scores are from rank-bm25's."""
    opened: dict[str, Any] = {}
    for name in engines.split(","):
        if most_queries(name, size, queries):
            opened[name] = ENGINES[name](work / f"index-{size}")
            if opened[name].kept:
                opened[name].open()
            else:
                opened[name].build(work / f"corpus-{size}.tsv")
    told: dict[str, dict[str, Any]] = {name: {} for name in opened}
    for kind in ("stripped", "full"):
        asked = read_queries(default_folder("toolbench"), queries + 5, stripped=kind == "stripped")
        times: dict[str, list[float]] = {name: [] for name in opened}
        furthest = 0.0
        for number, query in enumerate(asked):
            found: dict[str, list[float]] = {}
            for turn in range(len(opened)):
                name = list(opened)[(number + turn) % len(opened)]
                if number >= most_queries(name, size, queries) + 5:
                    continue
                start = time.perf_counter()
                found[name] = opened[name].top(query, K)
                # The first five warm the engines up.
                times[name] += [milliseconds(start)] if number >= 5 else []
            if {"rank-bm25", "toolhaft"} <= found.keys():
                pairs = zip(found["rank-bm25"], found["toolhaft"], strict=True)
                furthest = max(furthest, *(abs(a - b) for a, b in pairs))
        for name, each in times.items():
            told[name] |= {f"{kind} p50 ms": statistics.median(each), "n": len(each)}
        if "rank-bm25" in opened:
            told["toolhaft"][f"{kind} off rank-bm25 by"] = furthest
    return told


STEPS = {"corpus": make_corpus, "build": build, "open": open_and_ask, "change": change, "ask": ask}


def run_step(step: str, **settings: Any) -> Any:
    """Run a step in a process of its own and return what it tells; None if it fails."""
    code = (
        "import json, sys; from pathlib import Path; import lexical; "
        "given = json.loads(sys.argv[2]); given['work'] = Path(given['work']); "
        "print(json.dumps(lexical.STEPS[sys.argv[1]](**given)))"
    )
    settings = {**settings, "work": str(settings["work"])}
    done = subprocess.run(
        [sys.executable, "-c", code, step, json.dumps(settings)],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"{step} {settings} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measure(work: Path, size: int, engines: list[str], queries: int) -> dict[str, dict[str, Any]]:
    if not (work / f"corpus-{size}.tsv").exists():
        run_step("corpus", work=work, size=size)
    notes = work / f"built-{size}.json"
    built: dict[str, Any] = json.loads(notes.read_text()) if notes.exists() else {}
    rows: dict[str, dict[str, Any]] = {name: {} for name in engines if most_queries(name, size, queries)}
    for name, row in rows.items():
        if name == "toolhaft + parents":
            continue
        folder = ENGINES[name](work / f"index-{size}").folder
        if name not in built or (ENGINES[name].kept and not folder.exists()):
            built[name] = run_step("build", work=work, size=size, engine=name) or {}
            notes.write_text(json.dumps(built))
        row |= built[name]
    for name, row in rows.items():
        if ENGINES[name].kept:
            row |= run_step("open", work=work, size=size, engine=name) or {}
            if ENGINES[name].changes and name != "toolhaft + parents":
                row |= run_step("change", work=work, size=size, engine=name) or {}
    asked = run_step("ask", work=work, size=size, queries=queries, engines=",".join(rows)) or {}
    for name, row in asked.items():
        rows[name] |= row
    return rows


def print_table(size: int, rows: dict[str, dict[str, Any]]) -> None:
    """Print one row an engine; times of queries with their ratio to tantivy's and rank-bm25's."""
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    columns = sorted(columns, key=lambda key: ("p50" not in key, key != "n"))
    print(f"\n{size:,} tools\n\n| engine | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, row in rows.items():
        cells = [cell(key, row.get(key), rows) for key in columns]
        print(f"| {name} | {' | '.join(cells)} |")


def cell(key: str, value: Any, rows: dict[str, dict[str, Any]]) -> str:
    if value is None:
        return ""
    if "off" in key:
        return f"{value:.1e}"
    text = f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    if "p50" in key:
        for peer in ("tantivy", "rank-bm25"):
            other = rows.get(peer, {}).get(key)
            if other:
                text += f", {value / other:.2g}x {peer}"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "toolhaft-lexical")
    given = parser.parse_args()
    require(default_folder("toolbench"))
    given.work.mkdir(parents=True, exist_ok=True)
    engines = given.engines.split(",")
    few = given.work / "corpus-few.tsv"
    if not few.exists():
        write_corpus(few, default_folder("toolbench"), 3_000)
    for name in engines:
        folder = ENGINES[name](given.work / "index-few").folder
        if ENGINES[name].kept and not folder.exists():
            run_step("build", work=given.work, size="few", engine=name)
    for size in map(int, given.sizes.split(",")):
        print_table(size, measure(given.work, size, engines, given.queries))


if __name__ == "__main__":
    main()
