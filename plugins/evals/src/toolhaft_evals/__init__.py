"""Evaluators for Toolhaft that need no judge."""
