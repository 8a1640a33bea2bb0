"""Evaluators and benchmarks for Toolhaft, with and without a judge."""
