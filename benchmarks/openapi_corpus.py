"""The documents of the corpus: rows of its manifest, and their files unpacked."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any


def rows_of(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the manifest's rows of one set."""
    with (folder / "MANIFEST.jsonl").open(encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["set"] == kind]


def unpack(folder: Path, rows: list[dict[str, Any]], target: Path) -> dict[str, Path]:
    """Unpack what is only compressed for storage; return name -> root file."""
    found: dict[str, Path] = {}
    for row in rows:
        path = folder / row["file"]
        if path.name.endswith(".tar.gz"):
            place = target / row["name"]
            with tarfile.open(path) as archive:
                archive.extractall(place, filter="data")
            path = place / row["root"]
        elif path.suffix == ".gz" and "bomb" not in path.name:
            place = target / path.name.removesuffix(".gz")
            with gzip.open(path) as packed, place.open("wb") as file:
                shutil.copyfileobj(packed, file)
            path = place
        found[row["name"]] = path
    return found
