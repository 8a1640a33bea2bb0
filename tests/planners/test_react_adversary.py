"""What a model of a plugin may hand over, and no record could hold."""

import pytest

from toolhaft import Agent, ToolCall, tool
from toolhaft.testing import ScriptedModel
from toolhaft.types import Trajectory, from_json, to_json


@tool(effect="read")
def look(x: dict) -> str:
    """Look at something."""
    return "seen"


def nested(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("arguments", [{"x": nested(5_000)}, {"x": {"n": 10**5_000}}, ["x"], {1: 2}, None])
def test_arguments_that_cannot_be_kept_come_back_as_an_error(arguments, tmp_path):
    model = ScriptedModel(ToolCall(id="1", name="look", arguments=arguments), "Done.")
    run = Agent([look], model=model).run_sync("Look")
    assert run.trajectory.status == "answered"
    assert [o.error.code for o in run.trajectory.observations()] == ["E-TOOL-ARGUMENTS"]
    assert from_json(Trajectory, to_json(run.trajectory)) == run.trajectory
    run.save(tmp_path / "run.html")
