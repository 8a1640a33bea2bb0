"""An agent: tools, a model and a planner put together; and catalogs and models opened by name."""

from toolhaft.agent.agent import Agent
from toolhaft.agent.finding import CallTool, FindTools, searchable
from toolhaft.agent.opening import load_catalog, open_catalog, open_model, split_location
from toolhaft.agent.run import Run
from toolhaft.agent.searching import search, search_catalog

__all__ = [
    "Agent",
    "CallTool",
    "FindTools",
    "Run",
    "load_catalog",
    "open_catalog",
    "open_model",
    "search",
    "search_catalog",
    "searchable",
    "split_location",
]
