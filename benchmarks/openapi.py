"""Measure the OpenAPI importer alone: operations that become tools, seconds, sizes, right requests.

python benchmarks/openapi.py [--data DIR] [--no-wire] [--slowest N]

The documents and the wire vectors are real data beside the repository (``TOOLHAFT_SHARED``). A wire vector
is right when a loopback server receives exactly what it asks for. ``openapi_peers.py`` measures others too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from openapi_corpus import rows_of, unpack
from openapi_wire import measure_wire

from toolhaft.errors import ToolhaftError
from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.importing import Import, import_document
from toolhaft.openapi.options import ImportOptions


@dataclass(slots=True)
class Measured:
    """What the import of one document gave."""

    name: str
    expected: int
    report: Any = None
    problem: str = ""
    load_seconds: float = 0.0
    build_seconds: float = 0.0
    sizes: list[int] = field(default_factory=list)


def measure(path: Path, row: dict[str, Any]) -> Measured:
    """Import one document of the corpus and build every schema."""
    measured = Measured(row["name"], row["operations"])
    started = time.perf_counter()
    try:
        found = import_document(read_path(path), ImportOptions())
        measured.load_seconds = time.perf_counter() - started
        measured.report = found.report
        measured.sizes = [_size(found, name) for name in found.plans]
        measured.build_seconds = time.perf_counter() - started - measured.load_seconds
    except ToolhaftError as error:
        measured.problem = str(error)
    return measured


def _size(found: Import, name: str) -> int:
    spec, _ = found.build(name)
    return len(json.dumps(spec.parameters, ensure_ascii=False).encode())


def main() -> None:
    """Print the tables."""
    from shared_data import default_folder, require

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder("openapi"))
    parser.add_argument("--no-wire", action="store_true")
    parser.add_argument("--slowest", type=int, default=5)
    chosen = parser.parse_args()
    require(chosen.data)
    rows = rows_of(chosen.data, "valid")
    with tempfile.TemporaryDirectory() as place:
        paths = unpack(chosen.data, rows, Path(place))
        report([measure(paths[row["name"]], row) for row in rows], chosen.slowest)
    if not chosen.no_wire:
        asyncio.run(measure_wire(chosen.data))


def report(found: list[Measured], slowest: int) -> None:
    """Print what the import of the documents gave."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in found:
        counts["expected"] += one.expected
        counts["whole"] += one.report is not None and len(one.sizes) >= one.expected
        if one.report is None:
            print(f"  {one.name}: {one.problem[:110]}")
            continue
        for outcome in ("imported", "degraded", "skipped"):
            counts[outcome] += getattr(one.report, outcome)
        for operation in one.report.operations:
            reasons.update(
                {f"{p.severity}: {p.message[:80]}" for p in operation.problems if p.severity != "warning"}
            )
    tools = counts["imported"] + counts["degraded"]
    sizes = sorted(size for one in found for size in one.sizes)
    seconds = sum(one.load_seconds for one in found), sum(one.build_seconds for one in found)
    print(f"documents: {len(found)}; every operation a tool: {counts['whole']}")
    print(
        f"operations: {counts['imported']} imported, {counts['degraded']} degraded, "
        f"{counts['skipped']} skipped"
    )
    print(f"operations to tools: {tools / counts['expected']:.2%} of {counts['expected']}")
    print(f"seconds: {seconds[0]:.1f} to load, {seconds[1]:.1f} to build every schema")
    if sizes:
        print(
            f"kB of schema: mean {sum(sizes) / len(sizes) / 1000:.1f}, largest {sizes[-1] / 1000:.0f}, "
            f"over 32: {sum(size > 32_000 for size in sizes)}"
        )
    for one in sorted(found, key=lambda one: -one.load_seconds - one.build_seconds)[:slowest]:
        print(
            f"  {one.name}: {one.load_seconds:.2f} s to load, {one.build_seconds:.2f} s to build, "
            f"{len(one.sizes)} tools"
        )
    for reason, count in reasons.most_common(8):
        print(f"  {count} {reason}")


if __name__ == "__main__":
    main()
