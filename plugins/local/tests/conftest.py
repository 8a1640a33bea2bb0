"""What the tests of this plugin share; they also run alone, away from the repository."""

import itertools
import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A random model of 100,000 weights."""
    from toolhaft_local.tiny import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
