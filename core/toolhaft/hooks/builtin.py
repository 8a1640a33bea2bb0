"""The core's own plugin: it comes in through the same door as everyone else's."""

from __future__ import annotations

from toolhaft.hooks.markers import hookimpl
from toolhaft.hooks.specs import Factories


@hookimpl
def register_tool_sources() -> Factories:
    """Name the sources of tools."""
    return {
        "openapi": "toolhaft.openapi.source:OpenAPISource",
        "catalog": "toolhaft.tools.catalog_file:CatalogFileSource",
        "curated": "toolhaft.curation.tool:CuratedSource",
        "python": "toolhaft.tools.module:PythonSource",
        "world": "toolhaft.world.source:WorldSource",
    }


@hookimpl
def register_retrievers() -> Factories:
    """Name the retrievers."""
    return {
        "bm25": "toolhaft.retrievers.bm25:BM25",
        "hybrid": "toolhaft.retrievers.hybrid:Hybrid",
        "rank-bm25": "toolhaft.retrievers.rank_bm25:RankBM25",
        "reranked": "toolhaft.retrievers.reranked:Reranked",
    }


@hookimpl
def register_models() -> Factories:
    """Name the models' schemes."""
    return {
        "openai": "toolhaft.models.chat:ChatModel",
        "http": "toolhaft.models.chat:ChatModel",
        "https": "toolhaft.models.chat:ChatModel",
        "heuristic": "toolhaft.models.heuristic:HeuristicModel",
        "replay": "toolhaft.models.replay:ReplayModel",
    }


@hookimpl
def register_planners() -> Factories:
    """Name the planners."""
    return {
        "react": "toolhaft.planners.react:ReAct",
        "dfsdt": "toolhaft.planners.dfsdt:DFSDT",
        "dfsdt-toolbench": "toolhaft.planners.dfsdt:ToolBenchDFSDT",
    }


@hookimpl
def register_generators() -> Factories:
    """Name the generators of training data."""
    return {
        "one-tool": "toolhaft.generators.template:OneTool",
        "category": "toolhaft.generators.template:Category",
        "chain": "toolhaft.generators.template:Chain",
    }


@hookimpl
def register_evaluators() -> Factories:
    """Name the evaluators."""
    return {
        "state": "toolhaft.evaluators.state:StateEvaluator",
        "match": "toolhaft.evaluators.match:MatchEvaluator",
    }


@hookimpl
def register_executors() -> Factories:
    """Name the executors of batches."""
    return {
        "local": "toolhaft.runs.executor:LocalExecutor",
        "process": "toolhaft.runs.process:ProcessExecutor",
    }
