"""Swagger 2.0 as vendors write it: every operation becomes a tool."""

import json

import pytest

from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions


@pytest.mark.slow
def test_every_operation_of_real_documents_is_read(shared):
    folder = shared / "openapi"
    lines = (folder / "MANIFEST.jsonl").read_text().splitlines()
    wrong = []
    for entry in map(json.loads, lines):
        if entry.get("set") == "valid" and str(entry.get("version")).startswith("2"):
            path = folder / entry["file"]
            if path.suffixes[-2:] == [".tar", ".gz"]:
                continue
            found = import_document(read_path(path), ImportOptions())
            if len(found.plans) != entry["operations"]:
                wrong.append((entry["name"], len(found.plans), entry["operations"]))
    assert wrong == []
