"""Which operations of a corpus are run: documents share the number, rare features come first."""

import asyncio
import json
from collections import Counter
from pathlib import Path

from .documents import read_document, unpack
from .generating import Generator, shuffled
from .operations import list_operations
from .running import Runner, seed_of


def rows_of(folder):
    """Return the manifest's rows of documents that can be imported."""
    with (Path(folder) / "MANIFEST.jsonl").open(encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["set"] == "valid" and row["operations"]]


def shares(rows, total):
    """Return name -> how many operations a document gives, so that all give about the same."""
    left = {row["name"]: row["operations"] for row in rows}
    found = dict.fromkeys(left, 0)
    while total > 0 and left:
        level = max(1, total // len(left))
        for name in sorted(left):
            taken = min(level, left[name], total)
            found[name] += taken
            left[name] -= taken
            total -= taken
        left = {name: count for name, count in left.items() if count}
    return found


def features_of(schemas, operation):
    """Return what is special about an operation."""
    found = {f"method {operation.method}"}
    places = Counter()
    for one in operation.fields:
        places[one.name] += 1
        kinds = schemas.kinds(one.schema)
        shape = "object" if kinds == {"object"} else "array" if kinds == {"array"} else "primitive"
        if kinds - {"null"} > {"array"} or kinds - {"null"} > {"object"}:
            shape = "mixed"
        style = one.media or one.style
        found.add(f"{one.place} {style}{'*' if one.explode and shape != 'primitive' else ''} {shape}")
        if one.reserved:
            found.add("allowReserved")
    for media, body in operation.bodies.items():
        found.add(f"body {media}")
        if body.fields:
            found.add("encoding")
        for name in schemas.names(body.schema) if isinstance(body.schema, dict) else ():
            places[name] += 1
    if any(count > 1 for count in places.values()):
        found.add("collision")
    return found


def choose(schemas, operations, count, seed):
    """Return that many operations, those with the rarest features first."""
    operations = shuffled(operations, seed)
    features = {one.label: features_of(schemas, one) for one in operations}
    common = Counter(feature for found in features.values() for feature in found)
    chosen, covered = [], set()
    for one in operations:
        new = {name for name in features[one.label] - covered if common[name] <= max(3, len(operations) // 5)}
        if new and len(chosen) < count:
            chosen.append(one)
            covered |= features[one.label]
    for one in operations:
        if len(chosen) >= count:
            break
        if one not in chosen:
            chosen.append(one)
    return [(one, sorted(features[one.label])) for one in chosen[:count]]


def locate(folder, row, scratch):
    """Return the path of a document's root file, unpacked if it is an archive."""
    path = Path(folder) / row["file"]
    if path.name.endswith(".tar.gz"):
        target = Path(scratch) / row["name"]
        if not target.is_dir():
            target.mkdir(parents=True)
            unpack(path, target)
        return target / row["root"]
    return path


def run_document(folder, row, scratch, *, count=None, seed=1):
    """Run operations of one document; yield their outcomes.

    Args:
        count: How many; None for all.
    """
    from toolhaft.openapi.source import OpenAPISource

    path = locate(folder, row, scratch)
    document = read_document(path)
    # the server is of no interest here, and some documents name none
    catalog = asyncio.run(OpenAPISource(server="https://api.example.com/base").load(path))
    generator = Generator(document.root)
    runner = Runner(row["name"], document, catalog, generator, salt=str(seed))
    operations = list(list_operations(document))
    wanted = len(operations) if count is None else count
    for operation, features in choose(runner.decoder.schemas, operations, wanted, seed_of(seed, row["name"])):
        yield runner.run(operation, features)
