"""Documents and a loopback API for the tests of the importer."""

import importlib.util
import sys
from pathlib import Path

import pytest

from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def corpus():
    """What reads the manifest of real documents, as a module."""
    return benchmark("openapi_corpus")


@pytest.fixture(scope="session")
def wire():
    """What compares wire vectors with requests, as a module: it has the echo server."""
    return benchmark("openapi_wire")


def benchmark(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def echo(wire):
    with wire.echo_server() as server:
        yield server


@pytest.fixture
def document():
    """Make a document of one operation, or of several paths."""

    def make(operation=None, *, path="/things", method="get", version="3.0.3", paths=None, **root):
        operation = {"operationId": "thing", "responses": {}, **(operation or {})}
        return {
            "openapi": version,
            "info": {"title": "Things", "version": "1"},
            "servers": [{"url": "https://api.example.com/v1"}],
            "paths": {path: {method: operation}} if paths is None else paths,
            **root,
        }

    return make


@pytest.fixture
def imported():
    """Import a parsed document; return what was found."""

    def run(value, **options):
        return import_document(read_value(value), ImportOptions(**options))

    return run


@pytest.fixture
def built(imported):
    """Import a document and build one tool's spec and wire."""

    def run(value, name="thing", **options):
        return imported(value, **options).build(name)

    return run
