"""Evaluators: how well a task was done."""
