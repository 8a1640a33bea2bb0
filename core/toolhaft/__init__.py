"""Toolhaft: fits tools to language models.

Everything public is here or in a module named without a leading underscore; names are imported when
first used, so ``import toolhaft`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolhaft.agent import Agent as Agent
    from toolhaft.agent import Run as Run
    from toolhaft.agent import load_catalog as load_catalog
    from toolhaft.agent import open_catalog as open_catalog
    from toolhaft.agent import search as search
    from toolhaft.errors import ToolError as ToolError
    from toolhaft.errors import ToolhaftError as ToolhaftError
    from toolhaft.evaluators.base import Evaluator as Evaluator
    from toolhaft.generators.base import Generator as Generator
    from toolhaft.hooks.markers import hookimpl as hookimpl
    from toolhaft.hooks.registry import Registry as Registry
    from toolhaft.models.base import Model as Model
    from toolhaft.planners.base import Planner as Planner
    from toolhaft.retrievers.base import Retriever as Retriever
    from toolhaft.tools.base import CallContext as CallContext
    from toolhaft.tools.base import RawTool as RawTool
    from toolhaft.tools.base import Tool as Tool
    from toolhaft.tools.base import ToolResult as ToolResult
    from toolhaft.tools.catalog import Catalog as Catalog
    from toolhaft.tools.function import tool as tool
    from toolhaft.tools.policy import Policy as Policy
    from toolhaft.types import Artifact as Artifact
    from toolhaft.types import Budget as Budget
    from toolhaft.types import Completion as Completion
    from toolhaft.types import Event as Event
    from toolhaft.types import Message as Message
    from toolhaft.types import Observation as Observation
    from toolhaft.types import Score as Score
    from toolhaft.types import SecretRef as SecretRef
    from toolhaft.types import Task as Task
    from toolhaft.types import ToolCall as ToolCall
    from toolhaft.types import ToolSpec as ToolSpec
    from toolhaft.types import Trajectory as Trajectory

_HOMES = {
    "toolhaft.agent": ("Agent", "Run", "load_catalog", "open_catalog", "search"),
    "toolhaft.errors": ("ToolError", "ToolhaftError"),
    "toolhaft.evaluators.base": ("Evaluator",),
    "toolhaft.generators.base": ("Generator",),
    "toolhaft.hooks.markers": ("hookimpl",),
    "toolhaft.hooks.registry": ("Registry",),
    "toolhaft.models.base": ("Model",),
    "toolhaft.planners.base": ("Planner",),
    "toolhaft.retrievers.base": ("Retriever",),
    "toolhaft.tools.base": ("CallContext", "RawTool", "Tool", "ToolResult"),
    "toolhaft.tools.catalog": ("Catalog",),
    "toolhaft.tools.function": ("tool",),
    "toolhaft.tools.policy": ("Policy",),
    "toolhaft.types": (
        "Artifact",
        "Budget",
        "Completion",
        "Event",
        "Message",
        "Observation",
        "Score",
        "SecretRef",
        "Task",
        "ToolCall",
        "ToolSpec",
        "Trajectory",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'toolhaft' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
