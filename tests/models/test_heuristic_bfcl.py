"""The heuristic model against its floors on real single-turn function calls."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "heuristic.py"
FLOORS = {"simple_python": 0.50, "multiple": 0.48, "irrelevance": 0.80}


def load_benchmark():
    description = importlib.util.spec_from_file_location("heuristic_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


@pytest.mark.parametrize("category", sorted(FLOORS))
def test_the_share_of_right_calls_does_not_fall(shared, category):
    found = asyncio.run(load_benchmark().measure(shared / "bfcl", category))
    assert found["right"] >= FLOORS[category]


def test_the_matcher_tells_right_from_wrong():
    benchmark = load_benchmark()
    call = benchmark.ToolCall(id="1", name="f", arguments={"a": 1.0, "b": "New York"})
    assert benchmark.calls_fit((call,), [{"f": {"a": [1], "b": ["new york"], "c": ["", 3]}}])
    assert not benchmark.calls_fit((call,), [{"f": {"a": [1], "b": ["Boston"]}}])
    assert not benchmark.calls_fit((call,), [{"f": {"a": [1], "b": ["New York"], "c": [3]}}])
    assert not benchmark.calls_fit((call, call), [{"f": {"a": [1], "b": ["New York"]}}])
    assert not benchmark.calls_fit((), [{"f": {}}])
