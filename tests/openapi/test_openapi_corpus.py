"""Real documents, hostile ones, and the wire vectors; skipped where the data is not at hand."""

import json
import subprocess
import sys

import pytest

from toolhaft.errors import ToolhaftError
from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.tools.schema import compile_schema

CHILD = """
import asyncio, json, sys
touched = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"):
        touched.append(event)
    if event == "open" and str(arguments[0]).startswith("/etc/"):
        touched.append(str(arguments[0]))
from toolhaft.openapi.source import OpenAPISource
from toolhaft.errors import ToolhaftError
from toolhaft.tools.schema import compile_schema
import jsonschema_rs, yaml
sys.addaudithook(watch)
async def load(path):
    try:
        catalog = await OpenAPISource().load(path)
        for name in list(catalog)[:300]:
            compile_schema(catalog.spec(name).parameters)
        return {"tools": len(catalog)}
    except ToolhaftError as error:
        return {"tools": 0, "error": str(error), "where": error.where}
found = {}
for path in json.load(sys.stdin):
    found[path] = asyncio.run(load(path)) | {"touched": list(touched)}
    touched.clear()
json.dump(found, sys.stdout)
"""


def documents(corpus, folder):
    return [row for row in corpus.rows_of(folder, "valid") if ".tar" not in row["file"]]


def check(folder, row):
    found = import_document(read_path(folder / row["file"]), ImportOptions())
    report = found.report
    assert report.imported + report.degraded + report.skipped == row["operations"], row["name"]
    assert len(found.plans) == report.imported + report.degraded
    for name in found.plans:
        spec, _ = found.build(name)
        compile_schema(spec.parameters, where=f"{row['name']} {name}")
        assert len(spec.description) <= 1024
        json.dumps(spec.parameters).encode()
        wanted = set(_references(spec.parameters))
        assert wanted == {f"#/$defs/{key}" for key in spec.parameters.get("$defs", {})}, (row["name"], name)


def _references(schema):
    waiting = [(schema, False)]
    while waiting:
        value, names = waiting.pop()
        if isinstance(value, list):
            waiting.extend((item, False) for item in value)
        elif isinstance(value, dict):
            if not names and isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for key, item in value.items():
                if names or key not in ("enum", "default", "examples", "const"):
                    waiting.append((item, not names and key in ("properties", "patternProperties", "$defs")))


def test_a_sample_of_real_documents(corpus, shared):
    folder = shared / "openapi"
    small = [row for row in documents(corpus, folder) if row["bytes"] < 40_000]
    sample = small[::6]
    assert len(sample) >= 15
    for row in sample:
        check(folder, row)


@pytest.mark.slow
def test_the_tools_of_real_documents_are_sound(corpus, shared):
    folder = shared / "openapi"
    rows = documents(corpus, folder)
    assert len(rows) > 250
    large = [row for row in rows if row["bytes"] > 200_000]
    for row in [*(row for row in rows if row not in large), *large[::8]]:
        check(folder, row)


@pytest.mark.slow
def test_hostile_documents_do_no_harm(shared):
    folder = shared / "openapi"
    rows = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text().splitlines()]
    hostile = [row for row in rows if row["set"] == "invalid" and row["name"] != "huge-operations-20k"]
    paths = {str(folder / row["file"]): row for row in hostile}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(list(paths)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for path, found in json.loads(done.stdout).items():
        row = paths[path]
        assert found["touched"] == [], row["name"]
        expected = row["expect"]
        if "Swagger 2.0" in found.get("error", ""):
            continue
        if expected["outcome"] == "reject":
            assert found["tools"] == 0, row["name"]
            assert found["where"], row["name"]
        elif expected["tools"] is not None:
            assert found["tools"] == expected["tools"], (row["name"], found)


@pytest.mark.slow
def test_twenty_thousand_operations_open_in_time(shared):
    import time

    started = time.perf_counter()
    found = import_document(
        read_path(shared / "openapi/invalid/huge-operations-20k.json.gz"), ImportOptions()
    )
    assert len(found.plans) == 20_000
    assert time.perf_counter() - started < 20


@pytest.mark.anyio
async def test_wire_vectors(wire, echo, shared):
    lines = (shared / "openapi" / "wire-vectors.jsonl").read_text(encoding="utf-8").splitlines()
    wrong = {}
    for vector in map(json.loads, lines):
        if problem := await wire.check_vector(vector, echo):
            wrong[vector["id"]] = problem
    assert wrong == {}


@pytest.mark.parametrize("text", ["{", "openapi: [", "openapi: 3.0.0\npaths: 5", "\x07", "{}", "5"])
def test_every_error_about_a_document_says_where(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ToolhaftError) as raised:
        import_document(read_path(path), ImportOptions())
    assert raised.value.where.startswith(str(path))
