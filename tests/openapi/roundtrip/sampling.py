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
    generator = Generator(document)
    runner = Runner(row["name"], document, catalog, generator, salt=str(seed))
    operations = list(list_operations(document))
    wanted = len(operations) if count is None else count
    for operation, features in choose(runner.decoder.schemas, operations, wanted, seed_of(seed, row["name"])):
        yield runner.run(operation, features)


def shards(rows, number):
    """Share documents among shards that cost about the same."""
    found = [[] for _ in range(number)]
    costs = [0] * number
    for row in sorted(rows, key=lambda row: (-_cost(row), row["name"])):
        lightest = costs.index(min(costs))
        found[lightest].append(row)
        costs[lightest] += _cost(row)
    return found


def _cost(row):
    """Bytes of the document, those of YAML three times as much, and something for its operations."""
    return row["bytes"] * (3 if row["format"] == "yaml" else 1) + 20_000 * min(row["operations"], 12)


class Tally:
    """Counts outcomes and what they have in common."""

    def __init__(self):
        self.statuses = Counter()
        self.features = {}
        self.excluded = Counter()
        self.wrong = []
        self.unused = Counter()
        self.examples = 0
        self.failed = []

    def add(self, outcome):
        """Count one outcome."""
        self.statuses[outcome.status] += 1
        self.examples += outcome.examples
        self.excluded.update(outcome.excluded)
        if outcome.status == "wrong":
            self.wrong.append((outcome.document, outcome.label, outcome.reasons[:2]))
        if outcome.status in ("no-example", "no-tool"):
            reason = outcome.reasons[0].partition(" ")[2][:60] if outcome.reasons else outcome.status
            self.unused[reason] += 1
        for feature in outcome.features:
            right, all_of_it = self.features.get(feature, (0, 0))
            counts = outcome.status in ("right", "wrong")
            self.features[feature] = (right + (outcome.status == "right"), all_of_it + counts)

    def merge(self, other):
        """Count what another tally has counted."""
        self.statuses += other.statuses
        self.excluded += other.excluded
        self.unused += other.unused
        self.examples += other.examples
        self.wrong += other.wrong
        self.failed += other.failed
        for feature, (right, all_of_it) in other.features.items():
            mine = self.features.get(feature, (0, 0))
            self.features[feature] = (mine[0] + right, mine[1] + all_of_it)

    @property
    def share(self):
        """Operations whose every example came back, of those that had one."""
        counted = self.statuses["right"] + self.statuses["wrong"]
        return self.statuses["right"] / counted if counted else 1.0
