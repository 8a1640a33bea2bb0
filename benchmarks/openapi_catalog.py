"""Measure what opening a saved catalog costs, by its number of tools.

python benchmarks/openapi_catalog.py [--repeat N] [--sizes 100,1000,10000]

Each size is the catalog of one generated OpenAPI document, imported and saved. Timed is what a program does
that makes one call: open the file, take one tool's spec, build its request. The last line gives the cost of
the largest catalog over that of the smallest: 1 is flat.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from toolhaft import open_catalog


def document(tools: int) -> dict[str, Any]:
    """Return an OpenAPI document with this many operations of an ordinary size."""
    paths: dict[str, Any] = {}
    for n in range(tools):
        paths[f"/things{n}/{{id}}"] = {
            "put": {
                "operationId": f"putThing{n}",
                "summary": f"Replace thing {n}. " * 4,
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                },
                "responses": {"200": {"description": "Done"}},
            }
        }
    fields = {f"field{n}": {"type": "string", "description": "One of the fields."} for n in range(12)}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{tools} things", "version": "1"},
        "servers": [{"url": "https://things.example.com"}],
        "paths": paths,
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
            "schemas": {"Thing": {"type": "object", "properties": fields}},
        },
    }


def use(path: Path, name: str) -> float:
    """Open with a secret, look at one tool, build its request, close; return seconds."""
    started = time.perf_counter()
    catalog = open_catalog(path, auth={"key": "env:THINGS_KEY"})
    spec = catalog.spec(name)
    request = catalog[name].request({"id": 7, "field3": "x"})
    seconds = time.perf_counter() - started
    catalog.close_sync()
    if spec.name != name or not request.body:
        raise SystemExit("the tool is not what was saved")
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--sizes", default="100,1000,10000")
    options = parser.parse_args()
    medians = []
    print("tools   file MB   import s   open + one tool, ms (median)")
    with tempfile.TemporaryDirectory() as folder:
        for size in [int(each) for each in options.sizes.split(",")]:
            path = Path(folder) / f"{size}.catalog"
            started = time.perf_counter()
            with open_catalog(document(size)) as catalog:
                catalog.save(path)
            imported = time.perf_counter() - started
            name = f"putThing{size // 2}"
            use(path, name)  # imports of modules are no part of it
            median = statistics.median(use(path, name) for _ in range(options.repeat))
            medians.append(median)
            megabytes = path.stat().st_size / 1e6
            print(f"{size:<7} {megabytes:7.2f}   {imported:8.2f}   {median * 1000:.2f}")
    print(f"largest over smallest: {medians[-1] / medians[0]:.2f}")


if __name__ == "__main__":
    main()
