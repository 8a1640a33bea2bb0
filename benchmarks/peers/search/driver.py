"""Run one tool search over queries, in that search's own virtual environment.

python driver.py ADAPTER JOB.json OUT.json

The job has ``tools`` (name, description, parameters, tags, parent), ``queries`` (pairs of id and text, in a
drawn order) and ``k``. The answer has ``ranked`` (by the id of the query, names best first), ``seconds``,
``index_seconds``. Where half of the first queries take longer than ``slow`` seconds, only the first
``sample`` are asked. Uses the standard library alone.
"""

from __future__ import annotations

import importlib
import json
import logging
import statistics
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

_TRIED = 5


def search_all(adapter: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Index the tools, ask the queries, and return what was found."""
    started = time.perf_counter()
    search = adapter.Search(job["tools"], job["k"])
    index_seconds = time.perf_counter() - started
    ranked: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for number, (id, text) in enumerate(job["queries"]):
        if number >= job["sample"] and statistics.median(list(seconds.values())[:_TRIED]) > job["slow"]:
            break
        started = time.perf_counter()
        found = search.find(text)
        seconds[id] = time.perf_counter() - started
        ranked[id] = list(found)[: job["k"]]
    version = metadata.version(adapter.DISTRIBUTION)
    return {"ranked": ranked, "seconds": seconds, "index_seconds": index_seconds, "version": version}


def main() -> None:
    """Run."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr  # what a search prints is no answer
    adapter = importlib.import_module(f"adapter_{sys.argv[1]}")
    job = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    Path(sys.argv[3]).write_text(json.dumps(search_all(adapter, job)), encoding="utf-8")


if __name__ == "__main__":
    main()
