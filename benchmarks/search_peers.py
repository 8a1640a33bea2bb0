"""Measure tool search beside others': the same queries, the same tools, the same figures, in one run.

python benchmarks/search_peers.py [PEER ...] [--set NAME ...] [--ours RETRIEVER ...] [--limit N] [--out DIR]

Makes ``.venv-search`` and ``.venv-search-fastmcp`` where they are not there yet (PyPI only). Every search
gets each tool's name, description, parameters and tags, in the form that it takes them, and the whole
query. With ``--whole`` it gets category, service, name, description and parameters as one description
besides: what a peer would find if its users wrote its descriptions so. Where half of a peer's queries take
more than half a second, 120 drawn by seed 0 are asked. Rankings of peers are kept under ``--out``, and
taken from there the next time; figures are those of `toolhaft.evaluators.ranking`, intervals are of 95 %,
differences ours less theirs, query by query.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from search_sets import SETS, SearchSet, load_set
from shared_data import ROOT

from toolhaft.evaluators.ranking import score_rankings
from toolhaft.evaluators.ranking_comparison import mean_figure, pair_rankings
from toolhaft.hooks.registry import Registry
from toolhaft.retrievers.fields import compose_text
from toolhaft.runs.search_sets.base import SearchQuery
from toolhaft.runs.searching import search_all
from toolhaft.types import ToolSpec

FOLDER = ROOT / "benchmarks/peers/search"
PEERS = {
    "plain": "",
    "fastmcp": "fastmcp",
    "tooluniverse": "",
    "haystack": "",
    "llama_index": "",
    "langchain": "",
    "utcp": "",
    "pydantic_ai": "",
}
"""Name of an adapter -> the environment that is its own; empty is the shared one."""
USUAL = ("toolbench", "toolbench-22k", "apibench-torchhub", "apibench-huggingface", "metatool")
METRICS = ("ndcg@1", "ndcg@5", "recall@5", "recall@10", "all@10")
DEPTHS = (1, 5, 10)
SAMPLE = 120
SLOW = 0.5

Found = dict[str, list[str]]


def python_of(environment: str) -> Path:
    """Return the interpreter of an environment, after making it if need be."""
    ending = f"-{environment}" if environment else ""
    folder = ROOT / f".venv-search{ending}"
    if not (folder / "bin/python").exists():
        print(f"installing {folder.name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        needed = FOLDER / f"requirements{ending}.txt"
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", "-r", needed], check=True)
    return folder / "bin/python"


def ask_peer(name: str, job: Mapping[str, Any], out: Path, *, again: bool = False) -> dict[str, Any]:
    """Have a peer answer a job, and return what it found; the same job is answered from ``out``."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()
    if out.exists() and not again:
        kept: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        if kept.get("job") == digest:
            return kept
    with tempfile.TemporaryDirectory() as place:
        written = Path(place) / "job.json"
        written.write_text(json.dumps(job), encoding="utf-8")
        subprocess.run(
            [python_of(PEERS[name]), FOLDER / "driver.py", name, written, out],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("PEER_LOUD") else subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "HOME": place, "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1"},
        )
    answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) | {"job": digest}
    out.write_text(json.dumps(answer), encoding="utf-8")
    return answer


def ask_ours(written: str, found: SearchSet, k: int) -> dict[str, Any]:
    """Have one of our retrievers answer."""
    registry = Registry.default()
    queries = [SearchQuery(id=query.id, text=query.text) for query in found.queries]
    searches = asyncio.run(search_all(written, registry.retriever(written), found.specs, queries, k))
    return {
        "ranked": {query: [tool for tool, _ in hits] for query, hits in searches.hits.items()},
        "seconds": searches.seconds,
        "index_seconds": searches.index_seconds,
        "version": searches.engine,
    }


def as_given(spec: ToolSpec, *, whole: bool) -> dict[str, Any]:
    """Return a tool as peers get it."""
    return {
        "name": spec.name,
        "description": compose_text(spec) if whole else spec.description,
        "parameters": spec.parameters,
        "tags": list(spec.tags),
        "parent": spec.parent,
    }


