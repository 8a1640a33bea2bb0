"""The weight-free policy that stands in where no language model is configured."""

from toolhaft.models.heuristic.model import HeuristicModel

__all__ = ["HeuristicModel"]
