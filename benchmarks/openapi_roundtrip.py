"""Run every operation of a corpus through a request and back, and print what came back.

python benchmarks/openapi_roundtrip.py [--data DIR] [--count N] [--seed N] [--processes N] [--only NAME]

Arguments are drawn by schemathesis; the reader of the requests (``tests/openapi/roundtrip``) is written from
the OpenAPI specification and shares no code with what writes them. An operation counts as right when every
example of it came back that HTTP can carry; what it cannot is named, with the specification's reason.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

BAR = 0.995


def run(folder: Path, row: dict[str, Any], count: int | None, seed: int) -> Any:
    """Run one document; a document that cannot be run at all is told as such."""
    warnings.simplefilter("ignore")
    from openapi_roundtrip_loading import load_reader

    sampling = load_reader()
    tally = sampling.Tally()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for outcome in sampling.run_document(folder, row, scratch, count=count, seed=seed):
                tally.add(outcome)
        except Exception as error:  # noqa: BLE001  one document must not end the others
            tally.failed.append((row["name"], f"{type(error).__name__}: {str(error)[:120]}"))
    return row["name"], tally


def report(total: Any, seconds: float) -> None:
    """Print the figures."""
    from openapi_roundtrip.exclusions import REASONS

    statuses = total.statuses
    counted = statuses["right"] + statuses["wrong"]
    print(f"operations: {statuses.total()}; with examples that HTTP can carry: {counted}")
    print(f"every example came back: {statuses['right']} of {counted}, {total.share:.2%}")
    print(f"examples: {total.examples}; {seconds:.0f} s")
    print(f"no example at all could be carried: {statuses['excluded']}")
    print(f"the generator has none: {statuses['no-example']}; no tool: {statuses['no-tool']}")
    for reason, count in total.unused.most_common(12):
        print(f"  {count:5} {reason}")
    print("examples left out, by reason:")
    for name, count in total.excluded.most_common():
        print(f"  {count:5} {name}: {REASONS[name]}")
    print("by feature (operations right of operations run):")
    for feature, (right, all_of_it) in sorted(total.features.items()):
        if all_of_it:
            print(f"  {feature:55} {right:5} of {all_of_it:5} {right / all_of_it:8.2%}")
    for document, label, reasons in total.wrong:
        print(f"WRONG {document} {label}: {reasons}")
    for name, problem in total.failed:
        print(f"FAILED {name}: {problem}")


def main() -> int:
    """Run the corpus and print the figures."""
    from openapi_roundtrip_loading import load_reader
    from shared_data import default_folder, require

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder("openapi"))
    parser.add_argument("--count", type=int, default=None, help="operations of each document; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", action="append", default=[])
    chosen = parser.parse_args()
    require(chosen.data)
    sampling = load_reader()
    rows = [row for row in sampling.rows_of(chosen.data) if not chosen.only or row["name"] in chosen.only]
    rows.sort(key=lambda row: -row["operations"])
    total, started = sampling.Tally(), time.perf_counter()
    with ProcessPoolExecutor(chosen.processes) as pool:
        jobs = [pool.submit(run, chosen.data, row, chosen.count, chosen.seed) for row in rows]
        for number, job in enumerate(jobs, 1):
            name, tally = job.result()
            total.merge(tally)
            print(f"{number}/{len(jobs)} {name}: {dict(tally.statuses)}", file=sys.stderr)
    report(total, time.perf_counter() - started)
    return 0 if total.share >= BAR and not total.failed else 1


if __name__ == "__main__":
    raise SystemExit(main())
