"""What the tests of this plugin share; they also run alone, away from the repository."""

import json
import os

import pytest

from .training_rows import make_row, write_rows

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A random model with two layers, made on the spot."""
    from toolhaft_finetune.loop.settings import LoopSettings
    from toolhaft_finetune.loop.tiny import write_base

    folder = tmp_path_factory.mktemp("models") / "tiny"
    texts = [json.dumps(make_row(city)) for city in ("Oslo", "Lisbon", "Kyoto", "Nairobi")]
    write_base(folder, texts, LoopSettings(vocabulary=500, width=32, layers=2))
    return folder


@pytest.fixture
def rows_file(tmp_path):
    """Twenty-four rows in a file."""
    return write_rows(tmp_path / "rows.jsonl", [make_row(f"Town {number}") for number in range(24)])
