"""Count what corrects the effects of operations, and show a random sample to be graded by hand.

python benchmarks/openapi_effects.py [--data DIR] [--sample 60] [--seed 20] [--rule search]

The documents are real data beside the repository (``TOOLHAFT_SHARED``).
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from shared_data import default_folder, require

from toolhaft.errors import ToolhaftError
from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.operations import Operation, list_operations


def operations(folder: Path) -> Iterator[tuple[str, Operation]]:
    """Iterate over the operations of every valid document, with the document's name."""
    for line in (folder / "MANIFEST.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry.get("set") != "valid":
            continue
        try:
            document = read_path(folder / entry["file"])
        except ToolhaftError:
            continue
        resolver = Resolver(document.root, document.files, document.unread)
        for operation in list_operations(document, resolver)[0]:
            yield entry["name"], operation


def main() -> None:
    """Print the counts and the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder("openapi"))
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--rule", default="", help="show corrections by this rule only")
    options = parser.parse_args()
    require(options.data)
    counts: Counter[tuple[str, str]] = Counter()
    corrected: dict[tuple[str, str], str] = {}
    total = 0
    for name, operation in operations(options.data):
        total += 1
        reading = operation.read_effect()
        if not reading.rule:
            continue
        counts[reading.rule, reading.effect] += 1
        if options.rule in ("", reading.rule):
            shown = f"{operation.method} {operation.path} {operation.fields.get('operationId', '')}"
            line = f"{reading.effect:12} {shown[:110]} | {str(operation.fields.get('summary', ''))[:60]}"
            corrected[name.partition("--")[0], shown] = line
    print(f"{total} operations, {sum(counts.values())} corrected")
    for (rule, effect), count in counts.most_common():
        print(f"  {rule:8} -> {effect:12} {count:6}")
    lines = list(corrected.values())
    for line in random.Random(options.seed).sample(lines, min(options.sample, len(lines))):
        print(line)


if __name__ == "__main__":
    main()
