"""The independent reader of requests, which belongs to the tests, as a module for benchmarks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any


def load_reader() -> Any:
    """Import the reader's sampling; its package is called ``openapi_roundtrip``."""
    if "openapi_roundtrip" not in sys.modules:
        folder = Path(__file__).resolve().parent.parent / "tests" / "openapi" / "roundtrip"
        spec = importlib.util.spec_from_file_location(
            "openapi_roundtrip", folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise SystemExit(f"no reader at {folder}")
        module = importlib.util.module_from_spec(spec)
        sys.modules["openapi_roundtrip"] = module
        spec.loader.exec_module(module)
    return importlib.import_module("openapi_roundtrip.sampling")
