"""What tests of batches share."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def effects():
    """The batch of tasks with three kinds of effect."""
    return load("effects_batch")


@pytest.fixture
def server():
    """A server that counts effects."""
    with load("effect_server").EffectServer() as running:
        yield running


@pytest.fixture
def start_batch():
    """Start the batch of effects in a process; all of them are ended with the test."""
    processes = []

    def start(folder, tasks, port, *options, crash_at=""):
        environment = {**os.environ, "PYTHONPATH": str(HERE), "TOOLHAFT_CRASH_AT": crash_at}
        process = subprocess.Popen(
            [sys.executable, str(HERE / "effects_batch.py"), str(folder), str(tasks), str(port), *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate(timeout=10)
