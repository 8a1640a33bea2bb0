"""Planners: the search over tool calls."""
