"""The nine hooks. All have one shape: no arguments, and names with their factories come back.

A factory is a callable whose keyword arguments are its settings, or ``"module:name"`` of one, which is
imported when it is chosen. Prefer the string: a plugin that only names what it has loads in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolhaft.hooks.markers import hookspec

Factory = Callable[..., Any] | str
Factories = Mapping[str, Factory]


@hookspec
def register_tool_sources() -> Factories:
    """Name schemes, as in ``openapi:petstore.yaml``, with what makes a `toolhaft.tools.source.ToolSource`."""
    raise NotImplementedError


@hookspec
def register_retrievers() -> Factories:
    """Name what makes a `toolhaft.retrievers.base.Retriever`."""
    raise NotImplementedError


@hookspec
def register_rerankers() -> Factories:
    """Name what makes a `toolhaft.retrievers.reranker.Reranker`."""
    raise NotImplementedError


@hookspec
def register_models() -> Factories:
    """Name schemes, as in ``openai:gpt-5``, with what makes a `toolhaft.models.base.Model`.

    The factory gets what stands behind the scheme as ``name``; for an address such as
    ``http://host:8000/v1#qwen3``, the whole of it; without a colon, no ``name``.
    """
    raise NotImplementedError


@hookspec
def register_planners() -> Factories:
    """Name what makes a `toolhaft.planners.base.Planner`."""
    raise NotImplementedError


@hookspec
def register_generators() -> Factories:
    """Name what makes a `toolhaft.generators.base.Generator`."""
    raise NotImplementedError


@hookspec
def register_evaluators() -> Factories:
    """Name what makes a `toolhaft.evaluators.base.Evaluator`."""
    raise NotImplementedError


@hookspec
def register_executors() -> Factories:
    """Name what makes a `toolhaft.runs.executor.Executor`."""
    raise NotImplementedError


@hookspec
def register_commands() -> Factories:
    """Name commands of the command line, nested ones with a space: ``train sft``.

    What is named is the command itself and is not called: a typer application, or a
    function whose parameters typer understands.
    """
    raise NotImplementedError
