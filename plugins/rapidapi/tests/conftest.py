"""What the tests of this plugin share; they also run alone, away from the repository."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder
