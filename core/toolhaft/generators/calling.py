"""Calling a tool for what it returns, with the bounds and the care that a rollout has."""

from __future__ import annotations

from typing import Any

from toolhaft.errors import ToolError
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.execute import execute
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import ToolCall

_LARGEST = 500_000


async def call_for_value(catalog: Catalog, name: str, arguments: dict[str, Any]) -> Any:
    """Make one call, whatever its effect, and return its result as JSON, or as text where it is none.

    Raises:
        ToolError: The call failed; its code is that of the failure.
        ToolhaftError: There is no such tool, or it has a bug.
    """
    context = RunContext(
        id="gold", policy=Policy(allow=(name,)), artifacts=ArtifactStore(), result_cap=_LARGEST
    )
    call = ToolCall(id="call-1", name=name, arguments=arguments)
    observation = await execute(call, ToolSet(catalog.select(name)), context)
    if observation.error is not None:
        raise ToolError(observation.error.what, where=name, code=observation.error.code)
    return observation.value()
