"""What tests share."""

import itertools
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio alone: it is what the package is written for."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Places for homes that nobody made: most tests need no folder, and a folder each takes its time."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_home(request, homes, monkeypatch):
    """Keep the user's settings, keys and plugins switched off out of the tests."""
    asked = "tmp_path" in request.fixturenames
    home = request.getfixturevalue("tmp_path") / "home" if asked else next(homes)
    monkeypatch.setenv("TOOLHAFT_HOME", str(home))
    for name in ("TOOLHAFT_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "TOOLHAFT_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
