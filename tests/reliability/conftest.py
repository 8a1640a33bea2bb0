"""Real processes, killed for real, and a service that counts what they did."""

import pytest

from .effect_service import EffectService
from .processes import Nursery


@pytest.fixture(scope="session")
def shared_nursery():
    """One nursery for each worker of the test run."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def nursery(shared_nursery):
    """A nursery; what a test leaves running is killed."""
    yield shared_nursery
    shared_nursery.end_children()


@pytest.fixture
def service():
    """A service that counts."""
    with EffectService() as running:
        yield running