def measure(found: SearchSet, peers: Sequence[str], ours: Sequence[str], chosen: argparse.Namespace) -> None:
    """Print the rows of one set."""
    gold = {query.id: query.gold for query in found.queries}
    order = [(query.id, query.text) for query in found.queries]
    random.Random(0).shuffle(order)
    pool = [spec.name for spec in found.specs]
    first = {written: ask_ours(written, found, 10) for written in ours}
    print(f"\n## {found.name}: {len(pool):,} tools, {len(order):,} queries. {found.note}\n")
    against = " | ".join(f"NDCG@5, recall@5 of {written} - this" for written in ours)
    print(f"| search | n | {' | '.join(METRICS)} | {against} | index s | query ms |")
    print(f"| --- | --- |{' --- |' * (len(METRICS) + len(ours) + 2)}")
    for written, answer in first.items():
        _print_row(written, answer, gold, {}, len(ours))
    for name in peers:
        for whole in (False, True) if chosen.whole else (False,):
            job = {
                "tools": [as_given(spec, whole=whole) for spec in found.specs],
                "queries": order,
                "k": 10,
                "sample": SAMPLE,
                "slow": SLOW,
            }
            label = f"{name} (whole text)" if whole else name
            try:
                place = chosen.out / f"{found.name}-{label.replace(' ', '-')}.json"
                answer = ask_peer(name, job, place, again=chosen.again)
            except subprocess.CalledProcessError as error:
                print(f"| {label} | failed with {error.returncode} |", flush=True)
                continue
            _print_row(f"{label} {answer['version']}", answer, gold, first, len(ours))


def _print_row(
    label: str,
    answer: Mapping[str, Any],
    gold: Mapping[str, frozenset[str]],
    ours: Mapping[str, Mapping[str, Any]],
    columns: int,
) -> None:
    asked = {query: gold[query] for query in gold if query in answer["ranked"]}
    scores = score_rankings(answer["ranked"], asked, depths=DEPTHS)
    cells = []
    for metric in METRICS:
        figure = mean_figure(list(scores.values(metric).values()))
        cells.append(f"{100 * figure.mean:.1f} ({100 * figure.low:.1f}-{100 * figure.high:.1f})")
    pairs = []
    for own in ours.values():
        mine = score_rankings(own["ranked"], asked, depths=DEPTHS)
        said = []
        for metric in ("ndcg@5", "recall@5"):
            pair = pair_rankings("theirs", "ours", scores.values(metric), mine.values(metric))
            low, high = pair.low or 0.0, pair.high or 0.0
            said.append(f"{100 * pair.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
        pairs.append(", ".join(said))
    pairs += ["-"] * (columns - len(pairs))
    times = f"{answer['index_seconds']:.1f} | {1000 * median(answer['seconds'].values()):.2f}"
    print(f"| {label} | {len(asked)} | {' | '.join(cells)} | {' | '.join(pairs)} | {times} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all by default")
    parser.add_argument("--set", action="append", choices=list(SETS), help=f"by default {', '.join(USUAL)}")
    parser.add_argument("--ours", action="append", help="retrievers of ours; bm25 by default")
    parser.add_argument("--limit", type=int, default=1000, help="queries of a set at most, drawn by seed 0")
    parser.add_argument("--whole", action="store_true", help="also give peers all text as the description")
    parser.add_argument("--again", action="store_true", help="ask peers again whose rankings are kept")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "search_peers")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.peers if name not in PEERS]
    if unknown:
        parser.error(f"no peer {', '.join(unknown)}: there are {', '.join(PEERS)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.set or USUAL:
        try:
            found = load_set(name)
        except FileNotFoundError as error:
            print(f"skipped: {name}: no {error.filename}")
            continue
        queries = found.queries
        if len(queries) > chosen.limit:
            kept = set(random.Random(0).sample(range(len(queries)), chosen.limit))
            queries = tuple(query for number, query in enumerate(queries) if number in kept)
            found = replace(
                found, note=f"{found.note}; {chosen.limit:,} of them, drawn by seed 0".lstrip("; ")
            )
        measure(replace(found, queries=queries), chosen.peers or list(PEERS), chosen.ours or ["bm25"], chosen)


if __name__ == "__main__":
    main()
