"""What the tests of this plugin share; they also run alone, away from the repository."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"
